/** Verification of every chain this installation can see: the log of record, and the agent chain of each enrolled project. */
import type { Disk } from '../../ports.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { basename, dirname, join, resolveFrom } from '../../base/paths.ts';
import { LokiError, unreadBecause } from '../../errors.ts';
import { agentChainFiles } from '../../audit/agent-files.ts';
import type { Recorder } from '../../audit/entry.ts';
import { readableFiles } from '../../audit/log-file.ts';
import { queryLog, type LoggedEntry } from '../../audit/query.ts';
import { verdictOf } from '../../audit/verify/causes.ts';
import { verifyChain, worst, type BreakCause, type ChainReport, type ChainSource, type FilePool, type SeenFile, type Verdict } from '../../audit/verify.ts';
import { listEnrolments } from '../../gate/enrolment.ts';
import type { Installation } from '../installation.ts';
import { lookingDisk } from '../looking.ts';
import { openProofs, type BroughtNote, type Proofs } from './verify-proofs.ts';

/** What all chains together say. */
export interface VerifyReport {
  readonly valid: boolean;
  readonly verdict: Verdict;
  readonly chains: readonly ChainReport[];
  /** When the verification began that this one goes on from (ISO 8601); null when everything was read. */
  readonly since: string | null;
}

export interface VerifyRequest {
  /** One file, or a directory of log files, in place of everything. */
  readonly log?: string;
  /** Reads everything again, whatever was verified before, and compares the digests of finished files. */
  readonly full?: boolean;
  /** Checkpoints from elsewhere that the chains must agree with. */
  readonly against?: readonly BroughtNote[];
  /** Public keys, beside those that checkpoints here were signed with, that may have signed them. */
  readonly vkeys?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (chain: string, bytesDone: number, bytesTotal: number) => void;
  /** Where the verification itself is recorded, and in whose name. Whether it can be is no matter: `onUnrecorded` hears of it. */
  readonly record?: Recorder;
  readonly actor?: string;
  readonly onUnrecorded?: (error: unknown) => void;
}

/** Checks them one after the other; their verdict is that of the worst. Throws `usage` for what cannot be checked at all. */
export async function verifyAll(installation: Installation, request: VerifyRequest = {}): Promise<VerifyReport> {
  const refused = new Set<string>();
  const looking: Installation = { ...installation, host: { ...installation.host, disk: lookingDisk(installation.host.disk, (path) => refused.add(path)) } };
  const sources = request.log === undefined ? visibleChains(looking) : [chainAt(installation, request.log)];
  const proofs = openProofs(looking, request, sources);
  try {
    const pool = await openPool();
    const chains: ChainReport[] = [];
    const seen = new Map<string, readonly SeenFile[]>();
    for (const source of sources) {
      const report = await verifyOne(looking, source, { request, proofs, pool, disk: installation.host.disk, onGood: (files) => seen.set(source.chain, files) });
      if (report !== undefined) chains.push(report);
    }
    const verdict = worst(chains.map((chain) => chain.verdict));
    const report: VerifyReport = { valid: verdict === 'ok', verdict, chains: withRefused(chains, refused), since: chains.some(({ entries_known: known }) => known > 0) ? proofs.since : null };
    if (report.valid && request.log === undefined) proofs.keep(seen, installation.host.disk);
    // A record that is gone must not be begun anew by telling of it: then nobody would miss it any more.
    if (chains.some(({ chain, entries_checked: entries }) => chain === 'record' && entries > 0) || isRecorded(installation, request)) await tell(report, request);
    return report;
  } finally {
    proofs.close();
  }
}

/** What this user may not read is told with the first chain: it is nobody's fault, and not looked at. */
function withRefused(chains: readonly ChainReport[], refused: ReadonlySet<string>): readonly ChainReport[] {
  if (refused.size === 0) return chains;
  const note = `not looked at, for this user has no permission to: ${[...refused].toSorted().join(', ')}`;
  return chains.map((chain, at) => (at === 0 ? { ...chain, notes: [...chain.notes, note] } : chain));
}

async function openPool(): Promise<FilePool> {
  const [{ createFilePool }, { threads }] = await Promise.all([import('../../audit/verify/pool.ts'), import('../../host/threads.ts')]);
  return createFilePool(threads, new URL(import.meta.url.endsWith('.ts') ? './verify-worker.ts' : './verify-worker.js', import.meta.url).href);
}

interface Means {
  readonly request: VerifyRequest;
  readonly proofs: Proofs;
  readonly pool: FilePool;
  /** Refusals of lines are told as such. */
  readonly disk: Disk;
  readonly onGood: (files: readonly SeenFile[]) => void;
}

/**
 * One chain; undefined for a project's that was never begun. What keeps it from being read is told of this chain alone: the
 * others are judged all the same.
 */
async function verifyOne(installation: Installation, source: ChainSource, { request, proofs, pool, disk, onGood }: Means): Promise<ChainReport | undefined> {
  const { timers } = installation.host;
  let report: ChainReport;
  try {
    report = await verifyChain(source, {
      disk, timers, pool, onGood, full: request.full === true,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      onProgress: (done, total) => request.onProgress?.(source.chain, done, total),
      ...(request.log === undefined || source.chain === source.directory || (request.against ?? []).length > 0 ? proofs.of(source.chain) : {}),
    });
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    return incomplete(source, 'unreadable file', unreadBecause(error));
  }
  if (report.entries_checked > 0 || report.breaks.length > 0) return report;
  const missing = missingChain(installation, source);
  if (missing !== undefined) return incomplete(source, 'missing file', missing);
  return isBegun(installation, source) ? report : undefined;
}

