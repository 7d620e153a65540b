/**
 * Looking after the records of this installation, put together from the configuration: finished log files are sealed,
 * compressed and pruned, finished agent chains compressed, and what receivers have not got is sent. One process at a time
 * does it: one that lives long, now and then; `loki audit keep`; or that command left behind by a hook that turned the page.
 */
import { LokiError } from '../../errors.ts';
import { dirname, join } from '../../base/paths.ts';
import { readableFiles } from '../../audit/log-file.ts';
import { compressAgentFiles } from '../../audit/keeping/agents.ts';
import type { Kept } from '../../audit/keeping/finished.ts';
import { keepRound, type RoundReport } from '../../audit/keeping/keep.ts';
import { removeLeftovers } from '../../audit/keeping/leftovers.ts';
import { planPrune, type PrunePlan, type Retention } from '../../audit/keeping/plan.ts';
import type { PruneMeans } from '../../audit/keeping/prune.ts';
import { noteOpener } from '../../audit/keeping/statement.ts';
import { readKnownKeys, readSigner } from '../../audit/tlog/key.ts';
import { openTreeOf } from '../../audit/tlog/reader.ts';
import { listEnrolments } from '../../gate/enrolment.ts';
import type { OpenLog } from './record.ts';
import { forwardOnce, isForwardingConfigured } from './forwarding.ts';
import type { Installation } from '../installation.ts';

/** How one round is done. */
export interface KeepOptions {
  /** Who asked for it, as an audit actor; `system` when nobody did. */
  readonly actor?: string;
  readonly signal?: AbortSignal;
  /** How long another process that is at it is waited for. */
  readonly waitMs?: number;
  readonly onProgress?: Kept['onProgress'];
  /** In place of what the configuration says. */
  readonly retention?: Retention;
}

/** What one round did. */
export interface KeepReport extends RoundReport {
  /** `busy`: another process is at it. `off`: nothing is recorded here, or there is nothing yet. */
  readonly state: 'done' | 'busy' | 'off';
  /** Entries sent to receivers; null when none is configured. */
  readonly forwarded: number | null;
}

const nothing: RoundReport = { sealed: [], compressed: [], pruned: [], problems: [] };
const forwardMs = 30_000;

/** What a round does where there is no log. */
export const nothingToKeep: KeepReport = { ...nothing, state: 'off', forwarded: null };

/** Whether something is recorded here, and has been. Opening the log would make LOKI_HOME. */
export function hasLog({ config, host: { disk }, home }: Installation): boolean {
  return config.audit.enabled && readableFiles(disk, home.audit).length > 0;
}

/** Does everything once. What cannot be done is told in the report; rejects when the log cannot be written, or on `signal`. */
export async function keepOnce(installation: Installation, log: OpenLog, options: KeepOptions = {}): Promise<KeepReport> {
  const { config } = installation;
  if (!hasLog(installation)) return nothingToKeep;
  const report = await alone(installation, options, async () => {
    const kept = keptOf(installation, log, options);
    removeLeftovers(kept.disk, kept.clock, foldersOf(installation));
    const retention: Retention = { ...(options.retention ?? configuredRetention(installation)), isUnattended: true };
    const round = await keepRound(kept, { compress: config.audit.compress, prune: pruneMeans(installation, log, { ...options, retention }) });
    return config.audit.compress ? joined(round, await keepAgentChains(installation, kept)) : round;
  });
  if (report === undefined) return { ...nothing, state: 'busy', forwarded: null };
  return { ...report, state: 'done', forwarded: await forward(installation, log) };
}

/** Seals what is finished. Throws `lock.timeout` when another process looks after the log for too long. */
export function sealNow(installation: Installation, log: OpenLog, options: KeepOptions): Promise<RoundReport> {
  return roundNow(installation, log, options, undefined);
}

/** Seals what is finished, and prunes; throws as `sealNow`. */
export function pruneNow(installation: Installation, log: OpenLog, options: KeepOptions): Promise<RoundReport> {
  return roundNow(installation, log, options, pruneMeans(installation, log, options));
}

async function roundNow(installation: Installation, log: OpenLog, options: KeepOptions, prune: PruneMeans | undefined): Promise<RoundReport> {
  const report = await alone(installation, { waitMs: longestWaitMs, ...options }, () => keepRound(keptOf(installation, log, options), { compress: false, prune }));
  if (report === undefined) throw new LokiError('lock.timeout', { attempted: 'prune the log', found: 'another process has been looking after it for a while', hint: 'Try again later' });
  return report;
}

const longestWaitMs = 30_000;

