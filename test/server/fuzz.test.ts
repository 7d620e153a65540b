/** Requests nobody would write: whatever comes, an answer, never a failure inside and never a rejection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKit, localToken, port, putEvents, putRun, send } from '../support/api-kit.ts';

/** A generator that a seed repeats (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test('four thousand mutated requests are each answered below 500', async () => {
  const seed = 20260215;
  const next = seeded(seed);
  const kit = createKit({ rateLimit: 0 });
  const id = await putRun(kit.store, 1);
  await putEvents(kit.store, id, 1, 5);
  const pick = <T>(from: readonly T[], other: T): T => from[next(from.length)] ?? other;
  const targets = [
    '/', '/health', '/api/runs', `/api/runs/${id}`, `/api/v2/runs/${id}/timeline`, `/api/runs/${id}/events?after=3`, '/api/events', '/api/audit?limit=5&level=info',
    '/api/v2/audit?start=2026-02-01&end=2026-02-15', '/api/audit/summary?period=7d', '/api/v2/projects?limit=1', '/api/audit/verify', '/app.js',
  ];
  const pieces = ['%', '%00', '%2e', '..', '/', '\\', '?', '&', '=', '#', '+', ' ', '\u0000', '\r\n', 'é', '💥', '__proto__', 'constructor', 'limit=1e9', 'cursor=', 'a'.repeat(3000), '{', '[', '"', "'", '-1', '9'.repeat(30)];
  const names = ['host', 'origin', 'authorization', 'sec-fetch-site', 'last-event-id', 'if-none-match', 'content-type', 'x-anything', 'constructor'];
  const values = [`localhost:${port}`, 'null', 'same-origin', `Bearer ${localToken}`, '3', '*', 'W/"1"', 'application/json', ...pieces];
  for (let round = 0; round < 4000; round += 1) {
    let target = pick(targets, '/');
    for (let times = next(3); times > 0; times -= 1) {
      const at = next(target.length + 1);
      target = target.slice(0, at) + pick(pieces, '') + target.slice(at + next(3));
    }
    const lines: [string, string][] = [['host', `127.0.0.1:${port}`]];
    for (let times = next(3); times > 0; times -= 1) lines.push([pick(names, 'x'), pick(values, '')]);
    const method = pick(['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE', 'get', ''], 'GET');
    const control = new AbortController();
    const call = { method, lines, signal: control.signal, ...(next(4) === 0 ? { body: pick(pieces, '') } : {}) };
    const response = await send(kit.api, target, call);
    control.abort();
    assert.ok(response.status >= 200 && response.status < 500, `seed ${seed} round ${round}: ${method} ${JSON.stringify(target)} ${JSON.stringify(lines)} gave ${response.status}`);
    for (const [name, value] of Object.entries(response.headers)) assert.doesNotMatch(name + value, /[\r\n\0]/, `round ${round}`);
  }
  assert.equal(kit.api.openStreams(), 0);
  assert.deepEqual(kit.recorded.filter(({ event }) => event === 'api.error'), []);
});

test('many open streams all hear of an event, and hold nothing when they have gone', async () => {
  const kit = createKit({ rateLimit: 0, streams: { all: 2048, perCaller: 2048, heartbeatMs: 15_000 } });
  const id = await putRun(kit.store, 1);
  const controls = Array.from({ length: 500 }, () => new AbortController());
  const heard = controls.map(async (control) => {
    const response = await send(kit.api, `/api/runs/${id}/events`, { signal: control.signal });
    for await (const text of response.stream ?? []) {
      if (/^id: 3$/m.test(String(text))) control.abort();
    }
    return response.status;
  });
  await putEvents(kit.store, id, 1, 3);
  assert.deepEqual(new Set(await Promise.all(heard)), new Set([200]));
  assert.equal(kit.api.openStreams(), 0);
});
