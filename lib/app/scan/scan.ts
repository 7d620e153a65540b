/**
 * `loki scan`: the files, or what is staged, looked through one at a time. Memory holds one file and what was found. A finding
 * says where and what, never the text.
 */
import type { Finding } from '../../base/action.ts';
import { LokiError } from '../../errors.ts';
import type { Host } from '../../ports.ts';
import type { GitPorts } from '../../runs/git.ts';
import type { Baseline } from './baseline.ts';
import { findIn, isAllowed, typeOf, type Wanted } from './look.ts';
import { candidatesOf, readSource, type Source } from './sources.ts';
import { stagedSources, stagingArea } from './staged.ts';
import type { Totals } from './totals.ts';

/** A finding in its file. Lines and columns count from 1, columns in UTF-16 code units; the end is behind the last character. */
export interface Found {
  /** Absolute; `-` for standard input. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly type: 'secrets' | 'pii';
  readonly rule: string;
  readonly confidence: Finding['confidence'];
  readonly fingerprint: string;
}

export interface ScanRequest extends Wanted {
  /** Absolute. */
  readonly cwd: string;
  /** Files and directories; with `staged` only what lies below them is told. */
  readonly paths: readonly string[];
  readonly staged: boolean;
  /** Bytes; larger files are passed over and named. */
  readonly largest: number;
  readonly baseline?: Baseline;
  /** The environment for git. */
  readonly env: GitPorts['env'];
}

export interface ScanHears {
  readonly signal: AbortSignal;
  /** Bytes looked through, of all; 0 when nobody knows. */
  progress(done: number, total: number): void;
}

/** More findings in one file than this are not told. */
const mostInFile = 10_000;
/** How long the work goes on without letting signals and output have their turn. */
const turnMs = 50;

/** What is found, file by file, as it is found; counts go into `totals`. */
export async function* scan(host: Host, request: ScanRequest, totals: Totals, hears: ScanHears): AsyncIterable<readonly Found[]> {
  let turn = host.clock.monotonic();
  for await (const sources of request.staged ? staged(host, request, totals, hears) : unstaged(host, request, totals, hears)) {
    const found = lookThrough(sources, request, totals);
    if (found.length > 0) yield found;
    if (host.clock.monotonic() - turn < turnMs) continue;
    await host.timers.yield();
    turn = host.clock.monotonic();
    if (hears.signal.aborted) throw new LokiError('interrupted', { attempted: 'scan', found: 'it was interrupted' });
  }
}

async function* unstaged(host: Host, { cwd, paths, largest, env }: ScanRequest, totals: Totals, hears: ScanHears): AsyncIterable<readonly Source[]> {
  const candidates = await candidatesOf(host, env, cwd, paths, totals);
  const total = candidates.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const candidate of candidates) {
    const source = readSource(host.disk, candidate, largest, totals.skipped);
    yield source === undefined ? [] : [source];
    done += candidate.size;
    hears.progress(done, total);
  }
}

async function* staged(host: Host, { cwd, paths, largest, env }: ScanRequest, totals: Totals, hears: ScanHears): AsyncIterable<readonly Source[]> {
  const { repository, top } = await stagingArea(host, env, cwd);
  const isWanted = (path: string): boolean => paths.length === 0 || paths.some((wanted) => path === wanted || path.startsWith(`${wanted === '/' ? '' : wanted}/`));
  for await (const sources of stagedSources(repository, top, isWanted, largest, totals.skipped)) {
    yield sources;
    hears.progress(totals.bytes, 0);
  }
}

/** All pieces of one file. */
export function lookThrough(sources: readonly Source[], request: Wanted & Pick<ScanRequest, 'baseline'>, totals: Totals): readonly Found[] {
  const [first] = sources;
  if (first === undefined) return [];
  totals.files += 1;
  const found: Found[] = [];
  for (const source of sources) {
    totals.bytes += source.text.length;
    for (const finding of findIn(source.text, request)) {
      if (found.length === mostInFile) {
        totals.crowded.push(source.path);
        return found;
      }
      if (isAllowed(source.text, finding)) totals.allowed += 1;
      else if (request.baseline?.has(source.path, finding.fingerprint) === true) totals.known += 1;
      else found.push(placed(source, finding));
    }
  }
  return found;
}

function placed({ path, line: firstLine, text }: Source, { rule, line, column, offset, length, confidence, fingerprint }: Finding): Found {
  const inside = text.slice(offset, offset + length).split('\n');
  const endColumn = inside.length === 1 ? column + length : (inside[inside.length - 1]?.length ?? 0) + 1;
  return { path, line: firstLine + line - 1, column, endLine: firstLine + line + inside.length - 2, endColumn, type: typeOf(rule), rule, confidence, fingerprint };
}
