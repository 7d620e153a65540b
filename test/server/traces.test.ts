/** Spans of requests: which requests have one, what stands on it, and whose trace it belongs to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { traceparentOf } from '../../lib/base/trace-context.ts';
import type { SpanContext } from '../../lib/base/trace.ts';
import type { Services } from '../../lib/server/services.ts';
import { queuedRun } from '../../lib/runs/queue.ts';
import { recordingTracer, type RecordingTracer } from '../support/recording-tracer.ts';
import { bodyOf, createKit, hookTokenOfKit, localToken, mint, projectId, putRun, putTenant, send, type Kit } from '../support/api-kit.ts';

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const own = { authorization: `Bearer ${localToken}` };

function traced(options: Parameters<typeof createKit>[0] = {}, services: Partial<Services> = {}): Kit & { readonly tracer: RecordingTracer } {
  const tracer = recordingTracer();
  return { ...createKit(options, { tracer, ...services }), tracer };
}

test('a request is a span by the pattern of its route, with who asked by kind and nothing of what was sent', async () => {
  const { api, store, tracer } = traced();
  const run = await putRun(store, 1);
  const answer = await send(api, `/api/runs/${run}`, { headers: own });
  assert.equal(answer.status, 200);
  const [span] = tracer.spans;
  assert.equal(span?.name, 'GET /api/runs/:id');
  assert.deepEqual([span?.options.kind, span?.status, span?.ended], ['server', 'unset', true]);
  assert.deepEqual(span?.attributes, {
    'http.request.method': 'GET', 'http.route': '/api/runs/:id', 'url.scheme': 'http', 'loki.principal.kind': 'local', 'loki.request.id': answer.headers['X-Request-Id'], 'http.response.status_code': 200,
  });
  assert.ok(!JSON.stringify(tracer.spans).includes(run));
});

test('the span of a tenant\'s key names the tenant, not the key', async () => {
  const kit = traced({ authentication: true });
  const tenant = await putTenant(kit.store, 1);
  const key = await mint(kit, { name: 'secret-name', tenant, role: 'viewer' });
  const answer = await send(kit.api, '/api/runs', { headers: { authorization: `Bearer ${key.token}` } });
  assert.equal(answer.status, 200);
  const [span] = kit.tracer.spans;
  assert.deepEqual([span?.attributes['loki.principal.kind'], span?.attributes['loki.tenant.id']], ['key', tenant]);
  assert.ok(!JSON.stringify(kit.tracer.spans).includes('secret-name') && !JSON.stringify(kit.tracer.spans).includes('127.0.0.1'));
});

/** What is asked, as whom; the span's name, or none; its status and type of error. */
const asked: readonly (readonly [string, string, Parameters<typeof send>[2], number, readonly [string, string, string | undefined] | undefined])[] = [
  ['nothing there', '/api/nothing/prj_1?token=x', {}, 404, ['GET', 'unset', undefined]],
  ['a method that it has not', '/api/runs', { method: 'PATCH', headers: own }, 405, ['PATCH', 'unset', undefined]],
  ['a method that somebody made up', '/api/runs', { method: 'EVIL-4711', headers: own }, 405, ['HTTP', 'unset', undefined]],
  ['a wrong token', '/api/runs', { headers: { authorization: 'Bearer loki_wrong' } }, 401, ['GET /api/runs', 'unset', undefined]],
  ['a write of nobody', '/api/projects', { method: 'POST', body: '{}' }, 401, ['POST /api/projects', 'unset', undefined]],
  ['a Host that is not ours', '/api/runs', { lines: [['host', 'evil.example']] }, 403, ['GET', 'unset', undefined]],
  ['an id that is none', '/api/runs/x', { headers: own }, 400, ['GET /api/runs/:id', 'unset', undefined]],
  ['health', '/health', {}, 200, undefined],
  ['metrics', '/metrics', {}, 200, undefined],
  ['a hook', '/hooks/claude?event=PreToolUse', { method: 'POST', body: '{}', headers: { authorization: `Bearer ${hookTokenOfKit}`, 'content-type': 'application/json' } }, 200, undefined],
  ['the web page', '/', {}, 200, undefined],
];
for (const [name, target, call, status, expected] of asked) {
  test(`${name}: ${expected === undefined ? 'no span' : `a span "${expected[0]}"`}`, async () => {
    const { api, tracer } = traced();
    assert.equal((await send(api, target, call)).status, status);
    const told = tracer.spans.map((span) => [span.name, span.status, span.attributes['error.type']]);
    assert.deepEqual(told, expected === undefined ? [] : [[...expected]]);
    assert.ok(tracer.spans.every(({ ended, attributes }) => ended && attributes['http.response.status_code'] === status));
    assert.ok(!/evil|4711|wrong|token=/i.test(JSON.stringify(tracer.spans)));
  });
}

