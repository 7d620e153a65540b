/** Webhooks of approvals: what is told, what waits, and what becomes of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApprovalView } from '../../lib/approvals/approval.ts';
import { requested } from '../../lib/approvals/steps.ts';
import { deliverDue, type DeliverOptions, type DeliveryEvent } from '../../lib/approvals/webhooks/deliver.ts';
import { messageOf } from '../../lib/approvals/webhooks/message.ts';
import { readWaiting, spool, waitingNames, type SpoolPlace } from '../../lib/approvals/webhooks/spool.ts';
import { noTracer, type Tracer } from '../../lib/base/trace.ts';
import { traceparentOf } from '../../lib/base/trace-context.ts';
import { LokiError } from '../../lib/errors.ts';
import type { PostAnswer, PostRequest } from '../../lib/ports.ts';
import { makeGround } from '../support/ground.ts';
import { recordingTracer } from '../support/recording-tracer.ts';

const start = Date.UTC(2026, 1, 15, 14, 30);
const minute = 60_000;
const url = 'https://hook.example/services/T0/s3cret?token=abc';

function viewOf(id = 'apr_01KHGVANJ03WK2TD1V894N0NTY', more: Partial<ApprovalView> = {}): ApprovalView {
  return {
    id, status: 'pending', project_id: 'prj_1', session_id: 'ses_1', action_hash: 'a', policy_digest: 'p', rule: 'r', reason: 'why', action: { kind: 'exec', command: 'npm publish' }, approvers: ['user:bob'], required: 1,
    on_timeout: 'reject', requested_by: 'agent:claude', created_at: '2026-02-15T14:30:00.000Z', expires_at: '2026-02-15T15:00:00.000Z', timeout_ms: 1_800_000, decisions: [], decided_at: null, use_before: null, used_at: null, ...more,
  };
}

interface Post {
  readonly spool: SpoolPlace;
  readonly sent: PostRequest[];
  readonly told: DeliveryEvent[];
  /** What the receiver answers to the next messages; 204 afterwards. */
  readonly answers: (Partial<PostAnswer> | Error)[];
  at(milliseconds: number): void;
  deliver(options?: { readonly all?: boolean }): ReturnType<typeof deliverDue>;
}

function post(t: { after(undo: () => void): void }, addresses: readonly string[] = ['8.8.8.8'], tracer: Tracer = noTracer): Post {
  const { installation, home } = makeGround(t);
  const { host: { disk } } = installation();
  disk.ensureDirectory(join(home, '..'), home, 0o700);
  const [sent, told, answers]: [PostRequest[], DeliveryEvent[], Post['answers']] = [[], [], []];
  let now = start;
  const place = { disk, base: home, directory: join(home, 'spool/webhooks') };
  const options: DeliverOptions = {
    spool: place, clock: { now: () => now, monotonic: () => now }, random: { bytes: (length) => new Uint8Array(length) }, rules: { allowed: [], airGapped: false }, secrets: () => [new Uint8Array(32)], userAgent: 'test', tracer,
    record: async (event) => { told.push(event); },
    sockets: {
      resolve: () => Promise.resolve(addresses),
      post(request) {
        sent.push(request);
        const answer = answers.shift() ?? {};
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ status: 204, retryAfterS: undefined, body: '', ...answer });
      },
    },
  };
  return { spool: place, sent, told, answers, at(milliseconds) { now = start + milliseconds; }, deliver: (more = {}) => deliverDue(options, more) };
}

test('a message says what an approval is, how to decide it, and neither where it goes nor how it was proven', () => {
  const { id, type, body } = messageOf(requested(viewOf()));
  assert.deepEqual([id, type], ['apr_01KHGVANJ03WK2TD1V894N0NTY_0_request', 'approval.request']);
  assert.ok(!id.includes('.'));
  const told = JSON.parse(body);
  assert.deepEqual([told.type, told.timestamp, told.data.status, told.data.decide_with], ['approval.request', '2026-02-15T14:30:00.000Z', 'pending', 'loki approve apr_01KHGVANJ03WK2TD1V894N0NTY']);
  const signed = viewOf(undefined, { decisions: [{ by: 'user:bob', outcome: 'approve', reason: 'x', proof: 'approver_key', at: '2026-02-15T14:31:00.000Z', signature: { key: 'K', at: '2026-02-15T14:31:00.000Z', value: 'SIGNATURE' } }] });
  assert.ok(!messageOf(requested(signed)).body.includes('SIGNATURE'));
});

