/**
 * The hashes of a Merkle tree as RFC 6962 section 2.1 defines them (RFC 9162 keeps them): a leaf and an inner node begin
 * with different bytes, so that one can never stand for the other.
 */
import { sha256 } from '../digest.ts';

/** Bytes of a hash. */
export const hashBytes = 32;

/** The root of the tree without leaves. */
export const emptyRoot: Uint8Array = sha256('');

const nodePrefix = Uint8Array.of(1);

/** The hash of a leaf's data: SHA-256 of 0x00 and the data. */
export function leafHash(data: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + data.length);
  prefixed.set(data, 1);
  return sha256(prefixed);
}

/** The leaf hash of nothing. A line of the log is never empty: in its tree this stands for one that was lost before it was covered. */
export const lostLeaf: Uint8Array = leafHash(new Uint8Array(0));

/** The hash of an inner node: SHA-256 of 0x01 and the hashes below it. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

/** Whether two hashes are the same. Hashes of public data: no secret hangs on the time this takes. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
