import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCounts } from '../../../lib/app/metrics/log-counts.ts';
import { writePrometheus } from '../../../lib/formats/prometheus.ts';
import { createMetrics } from '../../../lib/telemetry/metrics.ts';

interface Line {
  readonly event: string;
  readonly details?: unknown;
  readonly resource?: string;
  readonly timestamp?: string;
}

const textOf = ({ event, details = {}, resource, timestamp = '2026-02-15T14:30:00.000Z' }: Line, seq: number): string =>
  JSON.stringify({ seq, timestamp, event, level: 'info', actor: 'agent:claude', resource, details, metadata: {}, chain_hash: 'ab'.repeat(32) });

/** Samples that are left after counting, without those that every count changes. */
function counted(lines: readonly (Line | string)[]): readonly string[] {
  const metrics = createMetrics();
  const count = createLogCounts(metrics);
  lines.forEach((line, at) => count(Buffer.from(typeof line === 'string' ? line : textOf(line, at + 1))));
  return writePrometheus(metrics.read(), 'text').split('\n').filter((line) => line !== '' && !/^#|_total 0$|loki_events_total|_bucket|^loki_audit/.test(line));
}

test('decisions by point and outcome, whoever made them', () => {
  const of = (kind: string): unknown => ({ action: { kind }, duration_us: 250 });
  assert.deepEqual(counted([
    { event: 'policy.allow', details: of('exec') }, { event: 'policy.warn', details: of('fs.write') }, { event: 'policy.deny', details: of('net') }, { event: 'policy.error', details: { action: {} } },
    { event: 'policy.approval_required', details: of('mcp') }, { event: 'policy.deny', details: of('prompt') }, { event: 'policy.allow', details: { point: 'resource', duration_us: 750 } },
    { event: 'policy.allow', details: { point: 'made-up' } }, { event: 'policy.allow', details: { alg: 'A256GCM', ct: 'sealed' } }, { event: 'policy.allow', details: 5 },
  ]), [
    'loki_policy_decisions_total{point="pre_execution",decision="ALLOW"} 2', 'loki_policy_decisions_total{point="pre_execution",decision="DENY"} 2',
    'loki_policy_decisions_total{point="pre_execution",decision="REQUIRE_APPROVAL"} 1', 'loki_policy_decisions_total{point="data",decision="DENY"} 1',
    'loki_policy_decisions_total{point="resource",decision="ALLOW"} 1', 'loki_policy_decisions_total{point="unknown",decision="ALLOW"} 3',
    'loki_policy_evaluation_seconds_sum 0.002', 'loki_policy_evaluation_seconds_count 6',
  ]);
});

test('tasks, gates, verdicts and tokens', () => {
  assert.deepEqual(counted([
    { event: 'task.start', resource: 'task:a' }, { event: 'task.complete', resource: 'task:a', timestamp: '2026-02-15T14:30:07.500Z' }, { event: 'task.fail', resource: 'task:never-begun' },
    { event: 'gate.pass' }, { event: 'gate.pass' }, { event: 'gate.fail' },
    { event: 'council.verdict', details: { approved: true } }, { event: 'council.verdict', details: { approved: false } }, { event: 'council.verdict', details: {} }, { event: 'council.verdict', details: { approved: true } },
    { event: 'session.complete', details: { input_tokens: 100, output_tokens: 20 } }, { event: 'session.stop', details: { input_tokens: 1, output_tokens: -5 } },
  ]), [
    'loki_task_duration_seconds_sum{outcome="completed"} 7.5', 'loki_task_duration_seconds_count{outcome="completed"} 1',
    'loki_quality_gate_pass_total 2', 'loki_quality_gate_fail_total 1', 'loki_council_approval_rate 0.5',
    'loki_tokens_consumed_total{type="input"} 101', 'loki_tokens_consumed_total{type="output"} 20',
  ]);
});

test('the time that people take: until the last yes that it takes, a no, or the end of waiting', () => {
  const of = (id: string, event: string, seconds: string, status: string): Line => ({ event, resource: `approval:${id}`, timestamp: `2026-02-15T14:30:${seconds}.000Z`, details: { status } });
  assert.deepEqual(counted([
    of('a', 'approval.request', '00', 'pending'), of('a', 'approval.approve', '10', 'pending'), of('a', 'approval.approve', '20', 'approved'),
    of('b', 'approval.request', '00', 'pending'), of('b', 'approval.reject', '05', 'rejected'), of('c', 'approval.request', '01', 'pending'), of('c', 'approval.expire', '31', 'expired'),
    // Given and not used; taken back; never asked for where anybody looked.
    of('a', 'approval.expire', '50', 'expired'), of('a', 'approval.override', '51', 'rejected'), of('never-asked', 'approval.approve', '52', 'approved'),
  ]), [
    'loki_approval_wait_seconds_sum{outcome="approved"} 20', 'loki_approval_wait_seconds_count{outcome="approved"} 1', 'loki_approval_wait_seconds_sum{outcome="rejected"} 5',
    'loki_approval_wait_seconds_count{outcome="rejected"} 1', 'loki_approval_wait_seconds_sum{outcome="expired"} 30', 'loki_approval_wait_seconds_count{outcome="expired"} 1',
  ]);
});

test('every line counts once by its event, and names that are none of ours together', () => {
  const metrics = createMetrics();
  const count = createLogCounts(metrics);
  const lines = [textOf({ event: 'api.request' }, 7), textOf({ event: 'api.request' }, 8), textOf({ event: 'customer.acme' }, 9), textOf({ event: 'policy.deny' }, 10).slice(0, 150)];
  for (const line of [...lines, '', '{}', 'x'.repeat(70_000), '{"seq":99999999999999999999,"timestamp"', textOf({ event: 'A"} 5' }, 11), '\0\0\0']) count(Buffer.from(line));
  const text = writePrometheus(metrics.read(), 'text');
  for (const line of ['loki_audit_entries_total 4', 'loki_audit_last_durable_seq 10', 'loki_events_total{event="api.request"} 2', 'loki_events_total{event="unknown"} 1', 'loki_events_total{event="policy.deny"} 1']) assert.ok(text.includes(`${line}\n`), line);
  assert.doesNotMatch(text, /acme|claude/);
});
