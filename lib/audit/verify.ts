/**
 * Checks a chain: its lines against each other, from their raw bytes, without parsing any on the good path; and against what
 * was signed of it. Says what is wrong, where (file, line, seq, byte offset) and in which way. What a chain without checkpoints
 * cannot show, and this does not claim to: a whole rewrite, or entries cut off at the very end.
 */
import { verdictOf, worst, mostBreaks, type BreakCause, type ChainBreak } from './verify/causes.ts';
import { checkSeals, compareTwin, twinsIn, type SealOf } from './verify/beside.ts';
import { checkCheckpoints, type CheckpointFindings, type Lines, type Signed, type TreeSide } from './verify/checkpoints.ts';
import { checkUnsealed } from './verify/unsealed.ts';
import { walkFiles, type ChainSource, type SeenFile, type Walked, type WalkOptions } from './verify/walk-files.ts';
import { acceptanceOf, isCovered, type Acceptance } from './verify/accepted.ts';
import { lineAt } from './verify/lines.ts';
import { openCheckpoint } from '../base/merkle/checkpoint.ts';
import type { ChainReport } from './verify/report.ts';
import type { Hit } from './query.ts';
import type { PruneStatement } from './keeping/statement.ts';

export interface VerifyOptions extends WalkOptions {
  /** What was signed of the chain. Without it, nothing can be said of its end or of a whole rewrite. */
  readonly tree?: TreeSide;
  /** The signed statement by which the chain may begin at this number, after this hash. */
  readonly pruned?: (firstSeq: number, previousHash: string) => PruneStatement | undefined;
  readonly sealOf?: SealOf;
  /** The log's `audit.recovery` entries after a number, where losses of this chain may have been accepted. */
  readonly recoveries?: (after: number) => Iterable<Hit | undefined>;
  /** Compares digests of whole files too. */
  readonly full?: boolean;
  /** Hears of each file as it was found, when all is well. */
  readonly onGood?: (files: readonly SeenFile[]) => void;
}

/** A file may be put aside, compressed or pruned while the others are read: then all is looked at again, at most so often. */
const mostTries = 3;

/** Verifies one chain. Lets other work go on between pieces. */
export async function verifyChain(source: ChainSource, options: VerifyOptions): Promise<ChainReport> {
  for (let round = 1; ; round += 1) {
    const names = round === 1 ? source.names : listAgain(source);
    const { report, walked } = await verifyOnce({ ...source, names }, options);
    const isMoving = walked.vanished || listAgain(source).join('/') !== names.join('/');
    if (report.verdict !== 'ok' && isMoving && round < mostTries) continue;
    if (report.verdict === 'ok') options.onGood?.(walked.files);
    return report;
  }
}

function listAgain({ names, list }: ChainSource): readonly string[] {
  return list === undefined ? names : list();
}

async function verifyOnce(source: ChainSource, options: VerifyOptions): Promise<{ readonly report: ChainReport; readonly walked: Walked }> {
  const signed = options.tree?.look();
  const acceptance = acceptanceIn(options, signed);
  const walked = await walkFiles(source, { ...options, accepts: acceptance.accepts });
  const { walk } = walked;
  const begin = beginning(walked, options, acceptance.accepts);
  acceptance.check(linesOf(source, walked, options), walk);
  if (begin.missing !== undefined) walk.add(begin.missing);
  const beside = await checkBeside(source, walked, options);
  beside.breaks.forEach((found) => walk.add(found));
  const lines = linesOf(source, walked, options);
  let [found, unsealed]: [CheckpointFindings, number | null] = [{ checkpoint: null, against: [], breaks: [], notes: [] }, null];
  if (options.tree !== undefined && signed !== undefined) {
    found = await checkCheckpoints(lines, options.tree, signed);
    const after = await checkUnsealed(lines, options.tree, signed, found);
    [...found.breaks, ...after.breaks].forEach((each) => walk.add(each));
    unsealed = after.unsealed;
    if (walk.entries === 0 && found.checkpoint === null && (signed.recorded?.size ?? 0) > 0) walk.add(allGone(source, signed.recorded?.size ?? 0));
  }
  return { walked, report: reportOf(source, walked, { ...found, unsealed, pruned: begin.pruned, notes: [...found.notes, ...beside.notes] }) };
}

interface Accepting {
  readonly accepts: Acceptance;
  /** Lines before a loss are not in the hash of those after it: the signed tree must hold the last of them. */
  check(lines: Lines, walk: Walked['walk']): void;
}