test('a message is below 20 kB, whatever is asked and however many decided', () => {
  const many = Array.from({ length: 100 }, (_, n) => ({ by: `user:${'u'.repeat(200)}${n}`, outcome: 'approve', reason: 'x'.repeat(2000), proof: 'terminal', at: '2026-02-15T14:31:00.000Z' } as const));
  for (const more of [{}, { action: { kind: 'exec', command: 'x'.repeat(1 << 20) } }, { decisions: many }, { approvers: many.map(({ by }) => by), reason: 'é'.repeat(2000), decisions: many }]) {
    const { body } = messageOf(requested(viewOf(undefined, more)));
    assert.ok(Buffer.byteLength(body) < 20_000, String(Buffer.byteLength(body)));
    assert.equal(JSON.parse(body).data.id, 'apr_01KHGVANJ03WK2TD1V894N0NTY');
  }
});

test('a message is sent to the address that was judged, signed, and then gone; the log tells of it without its path', async (t) => {
  const here = post(t);
  spool(here.spool, messageOf(requested(viewOf())), url, start);
  assert.deepEqual(await here.deliver(), { delivered: 1, waiting: 0, givenUp: 0 });
  const [request] = here.sent;
  assert.deepEqual([request?.url, request?.address], [url, '8.8.8.8']);
  assert.match(request?.headers['webhook-signature'] ?? '', /^v1,/);
  assert.equal(request?.headers['webhook-timestamp'], String(start / 1000));
  assert.deepEqual(here.told.map(({ event, details }) => [event, details['to'], details['status']]), [['integration.deliver', 'https://hook.example', 204]]);
  assert.deepEqual(waitingNames(here.spool), []);
});

test('a name that leads into the network is not called, and says why', async (t) => {
  const here = post(t, ['8.8.8.8', '169.254.169.254']);
  spool(here.spool, messageOf(requested(viewOf())), url, start);
  assert.deepEqual(await here.deliver(), { delivered: 0, waiting: 1, givenUp: 0 });
  assert.deepEqual(here.sent, []);
  assert.equal(here.told[0]?.details['found'], 'call https://hook.example: 169.254.169.254 is a cloud\'s metadata service');
});

