/** The runs of the kit: the functions of lib/runs over its store, without workers. */
import { appendEvents } from '../../lib/runs/append.ts';
import { cancelRun } from '../../lib/runs/cancel.ts';
import { orderRun } from '../../lib/runs/orders.ts';
import { replayRun } from '../../lib/runs/replay.ts';
import { runWithToken } from '../../lib/runs/token.ts';
import type { RunService, Services } from '../../lib/server/services.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { createTestLock } from './fakes.ts';
import { memoryDisk } from './run-bench.ts';

export function kitRuns({ store, record, clock, random, timers }: Pick<Services, 'store' | 'record' | 'clock' | 'random' | 'timers'>): RunService {
  const deps = { clock, random, record, root: store };
  const spawn = { endMarked: () => 0, endProcess: () => false };
  return {
    order: ({ tenant, ...draft }, commit) => orderRun({ ...deps, commit }, { ...draft, tenant_id: tenant }),
    cancel: (tenant, runId, actor) => cancelRun({ ...deps, store: tenantView(store, tenant), timers, spawn, home: '/', lock: () => createTestLock(), facts: { hostname: 'here', pid: 1, startOf: () => undefined } }, runId, actor),
    replay: (tenant, runId, by, commit) => replayRun({ ...deps, commit, store: tenantView(store, tenant), disk: memoryDisk() }, { runId, ...by, dir: '/project', now: async () => ({ circumstances: {}, settings: {}, commit: null }) }),
    append: (tenant, runId, events) => appendEvents({ ...deps, store: tenantView(store, tenant), redact: (text) => text.replaceAll('hunter2', '[redacted]') }, runId, events),
    runOf: (token) => runWithToken(store, token),
  };
}
