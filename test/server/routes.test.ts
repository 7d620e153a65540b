/** Every route: what it answers, and what it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../lib/base/ids.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { timers } from '../../lib/host/time.ts';
import { LokiError } from '../../lib/errors.ts';
import type { KeyWish } from '../../lib/server/auth/key-room.ts';
import { bodyOf, createKit, localToken, mint, projectId, putEvents, putRun, putTenant, send } from '../support/api-kit.ts';

const unknownRun = newId('run', 5, new Uint8Array(10));

async function withRuns(count: number): Promise<{ readonly kit: ReturnType<typeof createKit>; readonly ids: string[] }> {
  const kit = createKit();
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) ids.push(await putRun(kit.store, 1000 + at, { status: at % 2 === 0 ? 'running' : 'completed' }));
  return { kit, ids };
}

/** Contract section 6, as far as it is served: path, and method with scope. */
const promised: Readonly<Record<string, string>> = {
  '/tenants': 'GET read, POST admin', '/tenants/:id': 'GET read, PUT admin, DELETE admin', '/tenants/:id/projects': 'GET read',
  '/projects': 'GET read, POST control', '/projects/:id': 'GET read, PUT control, DELETE control',
  '/tasks': 'GET read, POST write', '/tasks/:id': 'GET read, PUT write, DELETE write',
  '/runs': 'GET read, POST control', '/runs/:id': 'GET read', '/runs/:id/cancel': 'POST control', '/runs/:id/replay': 'POST control', '/runs/:id/timeline': 'GET read', '/runs/:id/events': 'GET read, POST run', '/events': 'GET read',
  '/keys': 'GET admin, POST admin', '/keys/:id': 'GET admin, PUT admin, DELETE admin', '/keys/:id/rotate': 'POST admin',
  '/policies': 'GET read, PUT admin', '/policies/evaluate': 'POST write', '/budgets': 'GET read',
  '/approvals': 'GET read', '/approvals/:id': 'GET read', '/approvals/:id/approve': 'POST approve', '/approvals/:id/reject': 'POST approve',
  '/audit': 'GET audit', '/audit/summary': 'GET audit', '/audit/export': 'GET audit', '/audit/verify': 'GET audit', '/audit/checkpoint': 'GET audit', '/audit/proof/:seq': 'GET audit',
};

test('the route table serves exactly these routes', () => {
  const { services } = createKit();
  const served = new Map<string, string[]>();
  for (const { method, path, scope } of routeTable(services, createStreams(timers), () => false)) {
    if (!/\.(js|css|svg)$/.test(path)) served.set(path, [...served.get(path) ?? [], `${method} ${scope}`]);
  }
  assert.deepEqual(Object.fromEntries([...served].map(([path, methods]) => [path, methods.join(', ')])), {
    '/health': 'GET none', '/health/live': 'GET none', '/health/ready': 'GET none', '/metrics': 'GET none', '/openapi.json': 'GET none', '/hooks/claude': 'POST hook', '/': 'GET none', '/device': 'GET none',
    '/auth/login': 'GET none', '/auth/callback': 'GET none', '/auth/session': 'POST none', '/auth/logout': 'POST none', '/auth/signed-out': 'GET none', '/auth/backchannel-logout': 'POST none',
    '/auth/me': 'GET none', '/auth/device': 'POST none, GET none', '/auth/device/token': 'POST none', '/auth/device/approve': 'POST none',
    '/api/status': 'GET none', '/api/v2/status': 'GET read',
    ...Object.fromEntries(['/api', '/api/v2'].flatMap((prefix) => Object.entries(promised).map(([path, methods]) => [prefix + path, methods]))),
  });
});

test('health answers without details, and is not ready while draining', async () => {
  const { api } = createKit();
  for (const path of ['/health', '/health/live', '/health/ready']) {
    const response = await send(api, path);
    assert.equal(response.status, 200, path);
    assert.deepEqual(bodyOf(response), { status: 'ok' });
  }
  api.drain();
  assert.equal((await send(api, '/health/live')).status, 200);
  const ready = await send(api, '/health/ready');
  assert.equal(ready.status, 503);
  assert.deepEqual(bodyOf(ready), { status: 'unavailable' });
});

