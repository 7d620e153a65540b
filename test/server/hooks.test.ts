/** `POST /hooks/claude`: who may ask, and that no answer is empty. What is judged is tried in test/app/hook/over-http.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { hookToken, projectOfHookToken } from '../../lib/base/hook-token.ts';
import { newId } from '../../lib/base/ids.ts';
import { bodyOf, createKit, hookTokenOfKit, localToken, port, projectId, send, type Call, type Kit } from '../support/api-kit.ts';

const target = '/hooks/claude?event=PreToolUse';
const headers = { 'authorization': `Bearer ${hookTokenOfKit}`, 'content-type': 'application/json' };
const ask = (kit: Kit, call: Partial<Call> = {}, path: string = target): ReturnType<typeof send> => send(kit.api, path, { method: 'POST', headers, body: '{"a":1}', ...call });

test('with its token a hook is answered, and the answer is JSON', async () => {
  const kit = createKit();
  const response = await ask(kit);
  assert.equal(response.status, 200);
  assert.deepEqual(bodyOf(response), { asked: '{"a":1}' });
  assert.equal(response.headers['Content-Type'], 'application/json; charset=utf-8');
  assert.equal(response.headers['Cache-Control'], 'no-store');
  assert.deepEqual(kit.recorded.map(({ event, actor }) => [event, actor]), [['auth.token.use', `token:hook:${projectId}`]]);
});

test('whoever is not a hook of a project, on this machine, without a browser, is turned away', async () => {
  const other = hookToken(newId('project', 2, new Uint8Array(10)), new Uint8Array(32));
  const without = { 'content-type': 'application/json' };
  const cases: readonly (readonly [string, Partial<Call>, number])[] = [
    ['no token', { headers: without }, 401],
    ['a wrong token', { headers: { ...headers, authorization: `Bearer ${hookTokenOfKit.slice(0, -1)}B` } }, 401],
    ['the token of a project that has none', { headers: { ...headers, authorization: `Bearer ${other}` } }, 401],
    ['the token of the command line', { headers: { ...headers, authorization: `Bearer ${localToken}` } }, 403],
    ['another machine', { address: '192.168.1.7' }, 401],
    ['another Host', { headers: { ...headers, host: `evil.example:${port}` } }, 403],
    ['an Origin', { headers: { ...headers, origin: 'https://evil.example' } }, 403],
    ['another port of this machine', { headers: { ...headers, origin: 'http://127.0.0.1:3000' } }, 403],
    ['a browser', { headers: { ...headers, 'sec-fetch-site': 'cross-site' } }, 403],
    ['a form', { headers: { ...headers, 'content-type': 'text/plain' } }, 415],
    ['something compressed', { headers: { ...headers, 'content-encoding': 'gzip' } }, 415],
    ['GET', { method: 'GET' }, 405],
    ['PUT', { method: 'PUT' }, 405],
  ];
  for (const [what, call, status] of cases) {
    const { body = '', ...rest } = call;
    const kit = createKit();
    const response = await ask(kit, call.method === 'GET' ? { ...rest, headers } : { body: body === '' ? '{}' : body, ...rest });
    assert.equal(response.status, status, what);
    assert.notEqual(String(response.body ?? ''), '', what);
  }
  for (const path of ['/hooks/claude', '/hooks/claude?event=Stop', '/hooks/claude?event=PreToolUse&project=x', '/hooks/codex?event=PreToolUse']) {
    assert.equal((await ask(createKit(), {}, path)).status, path.includes('codex') ? 404 : 400, path);
  }
});

test('a wrong token is recorded as such, and held up after a few', async () => {
  const kit = createKit({ rateLimit: 90 });
  const wrong = { headers: { ...headers, authorization: `Bearer ${hookTokenOfKit.slice(0, -1)}B` } };
  const statuses: number[] = [];
  for (let n = 0; n < 5; n += 1) statuses.push((await ask(kit, wrong)).status);
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  assert.deepEqual(kit.recorded.map(({ event }) => event), ['auth.fail', 'auth.fail', 'auth.fail']);
  assert.equal((await ask(kit)).status, 200, 'the right one is not held up by it');
});

test('hooks are not held up by a limit: an agent asks as often as it works', async () => {
  const kit = createKit({ rateLimit: 5 });
  for (let n = 0; n < 30; n += 1) assert.equal((await ask(kit)).status, 200);
});

test('a hook\'s token opens nothing else', async () => {
  const { api } = createKit();
  for (const path of ['/api/runs', '/api/v2/audit', '/api/audit/verify', '/api/v2/status']) assert.equal((await send(api, path, { headers })).status, 403, path);
  assert.equal((await send(api, '/api/policies/evaluate', { method: 'POST', headers, body: '{}' })).status, 403);
});

test('too large, too many, or broken inside: a status that the agent takes for a no, and words', async () => {
  const { hooks } = createKit().services;
  for (const [error, status] of [
    [new LokiError('request.large', { attempted: 'read the body', found: 'it is longer than 16777216 bytes' }), 413],
    [new LokiError('interrupted', { attempted: 'answer the hook', found: 'too many hooks ask at once' }), 503],
    [new TypeError('a defect'), 500],
  ] as const) {
    const kit = createKit({}, { hooks: { ...hooks, answer: () => Promise.reject(error) } });
    const response = await ask(kit);
    assert.equal(response.status, status);
    assert.match(String(response.body), /"detail":"Cannot /);
  }
});

test('a token names its project, and what has another shape names none', () => {
  assert.equal(projectOfHookToken(hookTokenOfKit), projectId);
  for (const text of ['', localToken, hookTokenOfKit.slice(0, -1), `${hookTokenOfKit}x`, hookTokenOfKit.replace('prj_', 'run_'), `lokihook_prj_${'U'.repeat(26)}_${'A'.repeat(43)}`]) assert.equal(projectOfHookToken(text), undefined, text);
});
