/** Event streams: nothing lost, nothing twice, nothing kept for who does not read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import { timers } from '../../lib/host/time.ts';
import { runKeys } from '../../lib/runs/run.ts';
import type { Api } from '../../lib/server/api.ts';
import type { KeyWish } from '../../lib/server/auth/key-room.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { createKit, event, mint, putEvents, putRun, putTenant, send } from '../support/api-kit.ts';

interface Seen {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Reads a stream until `enough` says so, and leaves it. */
async function read(response: HttpResponse, control: AbortController, enough: (seen: readonly Seen[]) => boolean): Promise<readonly Seen[]> {
  assert.equal(response.status, 200);
  assert.ok(response.stream !== undefined);
  const seen: Seen[] = [];
  for await (const part of response.stream) {
    const text = String(part);
    const field = (name: string): string => [...text.matchAll(new RegExp(`^${name}: (.*)$`, 'gm'))].map((match) => match[1]).join('\n');
    if (/^(data|event)/m.test(text)) seen.push({ event: field('event'), id: field('id'), data: field('data') });
    if (enough(seen)) {
      control.abort();
      break;
    }
  }
  return seen;
}

const numbers = (seen: readonly Seen[]): readonly number[] => seen.filter((one) => one.event === '').map((one) => Number(one.id));
const upTo = (last: number, first: number = 1): readonly number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);
const ended = (seen: readonly Seen[]): boolean => seen.at(-1)?.event === 'end';

test('a stream begins at the first event and follows the run to its end', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1);
  await putEvents(store, id, 1, 250);
  const control = new AbortController();
  const reading = read(await send(api, `/api/runs/${id}/events`, { signal: control.signal }), control, ended);
  await putEvents(store, id, 251, 300);
  await putRun(store, 1, { id, status: 'completed' });
  const seen = await reading;
  assert.deepEqual(numbers(seen), upTo(300));
  assert.deepEqual(seen.slice(-2).map((one) => one.event), ['run', 'end']);
  assert.equal(JSON.parse(seen.find(({ id: at }) => at === '7')?.data ?? '{}').seq, 7);
  assert.equal(api.openStreams(), 0);
});

test('readers that are cut off again and again while events are appended miss none and see none twice', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1);
  const total = 600;
  const writing = (async () => {
    for (let seq = 1; seq <= total; seq += 1) {
      await putEvents(store, id, seq, seq);
      if (seq % 7 === 0) await timers.yield();
    }
    await putRun(store, 1, { id, status: 'failed' });
  })();
  const all: number[] = [];
  for (let last = 0, round = 1; last < total; round += 1) {
    const control = new AbortController();
    const response = await send(api, `/api/runs/${id}/events`, { signal: control.signal, headers: { 'last-event-id': String(last) } });
    const seen = numbers(await read(response, control, (so) => numbers(so).length >= (round * 13) % 40 + 1 || ended(so)));
    all.push(...seen);
    last = seen.at(-1) ?? last;
  }
  await writing;
  assert.deepEqual(all, upTo(total));
  assert.equal(api.openStreams(), 0);
});

test('a reader slower than the store remembers goes on from what is stored', async () => {
  const { api, store } = createKit({}, {}, { history: 5 });
  const id = await putRun(store, 1);
  await putEvents(store, id, 1, 2);
  const control = new AbortController();
  const response = await send(api, `/api/runs/${id}/events`, { signal: control.signal });
  const parts = response.stream?.[Symbol.asyncIterator]();
  for (let at = 0; at < 4; at += 1) await parts?.next();
  await putEvents(store, id, 3, 100);
  await putRun(store, 1, { id, status: 'completed' });
  const rest: string[] = [];
  for (let part = await parts?.next(); part?.done === false; part = await parts?.next()) rest.push(String(part.value));
  assert.deepEqual(rest.flatMap((text) => /^id: (\d+)$/m.exec(text)?.[1] ?? []).map(Number), upTo(100, 3));
  assert.match(rest.at(-1) ?? '', /^event: end/);
});

test('several events of one transaction are all shown', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1);
  const control = new AbortController();
  const reading = read(await send(api, `/api/runs/${id}/events`, { signal: control.signal }), control, ended);
  await store.transact([], upTo(9).map((seq) => ({ key: runKeys.event(id, seq), value: { ...event(seq) } })));
  await store.transact([], [
    { key: runKeys.event(id, 10), value: { ...event(10) } }, { key: runKeys.run(id), value: { id, status: 'cancelled' } }, { key: runKeys.event(id, 11), value: { ...event(11) } },
  ]);
  assert.deepEqual(numbers(await reading), upTo(11));
});

