/**
 * The metrics of a control plane: what this process counts, and what it finds when it is asked. Nothing is looked at before
 * somebody reads them, and a look at the log is bounded; a source that fails is left out and counted, and never makes a
 * scrape fail.
 */
import { join } from '../../base/paths.ts';
import { followLog, type Follower } from '../../audit/follow.ts';
import { processUsage } from '../../host/usage.ts';
import type { MetricsService } from '../../server/routes/metrics.ts';
import type { Store } from '../../store/store.ts';
import { signals } from '../../telemetry/batch.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import { countActiveAgents } from '../hook/active-agents.ts';
import type { Installation } from '../installation.ts';
import { dropRows, readAccount } from '../telemetry/account.ts';
import { spoolBytes } from '../telemetry/account-families.ts';
import { telemetryPlaces } from '../telemetry/places.ts';
import { isTelemetryOn } from '../telemetry/telemetry.ts';
import { version } from '../version.ts';
import { createLogCounts } from './log-counts.ts';
import { unfinishedRuns } from './runs.ts';

export interface RunningMetrics extends MetricsService {
  /** Looks at what only this process knows, and not at the log. */
  lookAtOwn(): Promise<void>;
  stop(): void;
}

/** What one look at the log counts at most, and after how many bytes others have a turn. */
const looked = { atOnce: 64 << 20, aTurn: 1 << 18 };

/** Begins to count. What stands in the log already is not counted: a counter begins when its process does. */
export function startMetrics(installation: Installation, store: Store): RunningMetrics {
  const { config, host: { clock } } = installation;
  const startedAt = clock.now();
  const metrics = createMetrics(startedAt);
  metrics.set('loki_build_info', 1, [version]);
  metrics.set('process_start_time_seconds', startedAt / 1000);
  const log = config.audit.enabled ? countLog(installation, metrics) : undefined;
  const sources = sourcesOf(installation, store, metrics, startedAt, log);
  let collecting: Promise<void> | undefined;

  async function look(at: readonly Source[] = sources): Promise<void> {
    await Promise.all(at.map(async ([name, source]) => {
      try {
        await source();
      } catch {
        metrics.add('loki_metrics_failures_total', 1, [name]);
      }
    }));
  }

  return {
    access: config.server.metrics, metrics,
    async collect() {
      collecting ??= look().finally(() => { collecting = undefined; });
      await collecting;
      return metrics.read();
    },
    lookAtOwn: () => look(sources.filter(([name]) => name !== 'log')),
    stop: () => log?.close(),
  };
}

type Source = readonly [name: string, look: () => Promise<void> | void];

function sourcesOf(installation: Installation, store: Store, metrics: Metrics, startedAt: number, log: LogCounter | undefined): readonly Source[] {
  const { host: { clock, disk }, home } = installation;
  let usedBefore = 0;
  return [
    ['log', () => log?.look()],
    ['store', async () => metrics.set('loki_store_revision', await store.revision())],
    ['runs', async () => {
      for (const [status, count] of await unfinishedRuns(store)) metrics.set('loki_runs', count, [status]);
    }],
    ['telemetry', telemetrySource(installation, metrics)],
    ['agents', () => metrics.set('loki_agent_active', countActiveAgents({ disk, clock, run: home.run }))],
    ['process', () => {
      const { cpuSeconds, residentBytes } = processUsage();
      metrics.add('process_cpu_seconds_total', cpuSeconds - usedBefore);
      usedBefore = cpuSeconds;
      metrics.set('process_resident_memory_bytes', residentBytes);
      metrics.set('loki_uptime_seconds', Math.max(0, clock.now() - startedAt) / 1000);
    }],
  ];
}

/** What the courier tells, whichever process that is. Its totals go on over processes. */
function telemetrySource(installation: Installation, metrics: Metrics): Source[1] {
  if (!isTelemetryOn(installation.config, installation.surroundings.env)) return () => undefined;
  const told = new Map<string, number>();
  const since = (key: string, total: number): number => {
    const before = told.get(key) ?? 0;
    told.set(key, Math.max(before, total));
    return Math.max(0, total - before);
  };
  return () => {
    const account = readAccount({ disk: installation.host.disk, base: installation.home.home, path: telemetryPlaces(installation.home).account });
    if (account === undefined) return;
    for (const signal of signals) metrics.add('loki_telemetry_delivered_total', since(signal, account.delivered[signal] ?? 0), [signal]);
    for (const [signal, reason, items] of dropRows(account.dropped)) metrics.add('loki_telemetry_dropped_total', since(`${signal} ${reason}`, items), [signal, reason]);
    metrics.set('loki_telemetry_spool_bytes', spoolBytes(account));
  };
}

interface LogCounter {
  look(): Promise<void>;
  close(): void;
}

/** Follows the log from its end. A look that would take too long is gone on with by the next one. */
function countLog({ host: { disk, timers }, home }: Installation, metrics: Metrics): LogCounter {
  const follower: Follower = followLog(disk, join(home.audit));
  const count = createLogCounts(metrics);
  metrics.set('loki_audit_last_durable_seq', follower.startSeq);
  let lines: Generator<Buffer> | undefined;
  let closed = false;
  return {
    async look() {
      if (closed) return;
      let [bytes, turn] = [0, 0];
      lines ??= follower.look();
      while (bytes < looked.atOnce) {
        const { done, value } = lines.next();
        if (done === true) {
          lines = undefined;
          break;
        }
        count(value);
        [bytes, turn] = [bytes + value.length, turn + value.length];
        if (turn < looked.aTurn) continue;
        turn = 0;
        await timers.yield();
        if (closed) return;
      }
      metrics.set('loki_metrics_behind', lines === undefined ? 0 : 1);
    },
    close() {
      if (!closed) follower.close();
      closed = true;
    },
  };
}
