/**
 * The API as commands call it: which token goes to which address and to none else; then requests against servers that break off,
 * refuse and lie: what is sent again, and what a person is told.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openApi, type ApiAccess } from '../../lib/app/api/access.ts';
import { listAll } from '../../lib/app/api/pages.ts';
import { destination, type ApiDestination } from '../../lib/app/api/place.ts';
import { watchRun } from '../../lib/app/api/run-events.ts';
import { noteRunning } from '../../lib/app/control-plane-address.ts';
import { newToken } from '../../lib/base/token.ts';
import { LokiError } from '../../lib/errors.ts';
import { random } from '../../lib/host/time.ts';
import type { RunEvent } from '../../lib/runs/run.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const own = newToken(random);
const local = newToken(random);
const login = newToken(random);
const here = 'http://127.0.0.1:57374';
const there = 'https://loki.example.com';

interface Scene {
  readonly ground: Ground;
  at(given?: string, env?: Readonly<Record<string, string>>): ApiDestination;
  loggedIn(url: string, expires?: string): void;
}

/** A LOKI_HOME whose control plane is this very process. */
function scene(t: TestContext, isRunning = true): Scene {
  const ground = makeGround(t);
  const run = join(ground.home, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  writeFileSync(join(run, 'token'), `${local}\n`, { mode: 0o600 });
  if (isRunning) noteRunning(ground.installation(), { url: here, socket: join(run, 'loki.sock'), since: '2026-02-15T14:30:00.000Z', version: '0.1.0', in_the_clear: false });
  return {
    ground,
    at: (given, env = {}) => destination(ground.installation(env), given, 'look'),
    loggedIn: (url, expires) => writeFileSync(join(run, 'login'), JSON.stringify({ url, token: login, actor: 'user:alice', expires_at: expires ?? null }), { mode: 0o600 }),
  };
}

const said = ({ place, credential, token }: ApiDestination): readonly unknown[] => ['base' in place ? place.base : 'socket', credential, token];
const refusal = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof LokiError) return [error.code, `${error.message}\n${error.hint}`];
    throw error;
  }
  return [];
};

test('an address is found in order: the flag, LOKI_URL, where somebody is logged in, this machine', (t) => {
  const { at, loggedIn } = scene(t);
  assert.deepEqual(said(at()), ['socket', 'local', local]);
  loggedIn(there);
  assert.deepEqual(said(at()), [there, 'login', login]);
  assert.deepEqual(said(at(undefined, { LOKI_URL: 'https://other.example.com/loki/', LOKI_TOKEN: own })), ['https://other.example.com/loki', 'LOKI_TOKEN', own]);
  assert.deepEqual(said(at(`${there}/`, { LOKI_URL: 'https://other.example.com' })), [there, 'login', login]);
  assert.deepEqual(said(at(undefined, { LOKI_TOKEN: own })), ['socket', 'LOKI_TOKEN', own], 'without LOKI_URL it is meant for this machine');
  assert.deepEqual(said(at(here)), [here, 'local', local]);
  assert.deepEqual([at().isLocal, at(here).isLocal], [false, true]);
});

test('a token goes to the origin that it belongs to, and nowhere else', (t) => {
  const { at, loggedIn } = scene(t);
  loggedIn(there);
  for (const other of ['https://evil.example.com', `${there}.evil.example.com`, `${there}:8443`, 'http://localhost:57374', 'http://127.0.0.1:57375']) {
    assert.deepEqual(said(at(other)).slice(1), ['none', undefined], other);
    const [code, words = ''] = refusal(() => at(other, { LOKI_URL: there, LOKI_TOKEN: own }));
    assert.equal(code, 'auth.required', other);
    assert.match(words, /LOKI_TOKEN is for https:\/\/loki\.example\.com, and is not shown to/);
    assert.ok(!words.includes(own));
  }
  assert.deepEqual(said(at(there, { LOKI_TOKEN: own })), [there, 'login', login], 'one for this machine is not shown there, and the login is');
  loggedIn(there, '2020-01-01T00:00:00.000Z');
  assert.deepEqual(said(at()), [there, 'none', undefined], 'a login that is over does not lead to this machine instead');
});

test('nothing is sent without encryption beyond this machine, and what is no plain address is refused', (t) => {
  const { at } = scene(t);
  for (const url of ['http://loki.example.com', 'http://10.0.0.1:57374', 'http://127.0.0.1.evil.example.com', 'http://localhost.evil.example.com', 'ftp://127.0.0.1', 'file:///etc/passwd', 'loki.example.com', 'https://alice:secret@loki.example.com', 'https://loki.example.com/?a=b', 'https://loki.example.com/#x', '//loki.example.com', '']) {
    const [code, words = ''] = refusal(() => at(url));
    assert.equal(code, 'usage', url);
    assert.ok(!words.includes('secret'), url);
  }
  assert.equal(refusal(() => at(undefined, { LOKI_URL: 'http://loki.example.com', LOKI_TOKEN: own }))[0], 'usage');
  for (const url of ['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://loki.example.com/below']) assert.equal(at(url).credential, 'none', url);
});

