/**
 * One reading of a finished log file: whether its chain holds from its first line to its last, and what it holds. A file
 * that does not hold is evidence; what is wrong with it is for verification to say exactly, here it only is no file to seal.
 */
import type { ReadFile, Timers } from '../../ports.ts';
import { createSha256, type RunningHash } from '../../base/digest.ts';
import { isPlainObject, objectIn } from '../../base/json.ts';
import { linesOf, pieces } from '../../journal/lines.ts';
import { hashLength, seqOf } from '../chain.ts';
import { parseLogFileName, plainName } from '../files.ts';
import { ChainRunner, roomForLine } from '../run.ts';
import { asBuffer, hashBeforeUnchained } from '../tail.ts';
import type { Seal } from './seal.ts';

/** The seal a file should get, or why it gets none. */
export type Scan = { readonly seal: Seal } | { readonly broken: string };

/** How a file says it begins. */
export interface Opening {
  readonly firstSeq: number;
  readonly previousHash: string;
}

/** Lines are shorter, and an opening is a line. */
const longestLine = 65_536;
const mostActors = 1000;

/** What a file's first line says; undefined when it is no `audit.open`. */
export function openingOf(file: Pick<ReadFile, 'read'>): Opening | undefined {
  const bytes = asBuffer(file.read(0, longestLine));
  const end = bytes.indexOf(10);
  if (end < 0) return undefined;
  const entry = objectIn(bytes.subarray(0, end));
  const details = entry?.['event'] === 'audit.open' ? entry['details'] : undefined;
  if (!isPlainObject(details)) return undefined;
  const { previous_hash: previousHash, first_seq: firstSeq } = details;
  if (typeof previousHash !== 'string' || !/^[0-9a-f]{64}$/.test(previousHash) || typeof firstSeq !== 'number') return undefined;
  return { firstSeq, previousHash };
}

/** How a reading can be watched and stopped. */
export interface ScanOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Reads the file of this name from end to end. Others have their turn after every piece. */
export async function scanFile(file: ReadFile, name: string, timers: Timers, options: ScanOptions = {}): Promise<Scan> {
  const day = parseLogFileName(name)?.day;
  const opening = openingOf(file);
  if (day === undefined || opening === undefined) return { broken: 'it does not begin with an opening' };
  const { size } = file.stat();
  const scanner = new Scanner(opening, hashBeforeUnchained(file, size) === undefined);
  for (const piece of pieces(file, 0, size, roomForLine)) {
    options.signal?.throwIfAborted();
    options.onProgress?.(piece.offset, size);
    const broken = piece.complete ? scanner.piece(piece.bytes) : 'bytes stand after its last whole line';
    if (broken !== undefined) return { broken: `${broken} (from byte ${piece.offset} on)` };
    await timers.yield();
  }
  return { seal: scanner.seal(plainName(name), day, size) };
}

/** The walk along a file's lines. */
class Scanner {
  readonly #opening: Opening;
  readonly #isChained: boolean;
  readonly #hash: RunningHash = createSha256();
  readonly #runner = new ChainRunner();
  readonly #counts = new Counts();
  #seq: number;
  #chain: string;

  constructor(opening: Opening, isChained: boolean) {
    this.#opening = opening;
    this.#isChained = isChained;
    this.#seq = opening.firstSeq;
    this.#chain = opening.previousHash;
  }

  /** Whole lines with room before them; says what is wrong with them. */
  piece(bytes: Uint8Array): string | undefined {
    this.#hash.add(bytes);
    const broken = this.#isChained ? this.#follow(bytes) : this.#count(bytes);
    if (broken === undefined) this.#counts.add(asBuffer(bytes));
    return broken;
  }

  #follow(bytes: Uint8Array): string | undefined {
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset - roomForLine, roomForLine + bytes.byteLength);
    const { end, count, hashAt } = this.#runner.run(memory, roomForLine, memory.length, this.#seq, this.#chain);
    if (end < memory.length) return `its chain does not hold at seq ${this.#seq + count}`;
    this.#seq += count;
    this.#chain = memory.toString('latin1', hashAt, hashAt + hashLength);
    return undefined;
  }

  /** Entries that carry no hashes have at least numbers that follow each other. */
  #count(bytes: Uint8Array): string | undefined {
    for (const [start, end] of linesOf(bytes)) {
      if (seqOf(asBuffer(bytes), start, end) !== this.#seq) return `seq ${this.#seq} is not where it should be`;
      this.#seq += 1;
    }
    return undefined;
  }

  seal(file: string, day: string, bytes: number): Seal {
    const { firstSeq, previousHash } = this.#opening;
    const { firstTime, lastTime, events, levels, actors } = this.#counts;
    return {
      file, day, first_seq: firstSeq, last_seq: this.#seq - 1, entries: this.#seq - firstSeq, first_time: firstTime, last_time: lastTime,
      bytes, sha256: this.#hash.hex(), previous_hash: previousHash, last_hash: this.#chain,
      events: sorted(events), levels: sorted(levels), actors: actors === null ? null : sorted(actors),
    };
  }
}

/** How an entry begins. The actor is an object where it is protected. */
const head = /^\{"seq":\d+,"timestamp":"([^"]{24})","event":"([a-z_.]{1,64})","level":"([a-z]{1,10})","actor":(?:"((?:[^"\\]|\\.)*)"|\{)/;
const headBytes = 512;

/** What is counted of a file's entries. */
class Counts {
  firstTime = '';
  lastTime = '';
  readonly events: Map<string, number> = new Map();
  readonly levels: Map<string, number> = new Map();
  actors: Map<string, number> | null = new Map();

  add(bytes: Buffer): void {
    for (const [start, end] of linesOf(bytes)) {
      const found = head.exec(bytes.toString('utf8', start, Math.min(end, start + headBytes))) ?? head.exec(bytes.toString('utf8', start, end));
      const [, time = '', event = 'unknown', level = 'unknown', actor] = found ?? [];
      if (this.firstTime === '') this.firstTime = time;
      if (time !== '') this.lastTime = time;
      this.events.set(event, (this.events.get(event) ?? 0) + 1);
      this.levels.set(level, (this.levels.get(level) ?? 0) + 1);
      if (this.actors === null) continue;
      if (actor === undefined || (this.actors.size === mostActors && !this.actors.has(actor))) this.actors = null;
      else this.actors.set(actor, (this.actors.get(actor) ?? 0) + 1);
    }
  }
}

/** By name, so that the same lines give the same bytes. Actors come as JSON has them between its quotes. */
function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const named = [...counts].map(([name, count]) => [name.includes('\\') ? String(JSON.parse(`"${name}"`)) : name, count] as const);
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
