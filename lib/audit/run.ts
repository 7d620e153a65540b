/**
 * The good path of verification: runs along lines as long as each follows the one before, and stops, saying nothing, at the
 * first that does not. Every step here is taken for each line of a log, so each was measured: a line is moved to the front
 * of the memory it was read into, behind its predecessor's hash, where a view of its length is at hand; making a view or a
 * string for each line costs more than all the rest.
 */
import { sha256Latin1 } from '../base/digest.ts';
import { hashLength, isSealed, sealLength, seqOf } from './chain.ts';

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
const lineFeed = 10;

/** Two lower-case hex digits, as a 16-bit number -> their byte; anything else is no byte. */
const byteOfPair: Uint16Array = new Uint16Array(1 << 16).fill(0xffff);
for (let byte = 0; byte < 256; byte += 1) {
  const [high = 0, low = 0] = Buffer.from(byte.toString(16).padStart(2, '0'));
  byteOfPair[(high << 8) | low] = byte;
}

export class ChainRunner {
  #memory: ArrayBufferLike | undefined;
  /** By length: views of the memory's front. */
  #views: (Uint8Array | undefined)[] = [];

  /**
   * Runs along the whole lines in `memory[start, end)`, the first of which should have the number `seq` and follow a line
   * with `previousHash`. The first `roomForLine` bytes of the memory are used up; the lines are left as they are.
   */
  run(memory: Buffer, start: number, end: number, seq: number, previousHash: string): Run {
    if (memory.buffer !== this.#memory) [this.#memory, this.#views] = [memory.buffer, []];
    memory.write(previousHash, 0, hashLength, 'latin1');
    const views = this.#views;
    let [at, count, hashAt, hashBeforeAt, length] = [start, 0, -1, -1, 0];
    while (at < end) {
      const lineEnd = endOf(memory, at, length);
      length = lineEnd - at;
      if (!isSealed(memory, at, lineEnd) || seqOf(memory, at, lineEnd) !== seq + count) break;
      const claimedAt = lineEnd - 2 - hashLength;
      if (!follows(memory, views, at, lineEnd - sealLength, claimedAt)) break;
      memory.copyWithin(0, claimedAt, claimedAt + hashLength);
      hashBeforeAt = hashAt;
      hashAt = claimedAt;
      count += 1;
      at = lineEnd + 1;
    }
    return { end: at, count, hashAt, hashBeforeAt };
  }
}

/**
 * Lines of one log are often as long as the one before. A line feed that is jumped over so lies within what is hashed, and
 * no entry that was written has one.
 */
function endOf(memory: Buffer, start: number, lengthBefore: number): number {
  const likely = start + lengthBefore;
  return memory[likely] === lineFeed && memory[likely - 1] === closingBrace ? likely : memory.indexOf(lineFeed, start);
}

function follows(memory: Buffer, views: (Uint8Array | undefined)[], start: number, bodyEnd: number, claimedAt: number): boolean {
  const length = hashLength + bodyEnd - start + 1;
  if (length > roomForLine) return false;
  memory.copyWithin(hashLength, start, bodyEnd);
  memory[length - 1] = closingBrace;
  const view = views[length] ??= new Uint8Array(memory.buffer, memory.byteOffset, length);
  return carries(memory, claimedAt, sha256Latin1(view));
}

/** Whether the 64 hex digits at `at` are this hash. */
function carries(memory: Buffer, at: number, hash: string): boolean {
  for (let n = 0; n < hashLength / 2; n += 1) {
    const pair = ((memory[at + 2 * n] ?? 0) << 8) | (memory[at + 2 * n + 1] ?? 0);
    if (byteOfPair[pair] !== hash.charCodeAt(n)) return false;
  }
  return true;
}
