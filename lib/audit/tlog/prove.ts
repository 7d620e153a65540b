/** Proof files of single entries (`.tlog-proof`): the entry's line, its place in the tree, and the checkpoint that covers it. */
import type { ReadFile } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { verifyInclusion } from '../../base/merkle/proof.ts';
import { leafHash, lostLeaf, sameHash } from '../../base/merkle/hash.ts';
import { formatTlogProof } from '../../base/merkle/tlog-proof.ts';
import { linesOf, pieces } from '../../journal/lines.ts';
import { seqOf } from '../chain.ts';
import { asBuffer } from '../tail.ts';
import type { ChainFiles } from './follow.ts';
import type { TreeReader } from './reader.ts';

/** A proof, and what it is about. */
export interface EntryProof {
  readonly seq: number;
  /** Entries that the checkpoint covers. */
  readonly size: number;
  /** The file's text. */
  readonly text: string;
  /** The entry; undefined where its file has been pruned. */
  readonly line: string | undefined;
}

/** The line with that number, without its line feed; undefined when it is not there (any more). */
export function lineOf(files: ChainFiles, seq: number): Buffer | undefined {
  const names = files.names();
  for (let at = names.length - 1; at >= 0; at -= 1) {
    const file = files.open(names[at] ?? '');
    if (file === undefined) continue;
    try {
      const beginning = asBuffer(file.read(0, 64));
      const first = seqOf(beginning, 0, beginning.length);
      if (first < 0 || first > seq) continue;
      const { size } = file.stat();
      for (const piece of pieces(file, placeBefore(file, size, seq), size)) {
        const bytes = asBuffer(piece.bytes);
        for (const [start, end] of piece.complete ? linesOf(bytes) : []) {
          const found = seqOf(bytes, start, end);
          if (found === seq) return Buffer.from(bytes.subarray(start, end));
          if (found > seq) return undefined;
        }
      }
      return undefined;
    } finally {
      file.close();
    }
  }
  return undefined;
}

/** Where a line begins that has that number or a smaller one, and not much smaller: numbers only grow. */
function placeBefore(file: ReadFile, size: number, seq: number): number {
  let [low, high] = [0, size];
  while (high - low > 4 * lookBytes) {
    const middle = Math.floor((low + high) / 2);
    const bytes = asBuffer(file.read(middle, lookBytes));
    const start = bytes.indexOf(10) + 1;
    const found = start === 0 ? -1 : seqOf(bytes, start, bytes.length);
    if (found < 0) return low;
    if (found <= seq) low = middle + start;
    else high = middle;
  }
  return low;
}

/** A line and the beginning of the next one fit. */
const lookBytes = 1 << 17;

/**
 * The proof of an entry under the newest checkpoint, or undefined when the tiles do not give one that holds: they are
 * damaged and must be repaired. Throws `not_found` for an entry that no checkpoint covers, `audit.tampered` when the line is
 * not the one that was covered.
 */
export function proveEntry(tree: TreeReader, files: ChainFiles, seq: number): EntryProof | undefined {
  const newest = tree.newest();
  const attempted = `prove entry ${seq}`;
  if (newest.kind === 'bad') throw new LokiError('audit.tampered', { attempted, found: `the newest checkpoint is not to be believed: ${newest.found}` });
  const size = newest.kind === 'none' ? 0 : newest.checkpoint.size;
  if (newest.kind === 'none' || seq > size || seq < 1) throw new LokiError('not_found', { attempted, found: size === 0 ? 'nothing has been recorded that a checkpoint covers' : `the newest checkpoint covers entries 1 to ${size}`, hint: 'See: loki enterprise audit tail' });
  const line = lineOf(files, seq);
  const proven = hashesOf(tree, seq, size);
  if (proven === undefined || !verifyInclusion({ ...proven, index: seq - 1, size, root: newest.checkpoint.root })) return undefined;
  if (line !== undefined && !sameHash(leafHash(line), proven.leafHash)) {
    throw new LokiError('audit.tampered', { attempted, found: 'the line with that number is another one than the one that was covered' });
  }
  if (line === undefined && sameHash(lostLeaf, proven.leafHash)) throw new LokiError('not_found', { attempted, found: 'it was lost before any checkpoint covered it' });
  const text = formatTlogProof({ index: seq - 1, hashes: proven.proof, extra: line, checkpoint: newest.note });
  return { seq, size, text, line: line?.toString('utf8') };
}

function hashesOf(tree: TreeReader, seq: number, size: number): { readonly leafHash: Uint8Array; readonly proof: readonly Uint8Array[] } | undefined {
  try {
    return { leafHash: tree.leafHash(seq - 1), proof: tree.inclusionProof(seq - 1, size) };
  } catch (error) {
    if (error instanceof LokiError && error.code === 'audit.incomplete') return undefined;
    throw error;
  }
}