test('a mistyped token is told without asking, one of another form is left to the control plane', (t) => {
  const { at } = scene(t);
  const wrong = own.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'));
  for (const token of [wrong, own.slice(0, -1), `${own}0`, 'loki_', 'two words', 'töken']) {
    const [code, words = ''] = refusal(() => at(undefined, { LOKI_TOKEN: token }));
    assert.equal(code, 'auth.required', token);
    assert.ok(token.length < 10 || !words.includes(token), token);
  }
  assert.equal(at(undefined, { LOKI_TOKEN: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' }).credential, 'LOKI_TOKEN');
});

test('where no control plane runs that is said; a file that tells of one that died is not believed, nor is its port shown the token', (t) => {
  const { at, ground } = scene(t, false);
  assert.match(refusal(() => at()).join('\n'), /^net\.unreachable\n.*no control plane runs here[\s\S]*loki dashboard start --detach/);
  writeFileSync(join(ground.home, 'run/dashboard.json'), JSON.stringify({ pid: process.pid, start: 'another', url: here, socket: null, since: '', version: '' }), { mode: 0o600 });
  assert.equal(refusal(() => at())[0], 'net.unreachable');
  assert.deepEqual(said(at(here)).slice(1), ['none', undefined]);
  rmSync(join(ground.home, 'run/dashboard.json'));
  writeFileSync(join(ground.home, 'run/login'), JSON.stringify({ url: there, token: login, actor: 'user:alice' }), { mode: 0o644 });
  assert.equal(refusal(() => at())[0], 'record.unsafe', 'a login that others can read');
});

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

interface Served {
  readonly access: ApiAccess;
  readonly seen: http.IncomingMessage[];
  answer(how: Answer): void;
}

async function serving(t: TestContext): Promise<Served> {
  const seen: http.IncomingMessage[] = [];
  let how: Answer = (_request, response) => response.destroy();
  const server = http.createServer((request, response) => {
    seen.push(request);
    request.resume().on('end', () => how(request, response));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  const installation = makeGround(t).installation();
  const quick = { ...installation, host: { ...installation.host, timers: { ...installation.host.timers, sleep: () => Promise.resolve() } } };
  return { access: openApi(quick, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, new AbortController().signal), seen, answer: (given) => { how = given; } };
}

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => (_request, response) => {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }).end(JSON.stringify(value));
};

async function failure(work: Promise<unknown>): Promise<LokiError> {
  const error = await work.then(() => undefined, (thrown: unknown) => thrown);
  assert.ok(error instanceof LokiError, String(error));
  return error;
}

const create = { method: 'POST', path: '/things', attempted: 'make a thing', body: { name: 'x' } } as const;

test('a request whose connection broke is sent again under the same key, once; one that is not repeatable is not', async (t) => {
  const { access, seen, answer } = await serving(t);
  answer((request, response) => (seen.length === 1 ? void response.destroy() : json(201, { id: 'thing' })(request, response)));
  assert.deepEqual((await access.ask({ ...create, isRepeatable: true })).object, { id: 'thing' });
  const keys = seen.map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual([keys.length, keys[0] === keys[1], /^[0-9a-f]{32}$/.test(String(keys[0]))], [2, true, true]);
  answer((_request, response) => response.destroy());
  for (const [isRepeatable, times] of [[true, 2], [false, 1]] as const) {
    seen.length = 0;
    assert.equal((await failure(access.ask({ ...create, isRepeatable }))).code, 'net.unreachable');
    assert.equal(seen.length, times);
  }
  seen.length = 0;
  await failure(access.ask({ method: 'GET', path: '/things', attempted: 'look' }));
  assert.deepEqual([seen.length, seen[0]?.headers['idempotency-key']], [2, undefined]);
});

test('what a control plane refuses is told in its words, with all mistakes, and has the exit code of its kind', async (t) => {
  const { access, answer } = await serving(t);
  const problem = (code: string, more: object = {}): object => ({ type: `urn:loki:problem:${code}`, title: 'T', detail: 'Cannot make the thing: it is taken', code, hint: 'Take another', request_id: 'req_1', ...more });
  for (const [status, code, hint] of [[409, 'conflict', 'Take another'], [403, 'auth.proof', 'Take another'], [401, 'auth.required', 'Set LOKI_TOKEN to a key, or sign in with: loki login'], [412, 'request.stale', 'Take another']] as const) {
    answer(json(status, problem(code)));
    const error = await failure(access.ask(create));
    assert.deepEqual([error.code, error.message, error.hint], [code, 'Cannot make the thing: it is taken', hint]);
  }
  answer(json(429, problem('rate_limited'), { 'retry-after': '7' }));
  assert.match((await failure(access.ask(create))).hint, /^Wait 7 s/);
  answer(json(418, problem('teapot.unknown')));
  assert.equal((await failure(access.ask(create))).code, 'internal', 'a code of a later version');
  answer(json(404, problem('__proto__')));
  assert.equal((await failure(access.ask(create))).code, 'not_found');
  answer(json(400, problem('request.invalid', { errors: [{ detail: '"name" is missing', pointer: '/name' }, { detail: '"slug" is taken' }, { detail: 7 }, null] })));
  const several = await failure(access.ask(create));
  assert.deepEqual([several.message, several.problems.map(({ message, pointer }) => [message, pointer])], ['Cannot make the thing: 2 things are wrong', [['"name" is missing', '/name'], ['"slug" is taken', undefined]]]);
  answer(json(400, problem('request.invalid', { detail: `Cannot ${'x'.repeat(100_000)}: y`, hint: 'h'.repeat(100_000) })));
  const long = await failure(access.ask(create));
  assert.ok(long.message.length < 3000 && long.hint.length < 3000);
});

test('what is no control plane is said to be none, and is not asked again', async (t) => {
  const { access, seen, answer } = await serving(t);
  const answers: readonly Answer[] = [
    json(200, [1]), (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), (_request, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('no'),
    (_request, response) => response.writeHead(302, { location: 'https://evil.example.com/' }).end(), json(500, { detail: 7 }),
  ];
  for (const one of answers) {
    answer(one);
    seen.length = 0;
    const error = await failure(access.ask({ method: 'GET', path: '/things', attempted: 'look' }));
    assert.deepEqual([error.code, seen.length], ['net.unreachable', 1]);
    assert.match(error.message, /does not answer as a control plane/);
  }
});

test('pages are followed to their end or to the limit, and cursors that go in circles end', async (t) => {
  const { access, seen, answer } = await serving(t);
  answer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    const at = Number(searchParams.get('cursor') ?? 0);
    const data = Array.from({ length: Math.min(2, Number(searchParams.get('limit'))) }, (_, n) => ({ id: String(at + n) }));
    json(200, { data, next_cursor: at + 2 < 6 ? String(at + 2) : null })(request, response);
  });
  const list = (limit: number): ReturnType<typeof listAll> => listAll(access, { path: '/things', query: { status: 'a b&c' }, attempted: 'list', limit });
  assert.deepEqual((await list(1e9)).objects.map(({ id }) => id), ['0', '1', '2', '3', '4', '5']);
  assert.match(seen[0]?.url ?? '', /^\/api\/v2\/things\?status=a\+b%26c&limit=1000$/);
  const three = await list(3);
  assert.deepEqual([three.objects.length, three.more], [3, true]);
  for (const page of [{ data: [{}], next_cursor: 'same' }, { data: 'x', next_cursor: null }, { data: [1], next_cursor: null }, { data: [] }]) {
    answer(json(200, page));
    assert.equal((await failure(list(1e9))).code, 'net.unreachable', JSON.stringify(page));
  }
});

test('a run is watched over streams that break off: each event once, in order, to the end', async (t) => {
  const { access, seen, answer } = await serving(t);
  const event = (seq: number): string => `id: ${seq}\ndata: ${JSON.stringify({ id: `evt_${seq}`, seq, event_type: 'log', phase: null, details: { message: `m${seq}` }, timestamp: '2026-02-15T14:30:00.000Z' })}\n\n`;
  const parts = [
    `retry: 1\n\n${event(1)}${event(2)}`, `${event(2)}${event(3)}event: bye\ndata: {}\n\n`, `id: 9\ndata: not json\n\ndata: {"seq":"x"}\n\ndata: {"seq":4,"event_type":"of a later version","details":{},"timestamp":""}\n\n`,
    `${event(4)}event: run\ndata: {"id":"run_1","status":"completed"}\n\nevent: end\ndata: {}\n\n`,
  ];
  answer((_request, response) => {
    const part = parts[seen.length - 1] ?? '';
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(part, () => response.destroy());
  });
  const events: RunEvent[] = [];
  const options = { timers: { sleep: () => Promise.resolve() }, signal: new AbortController().signal, onEvent: (one: RunEvent) => void events.push(one), onBreak: () => undefined };
  assert.deepEqual(await watchRun(access, 'run_1', options), { id: 'run_1', status: 'completed' });
  assert.deepEqual(events.map(({ seq }) => seq), [1, 2, 3, 4]);
  assert.deepEqual(seen.map(({ headers }) => headers['last-event-id']), [undefined, '2', '3', '3']);
  seen.length = 0;
  answer(json(401, { detail: 'Cannot look: no', code: 'auth.required' }));
  assert.equal((await failure(watchRun(access, 'run_1', options))).code, 'auth.required');
  assert.equal(seen.length, 1);
});
