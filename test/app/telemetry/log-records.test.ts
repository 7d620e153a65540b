/** What telemetry tells of an entry: the names, ids and numbers of one table, in the span it happened in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { openRecord, type OpenLog } from '../../../lib/app/audit/record.ts';
import { tellEntries } from '../../../lib/app/telemetry/entries.ts';
import { logRecordOf } from '../../../lib/app/telemetry/log-records.ts';
import type { SpanContext } from '../../../lib/base/trace.ts';
import { attribute } from '../../../lib/telemetry/names.ts';
import { makeGround } from '../../support/ground.ts';
import { recordingTracer } from '../../support/recording-tracer.ts';

const context: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true };
const secret = 'ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk';
const denied: AuditEvent = {
  event: 'policy.deny', actor: 'agent:claude', resource: 'session:one',
  details: {
    action: { kind: 'exec', command: `curl ${secret}` }, context: { project_dir: '/home/alice/p' }, decision: 'DENY', reason: `it quotes ${secret}`, rule: 'no-curl', approval_id: 'apr_1',
    violations: [{ name: 'no-curl', reason: secret }], policy_digest: 'd'.repeat(64), duration_us: 12, call_id: secret, worker: { id: secret, type: secret },
  },
  metadata: { tenant_id: 'ten_1', project_id: 'prj_1', session_id: 'one', hostname: 'secret-host' },
};

describe('an entry', () => {
  test('is told by its event, its level and what the table names', () => {
    assert.deepEqual(logRecordOf(denied, { seq: 7, chain_hash: 'c' }, { isSealed: false, context }), {
      name: 'loki.policy.deny', severity: 'warn', context, body: 'policy.deny: no-curl',
      attributes: {
        'loki.audit.seq': 7, 'loki.actor': 'agent:claude', 'loki.policy.rule': 'no-curl', 'loki.session.id': 'one', 'loki.policy.decision': 'DENY', 'loki.policy.digest': 'd'.repeat(64),
        'loki.approval.id': 'apr_1', 'loki.tenant.id': 'ten_1', 'loki.project.id': 'prj_1', 'loki.action.kind': 'exec',
      },
    });
  });

  test('says of an outcome whether anybody had allowed it, and has the level that it was recorded with', () => {
    const { severity, attributes } = logRecordOf({ event: 'agent.action', actor: 'agent:x', level: 'warning', details: { kind: 'exec', ungated: true, because: 'nobody asked' } }, { seq: 1, chain_hash: null }, { isSealed: false });
    assert.deepEqual([severity, attributes?.['loki.action.kind'], attributes?.['loki.action.ungated']], ['warn', 'exec', true]);
  });

  test('says of a reviewer and of a quality gate what it said, and not why', () => {
    const told = (event: 'council.verdict' | 'gate.fail', details: JsonObject): unknown => logRecordOf({ event, actor: 'system', details }, { seq: 1, chain_hash: null }, { isSealed: false }).attributes;
    assert.deepEqual(told('council.verdict', { reviewer: 'security', approved: false, reason: secret }), { 'loki.audit.seq': 1, 'loki.actor': 'system', 'loki.policy.rule': undefined, 'loki.council.reviewer': 'security', 'loki.council.approved': false });
    assert.deepEqual(told('gate.fail', { name: 'unit tests', passed: false, outcome: secret }), { 'loki.audit.seq': 1, 'loki.actor': 'system', 'loki.policy.rule': undefined, 'loki.quality_gate.name': 'unit tests', 'loki.quality_gate.passed': false });
    assert.doesNotMatch(JSON.stringify([told('council.verdict', { approved: secret, reason: secret }), told('gate.fail', { name: [secret], passed: secret })]), new RegExp(secret));
  });

  test('that the log seals says nothing of who it was', () => {
    assert.equal(logRecordOf({ ...denied, actor: 'user:alice' }, { seq: 7, chain_hash: 'c' }, { isSealed: true }).attributes?.['loki.actor'], undefined);
  });

  test('whose values are of another kind than they should be, or far too long, is told without them', () => {
    const hostile: AuditEvent = {
      event: 'policy.deny', actor: `agent:${'x'.repeat(100_000)}`, resource: `session:${secret} /etc/passwd`,
      details: { decision: { nested: secret }, rule: ['a'], status: `${secret} ${'y'.repeat(100_000)}`, policy_digest: 7, action: 'exec', point: '/etc/shadow', run_id: '../../x' }, metadata: { tenant_id: { a: 1 } },
    };
    const told = logRecordOf(hostile, { seq: null, chain_hash: null }, { isSealed: false });
    assert.doesNotMatch(JSON.stringify(told), new RegExp(`${secret}|/etc|\\.\\.`));
    assert.ok(JSON.stringify(told).length < 1500, `${JSON.stringify(told).length} characters`);
  });

  test('has only attributes that have a name here', () => {
    const names: ReadonlySet<string> = new Set(Object.values(attribute));
    for (const name of Object.keys(logRecordOf(denied, { seq: 1, chain_hash: null }, { isSealed: false }).attributes ?? {})) assert.ok(names.has(name), name);
  });
});

/** A log that records nothing anywhere. */
function fakeLog(outcome: 'numbered' | 'later' | 'fails'): OpenLog {
  return {
    record: async () => {
      if (outcome === 'fails') throw new Error('no space');
      return { seq: outcome === 'numbered' ? 5 : null, chain_hash: null };
    },
    close: async () => undefined,
  };
}