test('a run that is over is shown whole; who has all of it is told to stay away', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1, { status: 'completed' });
  await putEvents(store, id, 1, 3);
  const control = new AbortController();
  assert.deepEqual(numbers(await read(await send(api, `/api/runs/${id}/events`, { signal: control.signal }), control, () => false)), [1, 2, 3]);
  assert.deepEqual(numbers(await read(await send(api, `/api/runs/${id}/events?after=2`), control, () => false)), [3]);
  assert.equal((await send(api, `/api/runs/${id}/events`, { headers: { 'last-event-id': '3' } })).status, 204);
});

test('a cursor that the run no longer keeps, or never gave out, is 410', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1);
  await putEvents(store, id, 10, 12);
  for (const cursor of ['5', '13', '999999999999999']) {
    const response = await send(api, `/api/runs/${id}/events`, { headers: { 'last-event-id': cursor } });
    assert.equal(response.status, 410, cursor);
    assert.match(String(response.body), /the run keeps events 10 to 12/);
  }
  for (const cursor of ['x', '-1', '1e3', ' ', '1'.repeat(20)]) {
    assert.equal((await send(api, `/api/runs/${id}/events`, { headers: { 'last-event-id': cursor } })).status, 400, cursor);
  }
  assert.equal(api.openStreams(), 0);
});

/** The ids of a stream of changes: the first thing that is said on one. */
async function idNow(api: Api, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const control = new AbortController();
  const [ready] = await read(await send(api, '/api/events', { signal: control.signal, headers }), control, (so) => so.length === 1);
  return ready?.id ?? '';
}

test('changes resume from a mark, and 410 when it is forgotten', async () => {
  const { api, store } = createKit({}, {}, { history: 10 });
  const first = await putRun(store, 1);
  const from = await idNow(api);
  const second = await putRun(store, 2);
  await putRun(store, 1, { id: first, status: 'paused' });
  await store.transact([], [{ key: 'tasks/t1', value: { id: 't1' } }, { key: 'idempotency/x', value: { secret: 1 } }, { key: 'keys/k', value: { sha256: 'x' } }]);
  const control = new AbortController();
  const seen = await read(await send(api, '/api/events', { signal: control.signal, headers: { 'last-event-id': from } }), control, (so) => so.length === 4);
  assert.deepEqual(seen.map((one) => [one.event, JSON.parse(one.data).id]), [['ready', undefined], ['run', second], ['run', first], ['task', 't1']]);
  assert.equal(seen[0]?.id, from);
  assert.equal(seen[3]?.id, await idNow(api));
  await putEvents(store, first, 1, 20);
  assert.equal((await send(api, '/api/events', { headers: { 'last-event-id': from } })).status, 410);
  for (const made of ['1000', '1', `${from.split('.')[0]}.0123456789abcdef`, from.replace(/^\d+/, '2'), `${from} `, `${from}0`]) assert.equal((await send(api, '/api/events', { headers: { 'last-event-id': made } })).status, 400, made);
});

test('a tenant is told of its own changes alone, and another tenant\'s id is none', async () => {
  const kit = createKit();
  const [one, other] = [await putTenant(kit.store, 1), await putTenant(kit.store, 2)];
  const as = async (tenant: string): Promise<Readonly<Record<string, string>>> => ({ authorization: `Bearer ${(await mint(kit, { name: `n${tenant}`, tenant, role: 'viewer' })).token}` });
  const [mine, theirs] = [await as(one), await as(other)];
  const from = await idNow(kit.api, mine);
  for (const [tenant, id] of [[other, 'theirs'], [null, 'nobodys'], [one, 'mine']] as const) await tenantView(kit.store, tenant).transact([], [{ key: `runs/${id}`, value: { id } }]);
  const control = new AbortController();
  const seen = await read(await send(kit.api, '/api/events', { signal: control.signal, headers: { ...mine, 'last-event-id': from } }), control, (so) => so.length === 2);
  assert.deepEqual(seen.map(({ data }) => data), ['{}', '{"id":"mine"}']);
  assert.equal((await send(kit.api, '/api/events', { headers: { ...theirs, 'last-event-id': from } })).status, 400);
});

test('a quiet stream says that it lives', async () => {
  const { api, store } = createKit({ streams: { all: 10, perCaller: 10, heartbeatMs: 10 } });
  const id = await putRun(store, 1);
  const control = new AbortController();
  const response = await send(api, `/api/runs/${id}/events`, { signal: control.signal });
  // Timers of the program do not keep a process alive; a socket would.
  const alive = setInterval(() => undefined, 1000);
  let comments = 0;
  for await (const text of response.stream ?? []) {
    if (String(text).startsWith(':')) comments += 1;
    if (comments === 3) control.abort();
  }
  clearInterval(alive);
  assert.equal(comments, 3);
  assert.equal(api.openStreams(), 0);
});

