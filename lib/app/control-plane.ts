/** The control plane, put together: HTTP in front, the store, the log and the projects behind. */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { basename } from '../base/paths.ts';
import { listenHttp } from '../host/http-server.ts';
import { readWebFile } from '../host/package-files.ts';
import { renderingOf } from '../audit/export/render.ts';
import { queryLog } from '../audit/query.ts';
import { listEnrolments, type Enrolment } from '../gate/enrolment.ts';
import { createApi } from '../server/api.ts';
import { checkListen } from '../server/listen.ts';
import { ensureLocalToken, readLocalToken } from '../server/local-token.ts';
import type { AuditService, Collection, Services, StoredItem } from '../server/services.ts';
import { openApprovals } from './approvals.ts';
import { encrypts, openRecord, type OpenLog } from './audit/record.ts';
import { addressFile, runningAddress } from './control-plane-address.ts';
import { budgetsOfProjects } from './budget-overview.ts';
import { exportAsStream } from './audit/export.ts';
import { prepareHome, type Installation } from './installation.ts';
import { startForwarding } from './audit/forwarding.ts';
import { startKeeping } from './audit/keeping.ts';
import { openLongLivedRecord } from './audit/long-lived.ts';
import { hookService } from './hook/over-http.ts';
import { openReading, recordAccess } from './audit/reading.ts';
import { policyService } from './policy-service.ts';
import { superviseRuns } from './run-workers.ts';
import { openStore } from './store.ts';
import { verifyAll, verifyDocument } from './audit/verify.ts';
import { version } from './version.ts';
import { startDelivering } from './webhooks.ts';

/** A control plane that listens. */
export interface RunningControlPlane {
  readonly url: string;
  readonly port: number;
  /** Streams end, requests under way finish, then everything is closed. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Take any free port when the configured one is taken. */
  readonly otherPortWhenTaken?: boolean;
}

const drainMs = 5_000;
const expireEveryMs = 5_000;
/** Between two verifications that the API starts; callers in between share the last answer. */
const verifyEveryMs = 2_000;