describe('what is recorded', () => {
  const entry: AuditEvent = { event: 'policy.deny', actor: 'agent:x' };

  test('is told in its own span, else in that of the process', async (t) => {
    const logger = recordingTracer();
    const log = tellEntries(makeGround(t).installation(), fakeLog('numbered'), { logger, context });
    const own = { ...context, spanId: '3'.repeat(16) };
    assert.deepEqual(await log.record(entry, own), { seq: 5, chain_hash: null });
    await log.record(entry);
    assert.deepEqual(logger.logs.map((told) => told.context?.spanId), [own.spanId, context.spanId]);
  });

  test('is told when it is best effort and has no number yet, unless nobody wants it recorded', async (t) => {
    const logger = recordingTracer();
    const ground = makeGround(t);
    await tellEntries(ground.installation(), fakeLog('later'), { logger }).record({ event: 'api.request', actor: 'token:x' });
    await tellEntries(ground.installation({ LOKI_AUDIT_LEVEL: 'error' }), fakeLog('later'), { logger }).record({ event: 'api.request', actor: 'token:x' });
    assert.deepEqual(logger.logs.map(({ name }) => name), ['loki.api.request']);
  });

  test('and could not be, is not told, and fails as before', async (t) => {
    const logger = recordingTracer();
    await assert.rejects(tellEntries(makeGround(t).installation(), fakeLog('fails'), { logger }).record(entry), /no space/);
    assert.deepEqual(logger.logs, []);
  });

  test('is recorded whatever becomes of telling it', async (t) => {
    const log = tellEntries(makeGround(t).installation(), fakeLog('numbered'), { logger: { emit: () => { throw new Error('broken'); } } });
    assert.equal((await log.record(entry)).seq, 5);
  });

  test('goes through the log itself where nobody asked for telemetry', (t) => {
    const log = fakeLog('numbered');
    assert.equal(tellEntries(makeGround(t).installation(), log, undefined), log);
  });

  test('with the log switched off is nothing, and nothing is told', async (t) => {
    const logger = recordingTracer();
    const log = openRecord(makeGround(t).installation({ LOKI_AUDIT_DISABLED: 'true' }), { telling: { logger } });
    await log.record(entry);
    await log.close();
    assert.deepEqual(logger.logs, []);
  });
});
