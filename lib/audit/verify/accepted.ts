/**
 * Losses that somebody accepted in their name. Three things must agree before one is believed: an `audit.recovery` entry of
 * the log names exactly these numbers; the newest signed tree covers that entry; and in that tree each of these numbers holds
 * the leaf that stands for a lost entry. So what a checkpoint had covered before can never be called lost afterwards.
 */
import { isCount, isPlainObject } from '../../base/json.ts';
import type { Checkpoint } from '../../base/merkle/checkpoint.ts';
import { leafHash, lostLeaf, nodeHash, sameHash } from '../../base/merkle/hash.ts';
import { rootOf, verifyInclusion } from '../../base/merkle/proof.ts';
import type { Subtree } from '../../base/merkle/subtree.ts';
import type { Hit } from '../query.ts';
import type { TreeReader } from '../tlog/reader.ts';

/** Entries that are gone, by their numbers, and who accepted that, when (ISO 8601). */
export interface AcceptedLoss {
  readonly from: number;
  readonly to: number;
  readonly by: string;
  readonly time: string;
}

/** Whether exactly these numbers were accepted as lost. */
export type Acceptance = (from: number, to: number) => AcceptedLoss | undefined;

/** `told`: the log's `audit.recovery` entries after this number. */
export function acceptanceOf(chain: string, reader: TreeReader, checkpoint: Checkpoint, told: (after: number) => Iterable<Hit | undefined>): Acceptance {
  return (from, to) => {
    try {
      if (from > to || to > checkpoint.size || !areLost(reader, checkpoint, from, to)) return undefined;
      for (const hit of told(to)) {
        if (hit === undefined || !names(hit, chain, from, to) || !isCovered(reader, checkpoint, hit.entry.seq, hit.line)) continue;
        return { from, to, by: String(hit.entry.actor), time: String(hit.entry.timestamp) };
      }
    } catch {
      // Stored hashes that are damaged prove nothing.
    }
    return undefined;
  };
}

/** Whether a line is the entry `seq` of the checkpoint's tree. */
export function isCovered(reader: TreeReader, { size, root }: Checkpoint, seq: number, line: Uint8Array): boolean {
  if (seq < 1 || seq > size) return false;
  try {
    return verifyInclusion({ leafHash: leafHash(line), index: seq - 1, size, proof: reader.inclusionProof(seq - 1, size), root });
  } catch {
    return false;
  }
}

function names({ entry: { details } }: Hit, chain: string, from: number, to: number): boolean {
  if (!isPlainObject(details) || details['reason'] !== 'accept loss' || details['chain'] !== chain || !Array.isArray(details['lost'])) return false;
  return details['lost'].some((each: unknown) => isPlainObject(each) && isCount(each['first_seq']) && each['first_seq'] === from && each['last_seq'] === to);
}

/** The root with the lost leaf put in at all these places is the one that was signed: then each of them holds it. */
function areLost(reader: TreeReader, { size, root }: Checkpoint, from: number, to: number): boolean {
  const [first, end] = [from - 1, to];
  // By level: the hash over so many lost leaves.
  const lost: Uint8Array[] = [lostLeaf];
  for (let below = lostLeaf; 2 ** lost.length <= end; lost.push(below)) below = nodeHash(below, below);
  const hashOf = ({ level, index }: Subtree): Uint8Array => {
    const [start, stop] = [index * 2 ** level, (index + 1) * 2 ** level];
    if (stop <= first || start >= end) return reader.hashOf({ level, index });
    if (start >= first && stop <= end) return lost[level] ?? reader.hashOf({ level, index });
    return nodeHash(hashOf({ level: level - 1, index: 2 * index }), hashOf({ level: level - 1, index: 2 * index + 1 }));
  };
  return sameHash(rootOf(size, hashOf), root);
}
