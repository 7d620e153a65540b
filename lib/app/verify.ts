/** Verification of every chain this installation can see: the log of record, and the agent chain of each enrolled project. */
import type { JsonObject } from '../base/json.ts';
import { basename, dirname, join, resolveFrom } from '../base/paths.ts';
import { LokiError } from '../errors.ts';
import { logFiles } from '../audit/files.ts';
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
  const { disk, timers } = installation.host;
  const sources = request.log === undefined ? visibleChains(installation) : [chainAt(installation, request.log)];
  const chains: ChainReport[] = [];
  for (const source of sources) {
    chains.push(await verifyChain(source, {
      disk, timers,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      onProgress: (done, total) => request.onProgress?.(source.chain, done, total),
    }));
  }
  const verdict = worst([...chains.map((chain) => chain.verdict), ...(isMissing(installation, chains) ? ['incomplete' as const] : [])]);
  return { valid: verdict === 'ok', verdict, chains };
}

/** Enrolling is recorded: where projects are enrolled and the log of record holds nothing, it was taken away. */
function isMissing({ host: { disk }, home }: Installation, chains: readonly ChainReport[]): boolean {
  const record = chains.find(({ chain }) => chain === 'record');
  return record !== undefined && record.entries_checked === 0 && disk.list(home.projects).length > 0;
}

/** The log of record, each enrolled project's chain, and that of the project at hand. */
function visibleChains(installation: Installation): readonly ChainSource[] {
  const { host: { disk }, home, project } = installation;
  const projects = new Map(listEnrolments(disk, home.home, home.projects).map(({ id, path }) => [id, path]));
  if (project !== undefined) projects.set(project.id, project.dir);
  const agents = [...projects].map(([id, dir]): ChainSource => ({ chain: `agent:${id}`, directory: join(dir, '.loki/logs'), names: ['agent-audit.jsonl'] }));
  return [recordChain(installation, home.audit), ...agents.filter(({ directory }) => disk.stat(join(directory, 'agent-audit.jsonl')) !== undefined)];
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
