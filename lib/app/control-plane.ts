/** The control plane, put together: HTTP in front, the store, the log and the projects behind. */
import { keyBytes } from '../base/cipher.ts';
import { madeOnce } from '../base/made-once.ts';
import { join } from '../base/paths.ts';
import { readWebFile } from '../host/package-files.ts';
import { queryLog } from '../audit/query.ts';
import { createApi } from '../server/api.ts';
import { checkListen } from '../server/listen.ts';
import { createRunTokenReader } from '../server/routes/run-orders.ts';
import { ensureLocalToken, readLocalToken } from '../server/local-token.ts';
import type { Services } from '../server/services.ts';
import { freshness, keyReader, keyRoom } from './api-keys.ts';
import { openRooms } from './approvals.ts';
import { encrypts, openRecord, type OpenLog, type RecordOptions } from './audit/record.ts';
import { forgetRunning, noteRunning } from './control-plane-address.ts';
import { budgetsOfProjects } from './budget-overview.ts';
import { prepareHome, type Installation } from './installation.ts';
import { startForwarding } from './audit/forwarding.ts';
import { startKeeping } from './audit/keeping.ts';
import { openLongLivedRecord } from './audit/long-lived.ts';
import { isInTheClear, startListening, type ListenOptions } from './listening.ts';
import { hookService } from './hook/over-http.ts';
import { auditService } from './audit/service.ts';
import { startMetrics } from './metrics/metrics.ts';
import { policyService } from './policy-service.ts';
import { projectService } from './registered-projects.ts';
import { keyTerms } from '../store/indexes.ts';
import { runService } from './run-service.ts';
import { superviseRuns, type RunWorkers } from './run-workers.ts';
import { tenantView } from '../store/tenant-view.ts';
import { openSignOn, readAuthorities } from './sign-on.ts';
import { openStore } from './store.ts';
import { tellingOf } from './telemetry/entries.ts';
import { openTelemetry } from './telemetry/telemetry.ts';
import { version } from './version.ts';
import { leaveDelivering, startDelivering } from './webhooks.ts';

/** A control plane that listens. */
export interface RunningControlPlane {
  readonly url: string;
  readonly port: number;
  /** Whether there is any key of the API. */
  hasKeys(): Promise<boolean>;
  /** Says for a while that it is not ready (`enterprise.server.drain`); streams end, requests under way finish, then everything is closed. Asked again, it waits for the same end. */
  stop(): Promise<void>;
}

/** Between taking no more connections and cutting those on which an answer is still under way. */
export const graceMs: number = 5_000;
const expireEveryMs = 5_000;
const sweepEveryMs = 3_600_000;

/** The log of this process, for one of whom it tells in another span. */
function sharedLog({ record }: OpenLog, { telling }: Pick<RecordOptions, 'telling'> = {}): OpenLog {
  return { record: (event, context) => record(event, context ?? telling?.context), close: () => Promise.resolve() };
}