test('what we did not manage is an error, with its code and without its words', async () => {
  const budgets: Services['budgets'] = () => Promise.reject(new LokiError('store.corrupt', { attempted: 'read "/home/alice/secret"', found: 'it is none' }));
  const { api, tracer } = traced({}, { budgets });
  const { status } = await send(api, '/api/budgets', { headers: own });
  const [span] = tracer.spans;
  assert.ok(status >= 500);
  assert.deepEqual([span?.status, span?.message, span?.attributes['error.type']], ['error', undefined, 'store.corrupt']);
});

test('a client that has gone is no error of ours', async () => {
  const gone = new AbortController();
  const budgets: Services['budgets'] = () => {
    gone.abort();
    return Promise.reject(new Error('cut off'));
  };
  const { api, tracer } = traced({}, { budgets });
  await send(api, '/api/budgets', { headers: own, signal: gone.signal });
  assert.deepEqual(tracer.spans.map(({ status, ended }) => [status, ended]), [['unset', true]]);
});

test('past its allowance a caller makes no more spans', async () => {
  const { api, tracer } = traced({ rateLimit: 2 });
  const answers = [];
  for (let n = 0; n < 10; n += 1) answers.push((await send(api, '/api/runs')).status);
  assert.equal(answers.filter((status) => status === 429).length, 8);
  assert.equal(tracer.spans.length, 2);
});

test('an event stream is a span up to its first byte', async () => {
  const { api, store, tracer } = traced();
  const run = await putRun(store, 1);
  const gone = new AbortController();
  const answer = await send(api, `/api/runs/${run}/events`, { headers: { ...own, accept: 'text/event-stream' }, signal: gone.signal });
  assert.equal(answer.status, 200);
  const [span] = tracer.spans;
  assert.ok(answer.stream !== undefined, 'it is a stream');
  assert.deepEqual([span?.ended, span?.attributes['loki.http.stream']], [true, true]);
  gone.abort();
});

test('a caller that has said who it is may go on in its own trace', async () => {
  const { api, tracer } = traced();
  await send(api, '/api/runs', { headers: { ...own, traceparent: given, tracestate: 'vendor=1' } });
  const [span] = tracer.spans;
  assert.deepEqual(span?.options.parent, { traceId, spanId, sampled: true, isRemote: true, traceState: 'vendor=1' });
  assert.deepEqual(span?.links, []);
});

test('where contexts are not taken from others, a request begins a trace', async () => {
  const tracer = recordingTracer();
  const { api } = createKit({}, { tracer: { ...tracer, isPrivate: true } });
  for (const headers of [own, {}]) await send(api, '/api/runs', { headers: { ...headers, traceparent: given.replace(/01$/, '00') } });
  assert.deepEqual(tracer.spans.map(({ options, links }) => [options.parent, links]), [[undefined, []], [undefined, []]]);
});

test('its choice not to be kept holds as well', async () => {
  const { api, tracer } = traced();
  await send(api, '/api/runs', { headers: { ...own, traceparent: given.replace(/01$/, '00') } });
  assert.equal(tracer.spans.length, 0);
});

