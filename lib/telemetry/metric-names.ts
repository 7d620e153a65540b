/**
 * Every metric, and what it means, one row each (contract section 8). What a label may hold is a closed set or a count of ours: never the name of a
 * tenant, project, person or path, because `/metrics` may be read by anybody who reaches it, and because every value is a series.
 */

/** Every metric. */
export const metricNames = {
  loki_build_info: { kind: 'gauge', labels: ['version'], help: 'Always 1; the version that runs' },
  loki_uptime_seconds: { kind: 'gauge', unit: 'seconds', labels: [], help: 'Time since the control plane was started' },
  loki_http_requests_total: { kind: 'counter', labels: ['method', 'route', 'status'], help: 'HTTP requests that were answered' },
  loki_http_request_duration_seconds: { kind: 'histogram', unit: 'seconds', labels: ['method', 'route'], bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10], help: 'Time from a request to its answer; of an event stream, to its first byte' },
  loki_http_rate_limited_total: { kind: 'counter', labels: ['class'], help: 'Requests that were refused because their caller had used up its allowance' },
  loki_http_event_streams: { kind: 'gauge', labels: [], help: 'Event streams that are open' },
  loki_policy_decisions_total: { kind: 'counter', labels: ['point', 'decision'], help: 'Decisions that were recorded, by any process' },
  loki_policy_evaluation_seconds: { kind: 'histogram', unit: 'seconds', labels: [], bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1], help: 'Time that a recorded decision took to evaluate' },
  loki_audit_entries_total: { kind: 'counter', labels: [], help: 'Entries added to the log of record, by any process' },
  loki_audit_last_durable_seq: { kind: 'gauge', labels: [], help: 'Number of the newest entry of the log of record' },
  loki_events_total: { kind: 'counter', labels: ['event'], help: 'Entries added to the log of record, by event' },
  loki_approval_wait_seconds: { kind: 'histogram', unit: 'seconds', labels: ['outcome'], bounds: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400], help: 'Time from asking a person to the answer, or to the end of waiting for one' },
  loki_runs: { kind: 'gauge', labels: ['status'], help: 'Runs that are not over' },
  loki_task_duration_seconds: { kind: 'histogram', unit: 'seconds', labels: ['outcome'], bounds: [1, 5, 15, 60, 300, 900, 3600, 14_400], help: 'Time from the start of a task to its end' },
  loki_quality_gate_pass_total: { kind: 'counter', labels: [], help: 'Quality gates that passed' },
  loki_quality_gate_fail_total: { kind: 'counter', labels: [], help: 'Quality gates that failed' },
  loki_council_approval_rate: { kind: 'gauge', labels: [], help: 'Share of the council\'s verdicts that approved' },
  loki_agent_active: { kind: 'gauge', labels: [], help: 'Agents at work under our hooks' },
  loki_tokens_consumed_total: { kind: 'counter', labels: ['type'], help: 'Tokens of sessions that ended' },
  loki_store_revision: { kind: 'gauge', labels: [], help: 'Revision of the newest transaction of the store' },
  loki_metrics_behind: { kind: 'gauge', labels: [], help: '1 when entries of the log are not counted yet: there were more than one look counts' },
  loki_metrics_failures_total: { kind: 'counter', labels: ['source'], help: 'Looks at a source of metrics that failed' },
  loki_telemetry_delivered_total: { kind: 'counter', labels: ['signal'], help: 'Spans, data points and log records that receivers took' },
  loki_telemetry_dropped_total: { kind: 'counter', labels: ['signal', 'reason'], help: 'Spans, data points and log records that were not delivered, and never will be' },
  loki_telemetry_spool_bytes: { kind: 'gauge', unit: 'bytes', labels: [], help: 'Telemetry that waits on disk for a receiver' },
  process_start_time_seconds: { kind: 'gauge', unit: 'seconds', labels: [], help: 'When the control plane was started, in seconds since 1970' },
  process_cpu_seconds_total: { kind: 'counter', unit: 'seconds', labels: [], help: 'Processor time, user and system' },
  process_resident_memory_bytes: { kind: 'gauge', unit: 'bytes', labels: [], help: 'Memory in RAM' },
} as const;

/** Metrics of OpenTelemetry's conventions, whose names `/metrics` has no form for: over OTLP alone (GenAI conventions, gen-ai-metrics.md). */
export const conventionMetrics = {
  'gen_ai.client.token.usage': {
    kind: 'histogram', labels: ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.token.type'], bounds: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
    help: 'Tokens of governed sessions that ended, a session at a time',
  },
} as const;