/** The log of record is always told of; a project's chain once it is there. */
function isBegun({ host: { disk } }: Installation, { chain, directory, names }: ChainSource): boolean {
  return !chain.startsWith('agent:') || names.some((name) => disk.stat(join(directory, name)) !== undefined);
}

function incomplete(source: ChainSource, cause: BreakCause, found: string): ChainReport {
  const [file = source.directory] = source.names;
  return {
    chain: source.chain, verdict: 'incomplete', valid: false, entries_checked: 0, bytes_checked: 0, entries_known: 0, directory: source.directory, files: source.names,
    first_seq: null, last_seq: null, last_hash: null, unsealed: null, pruned: null, checkpoint: null, against: [], notes: [],
    breaks: [{ file, line: 0, seq: null, offset: 0, cause, found }],
  };
}

/** Where something else is looked at: whether there is a record to tell of it. */
function isRecorded({ host: { disk }, home }: Installation, { log }: VerifyRequest): boolean {
  return log !== undefined && readableFiles(disk, home.audit).length > 0;
}

/** Records that a verification took place. A log that cannot be written keeps nobody from verifying. */
async function tell(report: VerifyReport, { record, actor = 'system', onUnrecorded, full, against = [], log }: VerifyRequest): Promise<void> {
  const details: JsonObject = {
    verdict: report.verdict, entries: report.chains.reduce((sum, chain) => sum + chain.entries_checked, 0),
    chains: report.chains.map(({ chain, verdict, entries_checked: entries }) => ({ chain, verdict, entries })),
    mode: log !== undefined ? 'log' : full === true || report.since === null ? 'full' : 'incremental', against: against.map(({ from }) => from), since: report.since,
  };
  try {
    await record?.({ event: 'audit.verify', actor, details });
  } catch (error) {
    onUnrecorded?.(error);
  }
}

/** Why a chain without entries should have some; undefined when nothing says so. */
function missingChain(installation: Installation, { chain, names }: ChainSource): string | undefined {
  const { host: { disk }, home } = installation;
  if (chain === 'record') return disk.list(home.projects).length > 0 ? 'projects are enrolled, which is recorded, and there is no record' : undefined;
  if (!chain.startsWith('agent:')) return names.length === 0 ? 'there is no log file' : undefined;
  const project = chain.slice('agent:'.length);
  const told = (event: string): boolean => tellsOfActions(queryLog(disk, home.audit, { event }), project);
  return told('session.start') || told('agent.action') ? 'the log of record tells of sessions or actions here, and this chain is gone' : undefined;
}

/** Sessions of a project, and outcomes of the kinds that its agent chain records. */
function tellsOfActions(entries: Iterable<LoggedEntry>, project: string): boolean {
  for (const { event, details, metadata } of entries) {
    if (!isPlainObject(metadata) || metadata['project_id'] !== project) continue;
    if (event === 'session.start' || (isPlainObject(details) && ['exec', 'fs.write', 'fs.delete'].includes(String(details['kind'])))) return true;
  }
  return false;
}

/** The log of record, each enrolled project's chain, and that of the project at hand. */
function visibleChains(installation: Installation): readonly ChainSource[] {
  const { host: { disk }, home, project } = installation;
  const projects = new Map(listEnrolments(disk, home.home, home.projects).map(({ id, path }) => [id, path]));
  if (project !== undefined) projects.set(project.id, project.dir);
  return [recordChain(installation, 'record', home.audit), ...[...projects].map(([id, dir]) => agentChain(installation, id, dir))];
}

function agentChain({ host: { disk } }: Installation, id: string, dir: string): ChainSource {
  const directory = join(dir, '.loki/logs');
  const list = (): readonly string[] => {
    const names = agentChainFiles(disk.list(directory)).map(({ name }) => name);
    return names.length === 0 ? ['agent-audit.jsonl'] : names;
  };
  return { chain: `agent:${id}`, directory, names: list(), list };
}

function recordChain({ host: { disk } }: Installation, chain: string, directory: string): ChainSource {
  const list = (): readonly string[] => readableFiles(disk, directory).map(({ name }) => name);
  return { chain, directory, names: list(), list };
}

function chainAt(installation: Installation, log: string): ChainSource {
  const path = resolveFrom(installation.surroundings.cwd, log);
  const stat = installation.host.disk.stat(installation.host.disk.realpath(path) ?? path);
  if (stat?.kind === 'directory') return recordChain(installation, path, path);
  if (stat?.kind === 'file') return { chain: path, directory: dirname(path), names: [basename(path)] };
  throw new LokiError('usage', { attempted: `verify "${log}"`, found: 'there is no such file or directory', hint: 'Name a log file or the directory that holds the log' });
}

/** The report in the shape of contract section 6. */
export function verifyDocument(report: VerifyReport): JsonObject {
  const breaks = report.chains.flatMap((chain) => chain.breaks.map((each) => ({ chain: chain.chain, ...each })));
  const tampered = breaks.find(({ cause }) => verdictOf[cause] === 'tampered');
  const document = {
    valid: report.valid,
    verdict: report.verdict,
    entries_checked: report.chains.reduce((sum, chain) => sum + chain.entries_checked, 0),
    first_tampered_line: tampered?.line ?? null,
    first_bad: tampered ?? breaks[0] ?? null,
    since: report.since,
    checkpoint: report.chains[0]?.checkpoint ?? null,
    chains: report.chains,
  };
  return JSON.parse(JSON.stringify(document));
}