/** Starts it. Throws `config.invalid` for an address beyond this machine without authentication, `net.port_taken`. */
export async function startControlPlane(installation: Installation, options: ListenOptions = {}): Promise<RunningControlPlane> {
  const { config, host } = installation;
  checkListen({ host: config.server.host, authentication: config.auth.enabled });
  const ca = readAuthorities(installation);
  prepareHome(installation);
  const telemetry = await openTelemetry(installation, 'control plane');
  const log = await openLongLivedRecord(installation, 'control plane', tellingOf(installation, telemetry));
  const store = await openStore(installation, log.record);
  const approvals = await openRooms(installation, log.record, store);
  const startedAt = host.clock.now();
  let workers: RunWorkers | undefined;
  const runs = runService({ installation, root: store, record: log.record, ordered: () => workers?.nudge() });
  const metrics = startMetrics(installation, store);
  telemetry.measure?.({ look: () => metrics.lookAtOwn(), stores: () => metrics.metrics.stores() });
  const keys = keyRoom(installation, log.record, store);
  const signOn = openSignOn(installation, { store, record: log.record, keys, ca });
  const services: Services = {
    store, version, record: log.record, clock: host.clock, timers: host.timers, random: host.random, tracer: telemetry.tracer, readWebFile,
    projects: projectService(installation, store), keys, tokens: [keyReader(installation, store), createRunTokenReader(runs)], signOn, assertFresh: freshness(installation),
    policies: policyService(installation), approvals: (tenant) => approvals.of(tenant), audit: auditService(installation, log.record),
    runs,
    hooks: hookService(installation, (opened, told) => (sharesLog(installation, opened) ? sharedLog(log, told) : openRecord(opened, told)), {}, telemetry),
    budgets: (projectId, tenant) => budgetsOfProjects(installation, (owner) => tenantView(store, owner), projectId, tenant),
    metrics,
    status: () => Promise.resolve({
      version, started_at: new Date(startedAt).toISOString(), uptime_seconds: Math.round((host.clock.now() - startedAt) / 1000),
      authentication: config.auth.enabled ? 'required' : 'off',
      audit: { enabled: config.audit.enabled, last_seq: lastSeq(installation) },
      event_streams: openStreams(),
    }),
  };
  let openStreams = (): number => 0;
  try {
    const api = createApi(services, {
      listenHost: config.server.host, allowedHosts: config.server.allowedHosts, corsOrigins: config.server.corsOrigins, trustedProxies: config.server.trustedProxies,
      authentication: config.auth.enabled, rateLimit: config.server.rateLimit, localToken: await localToken(installation, log.record),
      recordResponses: config.audit.level === 'debug', secret: apiSecret(installation),
    });
    openStreams = api.openStreams;
    const listening = await startListening(installation, api, log.record, options);
    const forwarding = startForwarding(installation, log);
    const { url, port } = listening;
    noteRunning(installation, { url, socket: listening.socket ?? null, since: new Date(startedAt).toISOString(), version, in_the_clear: isInTheClear(installation) });
    const keeping = startKeeping(installation, log);
    const delivering = startDelivering(installation, log.record, telemetry.tracer);
    workers = superviseRuns(installation, store, log.record);
    const endings = [
      host.timers.every(expireEveryMs, () => { void approvals.expire().catch(() => undefined); }),
      host.timers.every(sweepEveryMs, () => { void Promise.allSettled([api.sweep(), signOn.sweep()]); }),
    ];
    const end = async (): Promise<void> => {
      api.drain();
      listening.drain();
      if (config.server.drain > 0) await host.timers.sleep(config.server.drain);
      forgetRunning(installation, url);
      // Runs under way are left to be taken up: a control plane that is stopped must not wait for agents.
      await Promise.all([listening.close(graceMs), workers?.stop()]);
      for (const endTimer of endings) endTimer();
      await keeping.stop();
      await delivering.stop();
      metrics.stop();
      await store.close();
      leaveDelivering(installation);
      await log.end('stopped');
      await log.close();
      await forwarding.stop();
      // What forwarding had to say of its end.
      await log.close();
      await telemetry.end();
    };
    let ended: Promise<void> | undefined;
    return { url, port, hasKeys: async () => (await store.listBy(...keyTerms.all, { limit: 1 })).length > 0, stop: () => (ended ??= end()) };
  } catch (error) {
    metrics.stop();
    await store.close();
    await log.close();
    await telemetry.end();
    throw error;
  }
}

/** Whether what a hook records goes into the log as this process has it open: settings may have changed since, and a project has its own. What is sealed is opened anew. */
function sharesLog(own: Installation, opened: Installation): boolean {
  const told = ({ config: { audit, metadata }, home }: Installation): string => JSON.stringify([home.home, { ...audit, key: undefined }, [...metadata]]);
  return !encrypts(opened) && !opened.config.audit.gdprCompliance && !encrypts(own) && told(own) === told(opened);
}

/** The token of this machine's command line; a new one counts only once it is recorded that there is one. */
async function localToken({ host: { disk, random, facts }, home }: Installation, record: OpenLog['record']): Promise<string> {
  const place = { home: home.home, path: home.localToken };
  const known = readLocalToken(disk, place);
  if (known !== undefined) return known;
  await record({ event: 'auth.token.create', actor: `user:${facts.username}`, resource: 'token:local', details: { name: 'local', scopes: ['control', 'audit'], from: 'this machine' } });
  return ensureLocalToken(disk, place, random);
}

/** What cursors are sealed under: they hold across restarts, and no other installation opens them. */
function apiSecret({ host: { disk, random }, home }: Installation): Uint8Array {
  return madeOnce(disk, { base: home.home, path: join(home.keys, 'cursors.key') }, () => random.bytes(keyBytes));
}

function lastSeq({ host: { disk }, home }: Installation): number | null {
  for (const entry of queryLog(disk, home.audit, {})) return entry.seq;
  return null;
}
