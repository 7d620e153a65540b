/**
 * The good path of verification: runs along lines as long as each follows the one before, and stops, saying nothing, at the
 * first that does not. Every step here is taken for each line of a log, so each was measured: a line is moved to the front
 * of the memory it was read into, behind its predecessor's hash, where a view of its length is at hand (making a view or a
 * string for each line costs more than all the rest); bytes are compared four at a time; the hash is asked for as 16 UTF-16
 * units, the cheapest form in which Node gives one out.
 */
import { sha256Ucs2 } from '../base/digest.ts';
import { hashLength, sealLength } from './chain.ts';

/** Memory that must be free before the lines: a hash and the longest line that is run along. */
export const roomForLine: number = 1 << 16;

/** How far it went: behind the last line that followed, and where the last two of the lines' hashes stand. */
export interface Run {
  readonly end: number;
  readonly count: number;
  readonly hashAt: number;
  readonly hashBeforeAt: number;
}

const closingBrace = 0x7d;
const comma = 0x2c;
const lineFeed = 10;
const [zero, nine] = [0x30, 0x39];

/** Four characters as they are compared. */
const word = (text: string): number => Buffer.from(text, 'latin1').readInt32LE(0);
/** `{"seq":`, in two words that overlap. */
const [head0, head3, headLength] = [word('{"se'), word('eq":'), 7];
/** `,"chain_hash":"`, and `"}` after the hash. */
const [seal0, seal4, seal8, seal11] = [word(',"ch'), word('ain_'), word('hash'), word('h":"')];
const sealEnd = 0x7d22;

/** The two lower-case hex digits of each byte, as they stand in memory read as a little-endian number. */
const digitsOfByte: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16LE(0));

export class ChainRunner {
  #memory: ArrayBufferLike | undefined;
  #bytes: DataView = new DataView(new ArrayBuffer(0));
  /** By length: views of the memory's front. */
  #views: (Uint8Array | undefined)[] = [];
  readonly #seq: Counter = new Counter();

  /**
   * Runs along the whole lines in `memory[start, end)`, which begins where its array buffer does; the first of them should
   * have the number `seq` and follow a line with `previousHash`. The first `roomForLine` bytes of the memory are used up; the
   * lines are left as they are.
   */
  run(memory: Buffer, start: number, end: number, seq: number, previousHash: string): Run {
    this.#use(memory, seq, previousHash);
    const bytes = this.#bytes;
    const views = this.#views;
    const number = this.#seq;
    let [at, count, hashAt, hashBeforeAt, length] = [start, 0, -1, -1, 0];
    while (at < end) {
      const lineEnd = endOf(memory, bytes, at, at + length, end);
      length = lineEnd - at;
      const bodyEnd = lineEnd - sealLength;
      const hashed = hashLength + bodyEnd - at + 1;
      if (bodyEnd < at + headLength + number.length + 1 || hashed > roomForLine || !isFramed(bytes, at, bodyEnd, lineEnd) || !number.standsAt(bytes, at + headLength)) break;
      memory.copyWithin(hashLength, at, bodyEnd);
      bytes.setUint8(hashed - 1, closingBrace);
      if (!carries(bytes, lineEnd - 2 - hashLength, sha256Ucs2(views[hashed] ??= new Uint8Array(memory.buffer, memory.byteOffset, hashed)))) break;
      hashBeforeAt = hashAt;
      hashAt = lineEnd - 2 - hashLength;
      count += 1;
      at = lineEnd + 1;
      number.increase();
    }
    return { end: at, count, hashAt, hashBeforeAt };
  }

  #use(memory: Buffer, seq: number, previousHash: string): void {
    if (memory.buffer !== this.#memory) [this.#memory, this.#views] = [memory.buffer, []];
    if (this.#bytes.buffer !== memory.buffer || this.#bytes.byteLength < memory.byteLength) this.#bytes = new DataView(memory.buffer, memory.byteOffset);
    memory.write(previousHash, 0, hashLength, 'latin1');
    this.#seq.set(seq);
  }
}

/** A number as the digits it is written with, counted up in place. */
class Counter {
  length = 0;
  readonly #digits: Uint8Array = new Uint8Array(24);

  set(value: number): void {
    const text = String(value);
    this.length = text.length;
    for (let n = 0; n < text.length; n += 1) this.#digits[n] = text.charCodeAt(n);
  }

  increase(): void {
    let at = this.length - 1;
    for (; at >= 0 && this.#digits[at] === nine; at -= 1) this.#digits[at] = zero;
    if (at >= 0) this.#digits[at] = (this.#digits[at] ?? 0) + 1;
    // All were nines.
    else this.set(10 ** this.length);
  }

  /** Whether the digits stand there, and a comma after them. */
  standsAt(bytes: DataView, at: number): boolean {
    let different = bytes.getUint8(at + this.length) ^ comma;
    for (let n = 0; n < this.length; n += 1) different |= bytes.getUint8(at + n) ^ (this.#digits[n] ?? 0);
    return different === 0;
  }
}

/**
 * Lines of one log are often as long as the one before. A line feed that is jumped over so lies within what is hashed, and
 * no entry that was written has one.
 */
function endOf(memory: Buffer, bytes: DataView, start: number, likely: number, end: number): number {
  const isLikely = likely > start && likely < end && bytes.getUint8(likely) === lineFeed && bytes.getUint8(likely - 1) === closingBrace;
  return isLikely ? likely : memory.indexOf(lineFeed, start);
}

/** Whether a line begins as an entry does and ends in a seal, whatever its number and hash. */
function isFramed(bytes: DataView, start: number, bodyEnd: number, end: number): boolean {
  return ((bytes.getInt32(start, true) ^ head0) | (bytes.getInt32(start + 3, true) ^ head3)
    | (bytes.getInt32(bodyEnd, true) ^ seal0) | (bytes.getInt32(bodyEnd + 4, true) ^ seal4) | (bytes.getInt32(bodyEnd + 8, true) ^ seal8)
    | (bytes.getInt32(bodyEnd + 11, true) ^ seal11) | (bytes.getUint16(end - 2, true) ^ sealEnd)) === 0;
}

/** Whether the 64 hex digits at `at` are this hash. They are put to the memory's front on the way, where the next line needs them. */
function carries(bytes: DataView, at: number, hash: string): boolean {
  let different = 0;
  for (let n = 0; n < hashLength / 4; n += 1) {
    const claimed = bytes.getInt32(at + 4 * n, true);
    const unit = hash.charCodeAt(n);
    different |= claimed ^ ((digitsOfByte[unit & 255] ?? 0) | ((digitsOfByte[unit >>> 8] ?? 0) << 16));
    bytes.setInt32(4 * n, claimed, true);
  }
  return different === 0;
}
