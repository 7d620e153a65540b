/** An event stream lasts as long as the right to it: a key that is revoked while it is open ends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, createKit, mint, putRun, putTenant, send, type Kit } from '../support/api-kit.ts';

/** Reads until the stream ends. Gives whether it did before so many parts came. */
async function ends(stream: AsyncIterable<string | Uint8Array>, mostParts: number): Promise<boolean> {
  let parts = 0;
  for await (const _ of stream) {
    parts += 1;
    if (parts === mostParts) return false;
  }
  return true;
}

const asker = { actor: 'user:root', scopes: new Set(['admin'] as const) };

async function revoke({ services: { keys } }: Kit, tenant: string | null, id: string): Promise<void> {
  const found = await keys.find(tenant, id);
  assert.ok(found !== undefined);
  await keys.revoke(found, asker);
}

test('streams of a key that was revoked, of a tenant that is gone and of a session that ended are ended; others go on', async (t) => {
  // Heartbeats keep no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const kit = createKit({ authentication: true, streams: { all: 20, perCaller: 20, heartbeatMs: 5 } });
  const { api, store } = kit;
  const [tenant, dissolved] = [await putTenant(store, 1), await putTenant(store, 2)];
  const run = await putRun(store, 1);
  const keyOf = async (name: string, of: string | null): Promise<{ readonly id: string; readonly headers: Record<string, string> }> => {
    const { key: { id }, token } = await mint(kit, { name, tenant: of, role: 'viewer' });
    return { id, headers: { authorization: `Bearer ${token}` } };
  };
  const [lost, kept, gone, browser] = [await keyOf('lost', tenant), await keyOf('kept', null), await keyOf('gone', dissolved), await keyOf('browser', null)];
  const signedIn = await send(api, '/auth/session', { method: 'POST', headers: { ...browser.headers, 'content-type': 'application/json' }, body: '{}' });
  assert.equal(signedIn.status, 201, JSON.stringify(bodyOf(signedIn)));
  const cookie = { cookie: String(signedIn.cookies?.[0]?.split(';')[0]) };
  const open = async (path: string, headers: Record<string, string>): Promise<AsyncIterable<string | Uint8Array>> => {
    const { status, stream } = await send(api, path, { headers });
    assert.equal(status, 200, path);
    assert.ok(stream !== undefined);
    return stream;
  };
  const ending = [await open('/api/v2/events', lost.headers), await open('/api/v2/events', gone.headers), await open(`/api/v2/runs/${run}/events`, cookie)];
  const going = [await open('/api/v2/events', kept.headers), await open(`/api/v2/runs/${run}/events`, kept.headers)];
  await revoke(kit, tenant, lost.id);
  await store.transact([], [{ key: `tenants/${dissolved}`, value: undefined }]);
  assert.equal((await send(api, '/auth/logout', { method: 'POST', headers: { ...cookie, 'content-type': 'application/json', origin: 'http://127.0.0.1:57374' }, body: '{}' })).status, 200);
  assert.deepEqual(await Promise.all(ending.map((stream) => ends(stream, 200))), [true, true, true]);
  assert.deepEqual(await Promise.all(going.map((stream) => ends(stream, 12))), [false, false]);
  assert.equal(api.openStreams(), 0);
});
