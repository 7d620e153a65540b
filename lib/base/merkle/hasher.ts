/** The hashes of `hash.ts`, much faster: for whole logs, in memory that is used again. */
import { sha256Latin1 } from '../digest.ts';
import { hashBytes } from './hash.ts';

const scratch: Buffer = Buffer.alloc(1 + 2 * hashBytes, 1);

/** As `nodeHash`: of hashes that lie within larger memory, into such; all may be the same. */
export function nodeHashInto(out: Buffer, at: number, left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number): void {
  for (let n = 0; n < hashBytes; n += 1) {
    scratch[1 + n] = left[leftAt + n] ?? 0;
    scratch[1 + hashBytes + n] = right[rightAt + n] ?? 0;
  }
  put(out, at, sha256Latin1(scratch));
}

/** Half the time that `Buffer.write` takes for so few bytes. */
function put(out: Buffer, at: number, hash: string): void {
  for (let n = 0; n < hashBytes; n += 1) out[at + n] = hash.charCodeAt(n);
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
      put(out, at, sha256Latin1(view));
    },
  };
}
