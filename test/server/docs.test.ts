/** docs/api.md and the route table say the same, and what it shows happens: every example is carried out, in its order. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApprovals } from '../../lib/approvals/approvals.ts';
import { textOfDecision } from '../../lib/approvals/steps.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { clock, random, timers } from '../../lib/host/time.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { webFiles } from '../../lib/server/web.ts';
import { createKit, localToken, mint, putEvents, type Kit } from '../support/api-kit.ts';
import { push } from '../support/approval-request.ts';
import { looseApprover } from '../support/approver.ts';
import { createExamples, type Called } from '../support/curl-examples.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { packageRoot } from '../support/root.ts';

/** A vendored copy has no docs/. */
const pageOf = (name: string): string | undefined => {
  const place = join(packageRoot, 'docs', name);
  return existsSync(place) ? readFileSync(place, 'utf8') : undefined;
};
const page = pageOf('api.md');
const { services } = createKit();
const parts = new Set(webFiles.map(({ path }) => path));
const table = routeTable(services, createStreams(timers), () => false);
const paths = new Set(table.map(({ path }) => path).filter((path) => path === '/' || !parts.has(path)));

test('docs/api.md lists every route, and no other', (t) => {
  if (page === undefined) return t.diagnostic('docs/ is not here: the routes were not compared');
  const section = page.slice(page.indexOf('## Routes'), page.indexOf('\n## ', page.indexOf('## Routes') + 5));
  const listed = new Set([...section.matchAll(/^\| (`\/[^|]*) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\/[^`]*)`/g)].map(([, path = '']) => path)));
  return assert.deepEqual([...listed].sort(), [...paths].sort());
});

/** A control plane in which the examples of the page can happen, and what the programs beside curl print. */
async function stage(): Promise<{ readonly kit: Kit; readonly programs: Readonly<Record<string, () => string>> }> {
  const store = createMemoryStore();
  // The page shows first what counts until there is an approver key.
  let hasKeys = false;
  const { approver, prove } = looseApprover('user:alice', 1, () => clock.now());
  const approvals = createApprovals({ objects: store, record: async () => undefined, clock, timers, random, isApprover: () => true, approverKeys: () => (hasKeys ? [approver] : []) });
  const plain = createKit({}, { store });
  // Nobody drives the run of the examples, and one that never began is not replayed.
  let project = '';
  const replay: Kit['services']['runs']['replay'] = async (tenant, _id, by, commit) => ({
    ...await plain.services.runs.order({ project_id: project, tenant, document: '# again\n', terms: {}, trigger: 'api', ...by }, commit), differences: [],
  });
  const order: Kit['services']['runs']['order'] = async (draft, commit) => {
    project = draft.project_id;
    const ordered = await plain.services.runs.order(draft, commit);
    await putEvents(store, ordered.run.id, 1, 2);
    return ordered;
  };
  const kit = createKit({ authentication: true }, { store, approvals: () => approvals, runs: { ...plain.services.runs, replay, order } });
  const { token } = await mint(kit, { name: 'admin', tenant: null, role: 'admin' });
  const { token: alice } = await mint(kit, { name: 'alice', tenant: null, role: 'viewer', scopes: ['approve'], owner: 'user:alice' });
  const first = await approvals.request(push);
  const second = await approvals.request({ ...push, actionHash: 'b'.repeat(64) });
  const proof = (): string => {
    hasKeys = true;
    const view = first.id < second.id ? first : second;
    const made = prove((at) => textOfDecision(view, { id: view.id, outcome: 'reject', by: 'user:alice', reason: 'not today' }, at));
    assert.ok(made.kind === 'approver_key');
    return JSON.stringify({ reason: 'not today', proof: { by: 'user:alice', at: made.at, key: made.key, signature: made.signature } });
  };
  return {
    kit,
    programs: {
      'loki enterprise token generate alice': () => alice, 'loki enterprise token generate': () => token, 'cat ~/.loki/run/token': () => localToken, 'loki reject apr_': proof,
      'jq -Rs {text: .} .loki/policies.yaml': () => '{"text":"version: 1\\n"}', 'loki metrics': () => '',
    },
  };
}

/** Blocks of a page, in their order. */
function blocksOf(text: string): readonly { readonly language: string; readonly body: string }[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language = '', body = '']) => ({ language, body }));
}

test('every example of docs/api.md happens as it says, and the objects shown have the members of what is answered', async (t) => {
  if (page === undefined) return t.diagnostic('docs/ is not here: nothing was called');
  const { kit: { api }, programs } = await stage();
  const examples = createExamples(api, programs);
  const all: Called[] = [];
  let shown = 0;
  for (const { language, body } of blocksOf(page)) {
    if (language === 'sh') all.push(...await examples.run(body));
    if (language !== 'json' || !/^\{"(id|type)"/.test(body)) continue;
    shown += 1;
    const members = (text: string): readonly string[] => Object.keys(JSON.parse(text) as JsonObject);
    assert.deepEqual(members(body), members(all.at(-1)?.text ?? '{}'), `what is shown below ${all.at(-1)?.example ?? ''}`);
  }
  assert.ok(shown >= 5, String(shown));
  const used = new Set(all.map(({ method, target }) => `${method} ${operationOf(method, target)}`));
  const missing = table.filter(({ path, version }) => version === 2 && path !== '/api/v2/status').map(({ method, operation }) => `${method} ${operation}`).filter((each) => !used.has(each));
  return assert.deepEqual(missing, [], 'routes that the page shows no example of');
});

function operationOf(method: string, target: string): string {
  const segments = (target.split('?')[0] ?? '').replace(/^\/api\/(v2\/)?/, '/api/v2/').split('/');
  const fits = (path: string): boolean => path.split('/').length === segments.length && path.split('/').every((segment, at) => segment === segments[at] || segment.startsWith(':'));
  return table.find((route) => route.method === method && fits(route.path))?.operation ?? '';
}

test('what docs/metrics.md calls with curl is answered', async (t) => {
  const metrics = pageOf('metrics.md');
  if (metrics === undefined) return t.diagnostic('docs/ is not here: nothing was called');
  const { kit: { api }, programs } = await stage();
  const examples = createExamples(api, programs);
  const called = (await Promise.all(blocksOf(metrics).filter(({ language }) => language === 'sh').map(({ body }) => examples.run(body)))).flat();
  return assert.equal(called.length, 3);
});