test('it is not ready without its store', async () => {
  const { api, store } = createKit();
  await store.close();
  assert.equal((await send(api, '/health/ready')).status, 503);
});

test('status says version, uptime and how the log stands', async () => {
  const { api } = createKit();
  for (const path of ['/api/status', '/api/v2/status']) {
    const response = await send(api, path);
    assert.equal(response.status, 200);
    assert.deepEqual(bodyOf(response), { version: '0.1.0', started_at: '2026-02-15T14:30:00.000Z', uptime_seconds: 5, authentication: 'off', audit: { enabled: true, last_seq: 25 }, event_streams: 0 });
  }
});

test('budgets are listed page by page, for one project or all', async () => {
  const { api } = createKit();
  const names = (rows: unknown): unknown => (Array.isArray(rows) ? rows.map((row) => row.name) : rows);
  assert.deepEqual(names(bodyOf(await send(api, '/api/budgets'))), ['budget-1', 'budget-2', 'budget-3']);
  assert.deepEqual(names(bodyOf(await send(api, '/api/budgets?limit=1&offset=1'))), ['budget-2']);
  const first = bodyOf(await send(api, `/api/v2/budgets?limit=2&project_id=${projectId}`));
  assert.ok(first !== null && typeof first === 'object' && 'data' in first && 'next_cursor' in first);
  assert.deepEqual(names(first.data), ['budget-1', 'budget-2']);
  const last = bodyOf(await send(api, `/api/v2/budgets?limit=2&project_id=${projectId}&cursor=${String(first.next_cursor)}`));
  assert.deepEqual(last, { data: [{ project_id: projectId, name: 'budget-3' }], next_cursor: null });
  assert.equal((await send(api, `/api/v2/budgets?limit=2&cursor=${String(first.next_cursor)}`)).status, 400, 'a cursor belongs to its filter');
  assert.equal((await send(api, '/api/budgets?project_id=nonsense')).status, 400);
  assert.equal((await send(api, '/api/budgets', { method: 'POST', body: '{}', headers: { authorization: `Bearer ${localToken}`, 'content-type': 'application/json' } })).status, 405);
});

test('v1 lists runs as a bare array, newest first, with limit and offset', async () => {
  const { kit: { api }, ids } = await withRuns(5);
  const list = async (query: string): Promise<unknown[]> => {
    const body = bodyOf(await send(api, `/api/runs${query}`));
    assert.ok(Array.isArray(body));
    return body.map((run) => run.id);
  };
  const newest = ids.toReversed();
  assert.deepEqual(await list(''), newest);
  assert.deepEqual(await list('?limit=2&offset=1'), newest.slice(1, 3));
  assert.deepEqual(await list('?offset=5'), []);
  assert.deepEqual(await list('?status=completed'), newest.filter((_, at) => at % 2 === 1));
  assert.deepEqual(await list(`?project_id=${projectId}&limit=1`), newest.slice(0, 1));
  assert.deepEqual(await list(`?project_id=${newId('project', 9, new Uint8Array(10))}`), []);
});