/** Starts it. Throws `config.invalid` for an address beyond this machine without authentication, `net.port_taken`. */
export async function startControlPlane(installation: Installation, options: ControlPlaneOptions = {}): Promise<RunningControlPlane> {
  const { config, host, home } = installation;
  checkListen({ host: config.server.host, authentication: config.auth.enabled });
  if (config.server.tls.cert !== undefined) throw new LokiError('config.invalid', { attempted: 'serve HTTPS', found: 'this version serves HTTP on this machine only', hint: 'Unset LOKI_TLS_CERT and LOKI_TLS_KEY' });
  prepareHome(installation);
  const log = await openLongLivedRecord(installation, 'control plane');
  const store = await openStore(installation, log.record);
  const approvals = await openApprovals(installation, log.record, store);
  const startedAt = host.clock.now();
  const services: Services = {
    store, record: log.record, clock: host.clock, timers: host.timers, random: host.random, readWebFile,
    projects: projectCollection(installation), policies: policyService(installation), approvals: approvals.room, audit: auditService(installation, log.record),
    hooks: hookService(installation, (opened) => (sharesLog(installation, opened) ? { record: log.record, close: () => Promise.resolve() } : openRecord(opened))),
    budgets: (projectId) => budgetsOfProjects(installation, store, projectId),
    status: () => Promise.resolve({
      version, started_at: new Date(startedAt).toISOString(), uptime_seconds: Math.round((host.clock.now() - startedAt) / 1000),
      authentication: config.auth.enabled ? 'required' : 'off',
      audit: { enabled: config.audit.enabled, last_seq: lastSeq(installation) },
    }),
  };
  try {
    const api = createApi(services, {
      listenHost: config.server.host, allowedHosts: config.server.allowedHosts, corsOrigins: config.server.corsOrigins,
      authentication: config.auth.enabled, rateLimit: config.server.rateLimit, localToken: await localToken(installation, log.record),
      recordResponses: config.audit.level === 'debug',
    });
    const listening = await listen(installation, api, options);
    const forwarding = startForwarding(installation, log);
    const url = `http://${config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host}:${listening.port}`;
    host.disk.replace(home.home, addressFile(installation), Buffer.from(`${url}\n`), 0o600);
    const keeping = startKeeping(installation, log);
    const delivering = startDelivering(installation, log.record);
    const workers = superviseRuns(installation, store, log.record);
    // Somebody must notice that nobody decided, also where the one who asked has gone.
    const endExpiring = host.timers.every(expireEveryMs, () => { void approvals.room.expire().catch(() => undefined); });
    return {
      url, port: listening.port,
      async stop() {
        api.drain();
        // Another one may have been started since, and have written down where it is.
        if (runningAddress(installation) === url) host.disk.remove(addressFile(installation));
        // Runs under way are left to be taken up: a control plane that is stopped must not wait for agents.
        await Promise.all([listening.close(drainMs), workers.stop()]);
        endExpiring();
        await keeping.stop();
        await delivering.stop();
        await store.close();
        await approvals.close();
        await log.end('stopped');
        await log.close();
        await forwarding.stop();
        // What forwarding had to say of its end.
        await log.close();
      },
    };
  } catch (error) {
    await store.close();
    await log.close();
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

async function listen(installation: Installation, api: ReturnType<typeof createApi>, options: ControlPlaneOptions): ReturnType<typeof listenHttp> {
  const { host, port } = installation.config.server;
  try {
    return await listenHttp(api, { host, port });
  } catch (error) {
    if (options.otherPortWhenTaken !== true || !(error instanceof LokiError) || error.code !== 'net.port_taken') throw error;
    return listenHttp(api, { host, port: 0 });
  }
}

function lastSeq({ host: { disk }, home }: Installation): number | null {
  for (const entry of queryLog(disk, home.audit, {})) return entry.seq;
  return null;
}

function auditService(installation: Installation, record: OpenLog['record']): AuditService {
  const { clock, timers } = installation.host;
  let verified: { readonly at: number; readonly document: Promise<JsonObject> } | undefined;
  // Whoever reaches this machine's own address may be anonymous; what is encrypted on disk is not opened for them.
  const read = (anonymous: boolean): ReturnType<typeof openReading> => openReading(installation, undefined, anonymous && encrypts(installation));
  return {
    async *query(filter, anonymous) {
      for (const hit of (await read(anonymous)).search(filter)) {
        if (hit === undefined) await timers.yield();
        else yield hit.entry;
      }
    },
    access: (by, filter, entries) => recordAccess(installation, record, by, 'api', filter, entries),
    async export({ by, format, filter, signal }) {
      const parts = await exportAsStream(installation, record, { by, format, filter }, { signal });
      const { mediaType, extension } = renderingOf(format);
      return { mediaType, fileName: `audit-${new Date(clock.now()).toISOString().slice(0, 10)}.${extension}`, parts };
    },
    async summary(periodMs, anonymous) {
      const counting = (await read(anonymous)).summarize({ from: new Date(Math.max(0, clock.now() - periodMs)).toISOString() });
      for (;;) {
        const { done, value } = counting.next();
        if (done === true) return value;
        await timers.yield();
      }
    },
    verify() {
      // Verifying reads the whole log; callers that come together, or again at once, share one answer.
      if (verified === undefined || clock.monotonic() - verified.at > verifyEveryMs) {
        const document = verifyAll(installation, { record }).then(verifyDocument);
        verified = { at: clock.monotonic(), document };
        document.catch(() => { verified = undefined; });
      }
      return verified.document;
    },
    async checkpoint() {
      const { checkpointDocument } = await import('./audit/checkpoints.ts');
      return checkpointDocument(installation);
    },
    async proof(seq) {
      const { proofText } = await import('./audit/checkpoints.ts');
      return proofText(installation, seq);
    },
  };
}

/** Enrolled projects. Read anew each time: people enrol while the control plane runs. */
function projectCollection({ host: { disk }, home }: Installation): Collection {
  const all = (): readonly StoredItem[] => listEnrolments(disk, home.home, home.projects).map((enrolment) => ({ id: enrolment.id, revision: Date.parse(enrolment.enrolled_at), value: projectObject(enrolment) }));
  return {
    get: (id) => Promise.resolve(all().find((item) => item.id === id)),
    list: ({ after, limit, reverse = false }) => {
      const ordered = reverse ? all().toReversed() : all();
      const rest = after === undefined ? ordered : ordered.filter(({ id }) => (reverse ? id < after : id > after));
      return Promise.resolve(rest.slice(0, limit));
    },
  };
}

function projectObject({ id, path, enrolled_at }: Enrolment): JsonObject {
  return { id, name: basename(path), path, tenant_id: null, created_at: enrolled_at };
}
