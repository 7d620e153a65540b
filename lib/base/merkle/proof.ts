/**
 * Proofs that a leaf is in a tree, and that one tree is the beginning of another (RFC 6962 sections 2.1.1 and 2.1.2, checked
 * as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say). Sizes go up to 2^53 - 1, so halves are taken by division: JavaScript's bit
 * operators end at 2^31. Checking answers yes or no and throws at nothing: a proof comes from whoever wants to be believed.
 */
import type { Subtree } from './subtree.ts';
import { isCount } from '../json.ts';
import { emptyRoot, hashBytes, nodeHash, sameHash } from './hash.ts';

/** Gives hashes of complete subtrees of one tree. */
export type SubtreeHash = (subtree: Subtree) => Uint8Array;

/** A proof is never longer: one hash a level, two levels more than 2^53 leaves have. */
export const longestProof = 63;

/** The hash over leaves `start` to `end`, where `start` is a multiple of the largest power of two below the range's length. */
function rangeHash(start: number, end: number, hashOf: SubtreeHash): Uint8Array {
  const length = end - start;
  const split = largestPowerBelow(length);
  if (split * 2 === length || length === 1) return hashOf({ level: Math.log2(length), index: start / length });
  return nodeHash(rangeHash(start, start + split, hashOf), rangeHash(start + split, end, hashOf));
}

/** The largest power of two smaller than `length`; 1 for 1. */
function largestPowerBelow(length: number): number {
  let power = 1;
  while (power * 2 < length) power *= 2;
  return power;
}

/** The root of the tree's first `size` leaves. */
export function rootOf(size: number, hashOf: SubtreeHash): Uint8Array {
  return size === 0 ? emptyRoot : rangeHash(0, size, hashOf);
}

/** The hashes beside the way from leaf `index` to the root of `size` leaves, the leaf's sibling first. Needs `index < size`. */
export function inclusionProof(index: number, size: number, hashOf: SubtreeHash): readonly Uint8Array[] {
  const beside: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      beside.unshift(rangeHash(middle, end, hashOf));
      end = middle;
    } else {
      beside.unshift(rangeHash(start, middle, hashOf));
      start = middle;
    }
  }
  return beside;
}

/** The hashes that show the tree of `size1` leaves to be the beginning of that of `size2`. Needs `0 < size1 <= size2`. */
export function consistencyProof(size1: number, size2: number, hashOf: SubtreeHash): readonly Uint8Array[] {
  const beside: Uint8Array[] = [];
  let [start, end] = [0, size2];
  while (size1 < end) {
    const middle = start + largestPowerBelow(end - start);
    if (size1 <= middle) {
      beside.unshift(rangeHash(middle, end, hashOf));
      end = middle;
    } else {
      beside.unshift(rangeHash(start, middle, hashOf));
      start = middle;
    }
  }
  // What is left is the old tree's own right edge; when it is the whole old tree, the verifier has its hash already.
  return start === 0 ? beside : [rangeHash(start, end, hashOf), ...beside];
}

/** What is said to be in a tree. */
export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Whether the proof shows that the leaf is the one at `index` of the tree with that size and root. */
export function verifyInclusion({ leafHash, index, size, proof, root }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !isProof(proof) || !isHash(leafHash) || !isHash(root)) return false;
  let [node, last, hash] = [index, size - 1, leafHash];
  for (const beside of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(beside, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else {
      hash = nodeHash(hash, beside);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

/** Two trees, one of which is said to be the beginning of the other. */
export interface ConsistencyClaim {
  readonly size1: number;
  readonly size2: number;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that the first tree is the beginning of the second. The empty tree is the beginning of every one,
 * which proves nothing: it is answered with no, unless both are the same.
 */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (!isCount(size1) || !isCount(size2) || size1 > size2 || !isProof(proof) || !isBytes(root1) || !isBytes(root2)) return false;
  if (size1 === size2) return proof.length === 0 && sameHash(root1, root2);
  if (size1 === 0 || proof.length === 0 || !isHash(root1) || !isHash(root2)) return false;
  const [first, ...rest] = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [size1 - 1, size2 - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [hash1, hash2] = [first, first];
  for (const beside of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [hash1, hash2] = [nodeHash(beside, hash1), nodeHash(beside, hash2)];
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else {
      hash2 = nodeHash(hash2, beside);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(hash1, root1) && sameHash(hash2, root2);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function isHash(value: unknown): value is Uint8Array {
  return isBytes(value) && value.length === hashBytes;
}

function isProof(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= longestProof && value.every(isHash);
}
