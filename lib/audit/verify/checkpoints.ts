/**
 * Holds a chain against what was signed of it. A checkpoint of size S is proved by the line of entry S: that it is the last
 * leaf of a tree with the signed root. The line carries the hash of all lines before it, so these are proved with it, and
 * nothing has to be hashed again. Only where the tree's stored hashes do not give that proof is the root made anew, from the
 * lines: then it shows whether the hashes are damaged or the lines are others than were signed.
 */
import type { Timers } from '../../ports.ts';
import { toBase64 } from '../../base/merkle/base64.ts';
import { openCheckpoint, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import { emptyRoot, leafHash, sameHash } from '../../base/merkle/hash.ts';
import type { NoteKey } from '../../base/merkle/note.ts';
import { verifyConsistency, verifyInclusion } from '../../base/merkle/proof.ts';
import type { TreeReader } from '../tlog/reader.ts';
import type { BreakCause, ChainBreak } from './causes.ts';
import type { CheckpointReport } from './report.ts';
import { lineAt, rootOfLines, type FoundLine, type LinePlace } from './lines.ts';

/** A checkpoint that the log's own entries tell of. */
export interface RecordedCheckpoint {
  readonly size: number;
  readonly root: string;
  /** Time of the entry, milliseconds since the epoch. */
  readonly time: number;
}

/** What was signed of a chain, read before its files' sizes were taken: so the lines can never be behind it. */
export interface Signed {
  /** `tlog/checkpoint`, as it stands. */
  readonly newest: Uint8Array | undefined;
  readonly recorded: RecordedCheckpoint | undefined;
}

/** A chain's tree, and who may sign for it. */
export interface TreeSide {
  /** Names what `newest` was read from. */
  readonly path: string;
  /** Undefined where only the lines are at hand: then roots are made from them. */
  readonly reader: TreeReader | undefined;
  readonly keys: readonly NoteKey[];
  /** Signed notes from elsewhere, by the name of the file they came in. */
  readonly against: readonly { readonly from: string; readonly note: string }[];
  /** The newest one that was carried to a second place. */
  readonly copied?: { readonly from: string; readonly note: string };
  look(): Signed;
  /** When checkpoints are made here; undefined where nobody makes any. */
  readonly expected?: { readonly every: number; readonly intervalMs: number; readonly now: number };
}

/** The chain as it was walked. */
export interface Lines extends LinePlace {
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** Whether the walk found the lines changed already: then nothing is hashed again. */
  readonly isTampered: boolean;
  /** Whether the system refused to read some of them. */
  readonly isPartial: boolean;
  /** Whether some carry no chain hash: then the lines after them do not vouch for them, and all are hashed again. */
  readonly hasUnchained: boolean;
  readonly timers: Timers;
}

export interface CheckpointFindings {
  readonly checkpoint: CheckpointReport | null;
  readonly against: readonly CheckpointReport[];
  readonly breaks: readonly ChainBreak[];
  readonly notes: readonly string[];
}

interface Finding {
  readonly cause: BreakCause;
  readonly found: string;
  readonly at?: FoundLine;
}

/** What proving one checkpoint came to; `finding` is undefined when it holds. */
interface Proved {
  readonly report: CheckpointReport;
  readonly finding: Finding | undefined;
}

export async function checkCheckpoints(lines: Lines, side: TreeSide, signed: Signed): Promise<CheckpointFindings> {
  // Without a checkpoint beside them, stored hashes are nobody's word.
  const tree = signed.newest === undefined ? { ...side, reader: undefined } : side;
  const breaks: ChainBreak[] = [];
  const tell = (finding: Finding | undefined): void => { if (finding !== undefined) breaks.push(breakAt(lines, finding)); };
  const newest = await newestOf(lines, tree, signed);
  tell(newest?.finding);
  if (signed.recorded !== undefined && newest?.finding === undefined) tell(await recordedHolds(lines, tree, signed.recorded, newest?.report));
  const against: CheckpointReport[] = [];
  for (const { from, note } of tree.against) {
    const { report, finding } = await proveNote(lines, tree, from, note, newest?.report);
    if (report !== undefined) against.push(report);
    tell(finding);
  }
  const copied = tree.copied === undefined ? undefined : await proveNote(lines, tree, tree.copied.from, tree.copied.note, newest?.report);
  tell(copied?.finding);
  const notes = copied?.report?.verified === true ? [`so does the one over ${copied.report.size} that was copied to ${copied.report.from}`] : [];
  return { checkpoint: newest?.report ?? null, against, breaks, notes };
}

async function newestOf(lines: Lines, tree: TreeSide, { newest }: Signed): Promise<{ readonly report?: CheckpointReport; readonly finding: Finding | undefined } | undefined> {
  if (newest === undefined) return undefined;
  if (tree.keys.length === 0) return { finding: { cause: 'missing checkpoint', found: `the public key that "${tree.path}" is checked with is not here (keys/checkpoint.vkey): give it with --vkey` } };
  return proveNote(lines, tree, tree.path, newest, undefined);
}

async function proveNote(lines: Lines, tree: TreeSide, from: string, note: string | Uint8Array, newest: CheckpointReport | undefined): Promise<{ readonly report?: CheckpointReport; readonly finding: Finding | undefined }> {
  const opened = openCheckpoint(note, tree.keys);
  const help = from === tree.path ? '. If keys were lost, put its public line back into keys/checkpoint.vkey: the log\'s first audit.checkpoint entry has it' : '';
  if (!opened.ok) return { finding: opened.why === 'unknown key' ? { cause: 'wrong key', found: `the checkpoint in "${from}": ${opened.found}${help}` } : { cause: 'seal differs', found: `the checkpoint in "${from}": ${opened.found}` } };
  return prove(lines, tree, { from, checkpoint: opened.checkpoint, key: opened.signedBy[0] ?? null }, newest);
}

interface Claim {
  readonly from: string;
  readonly checkpoint: Checkpoint;
  readonly key: string | null;
}

async function prove(lines: Lines, tree: TreeSide, claim: Claim, newest: CheckpointReport | undefined): Promise<Proved> {
  const finding = await findingOf(lines, tree, claim, newest);
  const { origin, size, root } = claim.checkpoint;
  return { finding, report: { from: claim.from, origin, size, root: toBase64(root), key: claim.key, verified: finding === undefined && !lines.isTampered } };
}

async function findingOf(lines: Lines, tree: TreeSide, { from, checkpoint }: Claim, newest: CheckpointReport | undefined): Promise<Finding | undefined> {
  const { size, root } = checkpoint;
  const { firstSeq, lastSeq } = lines;
  if (size === 0) return sameHash(root, emptyRoot) ? undefined : { cause: 'rewritten', found: `the checkpoint in "${from}" is over no entries, and has the root of some` };
  if (firstSeq === null || lastSeq === null) return { cause: 'oldest entries missing', found: `the checkpoint in "${from}" was signed over ${size} entries, and none of them is there` };
  if (lines.isPartial && (lastSeq < size || lines.hasUnchained || !hasLine(lines, size))) return { cause: 'unreadable file', found: `the checkpoint in "${from}" cannot be checked: the system refuses to read entries that it was signed over` };
  if (lastSeq < size) return { cause: 'truncated', found: `the checkpoint in "${from}" was signed over ${size} entries, and the log ends at seq ${lastSeq}` };
  if (size < firstSeq) return beforeFirst(tree, checkpoint, from, newest);
  const line = lineAt(lines, size);
  if (line === undefined) return lines.isTampered ? undefined : { cause: 'truncated', found: `the checkpoint in "${from}" speaks of seq ${size}, which is not there` };
  const isProven = tree.reader !== undefined && isLast(tree.reader, leafHash(line.bytes), checkpoint);
  if (isProven && !lines.hasUnchained) return undefined;
  const rewritten: Finding = { cause: 'rewritten', found: `the lines up to seq ${size}${firstSeq === 1 ? '' : ', after the stored hashes of the pruned ones,'} are not those that the checkpoint in "${from}" was signed over`, at: line };
  if (lines.isTampered) return !isProven && tree.reader?.agrees(checkpoint) === true ? rewritten : undefined;
  const anew = lines.isPartial ? undefined : await rootAnew(lines, tree.reader, size, firstSeq);
  if (anew !== undefined && sameHash(anew, root)) return isProven || tree.reader === undefined ? undefined : { cause: 'damaged tiles', found: `the stored hashes do not prove the checkpoint in "${from}"; the lines do. Make them anew: loki audit checkpoint` };
  if (anew !== undefined || (firstSeq === 1 && !lines.isPartial)) return rewritten;
  return { cause: 'damaged tiles', found: `the stored hashes of the pruned entries are gone or damaged: the checkpoint in "${from}" cannot be proved` };
}

/** Whether a file that could be read holds the entry, or it lies before all of them. */
function hasLine({ files, firstSeq }: Lines, seq: number): boolean {
  return (firstSeq ?? 0) > seq || files.some((file) => file.firstSeq <= seq && seq <= file.lastSeq);
}

/** Whether the leaf is the last one of the checkpoint's tree. */
function isLast(reader: TreeReader, leaf: Uint8Array, { size, root }: Checkpoint): boolean {
  try {
    return verifyInclusion({ leafHash: leaf, index: size - 1, size, proof: reader.inclusionProof(size - 1, size), root });
  } catch {
    return false;
  }
}

async function rootAnew(lines: Lines, reader: TreeReader | undefined, size: number, firstSeq: number): Promise<Uint8Array | undefined> {
  try {
    return reader === undefined && firstSeq > 1 ? undefined : await rootOfLines(lines, size, firstSeq, (index) => reader?.leafHash(index) ?? emptyRoot, lines.timers);
  } catch {
    return undefined;
  }
}

/** Its last line was pruned: it must be the beginning of the tree that the newest checkpoint speaks of. */
function beforeFirst({ reader }: TreeSide, { size, root }: Checkpoint, from: string, newest: CheckpointReport | undefined): Finding | undefined {
  const unproved: Finding = { cause: 'damaged tiles', found: `the entries that the checkpoint in "${from}" was signed over are gone, and the stored hashes do not prove it` };
  if (reader === undefined || newest === undefined || !newest.verified || newest.size < size) return unproved;
  const newestRoot = Buffer.from(newest.root, 'base64');
  try {
    if (verifyConsistency({ size1: size, size2: newest.size, root1: root, root2: newestRoot, proof: reader.consistencyProof(size, newest.size) })) return undefined;
    const isWhole = sameHash(reader.rootAt(newest.size), newestRoot);
    return isWhole ? { cause: 'rewritten', found: `the first ${size} entries were others when the checkpoint in "${from}" was signed` } : unproved;
  } catch {
    return unproved;
  }
}

/** The log tells of a checkpoint: one at least as new must lie there, and what the entry says of it must be so. */
async function recordedHolds(lines: Lines, tree: TreeSide, recorded: RecordedCheckpoint, newest: CheckpointReport | undefined): Promise<Finding | undefined> {
  const { size } = recorded;
  if (newest === undefined || newest.size < size) {
    return { cause: 'missing checkpoint', found: `the log tells of a checkpoint over ${size} entries; ${newest === undefined ? 'there is none' : `the one there covers ${newest.size}`}` };
  }
  const root = Buffer.from(recorded.root, 'base64');
  if (lines.isTampered || size === 0 || (size === newest.size && recorded.root === newest.root)) return undefined;
  return findingOf(lines, tree, { from: 'the log\'s newest audit.checkpoint', checkpoint: { origin: newest.origin, size, root: new Uint8Array(root) }, key: null }, newest);
}

function breakAt({ files }: Lines, { cause, found, at }: Finding): ChainBreak {
  const last = files.at(-1);
  const file = at?.file ?? last?.name ?? '';
  const end = { line: last === undefined ? 0 : last.entries, seq: null, offset: last?.size ?? 0 };
  return { file, ...(at === undefined ? end : { line: at.line, seq: at.seq, offset: at.offset }), cause, found };
}