test('v2 lists runs page by page to the end, each once', async () => {
  const { kit: { api }, ids } = await withRuns(5);
  const seen: string[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const body = JSON.parse(String((await send(api, `/api/v2/runs?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)).body));
    seen.push(...body.data.map((run: { id: string }) => run.id));
    cursor = body.next_cursor;
    pages += 1;
  }
  assert.equal(pages, 3);
  assert.deepEqual(seen, ids.toReversed());
});

test('v2 refuses a cursor of another list, of another filter, cut short or made up', async () => {
  const { kit: { api } } = await withRuns(3);
  const { next_cursor: cursor } = JSON.parse(String((await send(api, '/api/v2/runs?limit=1')).body));
  assert.equal(typeof cursor, 'string');
  for (const target of [
    `/api/v2/projects?cursor=${cursor}`, `/api/v2/runs?status=failed&cursor=${cursor}`, `/api/v2/runs?cursor=${cursor.slice(0, -1)}`,
    `/api/v2/runs?cursor=${'0'.repeat(16)}-${unknownRun}`, '/api/v2/runs?cursor=..%2F..%2Fetc',
  ]) {
    const response = await send(api, target);
    assert.equal(response.status, 400, target);
    assert.match(String(response.body), /the cursor was not given out for this list and filter/);
  }
});

test('one run and one project are answered with an entity tag, and 304 to who has it', async () => {
  const kit = createKit();
  const id = await putRun(kit.store, 1);
  await kit.store.transact([], [{ key: `projects/${projectId}`, value: { id: projectId, name: 'sample' } }]);
  for (const target of [`/api/runs/${id}`, `/api/v2/runs/${id}`, `/api/projects/${projectId}`, `/api/v2/projects/${projectId}`]) {
    const response = await send(kit.api, target);
    assert.equal(response.status, 200);
    const tag = response.headers['ETag'] ?? '';
    assert.match(tag, /^"[\w-]{22}"$/);
    const again = await send(kit.api, target, { headers: { 'if-none-match': tag } });
    assert.equal(again.status, 304);
    assert.equal(again.body, undefined);
  }
  assert.deepEqual(bodyOf(await send(kit.api, '/api/projects')), [{ id: projectId, name: 'sample' }]);
  assert.deepEqual(bodyOf(await send(kit.api, '/api/v2/projects')), { data: [{ id: projectId, name: 'sample' }], next_cursor: null });
});

test('an unknown id is 404, a text that is no id is 400', async () => {
  const { api } = createKit();
  for (const below of ['', '/timeline', '/events']) {
    const unknown = await send(api, `/api/runs/${unknownRun}${below}`);
    assert.equal(unknown.status, 404);
    assert.match(String(unknown.body), new RegExp(`Cannot find the run: there is no run .*${unknownRun}`));
    for (const bad of ['x', 'run_', 'prj_00000000000000000000000000', '..@', 'run_01J', '__proto__', 'constructor']) {
      assert.equal((await send(api, `/api/runs/${bad}${below}`)).status, 400, bad + below);
    }
  }
  assert.equal((await send(api, `/api/projects/${newId('project', 3, new Uint8Array(10))}`)).status, 404);
  assert.equal((await send(api, `/api/projects/${unknownRun}`)).status, 400);
});

test('the timeline is whole, in order, and says how long the run took', async () => {
  const kit = createKit();
  const id = await putRun(kit.store, 1, { status: 'completed', ended_at: '2026-02-15T14:31:30.500Z' });
  await putEvents(kit.store, id, 1, 450);
  for (const prefix of ['/api', '/api/v2']) {
    const body = JSON.parse(String((await send(kit.api, `${prefix}/runs/${id}/timeline`)).body));
    assert.equal(body.run_id, id);
    assert.equal(body.duration_seconds, 90.5);
    assert.deepEqual(body.events.map((one: { seq: number }) => one.seq), Array.from({ length: 450 }, (_, at) => at + 1));
    assert.deepEqual(Object.keys(body.events[0]), ['id', 'seq', 'event_type', 'phase', 'details', 'timestamp']);
  }
});

test('a run that has not started has no duration', async () => {
  const kit = createKit();
  const id = await putRun(kit.store, 1, { status: 'pending', started_at: null });
  assert.deepEqual(bodyOf(await send(kit.api, `/api/runs/${id}/timeline`)), { run_id: id, events: [], duration_seconds: null });
});

test('audit entries come newest first, by offset and by cursor', async () => {
  const { api } = createKit();
  const seqs = (body: readonly { seq: number }[]): number[] => body.map(({ seq }) => seq);
  assert.deepEqual(seqs(JSON.parse(String((await send(api, '/api/audit?limit=3&offset=2')).body))), [23, 22, 21]);
  const first = JSON.parse(String((await send(api, '/api/v2/audit?limit=20')).body));
  assert.equal(first.data.length, 20);
  const second = JSON.parse(String((await send(api, `/api/v2/audit?limit=20&cursor=${first.next_cursor}`)).body));
  assert.deepEqual(seqs(second.data), [5, 4, 3, 2, 1]);
  assert.equal(second.next_cursor, null);
});

test('audit filters are passed on as exact times and known names', async () => {
  const { api, asked } = createKit();
  const target = '/api/audit?start=2026-02-01&end=2026-02-15&event=session.start&level=warning&actor=alice&resource=session%3Ases_1';
  assert.equal((await send(api, target)).status, 200);
  assert.deepEqual(asked, [{
    from: '2026-02-01T00:00:00.000Z', to: '2026-02-15T23:59:59.999Z', event: 'session.start', level: 'warning', actor: 'alice', resource: 'session:ses_1',
  }]);
});

test('summary counts over a period, 24 hours unless told', async () => {
  const periods: number[] = [];
  const { audit } = createKit().services;
  const { api } = createKit({}, { audit: { ...audit, summary: (ms, anonymous, tenant) => (periods.push(ms), audit.summary(ms, anonymous, tenant)) } });
  assert.deepEqual(bodyOf(await send(api, '/api/audit/summary')), {
    period: '24h', total_events: 3, by_type: { 'policy.allow': 3 }, by_level: { info: 3 }, by_actor: { 'agent:claude': 3 },
  });
  assert.equal((await send(api, '/api/v2/audit/summary?period=7d')).status, 200);
  assert.deepEqual(periods, [86_400_000, 7 * 86_400_000]);
  assert.equal((await send(api, '/api/audit/summary?period=forever')).status, 400);
});

test('callers that verify at the same time share one reading of the log', async () => {
  let readings = 0;
  let finish = (): void => undefined;
  const { audit } = createKit().services;
  const { api } = createKit({}, { audit: { ...audit, verify: async () => {
    readings += 1;
    await new Promise<void>((resolve) => { finish = resolve; });
    return { valid: true, verdict: 'ok' };
  } } });
  const both = [send(api, '/api/audit/verify'), send(api, '/api/v2/audit/verify'), send(api, '/api/audit/verify')];
  await timers.yield();
  finish();
  const statuses = (await Promise.all(both)).map(({ status, body }) => `${status} ${String(body)}`);
  assert.deepEqual(new Set(statuses), new Set(['200 {"valid":true,"verdict":"ok"}']));
  assert.equal(readings, 1);
});

test('query mistakes are all named at once, with suggestions', async () => {
  const { api } = createKit();
  const response = await send(api, '/api/audit?limt=5&limit=0&limit=3&event=sesion.start&level=loud&start=2026-02-30&__proto__=1');
  assert.equal(response.status, 400);
  const body = JSON.parse(String(response.body));
  assert.equal(body.code, 'request.invalid');
  assert.deepEqual(body.errors.map(({ detail }: { detail: string }) => detail), [
    'parameter "limt" is unknown (did you mean "limit"?)',
    'parameter "limit" is "0"; it must be a whole number from 1 to 1000',
    'parameter "event" is "sesion.start"; it must be a known name, or the beginning of several as auth.* (did you mean "session.start"?)',
    'parameter "level" is "loud"; it must be one of debug, info, warning, error',
    'parameter "start" is "2026-02-30"; it must be a day as 2026-02-01, or a time as 2026-02-01T10:00:00Z',
    'parameter "__proto__" is unknown; taken here: start, end, event, level, actor, resource, text, limit, offset',
  ]);
  assert.match(String((await send(api, '/api/audit?actor=a&actor=b')).body), /parameter \\"actor\\" is given more than once/);
});

test('a period that ends before it begins is refused', async () => {
  const { api } = createKit();
  for (const path of ['/api/audit', '/api/v2/audit']) {
    const response = await send(api, `${path}?start=2026-02-15&end=2026-02-01`);
    assert.equal(response.status, 400, path);
    assert.match(String(response.body), /parameter \\"start\\" .* is later than \\"end\\"/);
  }
  assert.equal((await send(api, '/api/audit?start=2026-02-15&end=2026-02-15')).status, 200);
});

test('v1 takes no cursor, v2 takes no offset, and one object takes nothing', async () => {
  const { api } = createKit();
  for (const target of ['/api/runs?cursor=a', '/api/v2/runs?offset=1', `/api/runs/${unknownRun}?x=1`, '/health?x', '/?v=1']) {
    assert.equal((await send(api, target)).status, 400, target);
  }
});

test('bad escapes, control characters and endless queries are refused', async () => {
  const { api } = createKit();
  for (const query of ['actor=%', 'actor=%zz', 'actor=%C3', 'actor=%00', 'actor=%0d%0aX', `actor=${'a'.repeat(1500)}`, 'actor=é', 'a=1#b', '&'.repeat(40)]) {
    assert.equal((await send(api, `/api/audit?${query}`)).status, 400, query.slice(0, 40));
  }
});

test('the page and its parts are served with their types, and asked for again only when changed', async () => {
  const { api } = createKit();
  const page = await send(api, '/');
  assert.equal(page.status, 200);
  assert.equal(page.headers['Content-Type'], 'text/html; charset=utf-8');
  assert.equal(page.headers['Cache-Control'], 'no-cache');
  assert.equal((await send(api, '/', { headers: { 'if-none-match': page.headers['ETag'] ?? '' } })).status, 304);
  assert.equal((await send(api, '/app.js')).headers['Content-Type'], 'text/javascript; charset=utf-8');
  for (const missing of ['/index.html', '/lib/web/app.js', '/package.json', '/app.js/', '/web']) assert.equal((await send(api, missing)).status, 404, missing);
});

test('the newest checkpoint and the proof of an entry are answered, and wrong numbers refused', async () => {
  const { api } = createKit();
  for (const prefix of ['/api', '/api/v2']) {
    const checkpoint = bodyOf(await send(api, `${prefix}/audit/checkpoint`));
    assert.deepEqual(checkpoint, { chain: 'record', origin: 'h/loki/audit', size: 25, root: 'cm9vdA==', note: 'h/loki/audit\n25\n', vkey: 'h/loki/audit+00000000+AQ==' });
    const proof = await send(api, `${prefix}/audit/proof/7`);
    assert.deepEqual([proof.status, proof.headers['Content-Type'], proof.headers['Content-Disposition']], [200, 'text/plain; charset=utf-8', 'attachment; filename="7.tlog-proof"']);
    assert.equal(String(proof.body), 'c2sp.org/tlog-proof@v1\nindex 6\n');
    assert.equal((await send(api, `${prefix}/audit/proof/26`)).status, 404);
    for (const wrong of ['0', '-1', '07', '1.5', 'x', '9007199254740992', '1e3', '%00']) assert.ok([400, 404].includes((await send(api, `${prefix}/audit/proof/${wrong}`)).status), wrong);
  }
  const none = createKit({}, {});
  const audit = { ...none.services.audit, checkpoint: async () => undefined };
  assert.equal((await send(createKit({}, { audit }).api, '/api/audit/checkpoint')).status, 404);
});

test('audit entries are found by text and by the beginning of events', async () => {
  const { api, asked } = createKit();
  assert.equal((await send(api, '/api/audit?event=auth.*&text=rm%20-rf')).status, 200);
  assert.deepEqual(asked, [{ event: 'auth.*', text: 'rm -rf' }]);
  assert.equal((await send(api, '/api/audit?event=none.*')).status, 400);
});

test('a cursor of the audit log is good while entries are added, and for its filter only', async () => {
  let newest = 30;
  const { audit } = createKit().services;
  const { api } = createKit({}, { audit: { ...audit, async *query({ before = Infinity }) {
    for (let seq = Math.min(newest, before - 1); seq > 0; seq -= 1) yield { seq };
  } } });
  const seqs: number[] = [];
  for (let cursor: string | null = ''; cursor !== null; newest += 7) {
    const page: { readonly data: readonly { readonly seq: number }[]; readonly next_cursor: string | null } = JSON.parse(String((await send(api, `/api/v2/audit?level=info&limit=9${cursor === '' ? '' : `&cursor=${cursor}`}`)).body));
    seqs.push(...page.data.map(({ seq }) => seq));
    if (page.next_cursor !== null) assert.equal((await send(api, `/api/v2/audit?level=error&cursor=${page.next_cursor}`)).status, 400);
    cursor = page.next_cursor;
  }
  assert.deepEqual(seqs, Array.from({ length: 30 }, (_, at) => 30 - at), 'none twice, none left out');
  for (const cursor of ['x', '5', '0123456789abcdef-5']) assert.equal((await send(api, `/api/v2/audit?cursor=${cursor}`)).status, 400);
});

test('who reads entries is told before they are given', async () => {
  const { audit } = createKit().services;
  const told: unknown[] = [];
  const { api } = createKit({}, { audit: { ...audit, access: async (...args) => void told.push(args) } });
  await send(api, '/api/audit?limit=3&level=info', { headers: { authorization: `Bearer ${localToken}` } });
  assert.deepEqual(told, [['token:local', { level: 'info' }, 3]]);
  const failing = createKit({}, { audit: { ...audit, access: () => Promise.reject(new LokiError('audit.unwritable', { attempted: 'record data.access', found: 'the disk is full' })) } });
  const refused = await send(failing.api, '/api/audit');
  assert.equal(refused.status, 503);
  assert.doesNotMatch(String(refused.body), /chain_hash/);
});

test('an export is streamed to whoever shows who they are, and to nobody else', async () => {
  const { audit } = createKit().services;
  const orders: unknown[] = [];
  const { api } = createKit({}, { audit: { ...audit, export: ({ signal: _signal, ...order }) => (orders.push(order), audit.export({ ...order, signal: _signal })) } });
  const headers = { authorization: `Bearer ${localToken}` };
  assert.equal((await send(api, '/api/audit/export')).status, 401);
  assert.equal((await send(api, '/api/v2/audit/export?format=xml', { headers })).status, 400);
  assert.equal((await send(api, '/api/audit/export?limit=5', { headers })).status, 400);
  assert.equal((await send(api, '/api/audit/export', { method: 'HEAD', headers })).status, 200);
  assert.deepEqual(orders, []);
  const response = await send(api, '/api/v2/audit/export?format=csv&event=auth.*&subject=alice', { headers });
  assert.equal(response.status, 200);
  assert.deepEqual([response.headers['Content-Type'], response.headers['Content-Disposition']], ['text/plain', 'attachment; filename="audit.csv"']);
  const parts: string[] = [];
  for await (const part of response.stream ?? []) parts.push(Buffer.from(part).toString('utf8'));
  assert.equal(parts.join(''), 'one\ntwo\n');
  assert.deepEqual(orders, [{ by: 'token:local', format: 'csv', filter: { event: 'auth.*', subject: 'user:alice' } }]);
});

test('with authentication, how much the installation does is told to its administrators alone', async () => {
  const { services } = createKit();
  const report = { ...await services.status(), authentication: 'required' as const, event_streams: 3 };
  const kit = createKit({ authentication: true }, { status: async () => report });
  const tenant = await putTenant(kit.store, 1);
  const as = async (wish: KeyWish): Promise<Readonly<Record<string, string>>> => ({ authorization: `Bearer ${(await mint(kit, wish)).token}` });
  const seen = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const { audit, event_streams } = bodyOf(await send(kit.api, '/api/status', { headers })) as { readonly audit: { readonly last_seq: unknown }; readonly event_streams: unknown };
    return [audit.last_seq, event_streams];
  };
  assert.deepEqual(await seen({}), [null, null]);
  assert.deepEqual(await seen(await as({ name: 'theirs', tenant, role: 'admin' })), [null, null]);
  assert.deepEqual(await seen(await as({ name: 'root', tenant: null, role: 'viewer' })), [25, 3]);
});
