/** Reads a chain's tree: its newest checkpoint, checked, and proofs about it. Writes nothing and takes no lock. */
import type { NoteKey } from '../../base/merkle/note.ts';
import { openCheckpoint, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import { consistencyProof, inclusionProof, rootOf, type SubtreeHash } from '../../base/merkle/proof.ts';
import { sameHash } from '../../base/merkle/hash.ts';
import { join } from '../../base/paths.ts';
import { keysOf, readKnownKeys, type ChainName } from './key.ts';
import { TileReader, type TilePlace } from './tiles.ts';

/** The newest checkpoint of a chain. */
export type NewestCheckpoint =
  | { readonly kind: 'none' }
  /** `note` is the signed note as it stands; `checkpoint` what it says. */
  | { readonly kind: 'good'; readonly note: string; readonly checkpoint: Checkpoint; readonly signedBy: readonly string[] }
  | { readonly kind: 'bad'; readonly found: string };

/** Where a tree lies, and the keys it is checked with. */
export interface TreePlace extends TilePlace {
  readonly keys: readonly NoteKey[];
}

export interface TreeReader {
  newest(): NewestCheckpoint;
  /** Throws `audit.incomplete` when the tiles do not reach so far. */
  hashOf: SubtreeHash;
  /** The root over the first `size` leaves, from the tiles. Throws `audit.incomplete` when the tiles do not reach so far. */
  rootAt(size: number): Uint8Array;
  /** The leaf hash of entry `index + 1`. */
  leafHash(index: number): Uint8Array;
  /** Needs `index < size`. */
  inclusionProof(index: number, size: number): readonly Uint8Array[];
  /** Needs `0 < size1 <= size2`. */
  consistencyProof(size1: number, size2: number): readonly Uint8Array[];
  /** Whether the tiles give a checkpoint's root; false also when they are not there. */
  agrees(checkpoint: Checkpoint): boolean;
  close(): void;
}

/** A note is short; a file that is not cannot be one. */
export const largestCheckpoint: number = 1 << 16;

/** Where the tree of a chain lies below LOKI_HOME/dashboard/tlog. */
export function treeDirectory(tlog: string, chain: ChainName): string {
  return chain === 'record' ? tlog : join(tlog, 'agents', chain.slice('agent:'.length));
}

/** Opens the tree of a chain with the keys that were ever used here. */
export function openTreeOf(chain: ChainName, place: Omit<TilePlace, 'directory'> & { readonly tlog: string; readonly keysDirectory: string }): TreeReader {
  const { disk, base, tlog, keysDirectory } = place;
  const keys = keysOf(readKnownKeys({ disk, base, directory: keysDirectory }), chain);
  return openTreeReader({ disk, base, directory: treeDirectory(tlog, chain), keys });
}

export function openTreeReader(place: TreePlace): TreeReader {
  const tiles = new TileReader(place);
  const hashOf = tiles.hashOf.bind(tiles);
  const rootAt = (size: number): Uint8Array => rootOf(size, hashOf);
  return {
    newest: () => newestCheckpoint(place),
    hashOf,
    rootAt,
    leafHash: (index) => hashOf({ level: 0, index }),
    inclusionProof: (index, size) => inclusionProof(index, size, hashOf),
    consistencyProof: (size1, size2) => consistencyProof(size1, size2, hashOf),
    agrees({ size, root }) {
      try {
        return sameHash(rootAt(size), root);
      } catch {
        return false;
      }
    },
    close: () => tiles.close(),
  };
}

/** The checkpoint file, checked against the keys. */
export function newestCheckpoint({ disk, base, directory, keys }: TreePlace): NewestCheckpoint {
  const bytes = disk.readRecord(base, join(directory, 'checkpoint'), largestCheckpoint);
  if (bytes === undefined) return { kind: 'none' };
  const opened = openCheckpoint(bytes, keys);
  return opened.ok ? { kind: 'good', note: opened.note, checkpoint: opened.checkpoint, signedBy: opened.signedBy } : { kind: 'bad', found: opened.found };
}
