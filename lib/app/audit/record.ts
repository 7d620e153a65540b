/** The log of record and a project's agent chain, put together from the configuration. Nothing is opened before the first entry. */
import type { JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { openAgentChain, type AgentChain } from '../../audit/agent-chain.ts';
import { openAuditLog, type AuditLog } from '../../audit/log.ts';
import type { AuditReceipt, EntryProtection, Recorder } from '../../audit/entry.ts';
import { readResumePoint } from '../../audit/resume.ts';
import { openUnheard } from '../../audit/unheard.ts';
import { startSchedule, type Schedule } from '../../audit/tlog/schedule.ts';
import type { Reason } from '../../audit/tlog/tree.ts';
import type { Checkpoints } from './checkpoints.ts';
import { leaveCheckpoint } from './checkpoint-due.ts';
import { prepareHome, type Installation } from '../installation.ts';
import { tellEntries, type EntryTelling } from '../telemetry/entries.ts';
import { leaveKeeping } from './leave-behind.ts';
import { version } from '../version.ts';

/** The log of record as a running part holds it. */
export interface OpenLog {
  readonly record: Recorder;
  close(): Promise<void>;
}

/** Waiting longer than this for the log's lock counts as an unwritable log. */
const lockTimeoutMs = 10_000;

/** Reasons for a new file after which the one before it waits to be kept. */
const finishes: ReadonlySet<string> = new Set(['day', 'size']);

const notRecorded: AuditReceipt = { seq: null, chain_hash: null };

/** How a process uses the log. */
export interface RecordOptions {
  /** It looks after the log's finished files and makes checkpoints itself; another process leaves both behind when they are due. */
  readonly keeps?: true;
  /** It has come to make a checkpoint: none is left for another process. */
  readonly signs?: true;
  /** It has this long to wait for its turn, in place of ten seconds. */
  readonly patienceMs?: number;
  /** It has come to send entries to receivers: nothing is left for another process to send. */
  readonly sends?: true;
  /** Where telemetry tells of its entries; left out, as of a command. */
  readonly telling?: EntryTelling;
}

/** Opens the log of record. With audit switched off, everything is accepted and nothing is written. */
export function openRecord(installation: Installation, options: RecordOptions = {}): OpenLog {
  let recorded = { entries: 0, seq: 0, turned: false };
  let schedule: Schedule | undefined;
  const { config, host, home } = installation;
  if (!config.audit.enabled) return { record: () => Promise.resolve(notRecorded), close: () => Promise.resolve() };
  const unheard = openUnheard({
    disk: host.disk, base: home.home, directory: join(home.run, 'unheard'), uniqueName: () => `${host.facts.pid}-${Buffer.from(host.random.bytes(8)).toString('hex')}`,
  });
  const open = (protection?: EntryProtection): AuditLog => openAuditLog({
    disk: host.disk, clock: host.clock, timers: host.timers, random: host.random,
    lock: host.lock(join(home.run, 'audit')), lockTimeoutMs: options.patienceMs ?? lockTimeoutMs,
    base: home.home, directory: home.audit, blobDirectory: home.blobs, tornDirectory: home.torn, legacyDirectory: home.legacy,
    metadata: metadataOf(installation),
    level: config.audit.level, exclude: new Set(config.audit.excludeEvents),
    maxFileBytes: config.audit.maxFileSizeMb * 1_000_000,
    fileMode: config.audit.groupReadable ? 0o640 : 0o600, directoryMode: config.audit.groupReadable ? 0o750 : 0o700,
    integrity: config.audit.integrityCheck, reservePath: home.reserve,
    resume: () => readResumePoint(host.disk, home.home, join(home.tlog, 'state.json')),
    prepare: () => prepareHome(installation),
    onAppended(count, seq) {
      recorded = { ...recorded, entries: recorded.entries + count, seq };
      schedule?.appended(count);
    },
    onTurn(_finished, reason) {
      if (!finishes.has(reason)) return;
      recorded = { ...recorded, turned: true };
      schedule?.turned();
    },
    onLost: (gap) => unheard.leave(gap), unheard,
    ...(protection === undefined ? {} : { protection }),
  });
  const log = tellEntries(installation, sealsEntries(installation) ? protectedLog(installation, open) : plainLog(open()), options.telling);
  if (options.keeps === true) {
    const checkpoints = makeCheckpoints(installation, log.record, () => recorded.seq);
    schedule = checkpoints.schedule;
    let isEnded = false;
    return {
      ...log,
      // Called again, it writes what was recorded since: what forwarding says last has nowhere else to go.
      async close() {
        if (!isEnded) await checkpoints.end();
        isEnded = true;
        await log.close();
      },
    };
  }
  return {
    ...log,
    async close() {
      await log.close();
      if (recorded.turned) leaveKeeping(installation);
      if (options.signs !== true) leaveCheckpoint(installation, recorded);
      if (recorded.entries > 0 && options.sends !== true && isSentAway(config)) (await import('./forwarding.ts')).leaveSending(installation);
      recorded = { entries: 0, seq: 0, turned: false };
    },
  };
}

/** Whether a receiver is configured: what serves one is loaded only then. */
function isSentAway({ siem }: Installation['config']): boolean {
  return siem.syslog.enabled || siem.splunk.hecUrl !== undefined;
}

/** Checkpoints beside a process that lives long: of the log of record, and of the chain of the project at hand. */
function makeCheckpoints(installation: Installation, record: Recorder, acknowledged: () => number): { readonly schedule: Schedule; end(): Promise<void> } {
  const { config: { audit }, host: { clock, disk, timers }, home, project } = installation;
  let opened: Promise<Checkpoints> | undefined;
  const make = async (reason: Reason): Promise<boolean> => {
    try {
      opened ??= import('./checkpoints.ts').then(({ openCheckpoints }) => openCheckpoints(installation, record, acknowledged));
      const checkpoints = await opened;
      // The project's first: the entry that tells of it is then covered too.
      if (project !== undefined && reason !== 'entries' && reason !== 'heartbeat') await checkpoints.make({ chain: `agent:${project.id}`, reason }).catch(() => undefined);
      return (await checkpoints.make({ reason })).made;
    } catch {
      // What is refused has been recorded; whatever else went wrong may go right the next time.
      return false;
    }
  };
  const age = (): number => Math.abs(clock.now() - (disk.stat(join(home.tlog, 'checkpoint'))?.modifiedMs ?? clock.now()));
  const schedule = startSchedule({ timers, every: audit.checkpointEvery, intervalMs: audit.checkpointIntervalMs, age, make });
  return {
    schedule,
    async end() {
      await schedule.end();
      await opened?.then((checkpoints) => checkpoints.close()).catch(() => undefined);
    },
  };
}

function plainLog(log: AuditLog): OpenLog {
  return { record: (event) => log.append(event), close: () => log.close() };
}

/** What seals entries is loaded with the first of them. */
function protectedLog(installation: Installation, open: (protection: EntryProtection) => AuditLog): OpenLog {
  let opened: Promise<AuditLog> | undefined;
  const log = (): Promise<AuditLog> => {
    opened ??= import('./protection.ts').then(({ openProtection }) => open(openProtection(installation)));
    return opened;
  };
  return { record: async (event) => (await log()).append(event), close: async () => (await opened)?.close() };
}

/**
 * Whether entries are encrypted: when that is configured, and when they were before and nobody said otherwise since. A
 * process that merely was not given the key (an agent's hook, a shell without the variable) must not go on in clear, nor
 * one that works in a project whose file says `false`: a repository has no say in that.
 */
export function encrypts({ config, host: { disk }, home }: Installation): boolean {
  if (config.audit.encrypt) return true;
  const { layer } = config.origin('enterprise.audit.encrypt');
  return (layer === 'default' || layer === 'project') && disk.stat(join(home.ring, 'kek.json')) !== undefined;
}

/** Whether anything in entries is kept from those who only read the files: then telemetry keeps names of people from its readers too. */
export function sealsEntries(installation: Installation): boolean {
  return installation.config.audit.gdprCompliance || encrypts(installation);
}

function metadataOf(installation: Installation): JsonObject {
  const { config, host } = installation;
  return { hostname: host.facts.hostname, pid: host.facts.pid, version, ...Object.fromEntries(config.metadata) };
}

/** Opens a project's agent chain; `record` hears of torn tails and of entries that are gone. */
export function openProjectChain(installation: Installation, project: { readonly id: string; readonly dir: string }, record: Recorder): AgentChain {
  const { host, home } = installation;
  const tell = (details: JsonObject): void => {
    void record({ event: 'audit.recovery', actor: 'system', resource: `project:${project.id}`, details }).catch(() => undefined);
  };
  return openAgentChain({
    disk: host.disk, clock: host.clock, timers: host.timers, lock: host.lock(join(home.run, `agent-chain-${project.id}`)), lockTimeoutMs,
    base: project.dir, path: join(project.dir, '.loki/logs/agent-audit.jsonl'), tornDirectory: join(project.dir, '.loki/logs/torn'),
    maxFileBytes: installation.config.audit.maxFileSizeMb * 1_000_000,
    resume: () => readResumePoint(host.disk, home.home, join(home.tlog, 'agents', project.id, 'state.json')),
    // Both are told, not required: the chain goes on, and a torn tail is kept beside it, whatever becomes of the entry.
    onTorn: (torn) => tell({ file: torn.file, offset: torn.offset, length: torn.length, sha256: torn.sha256, kept_as: torn.keptAs }),
    onLost: ({ file, found, lastSeq }) => tell({ reason: 'replaced', file, found, last_seq: lastSeq }),
  });
}