test('streams are bounded, for one caller and in all, and free their place when the reader goes', async () => {
  const { api, store } = createKit({ streams: { all: 3, perCaller: 2, heartbeatMs: 1000 } });
  const id = await putRun(store, 1);
  const open = async (address: string): Promise<{ readonly status: number; readonly leave: () => void }> => {
    const control = new AbortController();
    const { status } = await send(api, `/api/runs/${id}/events`, { signal: control.signal, address });
    return { status, leave: () => control.abort() };
  };
  const [one, two] = [await open('127.0.0.1'), await open('127.0.0.1')];
  assert.deepEqual([one.status, two.status, (await open('127.0.0.1')).status], [200, 200, 429]);
  assert.deepEqual([(await open('127.0.0.2')).status, (await open('127.0.0.3')).status], [200, 429]);
  one.leave();
  assert.equal((await open('127.0.0.3')).status, 200);
  assert.equal((await send(api, `/api/runs/${id}/events`, { method: 'HEAD' })).status, 200);
  assert.equal(api.openStreams(), 3);
});

test('draining says goodbye, ends every stream and opens no new one', async () => {
  const { api, store } = createKit();
  const id = await putRun(store, 1);
  const control = new AbortController();
  const reading = read(await send(api, `/api/runs/${id}/events`, { signal: control.signal }), control, () => false);
  await timers.yield();
  api.drain();
  assert.equal((await reading).at(-1)?.event, 'bye');
  assert.equal((await send(api, `/api/runs/${id}/events`)).status, 503);
  assert.equal(api.openStreams(), 0);
});

test('a stream whose source fails is cut and recorded', async () => {
  const { store, services } = createKit();
  const id = await putRun(store, 1);
  await putEvents(store, id, 1, 1);
  const kit = createKit({}, { ...services, record: async (entry) => {
    failures.push(entry.event);
    return { seq: null, chain_hash: null };
  }, store: { ...store, watch: () => { throw new Error('the disk is gone'); } } });
  const failures: string[] = [];
  const response = await send(kit.api, `/api/runs/${id}/events`);
  await assert.rejects(async () => { for await (const _ of response.stream ?? []) assert.ok(_); }, /the disk is gone/);
  assert.deepEqual(failures, ['api.request', 'api.error']);
  assert.equal(kit.api.openStreams(), 0);
});

test('a stream ends when its key is revoked, expires, or its tenant is gone, and goes on for the others', async () => {
  const kit = createKit({ authentication: true, streams: { all: 10, perCaller: 10, heartbeatMs: 5 } });
  const [tenant, gone] = [await putTenant(kit.store, 1), await putTenant(kit.store, 2)];
  const open = async (wish: KeyWish): Promise<{ readonly id: string; readonly text: () => string; readonly ended: Promise<void>; readonly leave: () => void }> => {
    const { token, key } = await mint(kit, wish);
    const control = new AbortController();
    const { status, stream } = await send(kit.api, '/api/v2/events', { signal: control.signal, headers: { authorization: `Bearer ${token}` } });
    assert.equal(status, 200);
    let text = '';
    const ended = (async () => { for await (const part of stream ?? []) text += String(part); })();
    return { id: key.id, text: () => text, ended, leave: () => control.abort() };
  };
  const wish = { tenant, role: 'viewer' } as const;
  const [revoked, expiring, orphan, kept] = [await open({ ...wish, name: 'a' }), await open({ ...wish, name: 'b' }), await open({ ...wish, name: 'c', tenant: gone }), await open({ ...wish, name: 'd' })];
  const found = await kit.services.keys.find(tenant, revoked.id);
  assert.ok(found !== undefined);
  await kit.services.keys.revoke(found, { actor: 'user:root', scopes: new Set(['admin']) });
  const over = await kit.services.keys.find(tenant, expiring.id);
  assert.ok(over !== undefined);
  await kit.store.transact([], [{ key: over.entry.key, value: { ...over.key, expires_at: '2026-01-01T00:00:00.000Z' } }]);
  await kit.store.transact([], [{ key: `tenants/${gone}`, value: undefined }]);
  const all = { done: false };
  void Promise.all([revoked.ended, expiring.ended, orphan.ended]).then(() => { all.done = true; });
  await untilSo(() => all.done);
  for (const { text } of [revoked, expiring, orphan]) assert.match(text(), /event: bye\n/);
  await kit.store.transact([], [{ key: `t/${tenant}/runs/r1`, value: { id: 'r1' } }]);
  await untilSo(() => kept.text().includes('"id":"r1"'));
  kept.leave();
  await kept.ended;
});

async function untilSo(holds: () => boolean): Promise<void> {
  while (!holds()) await timers.sleep(5);
}
