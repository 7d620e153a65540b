/** The account of the courier as metrics: at `/metrics` and over OTLP alike. */
import type { MetricFamily } from '../../base/metric.ts';
import { signals } from '../../telemetry/batch.ts';
import { metricNames } from '../../telemetry/metric-names.ts';
import { dropRows, type Account } from './account.ts';

/** Everything it tells. Totals go on over processes. */
export function accountFamilies(account: Account): readonly MetricFamily[] {
  const { loki_telemetry_delivered_total: delivered, loki_telemetry_dropped_total: dropped, loki_telemetry_spool_bytes: spool } = metricNames;
  return [
    { name: 'loki_telemetry_delivered_total', kind: 'counter', help: delivered.help, points: signals.map((signal) => ({ labels: [['signal', signal]], overflow: false, value: account.delivered[signal] ?? 0 })) },
    {
      name: 'loki_telemetry_dropped_total', kind: 'counter', help: dropped.help,
      points: dropRows(account.dropped).map(([signal, reason, items]) => ({ labels: [['signal', signal], ['reason', reason]], overflow: false, value: items })),
    },
    { name: 'loki_telemetry_spool_bytes', kind: 'gauge', unit: spool.unit, help: spool.help, points: [{ labels: [], overflow: false, value: spoolBytes(account) }] },
  ];
}

export function spoolBytes({ destinations }: Account): number {
  return destinations.reduce((sum, { waiting }) => sum + waiting.fileBytes, 0);
}

/** What is told of the account, by whoever has it. */
export const toldByAccount: ReadonlySet<string> = new Set<keyof typeof metricNames>(['loki_telemetry_delivered_total', 'loki_telemetry_dropped_total', 'loki_telemetry_spool_bytes']);
