/** Requests of commands against servers that break off, refuse and lie: what is sent again, and what a person is told. */
import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { openApi, type ApiAccess } from '../../lib/app/api/access.ts';
import { listAll } from '../../lib/app/api/pages.ts';
import { watchRun } from '../../lib/app/api/run-events.ts';
import { LokiError } from '../../lib/errors.ts';
import type { RunEvent } from '../../lib/runs/run.ts';
import { makeGround } from '../support/ground.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

interface Scene {
  readonly access: ApiAccess;
  readonly seen: http.IncomingMessage[];
  answer(how: Answer): void;
}

async function scene(t: TestContext): Promise<Scene> {
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
  const { access, seen, answer } = await scene(t);
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
  const { access, answer } = await scene(t);
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
  const { access, seen, answer } = await scene(t);
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
  const { access, seen, answer } = await scene(t);
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
  const { access, seen, answer } = await scene(t);
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
