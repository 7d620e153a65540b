/**
 * What the log of record says of what happened, counted line by line: hooks, runs and commands are processes of their own,
 * and the log is where they meet. A line is read only as far as it counts; one that is sealed counts by its event, and what is
 * inside is `unknown`. Trusts nothing in a line: names that are none of ours are counted together.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { eventNames } from '../../audit/events.ts';
import type { LoggedEntry } from '../../audit/query.ts';
import { parseEntry } from '../../audit/query/filter.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { conventionMetrics, metricNames } from '../../telemetry/metric-names.ts';
import { providerOfAgent } from '../../telemetry/names.ts';
import type { Registry } from '../../telemetry/registry.ts';

/** What is counted here: of one log, by whoever reads it. */
export const countedFromLog: ReadonlySet<string> = new Set<keyof typeof metricNames>([
  'loki_audit_entries_total', 'loki_events_total', 'loki_audit_last_durable_seq', 'loki_policy_decisions_total', 'loki_policy_evaluation_seconds', 'loki_quality_gate_pass_total',
  'loki_quality_gate_fail_total', 'loki_council_approval_rate', 'loki_task_duration_seconds', 'loki_tokens_consumed_total',
  'loki_approval_wait_seconds',
]);

/** Counts one line of the log, without its line feed. */
export type CountLine = (line: Buffer) => void;

/** Far beyond where the event of a line stands. */
const headLength = 160;
const head = /^\{"seq":(\d{1,16}),"timestamp":"[^"]{24}","event":"([a-z_.]{1,60})"/;
const unknown = 'unknown';
/** `runs.provider` may be one of these; another is a name that somebody made up. */
const providersOfRuns: ReadonlySet<string> = new Set(['claude', 'codex', 'gemini', 'opencode', 'command', 'scripted']);
/** Tasks and approvals whose end is waited for; more have been forgotten by whoever began them. */
const mostTasks = 10_000;

const known: ReadonlySet<string> = new Set(eventNames);
const points: ReadonlySet<string> = new Set(['pre_execution', 'pre_deployment', 'resource', 'data']);
const decisions: ReadonlyMap<string, string> = new Map([
  ['policy.allow', 'ALLOW'], ['policy.warn', 'ALLOW'], ['policy.deny', 'DENY'], ['policy.error', 'DENY'], ['policy.approval_required', 'REQUIRE_APPROVAL'],
]);

const approvalEnds: ReadonlyMap<string, string> = new Map([['approval.approve', 'approved'], ['approval.reject', 'rejected'], ['approval.expire', 'expired']]);

/** Metrics of OpenTelemetry's conventions that the log tells. */
export type UsageMetrics = Registry<typeof conventionMetrics>;

/** Counts into `metrics`, and into `usage` what is told over OTLP alone. */
export function createLogCounts(metrics: Metrics, usage?: UsageMetrics): CountLine {
  const begun = new Map<string, number>();
  /** Of sessions whose end is waited for. */
  const providers = new Map<string, string>();
  const verdicts = { all: 0, approved: 0 };

  /** Events that say more than that they happened. */
  const readers: ReadonlyMap<string, (entry: LoggedEntry, details: JsonObject) => void> = new Map([
    ...[...decisions.keys()].map((event) => [event, countDecision] as const),
    ['gate.pass', () => metrics.add('loki_quality_gate_pass_total', 1)],
    ['gate.fail', () => metrics.add('loki_quality_gate_fail_total', 1)],
    ['council.verdict', (_entry, details) => countVerdict(details['approved'] === true)],
    ['task.start', ({ resource, timestamp }) => begin(resource, timestamp)],
    ['task.complete', ({ resource, timestamp }) => end('loki_task_duration_seconds', resource, timestamp, 'completed')],
    ['task.fail', ({ resource, timestamp }) => end('loki_task_duration_seconds', resource, timestamp, 'failed')],
    ['approval.request', ({ resource, timestamp }) => begin(resource, timestamp)],
    ...[...approvalEnds].map(([event, outcome]) => [event, ({ resource, timestamp }: LoggedEntry, details: JsonObject) => {
      // One yes of several that it takes is no answer yet.
      if (details['status'] !== 'pending') end('loki_approval_wait_seconds', resource, timestamp, outcome);
    }] as const),
    ['session.start', ({ resource }, details) => remember(resource, details['provider'])],
    ...['session.stop', 'session.complete', 'session.fail'].map((event) => [event, countTokens] as const),
  ]);

  function countDecision({ event }: LoggedEntry, details: JsonObject): void {
    metrics.add('loki_policy_decisions_total', 1, [pointOf(details), decisions.get(event) ?? 'DENY']);
    const took = details['duration_us'];
    if (typeof took === 'number') metrics.observe('loki_policy_evaluation_seconds', took / 1e6);
  }

  function countVerdict(approved: boolean): void {
    verdicts.all += 1;
    if (approved) verdicts.approved += 1;
    metrics.set('loki_council_approval_rate', verdicts.approved / verdicts.all);
  }

  function begin(task: JsonValue | undefined, time: string): void {
    if (typeof task !== 'string') return;
    if (begun.size >= mostTasks) begun.clear();
    begun.set(task, Date.parse(time));
  }

  function end(metric: 'loki_task_duration_seconds' | 'loki_approval_wait_seconds', subject: JsonValue | undefined, time: string, outcome: string): void {
    if (typeof subject !== 'string') return;
    metrics.observe(metric, (Date.parse(time) - (begun.get(subject) ?? NaN)) / 1000, [outcome]);
    begun.delete(subject);
  }

  function remember(session: JsonValue | undefined, provider: JsonValue | undefined): void {
    if (typeof session !== 'string' || typeof provider !== 'string') return;
    if (providers.size >= mostTasks) providers.clear();
    providers.set(session, providersOfRuns.has(provider) ? providerOfAgent(provider) : unknown);
  }

  function countTokens({ resource }: LoggedEntry, details: JsonObject): void {
    const session = typeof resource === 'string' ? resource : '';
    for (const type of ['input', 'output'] as const) {
      const tokens = details[`${type}_tokens`];
      if (typeof tokens !== 'number') continue;
      metrics.add('loki_tokens_consumed_total', tokens, [type]);
      // Of a provider that does not tell them, or of a session without a call, there is nothing to observe.
      if (tokens > 0) usage?.observe('gen_ai.client.token.usage', tokens, ['invoke_agent', providers.get(session) ?? unknown, type]);
    }
    providers.delete(session);
  }

  return (line) => {
    const [, seq, event = ''] = head.exec(line.toString('latin1', 0, headLength)) ?? [];
    if (seq === undefined) return;
    metrics.add('loki_audit_entries_total', 1);
    metrics.add('loki_events_total', 1, [known.has(event) ? event : 'unknown']);
    metrics.set('loki_audit_last_durable_seq', Number(seq));
    const read = readers.get(event);
    if (read === undefined) return;
    const entry = parseEntry(line);
    const details = entry?.['details'];
    if (entry !== undefined) read(entry, isPlainObject(details) ? details : {});
  };
}

/** A run says at which point it asks; what agents do is judged before it is done. */
function pointOf(details: JsonObject): string {
  const { point, action } = details;
  if (typeof point === 'string' && points.has(point)) return point;
  if (!isPlainObject(action)) return 'unknown';
  return action['kind'] === 'prompt' ? 'data' : 'pre_execution';
}