for (const [name, headers] of [['nobody in particular', {}], ['a wrong token', { authorization: 'Bearer loki_wrong' }]] as const) {
  test(`the trace of ${name} is linked to and not taken over: it can neither have itself kept nor write into one`, async () => {
    const { api, tracer } = traced();
    await send(api, '/api/runs', { headers: { ...headers, traceparent: given } });
    const [span] = tracer.spans;
    assert.equal(span?.options.parent, undefined);
    assert.notEqual(span?.context.traceId, traceId);
    assert.deepEqual(span?.links.map(({ context }) => [context.traceId, context.spanId]), [[traceId, spanId]]);
  });
}

const hostile: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ['no traceparent at all', [['traceparent', 'x'.repeat(8000)]]],
  ['two of them', [['traceparent', given], ['traceparent', given]]],
  ['ids of zeros', [['traceparent', `00-${'0'.repeat(32)}-${spanId}-01`]]],
  ['a tracestate alone', [['tracestate', 'a=1']]],
];
for (const [name, lines] of hostile) {
  test(`${name}: the request is answered and begins a trace`, async () => {
    const { api, tracer } = traced();
    const answer = await send(api, '/api/runs', { lines: [['host', '127.0.0.1:57374'], ['authorization', own.authorization], ...lines] });
    assert.equal(answer.status, 200);
    assert.deepEqual(tracer.spans.map(({ options, links }) => [options.parent, links]), [[undefined, []]]);
  });
}

test('a tracestate that cannot be read is left out, and its parent is not', async () => {
  const { api, tracer } = traced();
  await send(api, '/api/runs', { headers: { ...own, traceparent: given, tracestate: 'A=1\u0001' } });
  assert.deepEqual(tracer.spans.map(({ options }) => options.parent), [{ traceId, spanId, sampled: true, isRemote: true } satisfies SpanContext]);
});

test('a run that is ordered remembers the request', async () => {
  const { api, store, tracer } = traced();
  await store.transact([], [{ key: `projects/${projectId}`, value: { id: projectId, name: 'p', description: '', tenant_id: null, created_at: '2026-02-15T14:29:00.000Z' } }]);
  const answer = await send(api, '/api/runs', { method: 'POST', headers: { ...own, 'content-type': 'application/json', traceparent: given }, body: JSON.stringify({ project_id: projectId, document: 'Build it' }) });
  assert.equal(answer.status, 201, String(answer.body));
  const { id } = bodyOf(answer) as { id: string };
  const [span] = tracer.spans;
  assert.ok(span !== undefined);
  assert.equal((await queuedRun(store, id))?.traceparent, traceparentOf(span.context));
  assert.ok(!String(answer.body).includes(traceId), 'the run itself shows nothing of it');
});

test('what a request records is told in its span', async () => {
  const told: (readonly [string, string | undefined])[] = [];
  const { api, store, tracer } = traced({}, { record: async (event, context) => {
    told.push([event.event, context?.spanId]);
    return { seq: told.length, chain_hash: null };
  } });
  await store.transact([], [{ key: `projects/${projectId}`, value: { id: projectId, name: 'p', description: '', tenant_id: null, created_at: '2026-02-15T14:29:00.000Z' } }]);
  const made = await send(api, '/api/projects', { method: 'POST', headers: { ...own, 'content-type': 'application/json' }, body: JSON.stringify({ name: 'q' }) });
  assert.equal(made.status, 201, String(made.body));
  const { spanId: inRequest } = tracer.spans[0]?.context ?? {};
  assert.deepEqual(told.filter(([event]) => event !== 'auth.token.use'), [['project.create', inRequest], ['api.request', inRequest]]);
});

test('where requests are not traced, an ordered run remembers none', async () => {
  const { api, store } = createKit();
  await store.transact([], [{ key: `projects/${projectId}`, value: { id: projectId, name: 'p', description: '', tenant_id: null, created_at: '2026-02-15T14:29:00.000Z' } }]);
  const answer = await send(api, '/api/runs', { method: 'POST', headers: { ...own, 'content-type': 'application/json', traceparent: given }, body: JSON.stringify({ project_id: projectId, document: 'Build it' }) });
  const { id } = bodyOf(answer) as { id: string };
  assert.deepEqual(Object.keys(await queuedRun(store, id) ?? {}).sort(), ['ordered_by', 'project_id', 'run_id', 'tenant_id']);
});
