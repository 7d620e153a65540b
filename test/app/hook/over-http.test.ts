/** Hooks over HTTP, judged by a control plane that runs: the same decisions as of the command, and nothing stale after a change. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane, type RunningControlPlane } from '../../../lib/app/control-plane.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { hookService, type HookLimits } from '../../../lib/app/hook/over-http.ts';
import { removeHookKey, writeHookKey } from '../../../lib/app/hook/tokens.ts';
import { hookToken, hookTokenHash } from '../../../lib/base/hook-token.ts';
import { objectIn, type JsonObject } from '../../../lib/base/json.ts';
import { httpAsk, type HttpAnswer } from '../../../lib/host/http-client.ts';
import type { HookQuestion, HookService } from '../../../lib/server/services.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const policy = (denied: string): string => `version: 1\npolicies:\n  pre_execution:\n    - { name: no, when: 'command matches "echo ${denied}*"', action: deny }\n    - { name: ask, when: 'command matches "echo asked*"', action: require_approval }\n`;

interface Plane {
  readonly here: Ground;
  readonly token: string;
  readonly plane: RunningControlPlane;
  ask(command: string, call?: { readonly token?: string; readonly event?: string; readonly body?: string; readonly cwd?: string }): Promise<HttpAnswer>;
}

type Test = { after(undo: () => void | Promise<void>): void };

function tokenFor(here: Ground, approval: 'auto' | 'deny' = 'deny'): string {
  const installation = here.installation();
  const id = installation.project?.id ?? '';
  const token = hookToken(id, installation.host.random.bytes(32));
  writeHookKey(installation, id, { sha256: hookTokenHash(token), project: here.project, approval });
  return token;
}

async function running(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Plane> {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', policy('forbidden'));
  await here.enrol();
  const token = tokenFor(here);
  // Relative to where it was started; and of another session, which says nothing of the agent that asks.
  const plane = await startControlPlane(here.installation({ LOKI_PORT: '0', LOKI_SESSION_ID: 'ses_01J8Z3T5C6D7E8F9G0H1J2K3M4', LOKI_PROJECT_DIR: here.root, ...env }));
  t.after(() => plane.stop());
  return {
    here, token, plane,
    ask: (command, { token: shown = token, event = 'PreToolUse', body, cwd = here.project } = {}) => httpAsk(`${plane.url}/hooks/claude?event=${event}`, 30_000, {
      headers: { 'authorization': `Bearer ${shown}`, 'content-type': 'application/json' },
      body: body ?? JSON.stringify({ session_id: 'one', cwd, hook_event_name: event, tool_name: 'Bash', tool_input: { command }, tool_use_id: 'call_1' }),
    }),
  };
}

const decision = ({ body }: HttpAnswer): unknown => objectIn(body)?.['decision'];
const decisions = (here: Ground): readonly JsonObject[] => here.entries().filter(({ event }) => /^policy\.(allow|deny|warn|error)$/.test(String(event)));

test('allowed is {}, denied says why, and both are on record before the answer', async (t) => {
  const { here, ask } = await running(t);
  const yes = await ask('echo fine');
  assert.deepEqual([yes.status, yes.body], [200, '{}']);
  assert.deepEqual(decisions(here).map(({ event, actor, metadata }) => [event, actor, Object(metadata).session_id]), [['policy.allow', 'agent:claude', 'one']]);
  const no = await ask('echo forbidden');
  assert.equal(no.status, 200);
  assert.equal(Object(objectIn(no.body)?.['hookSpecificOutput']).permissionDecision, 'deny');
  assert.match(no.body, /Rule \\"no\\"/);
  assert.match((await ask('echo asked')).body, /a person has approved it/);
  const own = await ask('', { body: JSON.stringify({ session_id: 'one', cwd: here.project, hook_event_name: 'PreToolUse', tool_name: 'Read', tool_input: { file_path: join(here.home, 'keys/hooks/x.json') } }) });
  assert.equal(decision(own), 'block', 'what is kept of tokens is no agent\'s to read');
  const told = await ask('echo fine', { event: 'PostToolUse', body: JSON.stringify({ session_id: 'one', cwd: here.project, hook_event_name: 'PostToolUse', tool_name: 'Bash', tool_input: { command: 'echo fine' }, tool_use_id: 'call_1', tool_response: { stdout: 'fine', stderr: '', interrupted: false } }) });
  assert.deepEqual([told.status, told.body], [200, '{}']);
  assert.ok(here.entries().some(({ event }) => event === 'agent.action'));
});

test('what cannot be understood is a no, recorded', async (t) => {
  const { here, ask } = await running(t);
  const event = { session_id: 'one', cwd: here.project, tool_name: 'Bash', tool_input: { command: 'ls' } };
  for (const body of ['', '{', 'null', '[]', '{"a":1,"a":2}', JSON.stringify({ ...event, hook_event_name: 'Unheard' }), JSON.stringify({ ...event, hook_event_name: 'Stop' }), JSON.stringify(event), JSON.stringify({ ...event, hook_event_name: 'PreToolUse', tool_input: 7 }), '['.repeat(100)]) {
    const answer = await ask('', { body });
    assert.ok(answer.status >= 400 || decision(answer) === 'block', `${body.slice(0, 80)}: ${answer.status} ${answer.body}`);
    assert.notEqual(answer.body, '');
  }
  assert.ok(decisions(here).filter(({ event: name }) => name === 'policy.error').length >= 8);
  const huge = await ask('', { body: `{"x":"${'x'.repeat(17 * 1024 * 1024)}"}` }).catch((error: unknown) => error);
  assert.ok(huge instanceof Error || Object(huge).status === 413 || decision(huge as HttpAnswer) === 'block');
});

test('a token says for which project, and counts as long as it is kept', async (t) => {
  const { here, ask, token } = await running(t);
  const id = here.installation().project?.id ?? '';
  assert.equal((await ask('echo fine', { cwd: '/' })).body, '{}');
  assert.equal(Object(decisions(here)[0]?.['metadata']).project_id, id, 'whatever directory the event names');
  assert.equal(statSync(join(here.home, 'keys/hooks', `${id}.json`)).mode & 0o777, 0o600);
  const next = tokenFor(here);
  assert.equal((await ask('echo fine')).status, 401);
  assert.equal((await ask('echo fine', { token: next })).status, 200);
  removeHookKey(here.installation(), id);
  assert.equal((await ask('echo fine', { token: next })).status, 401);
  writeFileSync(join(here.home, 'keys/hooks', `${id}.json`), '{', { mode: 0o600 });
  assert.equal((await ask('echo fine', { token })).status, 503);
  assert.ok(here.entries().some(({ event }) => event === 'auth.fail'));
});

test('a change of the policy, of the pins, of the configuration counts from the next event on', async (t) => {
  const { here, ask } = await running(t);
  assert.equal((await ask('echo later')).body, '{}');
  here.write('project/.loki/policies.yaml', policy('later'));
  const unpinned = await ask('echo fine');
  assert.match(unpinned.body, /changed since the project was enrolled|differs from what was enrolled/);
  await here.enrol();
  assert.equal((await ask('echo fine')).body, '{}');
  assert.match((await ask('echo later')).body, /Rule \\"no\\"/);
  here.write('project/.claude/settings.json', '{"env":{"HTTP_PROXY":"http://127.0.0.1:1"}}');
  assert.equal(decision(await ask('echo fine')), 'block');
  rmSync(join(here.project, '.claude'), { recursive: true });
  assert.equal((await ask('echo fine')).body, '{}');
  here.write('home/policies.yaml', policy('fine'));
  assert.match((await ask('echo fine')).body, /Rule \\"no\\"/, 'a person\'s own policy');
  rmSync(join(here.home, 'policies.yaml'));
  here.write('home/config.yaml', 'enterprise: { audit: { level: [ } }\n');
  assert.equal(decision(await ask('echo fine')), 'block', 'a configuration that cannot be read');
  here.write('home/config.yaml', 'enterprise:\n  audit:\n    encrypt: true\n');
  assert.equal((await ask('echo sealed')).body, '{}');
  assert.ok(!JSON.stringify(here.entries().at(-1)).includes('echo sealed'), 'what is recorded from now on is sealed');
});

test('a log that cannot be written is a no', async (t) => {
  if (process.getuid?.() === 0) {
    // Root may write whatever the mode says: a folder stands where the file would.
    const here = makeGround(t);
    here.write('project/.loki/policies.yaml', policy('forbidden'));
    await here.enrol();
    const service = hookService(here.installation(), () => ({ record: () => Promise.reject(new Error('the disk is full')), close: () => Promise.resolve() }));
    assert.match(await answered(here, service, 'echo fine'), /"decision":"block"|"permissionDecision":"deny"/);
    return;
  }
  const { here, ask } = await running(t);
  chmodSync(join(here.home, 'dashboard/audit'), 0o500);
  assert.equal(decision(await ask('echo fine')), 'block');
  chmodSync(join(here.home, 'dashboard/audit'), 0o700);
});

const questionOf = (here: Ground, command: string, more: Partial<HookQuestion> = {}): HookQuestion => ({
  projectId: here.installation().project?.id ?? '', event: 'PreToolUse', entrypoint: undefined, signal: new AbortController().signal, expect: () => undefined,
  read: () => Promise.resolve(JSON.stringify({ session_id: 'one', cwd: here.project, hook_event_name: 'PreToolUse', permission_mode: 'default', tool_name: 'Bash', tool_input: { command } })), ...more,
});

function answered(here: Ground, service: HookService, command: string, more: Partial<HookQuestion> = {}): Promise<string> {
  tokenFor(here, 'auto');
  return service.answer(questionOf(here, command, more));
}

async function serviceOn(t: Test, limits: Partial<HookLimits> = {}): Promise<{ readonly here: Ground; readonly service: HookService }> {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', policy('forbidden'));
  await here.enrol();
  mkdirSync(here.home, { recursive: true });
  return { here, service: hookService(here.installation(), openRecord, limits) };
}

test('an answer is a no when there is none by its deadline, which comes before the agent\'s', async (t) => {
  const { here, service } = await serviceOn(t, { deadlineOf: () => 50 });
  assert.match(await answered(here, service, 'echo fine', { read: () => new Promise(() => undefined) }), /nothing was decided within/);
  const expected: number[] = [];
  await answered(here, hookService(here.installation(), openRecord), 'echo fine', { expect: (milliseconds) => expected.push(milliseconds) });
  assert.ok((expected[0] ?? 0) > 500_000 && (expected[0] ?? 0) < 600_000, String(expected));
});

test('so many at once, so many in line, and then no more', async (t) => {
  const { here, service } = await serviceOn(t, { atOnce: 1, waiting: 1, deadlineOf: () => 20_000 });
  let go: (text: string) => void = () => undefined;
  const first = answered(here, service, 'echo fine', { read: () => new Promise((resolve) => { go = resolve; }) });
  const second = answered(here, service, 'echo forbidden');
  await assert.rejects(answered(here, service, 'echo fine'), { code: 'interrupted', message: /too many hooks ask at once/ });
  go(await questionOf(here, 'echo fine').read(0));
  assert.equal(await first, '{}');
  assert.match(await second, /Rule/);
  assert.equal(await answered(here, service, 'echo fine'), '{}');
});

test('the person before the agent is asked where the agent says that somebody is there', async (t) => {
  const { here, service } = await serviceOn(t);
  assert.match(await answered(here, service, 'echo asked', { entrypoint: 'cli' }), /"permissionDecision":"ask"/);
  const gone = new AbortController();
  setTimeout(() => gone.abort(), 100);
  assert.match(await answered(here, service, 'echo asked', { entrypoint: 'sdk-cli', signal: gone.signal }), /"permissionDecision":"deny"/);
});
