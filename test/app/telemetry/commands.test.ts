/** The span of a command, what it records within it, and the doors that a program opens by itself; read from what they hand over. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { traceHeaders } from '../../../lib/app/telemetry/trace-headers.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../../lib/base/json.ts';
import { traceIdOf } from '../../../lib/base/trace-ids.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

/** Nobody listens there, and nobody is asked. Within a session: nothing is left behind to send. */
const on = { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:9', LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV' };
const given = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${given.traceId}-${given.spanId}-01`;

interface Told {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: JsonObject;
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isPlainObject) as readonly JsonObject[] : [];
}

/** Everything of a signal that was handed over, in the order it was made in. */
function handedOver(ground: Ground, signal: 'traces' | 'logs'): readonly Told[] {
  const folder = join(ground.home, 'spool/telemetry/handed-over');
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return [];
  }
  const [outer, scopes, inner] = signal === 'traces' ? ['resourceSpans', 'scopeSpans', 'spans'] : ['resourceLogs', 'scopeLogs', 'logRecords'];
  return names.filter((name) => name.includes(`.${signal}.`)).flatMap((name) => {
    const message = JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject;
    return objects(message[outer]).flatMap((one) => objects(one[scopes])).flatMap((one) => objects(one[inner])).map((item): Told => ({
      name: String(item['name'] ?? item['eventName']), traceId: String(item['traceId']), spanId: String(item['spanId']), parentSpanId: typeof item['parentSpanId'] === 'string' ? item['parentSpanId'] : undefined,
      attributes: Object.fromEntries(objects(item['attributes']).map(({ key, value }) => [String(key), Object.values(Object(value))[0] as JsonValue])),
    }));
  });
}

describe('a command', () => {
  test('is one span, a child of what it was handed down, and what it records is told within it', async (t) => {
    const ground = makeGround(t);
    assert.equal((await ground.loki(['init', '--yes'], { env: { ...on, TRACEPARENT } })).exit, 0);
    const [span, ...more] = handedOver(ground, 'traces');
    assert.deepEqual(more, []);
    assert.deepEqual([span?.name, span?.traceId, span?.parentSpanId, span?.attributes], ['loki init', given.traceId, given.spanId, { 'process.exit.code': '0' }]);
    const logs = handedOver(ground, 'logs');
    assert.ok(logs.some(({ name }) => name === 'loki.project.enrol'), logs.map(({ name }) => name).join());
    assert.deepEqual([...new Set(logs.map(({ traceId, spanId }) => `${traceId} ${spanId}`))], [`${given.traceId} ${span?.spanId}`]);
  });

  test('that fails is told with its exit code', async (t) => {
    const ground = makeGround(t);
    const { exit } = await ground.loki(['approve', 'apr_01ARZ3NDEKTSV4RRFFQ69G5FAV'], { env: on });
    assert.notEqual(exit, 0);
    const [span] = handedOver(ground, 'traces');
    assert.deepEqual([span?.name, span?.attributes], ['loki approve', { 'process.exit.code': String(exit), 'error.type': `exit ${exit}` }]);
  });

  test('of two words is told by both, without what was given to it', async (t) => {
    const ground = makeGround(t);
    await ground.enrol();
    await ground.loki(['enterprise', 'audit', 'search', '--text', 'kanarienvogel'], { env: on });
    assert.deepEqual(handedOver(ground, 'traces').map(({ name }) => name), ['loki enterprise audit search']);
    assert.doesNotMatch(JSON.stringify(handedOver(ground, 'traces')), /kanarienvogel/);
  });

  for (const line of ['version', 'help', 'approvals --help', 'completion bash', 'doctor', 'telemetry status']) {
    test(`loki ${line} tells nothing of itself`, async (t) => {
      const ground = makeGround(t);
      await ground.loki(line.split(' '), { env: on });
      assert.deepEqual(handedOver(ground, 'traces'), []);
    });
  }

  test('tells nothing where nobody asked for it', async (t) => {
    const ground = makeGround(t);
    await ground.loki(['init', '--yes']);
    await ground.loki(['init', '--yes'], { env: { ...on, OTEL_SDK_DISABLED: 'true' } });
    assert.deepEqual([handedOver(ground, 'traces'), handedOver(ground, 'logs')], [[], []]);
  });

  test('whose telemetry cannot be written does its work all the same', async (t) => {
    const ground = makeGround(t);
    ground.write('home/spool', 'no folder');
    const { exit, stderr } = await ground.loki(['init', '--yes'], { env: on });
    assert.deepEqual([exit, stderr.includes('error')], [0, false], stderr);
  });
});

describe('a request of a command', () => {
  test('carries the span that it is made in, which is that of the command', async (t) => {
    const ground = makeGround(t);
    const here = ground.installation({ ...on, TRACEPARENT });
    const { traceparent } = await traceHeaders(here);
    assert.match(traceparent ?? '', new RegExp(`^00-${given.traceId}-[0-9a-f]{16}-01$`));
    assert.notEqual(traceparent?.split('-')[2], given.spanId);
    assert.deepEqual(await traceHeaders(here), { traceparent });
  });

  test('carries nothing where OTEL_PROPAGATORS says so', async (t) => {
    const ground = makeGround(t);
    for (const env of [on, {}]) assert.deepEqual(await traceHeaders(ground.installation({ ...env, TRACEPARENT, OTEL_PROPAGATORS: 'none' })), {});
  });

  test('hands on what the command was handed down where telemetry is off, and nothing where that cannot be read', async (t) => {
    const ground = makeGround(t);
    assert.deepEqual(await traceHeaders(ground.installation({ TRACEPARENT, TRACESTATE: 'a=1' })), { traceparent: TRACEPARENT, tracestate: 'a=1' });
    for (const bad of ['', 'x', `${TRACEPARENT}\r\nx: y`]) assert.deepEqual(await traceHeaders(ground.installation({ TRACEPARENT: bad })), {});
  });
});

describe('a gate that is opened by itself', () => {
  test('of the generic hook tells of the action in the trace of its session', async (t) => {
    const ground = makeGround(t);
    await ground.loki(['hook', 'generic'], { env: on, input: JSON.stringify({ kind: 'exec', command: 'ls', tool: 'shell' }) });
    const spans = handedOver(ground, 'traces');
    const action = spans.find(({ name }) => name === 'execute_tool shell');
    assert.deepEqual([action?.traceId, action?.parentSpanId, action?.attributes['loki.policy.decision'], action?.attributes['loki.audit.seq']], [traceIdOf(`session:${on.LOKI_SESSION_ID}`), undefined, 'ALLOW', '2']);
    assert.deepEqual(spans.filter(({ parentSpanId }) => parentSpanId === action?.spanId).map(({ name }) => name).sort(), ['audit.append', 'policy.evaluate']);
    assert.deepEqual(handedOver(ground, 'logs').map(({ name, spanId }) => [name, spanId]), [['loki.policy.allow', action?.spanId]]);
  });

  test('of the generic hook tells of input that is no action', async (t) => {
    const ground = makeGround(t);
    await ground.loki(['hook', 'generic'], { env: on, input: '{"kind":"kanarienvogel"' });
    assert.deepEqual(handedOver(ground, 'logs').map(({ name }) => name), ['loki.policy.error']);
    assert.doesNotMatch(JSON.stringify(handedOver(ground, 'logs')), /kanarienvogel/);
  });
});