test('what fails is tried again after longer and longer pauses, with the same id, and given up after three days', async (t) => {
  const here = post(t);
  const message = messageOf(requested(viewOf()));
  spool(here.spool, message, url, start);
  here.answers.push(...Array.from({ length: 20 }, () => ({ status: 500 })));
  const pauses: number[] = [];
  let at = 0;
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    here.at(at);
    await here.deliver();
    assert.equal(here.sent.length, attempt);
    const next = readWaiting(here.spool, `${message.id}.json`)?.nextTry ?? null;
    if (next === null) break;
    here.at(next - start - 1);
    await here.deliver();
    assert.equal(here.sent.length, attempt, 'not before its time');
    pauses.push(next - start - at);
    at = next - start;
  }
  assert.deepEqual(pauses.map((pause) => pause / 1000), [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  assert.equal(new Set(here.sent.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.deepEqual(here.told.map(({ event, details }) => [event, details['attempts'], details['gives_up']]), [['integration.fail', 1, false], ['integration.fail', 10, true]]);
  assert.deepEqual(await here.deliver(), { delivered: 0, waiting: 0, givenUp: 1 });
  here.answers.length = 0;
  assert.deepEqual(await here.deliver({ all: true }), { delivered: 1, waiting: 0, givenUp: 0 }, 'by hand it is tried again');
});

test('redirects are not followed, Retry-After is heeded up to a day, and 410 ends it', async (t) => {
  const here = post(t);
  const message = messageOf(requested(viewOf()));
  const nextTry = (): number | null | undefined => readWaiting(here.spool, `${message.id}.json`)?.nextTry;
  spool(here.spool, message, url, start);
  here.answers.push({ status: 302 }, { status: 429, retryAfterS: 3600 }, { status: 503, retryAfterS: 999_999_999 }, { status: 410 });
  await here.deliver();
  assert.match(readWaiting(here.spool, `${message.id}.json`)?.trouble ?? '', /^https:\/\/hook\.example answered 302; redirects are not followed$/);
  await here.deliver({ all: true });
  assert.equal(nextTry(), start + 60 * minute);
  await here.deliver({ all: true });
  assert.equal(nextTry(), start + 24 * 60 * minute);
  await here.deliver({ all: true });
  assert.equal(nextTry(), null);
});

test('no error shows the path of an address, nor what the receiver answered', async (t) => {
  const here = post(t);
  spool(here.spool, messageOf(requested(viewOf())), url, start);
  here.answers.push(new LokiError('net.unreachable', { attempted: 'send to https://hook.example/services/T0/s3cret', found: 'nothing listens there' }), { status: 500, body: 'SQL error near s3cret' });
  await here.deliver();
  await here.deliver({ all: true });
  const shown = JSON.stringify(here.told) + (readWaiting(here.spool, waitingNames(here.spool)[0] ?? '')?.trouble ?? '');
  assert.ok(!shown.includes('s3cret') && !shown.includes('T0') && !shown.includes('SQL'), shown);
});

test('messages of one receiver keep their order; one that is away does not hold up another', async (t) => {
  const here = post(t);
  const [first, second, other] = ['apr_01KHGVANJ03WK2TD1V894N0NT1', 'apr_01KHGVANJ03WK2TD1V894N0NT2', 'apr_01KHGVANJ03WK2TD1V894N0NT3'].map((id) => messageOf(requested(viewOf(id))));
  assert.ok(first !== undefined && second !== undefined && other !== undefined);
  spool(here.spool, second, url, start);
  spool(here.spool, first, url, start);
  spool(here.spool, other, 'https://other.example/', start);
  here.answers.push({ status: 500 });
  await here.deliver();
  assert.deepEqual(here.sent.map(({ headers }) => headers['webhook-id']), [first.id, other.id]);
  await here.deliver({ all: true });
  assert.deepEqual(here.sent.slice(2).map(({ headers }) => headers['webhook-id']), [first.id, second.id]);
});

test('the same change is put in once; the spool is bounded; a file that is not ours is passed over', (t) => {
  const { spool: place } = post(t);
  const message = messageOf(requested(viewOf()));
  spool(place, message, url, start);
  const path = join(place.directory, `${message.id}.json`);
  const before = readFileSync(path, 'utf8');
  spool(place, { ...message, body: 'other' }, url, start + 1);
  assert.equal(readFileSync(path, 'utf8'), before);
  writeFileSync(path, '{"v":1}');
  assert.equal(readWaiting(place, `${message.id}.json`), undefined);
  for (const name of ['x.json', '../x.json', 'apr_1.json']) assert.ok(!waitingNames({ disk: { ...place.disk, list: () => [name] }, directory: place.directory }).includes(name), name);
  const full = { ...place, disk: { ...place.disk, list: () => Array.from({ length: 1000 }, (_, n) => `apr_01KHGVANJ03WK2TD1V894N${String(n).padStart(4, '0')}_0_request.json`) } };
  assert.throws(() => spool(full, messageOf(requested(viewOf('apr_01KHGVANJ03WK2TD1V894N0NT9'))), url, start), { code: 'io.failed', message: /1000 messages wait already/ });
  assert.equal(readdirSync(place.directory).length, 1);
});

test('each attempt is a span of its own that the receiver is told of, with nothing of the address but its host', async (t) => {
  const tracer = recordingTracer();
  const there = post(t, ['8.8.8.8'], tracer);
  spool(there.spool, messageOf(requested(viewOf())), url, start);
  there.answers.push({ status: 503 });
  await there.deliver();
  there.at(minute);
  await there.deliver();
  const common = { 'http.request.method': 'POST', 'server.address': 'hook.example', 'loki.approval.id': 'apr_01KHGVANJ03WK2TD1V894N0NTY' };
  assert.deepEqual(tracer.spans.map(({ name, options, attributes, status, ended }) => ({ name, kind: options.kind, attributes, status, ended })), [
    { name: 'webhook.deliver', kind: 'client', attributes: { ...common, 'http.response.status_code': 503, 'error.type': '503' }, status: 'error', ended: true },
    { name: 'webhook.deliver', kind: 'client', attributes: { ...common, 'http.request.resend_count': 1, 'http.response.status_code': 204 }, status: 'unset', ended: true },
  ]);
  assert.deepEqual(there.sent.map(({ headers }) => headers['traceparent']), tracer.spans.map(({ context }) => traceparentOf(context)));
});

test('an attempt that gets no answer, or is not let out, says so in one word, and not where it went', async (t) => {
  const tracer = recordingTracer();
  const there = post(t, ['8.8.8.8'], tracer);
  spool(there.spool, messageOf(requested(viewOf())), url, start);
  there.answers.push(new LokiError('net.unreachable', { attempted: `call ${url}`, found: 'refused' }));
  await there.deliver();
  const inside = post(t, ['127.0.0.1'], tracer);
  spool(inside.spool, messageOf(requested(viewOf())), url, start);
  await inside.deliver();
  assert.deepEqual(tracer.spans.map(({ attributes }) => attributes['error.type']), ['net.unreachable', 'net.unreachable']);
  assert.ok(!JSON.stringify(tracer.spans).includes('s3cret'));
});

test('a receiver is told of no trace where none are handed on', async (t) => {
  const tracer = recordingTracer();
  const there = post(t, ['8.8.8.8'], { ...tracer, isPrivate: true });
  spool(there.spool, messageOf(requested(viewOf())), url, start);
  await there.deliver();
  assert.equal(tracer.spans.length, 1);
  assert.deepEqual(there.sent.map(({ headers }) => 'traceparent' in headers), [false]);
});

test('without telemetry a receiver is told of no trace', async (t) => {
  const there = post(t);
  spool(there.spool, messageOf(requested(viewOf())), url, start);
  await there.deliver();
  assert.deepEqual(there.sent.map(({ headers }) => 'traceparent' in headers), [false]);
});