/** Does it while no other process looks after the log; undefined when one does. */
async function alone<T>({ host, home }: Installation, { waitMs = 0 }: KeepOptions, work: () => Promise<T>): Promise<T | undefined> {
  const lock = host.lock(join(home.run, 'keeping'));
  try {
    await lock.acquire(waitMs);
  } catch (error) {
    if (error instanceof LokiError && error.code === 'lock.timeout') return undefined;
    throw error;
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** What pruning would take now. */
export function plannedPrune(installation: Installation, retention: Retention = configuredRetention(installation)): PrunePlan {
  return planPrune(keptOf(installation, undefined, {}), retention);
}

export function configuredRetention({ config: { audit } }: Installation): Retention {
  return { days: audit.retentionDays, ...(audit.maxFiles === undefined ? {} : { maxFiles: audit.maxFiles }) };
}

function keptOf({ config, host, home }: Installation, log: OpenLog | undefined, { signal, onProgress }: KeepOptions): Kept {
  const isForGroup = config.audit.groupReadable;
  return {
    disk: host.disk, clock: host.clock, timers: host.timers, base: home.home, directory: home.audit, tlogDirectory: home.tlog, blobDirectory: home.blobs,
    fileMode: isForGroup ? 0o640 : 0o600, directoryMode: isForGroup ? 0o750 : 0o700,
    record: log?.record ?? (() => Promise.reject(new LokiError('internal', { attempted: 'record what keeping does', found: 'no log is open' }))),
    ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function pruneMeans(installation: Installation, log: OpenLog, { actor = 'system', retention }: KeepOptions): PruneMeans {
  const { host: { disk }, home } = installation;
  const place = { disk, base: home.home, directory: home.keys };
  return {
    retention: retention ?? configuredRetention(installation), actor,
    async advance() {
      const { checkpointNow } = await import('./checkpoints.ts');
      await checkpointNow(installation, log.record, { reason: 'rotation' });
      return coveredBy(installation);
    },
    origin() {
      const name = readSigner(place)?.key.name;
      if (name === undefined) throw new LokiError('io.failed', { attempted: 'sign what is pruned', found: 'there is no signing key', hint: 'Make one with: loki audit checkpoint' });
      return name;
    },
    async sign(text) {
      const { signStatement } = await import('./checkpoints.ts');
      return signStatement(installation, text);
    },
    open: (note) => noteOpener(readKnownKeys(place))(note),
  };
}

/** How many entries the newest checkpoint is about; 0 without one that can be believed. */
function coveredBy({ host: { disk }, home }: Installation): number {
  const tree = openTreeOf('record', { disk, base: home.home, tlog: home.tlog, keysDirectory: home.keys });
  try {
    const newest = tree.newest();
    return newest.kind === 'good' ? newest.checkpoint.size : 0;
  } finally {
    tree.close();
  }
}

/** Where files of LOKI_HOME are made. */
function foldersOf({ home }: Installation): readonly string[] {
  const { audit, blobs, keys, legacy, projects, reserve, ring, run, spool, store, tlog, torn } = home;
  return [home.home, dirname(reserve), audit, blobs, torn, legacy, tlog, join(tlog, 'seals'), store, keys, ring, projects, run, join(run, 'unheard'), spool];
}

/** An agent chain's file that has reached max_file_size, which may have been another one then, is put aside after one more batch. */
const usualFileMb = 100;

async function keepAgentChains({ config, host: { disk }, home }: Installation, kept: Kept): Promise<RoundReport> {
  let report = nothing;
  const mostBytes = 4e6 * Math.max(config.audit.maxFileSizeMb, usualFileMb);
  for (const { path } of listEnrolments(disk, home.home, home.projects)) {
    const { compressed, problems } = await compressAgentFiles(kept, { base: path, directory: join(path, '.loki/logs'), mostBytes });
    report = joined(report, { ...nothing, compressed, problems });
  }
  return report;
}

function joined(a: RoundReport, b: RoundReport): RoundReport {
  return { sealed: [...a.sealed, ...b.sealed], compressed: [...a.compressed, ...b.compressed], pruned: [...a.pruned, ...b.pruned], problems: [...a.problems, ...b.problems] };
}

async function forward(installation: Installation, log: OpenLog): Promise<number | null> {
  if (!isForwardingConfigured(installation)) return null;
  const passes = await forwardOnce(installation, log, { deadlineMs: forwardMs });
  return passes.reduce((sum, { sent }) => sum + sent, 0);
}

/** Keeping beside a process that lives long. */
export interface RunningKeeping {
  /** Ends what is under way, at a point from which the next round goes on. To be called before the log is closed. */
  stop(): Promise<void>;
}

const everyMs = 3600_000;

/** Keeps at once, in the background, and every hour. What goes wrong is found again by `loki doctor` and `loki audit keep`. */
export function startKeeping(installation: Installation, log: OpenLog): RunningKeeping {
  const ending = new AbortController();
  let under: Promise<unknown> = Promise.resolve();
  const keep = (): void => {
    under = under.then(() => (ending.signal.aborted ? undefined : keepOnce(installation, log, { signal: ending.signal }))).catch(() => undefined);
  };
  const cancel = installation.host.timers.every(everyMs, keep);
  // Whoever starts has more urgent things to do first.
  const first = installation.host.timers.after(firstAfterMs, keep);
  return {
    async stop() {
      first();
      cancel();
      ending.abort();
      await under;
    },
  };
}

const firstAfterMs = 1000;
