/**
 * Every route of the real table, asked by every sort of caller: the exact status, worked out from what its row says. Who is
 * refused has changed nothing; another tenant's things cannot be told from what does not exist, down to the last byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { HttpResponse } from '../../lib/base/http.ts';
import { newId, type IdKind } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { random, timers } from '../../lib/host/time.ts';
import type { Route } from '../../lib/server/message.ts';
import { openApiDocument } from '../../lib/server/openapi.ts';
import { holds, local, type Principal, type Scope } from '../../lib/server/principal.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { localToken } from '../support/api-kit.ts';
import { samples, type Ask, type Sample } from '../support/samples.ts';
import { assertDescribed } from '../support/schema-check.ts';
import { as, mark, textOf, twoTenants, type World } from '../support/two-tenants.ts';

const world: World = await twoTenants();
const callers: Record<string, string> = { ...world.callers, local: `Bearer ${localToken}` };
const routes: readonly Route[] = routeTable(world.kit.services, createStreams(timers), () => false);
const document: JsonObject = openApiDocument(routes, '0.1.0');

const sampleOf = (route: Route): Sample => {
  const sample = samples[route.operation] ?? (/^web\./.test(route.operation) ? samples['web.index.html'] : undefined);
  assert.ok(sample !== undefined, `${route.operation} has no sample in test/support/samples.ts: nothing shows who may use it`);
  return sample;
};

let addresses = 0;

async function ask(route: Route, caller: string | undefined, { path = [], query, body, headers }: Ask, address?: string): Promise<HttpResponse & { readonly text: string }> {
  let at = 0;
  const target = route.path.replaceAll(/:[A-Za-z]+/g, () => path[at++] ?? 'missing') + (query === undefined ? '' : `?${query}`);
  const control = new AbortController();
  // Each from an address of its own, so that what is counted by address holds nobody up.
  const response = await as({ kit: world.kit, callers }, caller, target, {
    method: route.method, signal: control.signal, address: address ?? `127.0.${Math.floor((addresses += 1) / 250)}.${1 + (addresses % 250)}`,
    ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }),
  });
  if (response.headers['Content-Type']?.startsWith('text/event-stream') === true) void pause(5).then(() => control.abort());
  const text = await textOf(response).finally(() => control.abort());
  assertDescribed(document, route, response);
  return { ...response, text };
}

/** The callers that hold exactly one scope, or what stands for it. */
const holders: Readonly<Record<Scope, string>> = {
  read: 'scope.read', write: 'scope.write', control: 'scope.control', audit: 'scope.audit', admin: 'scope.admin', approve: 'scope.approve', hook: 'hook', run: 'run',
};
const notKnown = ['malformed', 'mistyped', 'unknown', 'expired', 'revoked', 'of.no.tenant', 'of.a.place'];

/** What somebody who is known is answered, by what the row asks for. */
function expected(route: Route, sample: Sample, principal: Pick<Principal, 'scopes' | 'tenant'>): number {
  if (route.scope === 'none') return sample.status ?? route.answer.status;
  if (!holds(principal, route.scope) || (route.reach === 'installation' && principal.tenant !== null)) return 403;
  return sample.status ?? route.answer.status;
}

/** What somebody is answered who is nobody: shows nothing, or something that does not count. */
function asNobody({ scope, greets, proven, aboutCaller, method, answer }: Route, sample: Sample, showsSomething: boolean): number {
  if (scope !== 'none') return proven === true && !showsSomething ? 403 : 401;
  if (aboutCaller === true && showsSomething) return 401;
  return method === 'GET' || greets === true ? sample.anybody ?? sample.status ?? answer.status : 401;
}

const alphaKey = (...scopes: Scope[]): Pick<Principal, 'scopes' | 'tenant'> => ({ scopes: new Set(scopes), tenant: world.alpha.tenant });

const opposites: Readonly<Record<string, IdKind>> = { run_: 'run', tnt_: 'tenant', prj_: 'project', tsk_: 'task', key_: 'key', apr_: 'approval' };

/** The same request about things that do not exist. */
function ghostOf(asked: Ask): { readonly ghost: Ask; readonly hide: (text: string) => string } {
  const ghosts = new Map<string, string>();
  const replaced = (text: string): string => text.replaceAll(/\b(run_|tnt_|prj_|tsk_|key_|apr_)[0-7][0-9A-HJKMNP-TV-Z]{25}/g, (id, prefix: string) => {
    const ghost = ghosts.get(id) ?? newId(opposites[prefix] ?? 'run', 7, random.bytes(10));
    ghosts.set(id, ghost);
    return ghost;
  });
  const ghost = JSON.parse(replaced(JSON.stringify(asked))) as Ask;
  return { ghost, hide: (text) => [...ghosts].flat().reduce((rest, id) => rest.replaceAll(id, 'ID'), text).replaceAll(/\b(req|key|run|tsk|prj)_[0-7][0-9A-Z]{25}/g, '$1_NEW').replaceAll(/^id: \S+$/gm, 'id: SEALED') };
}

