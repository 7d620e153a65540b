/**
 * The hashes of a Merkle tree as RFC 6962 section 2.1 defines them (RFC 9162 keeps them): a leaf and an inner node begin
 * with different bytes, so that one can never stand for the other.
 */
import { sha256, sha256Latin1 } from '../digest.ts';

/** Bytes of a hash. */
export const hashBytes = 32;

/** The root of the tree without leaves. */
export const emptyRoot: Uint8Array = sha256('');

const nodePrefix = Uint8Array.of(1);
const scratch = Buffer.alloc(1 + 2 * hashBytes, 1);

/** The hash of a leaf's data: SHA-256 of 0x00 and the data. */
export function leafHash(data: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + data.length);
  prefixed.set(data, 1);
  return sha256(prefixed);
}

/** The hash of an inner node: SHA-256 of 0x01 and the hashes below it. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

/** As `nodeHash`, much faster: of hashes that lie within larger memory, into such; all may be the same. */
export function nodeHashInto(out: Buffer, at: number, left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number): void {
  for (let n = 0; n < hashBytes; n += 1) {
    scratch[1 + n] = left[leftAt + n] ?? 0;
    scratch[1 + hashBytes + n] = right[rightAt + n] ?? 0;
  }
  out.write(sha256Latin1(scratch), at, hashBytes, 'latin1');
}

/** Hashes many leaves; owns the scratch memory that takes. */
export interface LeafHasher {
  /** The leaf hash of `bytes[start, end)` into `out` at `at`. */
  hash(out: Buffer, at: number, bytes: Buffer, start: number, end: number): void;
}

export function createLeafHasher(): LeafHasher {
  let memory = Buffer.alloc(1 << 12);
  /** By length: making a view for each leaf costs more than it should. */
  let views: (Uint8Array | undefined)[] = [];
  return {
    hash(out, at, bytes, start, end) {
      const length = 1 + end - start;
      if (length > memory.length) [memory, views] = [Buffer.alloc(length * 2), []];
      bytes.copy(memory, 1, start, end);
      const view = views[length] ??= memory.subarray(0, length);
      out.write(sha256Latin1(view), at, hashBytes, 'latin1');
    },
  };
}

/** Whether two hashes are the same. Hashes of public data: no secret hangs on the time this takes. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
