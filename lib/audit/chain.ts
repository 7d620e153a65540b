/**
 * The hash chain over lines (contract section 4). A line ends in `,"chain_hash":"<64 hex>"}`; the hash is SHA-256 over the
 * previous line's hash, as its 64 characters, and the line without that member. Because the member stands last, a verifier
 * slices bytes and never parses or re-serialises JSON.
 */
import { sha256Hex } from '../base/digest.ts';

/** What the first entry of a chain hashes against. */
export const genesisHash: string = '0'.repeat(64);

/** A line with its line feed has at most so many bytes, so that it fits a tile of a transparency log (C2SP tlog-tiles). */
export const longestLine: number = 65_536;

const opening = ',"chain_hash":"';
const closing = '"}';
/** Characters of a hash. */
export const hashLength = 64;
/** Bytes of `,"chain_hash":"<64>"}`. */
export const sealLength: number = opening.length + hashLength + closing.length;

const closingBrace = 0x7d;
const quote = 0x22;

/** Where a chain stands after a line. */
export interface ChainTail {
  readonly seq: number;
  readonly hash: string;
  /** Milliseconds since the epoch of the newest entry. */
  readonly time: number;
}

/** A chain without entries. */
export const emptyTail: ChainTail = { seq: 0, hash: genesisHash, time: 0 };

/** The line for an entry's JSON (an object with at least one member), and its hash. */
export function sealLine(previousHash: string, json: string): { readonly line: string; readonly hash: string } {
  const hash = sha256Hex(previousHash + json);
  return { line: `${json.slice(0, -1)}${opening}${hash}"}\n`, hash };
}

/** The hash a line claims, or undefined when the line does not end in a seal. */
export function claimedHash(bytes: Buffer, start: number, end: number): string | undefined {
  const at = end - sealLength;
  if (at <= start) return undefined;
  const seal = bytes.toString('latin1', at, end);
  return seal.startsWith(opening) && seal.endsWith(closing) ? seal.slice(opening.length, -closing.length) : undefined;
}

/** Computes what a line's hash should be; owns the scratch memory that takes. */
export interface LineHasher {
  /** The hash of the line `bytes[start, end)`, which ends in a seal, after a line whose hash was `previousHash`. */
  hash(previousHash: string, bytes: Buffer, start: number, end: number): string;
}

/** Memory that is not touched costs nothing; a longer line makes room for itself. */
const usualLine = 4096;

export function createLineHasher(): LineHasher {
  let scratch = Buffer.alloc(usualLine);
  return {
    hash(previousHash, bytes, start, end) {
      const body = end - sealLength - start;
      if (hashLength + body + 1 > scratch.length) scratch = Buffer.alloc((hashLength + body + 1) * 2);
      scratch.write(previousHash, 0, hashLength, 'latin1');
      bytes.copy(scratch, hashLength, start, start + body);
      scratch[hashLength + body] = closingBrace;
      return sha256Hex(scratch.subarray(0, hashLength + body + 1));
    },
  };
}

const seqOpening = '{"seq":';
const digitZero = 0x30;

/** The `seq` a line begins with, or -1 when it does not begin with one. */
export function seqOf(bytes: Buffer, start: number, end: number): number {
  let at = start + seqOpening.length;
  if (at >= end || bytes[start] !== 0x7b || bytes[start + 5] !== quote || bytes[at - 1] !== 0x3a) return -1;
  let value = 0;
  const first = at;
  for (; at < end && at - first < 16; at += 1) {
    const digit = (bytes[at] ?? 0) - digitZero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at === first ? -1 : value;
}