/** Answers without what is different each time: ids of requests, and the id that was asked for. */
function plain(response: HttpResponse & { readonly text: string }, hide: (text: string) => string): unknown {
  return { status: response.status, headers: Object.entries(response.headers).map(([name, value]) => `${name}: ${hide(value)}`), text: hide(response.text) };
}

const revision = (): Promise<number> => world.store.revision();

for (const route of routes) {
  const name = `${route.method} ${route.path}`;
  test(`${name}: who may, and who may not`, async () => {
    const sample = sampleOf(route);
    const asked = await sample.ask(world, world.alpha);
    const before = await revision();
    const refuse = async (caller: string | undefined, status: number, address?: string): Promise<void> => {
      const response = await ask(route, caller, asked, address);
      assert.equal(response.status, status, `${name} as ${caller ?? 'nobody'}: ${response.text.slice(0, 300)}`);
    };
    if (route.scope === 'none') {
      await refuse(undefined, asNobody(route, sample, false));
      for (const caller of notKnown) await refuse(caller, asNobody(route, sample, true));
    } else {
      await refuse(undefined, asNobody(route, sample, false));
      for (const caller of notKnown) await refuse(caller, 401, caller === 'of.a.place' ? '10.8.255.255' : '10.9.1.1');
      for (const [scope, caller] of Object.entries(holders) as [Scope, string][]) {
        const principal = scope === 'hook' ? { scopes: new Set<Scope>(['hook']), tenant: null } : alphaKey(scope);
        if (expected(route, sample, principal) === 403) await refuse(caller, 403);
      }
      if (expected(route, sample, local) === 403) await refuse('local', 403);
    }
    assert.equal(await revision(), before, 'whoever is refused has changed nothing');
  });

  if (route.scope !== 'none') test(`${name}: whoever has the scope, an administrator of the installation too`, async () => {
    const sample = sampleOf(route);
    const right = route.reach === 'installation' ? 'root' : holders[route.scope as Scope];
    for (const caller of new Set([right, 'root', 'local'])) {
      const principal = caller === 'local' ? local : caller === 'root' ? { scopes: new Set<Scope>(['admin']), tenant: null } : { scopes: new Set([route.scope as Scope]), tenant: null };
      const response = await ask(route, caller, await sample.ask(world, world.alpha));
      assert.equal(response.status, expected(route, sample, principal), `${name} as ${caller}: ${response.text.slice(0, 300)}`);
    }
    if (right !== 'hook' && right !== 'run') return;
    const elsewhere = await ask(route, right, await sample.ask(world, world.alpha), '10.9.1.1');
    assert.equal(elsewhere.status, right === 'hook' ? 401 : route.answer.status, 'a hook is on this machine');
  });

  if (route.scope !== 'none' && route.scope !== 'hook') test(`${name}: another tenant's is as if it were not there`, async () => {
    const sample = sampleOf(route);
    const asked = await sample.ask(world, world.alpha);
    const { ghost, hide } = ghostOf(asked);
    const before = await revision();
    const caller = route.scope === 'run' ? 'otherRun' : 'other';
    const theirs = await ask(route, caller, asked);
    const nobodys = await ask(route, caller, ghost);
    const status = route.reach === 'installation' ? 403 : sample.elsewhere ?? (route.params['id'] === undefined ? route.answer.status : 404);
    assert.equal(theirs.status, status, theirs.text.slice(0, 300));
    // The log grows with each request, and a list of one's own entries with it.
    if (route.path.includes('/audit')) assert.equal(nobodys.status, theirs.status);
    else assert.deepEqual(plain(theirs, hide), plain(nobodys, hide), 'byte for byte, but for ids');
    for (const { text, headers } of [theirs, nobodys]) assert.ok(!(text + JSON.stringify(headers)).includes(mark), `${name} shows something of another tenant: ${text.slice(0, 300)}`);
    if (route.method === 'GET' || theirs.status >= 400) assert.equal(await revision(), before, 'nothing is changed');
  });
}

test('every sample is of an operation that is served', () => {
  const served = new Set(routes.map(({ operation }) => operation));
  assert.deepEqual(Object.keys(samples).filter((operation) => !served.has(operation)), []);
});

test('nothing failed inside, and no token is in the log', () => {
  assert.deepEqual(world.kit.recorded.filter(({ event }) => event === 'api.error'), []);
  const log = JSON.stringify(world.kit.recorded);
  for (const token of [...world.tokens, localToken]) assert.ok(!log.includes(token) && !log.includes(token.slice(5, 30)));
});