/** What may be missing, by the newest checkpoint here and what the log tells. */
function acceptanceIn({ tree, recoveries }: VerifyOptions, signed: Signed | undefined): Accepting {
  const opened = tree === undefined || signed?.newest === undefined ? undefined : openCheckpoint(signed.newest, tree.keys);
  const reader = tree?.reader;
  if (reader === undefined || opened?.ok !== true || recoveries === undefined) return { accepts: () => undefined, check: () => undefined };
  const { checkpoint } = opened;
  return {
    accepts: acceptanceOf('record', reader, checkpoint, recoveries),
    check(lines, walk) {
      for (const { from } of walk.accepted) {
        const line = lineAt(lines, from - 1);
        if (line !== undefined && isCovered(reader, checkpoint, from - 1, line.bytes)) continue;
        walk.add({ file: line?.file ?? '', line: line?.line ?? 0, seq: from - 1, offset: line?.offset ?? 0, cause: 'rewritten', found: `the lines up to seq ${from - 1} are not those that the newest checkpoint was signed over` });
      }
    },
  };
}

interface Beginning {
  readonly pruned: ChainReport['pruned'];
  readonly missing?: ChainBreak;
}

/** A chain may begin later than at seq 1, and then somebody should have signed for that. */
function beginning({ walk, files }: Walked, { pruned }: VerifyOptions, accepts: Acceptance): Beginning {
  const first = walk.firstSeq ?? 1;
  if (first <= 1 || walk.finish().some(({ file, line, cause }) => line <= 1 && cause !== 'no integrity' && file === files[0]?.name)) return { pruned: null };
  const statement = pruned?.(first, walk.beginsAfter);
  const missing = (found: string): ChainBreak => ({ file: files[0]?.name ?? '', line: 1, seq: first, offset: 0, cause: 'oldest entries missing', found });
  const loss = statement === undefined ? accepts(1, first - 1) : undefined;
  if (loss !== undefined) return { pruned: null, missing: missing(`entries ${loss.from} to ${loss.to} are missing; accepted by ${loss.by} on ${loss.time}`) };
  if (statement === undefined) return { pruned: null, missing: missing(`the log begins at seq ${first}${pruned === undefined ? '' : ', and no signed statement says why'}`) };
  const gone = { pruned: { first_seq: statement.first_seq, last_seq: first - 1, time: statement.time } };
  // What was gone when pruning began, pruning does not account for.
  return statement.first_seq === 1 ? gone : { ...gone, missing: missing(`the log began at seq ${statement.first_seq} when it was first pruned, and no signed statement says why`) };
}

function allGone({ directory, names }: ChainSource, size: number): ChainBreak {
  return { file: names[0] ?? directory, line: 0, seq: null, offset: 0, cause: 'oldest entries missing', found: `a checkpoint was made over ${size} entries, and none of them is there` };
}

async function checkBeside({ directory, names }: ChainSource, { files }: Walked, options: VerifyOptions): Promise<{ readonly breaks: readonly ChainBreak[]; readonly notes: readonly string[] }> {
  const { disk, timers, sealOf, full = false } = options;
  const [breaks, notes]: [ChainBreak[], string[]] = [[], []];
  for (const name of twinsIn(disk, directory, names)) {
    const twin = await compareTwin(disk, directory, name, timers);
    if (twin === 'same') notes.push(`${name} is there compressed as well, with the same content: compressing it was interrupted`);
    else breaks.push(twin);
  }
  const good = files.map(({ summary }) => summary).filter((summary) => summary !== undefined);
  if (sealOf !== undefined) breaks.push(...await checkSeals({ disk, directory, timers }, good, sealOf, full));
  return { breaks, notes };
}

function linesOf({ directory }: ChainSource, { walk, files }: Walked, { disk, timers }: VerifyOptions): Lines {
  const has = (cause: BreakCause): boolean => walk.finish().some((each) => each.cause === cause);
  return {
    disk, directory, timers, firstSeq: walk.firstSeq, lastSeq: walk.lastSeq, files: files.map(({ summary }) => summary).filter((summary) => summary !== undefined),
    isTampered: walk.finish().some(({ cause }) => verdictOf[cause] === 'tampered'), isPartial: has('unreadable file'), hasUnchained: has('no integrity'),
  };
}

function reportOf(source: ChainSource, { walk, bytes, known }: Walked, more: Pick<ChainReport, 'unsealed' | 'pruned' | 'checkpoint' | 'against' | 'notes'>): ChainReport {
  const breaks = walk.finish();
  const verdict = worst(breaks.map(({ cause }) => verdictOf[cause]));
  const { checkpoint, against, unsealed, pruned, notes } = more;
  return {
    chain: source.chain, verdict, valid: verdict === 'ok', entries_checked: walk.entries, bytes_checked: bytes, entries_known: known,
    directory: source.directory, files: source.names, first_seq: walk.firstSeq, last_seq: walk.lastSeq, last_hash: walk.entries === 0 ? null : walk.hash,
    unsealed, pruned, checkpoint, against, breaks: breaks.slice(0, mostBreaks), notes,
  };
}

export { worst, verdictOf, type BreakCause, type ChainBreak, type Verdict } from './verify/causes.ts';
export type { RecordedCheckpoint, TreeSide } from './verify/checkpoints.ts';
export type { ChainReport, CheckpointReport } from './verify/report.ts';
export type { ChainSource, FilePool, SeenFile } from './verify/walk-files.ts';
