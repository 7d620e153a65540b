/**
 * Proof files (c2sp.org/tlog-proof@v1): all that is needed to see that one leaf is in a log whose key is known. Lines: the
 * format's name, `extra` with base64 (which nothing protects), `index`, the hashes of the inclusion proof, an empty line, and
 * the checkpoint.
 */
import { fromBase64, toBase64 } from './base64.ts';
import { openCheckpoint, parseCount, type Checkpoint } from './checkpoint.ts';
import { hashBytes } from './hash.ts';
import { longestNote, type NoteKey } from './note.ts';
import { longestProof, verifyInclusion } from './proof.ts';

const title = 'c2sp.org/tlog-proof@v1';
/** A proof, a leaf of 64 KiB in base64 and a checkpoint fit well. */
export const longestProofFile: number = longestNote + (1 << 18);

/** What a proof file holds, unchecked. */
export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** Whatever came along; nothing vouches for it. */
  readonly extra: Uint8Array | undefined;
  /** The signed note. */
  readonly checkpoint: string;
}

export function formatTlogProof({ index, hashes, extra, checkpoint }: TlogProof): string {
  const more = extra === undefined ? [] : [`extra ${toBase64(extra)}`];
  return [title, ...more, `index ${index}`, ...hashes.map(toBase64), '', checkpoint].join('\n');
}

/** Reads a proof file; undefined when it is none. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const split = text.indexOf('\n\n');
  if (split < 0 || text.length > longestProofFile) return undefined;
  const lines = text.slice(0, split).split('\n');
  if (lines.shift() !== title) return undefined;
  const hasExtra = lines[0]?.startsWith('extra ') === true;
  const extra = hasExtra ? fromBase64((lines.shift() ?? '').slice('extra '.length)) : undefined;
  const index = parseCount(/^index (.*)$/.exec(lines.shift() ?? '')?.[1] ?? '');
  if (index === undefined || (hasExtra && extra === undefined) || lines.length > longestProof) return undefined;
  const hashes = lines.map(fromBase64).filter((hash) => hash?.length === hashBytes).filter((hash) => hash !== undefined);
  return hashes.length === lines.length ? { index, hashes, extra, checkpoint: text.slice(split + 2) } : undefined;
}

/** What a proof shows: that the leaf is the one at `index` of this tree. */
export type CheckedProof =
  | { readonly ok: true; readonly index: number; readonly checkpoint: Checkpoint; readonly signedBy: readonly string[] }
  | { readonly ok: false; readonly found: string };

/** Checks that the leaf with this hash is in the tree of the proof's checkpoint, and that a known key signed that. */
export function checkTlogProof(proof: TlogProof, leaf: Uint8Array, keys: readonly NoteKey[]): CheckedProof {
  const opened = openCheckpoint(proof.checkpoint, keys);
  if (!opened.ok) return { ok: false, found: `its checkpoint is not to be believed: ${opened.found}` };
  const { checkpoint, signedBy } = opened;
  const { size, root } = checkpoint;
  if (!verifyInclusion({ leafHash: leaf, index: proof.index, size, proof: proof.hashes, root })) {
    return { ok: false, found: `the entry is not at index ${proof.index} of the tree of ${size} entries that the checkpoint speaks of` };
  }
  return { ok: true, index: proof.index, checkpoint, signedBy };
}
