/** Verification of every chain this installation can see: the log of record, and the agent chain of each enrolled project. */
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { basename, dirname, join, resolveFrom } from '../base/paths.ts';
import { LokiError, messageOf } from '../errors.ts';
import { logFiles } from '../audit/files.ts';
import { queryLog, type LoggedEntry } from '../audit/query.ts';
import { verifyChain, worst, type ChainReport, type ChainSource, type Verdict } from '../audit/verify.ts';
import { listEnrolments } from '../gate/enrolment.ts';
import type { Installation } from './installation.ts';

/** What all chains together say. */
export interface VerifyReport {
  readonly valid: boolean;
  readonly verdict: Verdict;
  readonly chains: readonly ChainReport[];
}

export interface VerifyRequest {
  /** One file, or a directory of log files, in place of everything. */
  readonly log?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (chain: string, bytesDone: number, bytesTotal: number) => void;
}

/** Checks them one after the other; their verdict is that of the worst. */
export async function verifyAll(installation: Installation, request: VerifyRequest = {}): Promise<VerifyReport> {
  const sources = request.log === undefined ? visibleChains(installation) : [chainAt(installation, request.log)];
  const chains: ChainReport[] = [];
  for (const source of sources) {
    const report = await verifyOne(installation, source, request);
    if (report !== undefined) chains.push(report);
  }
  const verdict = worst(chains.map((chain) => chain.verdict));
  return { valid: verdict === 'ok', verdict, chains };
}

/**
 * One chain; undefined for a project's that was never begun. What keeps it from being read is told of this chain alone: the
 * others are judged all the same.
 */
async function verifyOne(installation: Installation, source: ChainSource, request: VerifyRequest): Promise<ChainReport | undefined> {
  const { disk, timers } = installation.host;
  let report: ChainReport;
  try {
    report = await verifyChain(source, {
      disk, timers,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      onProgress: (done, total) => request.onProgress?.(source.chain, done, total),
    });
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    return incomplete(source, `it cannot be read: ${messageOf(error)}`);
  }
  if (report.entries_checked > 0 || report.breaks.length > 0) return report;
  const missing = missingChain(installation, source);
  if (missing !== undefined) return incomplete(source, missing);
  return isBegun(installation, source) ? report : undefined;
}

/** The log of record is always told of; a project's chain once it is there. */
function isBegun({ host: { disk } }: Installation, { chain, directory, names }: ChainSource): boolean {
  return !chain.startsWith('agent:') || names.some((name) => disk.stat(join(directory, name)) !== undefined);
}

function incomplete(source: ChainSource, found: string): ChainReport {
  const [file = source.directory] = source.names;
  return {
    chain: source.chain, verdict: 'incomplete', valid: false, entries_checked: 0, bytes_checked: 0, directory: source.directory, files: source.names,
    first_seq: null, last_seq: null, last_hash: null, breaks: [{ file, line: 0, seq: null, offset: 0, cause: 'missing file', found }],
  };
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
  const agents = [...projects].map(([id, dir]): ChainSource => ({ chain: `agent:${id}`, directory: join(dir, '.loki/logs'), names: ['agent-audit.jsonl'] }));
  return [recordChain(installation, home.audit), ...agents];
}

function recordChain({ host: { disk } }: Installation, directory: string): ChainSource {
  return { chain: 'record', directory, names: logFiles(disk.list(directory)).filter((file) => !file.compressed).map((file) => file.name) };
}

function chainAt(installation: Installation, log: string): ChainSource {
  const path = resolveFrom(installation.surroundings.cwd, log);
  const stat = installation.host.disk.stat(installation.host.disk.realpath(path) ?? path);
  if (stat?.kind === 'directory') return { ...recordChain(installation, path), chain: path };
  if (stat?.kind === 'file') return { chain: path, directory: dirname(path), names: [basename(path)] };
  throw new LokiError('usage', { attempted: `verify "${log}"`, found: 'there is no such file or directory', hint: 'Name a log file or the directory that holds the log' });
}

/** The report in the shape of contract section 6. */
export function verifyDocument(report: VerifyReport): JsonObject {
  const bad = report.chains.flatMap((chain) => chain.breaks.map((each) => ({ chain: chain.chain, ...each })))[0];
  const document = {
    valid: report.valid,
    verdict: report.verdict,
    entries_checked: report.chains.reduce((sum, chain) => sum + chain.entries_checked, 0),
    first_tampered_line: bad === undefined ? null : bad.line,
    first_bad: bad ?? null,
    checkpoint: null,
    chains: report.chains,
  };
  return JSON.parse(JSON.stringify(document));
}
