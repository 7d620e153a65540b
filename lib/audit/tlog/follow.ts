/**
 * Follows a chain's lines from where a tree stands: checks that each is the next one (its number, its seal, the hash of the
 * line before) and hands it on as a leaf. Lines that the tree has already are passed over. What a power cut left after the
 * last good line is not looked at: the next writer sets it aside.
 */
import type { ReadFile, Timers } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { linesOf, pieces } from '../../journal/lines.ts';
import { claimedHash, createLineHasher, genesisHash, hashLength, seqOf } from '../chain.ts';
import { plainName } from '../files.ts';
import { ChainRunner, roomForLine } from '../run.ts';
import { asBuffer, hashBeforeUnchained, tailWindow } from '../tail.ts';

/** A chain's files. */
export interface ChainFiles {
  /** Names of those that can be read, the oldest first. */
  names(): readonly string[];
  /** The file as the lines it holds, compressed or not; undefined when it is gone. */
  open(name: string): ReadFile | undefined;
  /** What stands in the file is durable, whoever wrote it. */
  sync(name: string): void;
}

/** Where following stands: after line `size`, whose hash is `hash`, at byte `offset` of `file` (its plain name). */
export interface Position {
  readonly size: number;
  readonly hash: string;
  readonly file: string | null;
  readonly offset: number;
}

export const beginning: Position = { size: 0, hash: genesisHash, file: null, offset: 0 };

/** Takes what is followed. `bytes[start, end)` is a line without its line feed; good only during the call. */
export interface LeafSink {
  leaf(bytes: Buffer, start: number, end: number): void;
  /** Whether a line that the tree has already is the one it has, where that can be told. */
  isLeaf(seq: number, bytes: Buffer, start: number, end: number): boolean;
  /** So many entries are gone before the next leaf, and somebody has accepted that. */
  lost(count: number): void;
}

/** More lost entries than this are nobody's accident. */
export const mostLost = 10_000_000;

/** Which chain, for messages. */
export interface FollowOptions {
  readonly chain: string;
  readonly files: ChainFiles;
  readonly timers: Timers;
  readonly sink: LeafSink;
  /** Whole files that no checkpoint covers may be missing: the next one says after what it begins. */
  readonly acceptLoss?: boolean;
}

const beginningBytes = 64;

export class Follower {
  readonly #options: FollowOptions;
  readonly #runner = new ChainRunner();
  readonly #hasher = createLineHasher();
  #position: Position;
  /** The hash of the line that the tree ends with; undefined until it is known. */
  #hash: string | undefined;
  /** Whether the line that the tree ends with was met, or what comes after it. Until then lines are passed over. */
  #met: boolean;
  /** For the file at hand: the hash that its entries, which carry none, hand on; undefined when they carry them. */
  #unchained: { readonly file: ReadFile; readonly before: string | undefined } | undefined;
  /** The newest line that was followed, for its time and to look at it again. */
  #newest: Buffer = Buffer.alloc(0);
  #touched: string[] = [];

  constructor(options: FollowOptions, position: Position, hashIsKnown: boolean) {
    this.#options = options;
    this.#position = position;
    this.#hash = hashIsKnown || position.size === 0 ? position.hash : undefined;
    this.#met = position.size === 0;
  }

  /** Whether the log still has the line that the tree ended with, or one after it. */
  get met(): boolean {
    return this.#met;
  }

  get position(): Position {
    return { ...this.#position, hash: this.#hash ?? this.#position.hash };
  }

  /** The newest line that was followed, without its line feed; empty when there was none. */
  get newestLine(): Buffer {
    return this.#newest;
  }

  /** The files that were read since this was asked last. */
  takeTouched(): readonly string[] {
    const touched = this.#touched;
    this.#touched = [];
    return touched;
  }

  /**
   * Follows to the end of what is there now, or some way beyond `enough` entries; whether that was the end. Others have their
   * turn in between. Throws `audit.tampered` at the first line that does not follow.
   */
  async toEnd(signal?: AbortSignal, enough: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    const names = this.#options.files.names();
    const from = this.#firstFile(names);
    for (let at = from; at < names.length; at += 1) {
      const name = names[at] ?? '';
      const file = this.#options.files.open(name);
      if (file === undefined) continue;
      try {
        if (plainName(name) !== this.#position.file) this.#position = { ...this.#position, file: plainName(name), offset: 0 };
        await this.#file(file, name, at === names.length - 1, enough, signal);
      } finally {
        file.close();
      }
      if (this.#position.size >= enough) return false;
    }
    return true;
  }

  /** The file to go on in: the one where following stood, else the last one that begins with or before the line that comes next. */
  #firstFile(names: readonly string[]): number {
    const { file, offset } = this.#position;
    const same = file === null ? -1 : names.findIndex((name) => plainName(name) === file);
    if (same >= 0 && this.#fits(names[same] ?? '', offset)) return same;
    this.#position = { ...this.#position, file: null, offset: 0 };
    for (let at = names.length - 1; at > 0; at -= 1) {
      const first = this.#firstSeq(names[at] ?? '');
      if (first > 0 && first <= Math.max(1, this.#position.size)) return at;
    }
    return 0;
  }

  /** Whether a line ends at that byte, and it is the one that the tree ends with. */
  #fits(name: string, offset: number): boolean {
    const file = this.#options.files.open(name);
    if (file === undefined) return false;
    try {
      if (offset === 0) return this.#met;
      const from = Math.max(0, offset - roomForLine);
      const bytes = asBuffer(file.read(from, offset - from));
      if (bytes.length !== offset - from || bytes.at(-1) !== 10) return false;
      const start = bytes.lastIndexOf(10, bytes.length - 2) + 1;
      return this.#meets(bytes, start, bytes.length - 1);
    } finally {
      file.close();
    }
  }

  #meets(bytes: Buffer, start: number, end: number): boolean {
    const { size, hash } = this.#position;
    const claimed = claimedHash(bytes, start, end);
    if (seqOf(bytes, start, end) !== size || !this.#options.sink.isLeaf(size, bytes, start, end)) return false;
    if (claimed !== undefined) this.#hash = claimed;
    else this.#hash ??= hash;
    this.#met = true;
    return true;
  }

  #firstSeq(name: string): number {
    const file = this.#options.files.open(name);
    if (file === undefined) return -1;
    try {
      const bytes = asBuffer(file.read(0, beginningBytes));
      return seqOf(bytes, 0, bytes.length);
    } finally {
      file.close();
    }
  }

  async #file(file: ReadFile, name: string, isNewest: boolean, enough: number, signal: AbortSignal | undefined): Promise<void> {
    const { size } = file.stat();
    for (const piece of pieces(file, this.#position.offset, size, roomForLine)) {
      signal?.throwIfAborted();
      if (!piece.complete) return;
      const memory = Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset - roomForLine, roomForLine + piece.bytes.byteLength);
      if (this.#touched.at(-1) !== name) this.#touched.push(name);
      const end = this.#piece(memory, file, piece.offset, isNewest ? size : 0);
      this.#position = { ...this.#position, offset: piece.offset + end - roomForLine };
      if (end < memory.length || this.#position.size >= enough) return;
      await this.#options.timers.yield();
    }
  }

  /** Takes the lines of a piece; answers where it stopped. `liveEnd` is the size of a file that may have a torn end, else 0. */
  #piece(memory: Buffer, file: ReadFile, offset: number, liveEnd: number): number {
    let at = roomForLine;
    while (at < memory.length) {
      if (this.#met && this.#hash !== undefined) {
        const { end, count, hashAt } = this.#runner.run(memory, at, memory.length, this.#position.size + 1, this.#hash);
        if (count > 0) {
          const hash = memory.toString('latin1', hashAt, hashAt + hashLength);
          this.#leaves(memory, at, end, count);
          this.#hash = hash;
          at = end;
          continue;
        }
      }
      const end = memory.indexOf(10, at);
      const where = offset + at - roomForLine;
      if (!this.#oddLine(memory, at, end, file, where, liveEnd)) return at;
      at = end + 1;
    }
    return at;
  }

  #leaves(memory: Buffer, start: number, end: number, count: number): void {
    let last = start;
    for (const [lineStart, lineEnd] of linesOf(memory.subarray(start, end))) {
      this.#options.sink.leaf(memory, start + lineStart, start + lineEnd);
      last = start + lineStart;
    }
    this.#newest = Buffer.from(memory.subarray(last, end - 1));
    this.#position = { ...this.#position, size: this.#position.size + count };
  }

  /** A line that does not simply follow. False: it is what a power cut left, and nothing after it counts. */
  #oddLine(memory: Buffer, start: number, end: number, file: ReadFile, where: number, liveEnd: number): boolean {
    const seq = seqOf(memory, start, end);
    const { size } = this.#position;
    if (!this.#met && seq <= size) {
      // What is covered already is for verification to judge; only the line that the tree ends with must be the one.
      if (seq !== size || this.#meets(memory, start, end)) return true;
      throw this.#tampered(where, `seq ${seq} is another line than the one that a checkpoint covers`);
    }
    if (seq === size + 1 && this.#begins(memory, start, end, file)) {
      this.#met = true;
      this.#leaves(memory, start, end + 1, 1);
      return true;
    }
    if (liveEnd > 0 && liveEnd - where <= tailWindow && asBuffer(file.read(where, liveEnd - where)).includes(0)) return false;
    if (this.#options.acceptLoss === true && seq > size + 1 && seq - size - 1 <= mostLost && this.#goesOnAfterLoss(memory, start, end, file, where)) return true;
    if (seq > 1 && size === 0) throw this.#missingBeginning(seq);
    if (seq > size + 1) throw this.#tampered(where, `seq ${seq} follows ${size}: entries that no checkpoint covers are missing`, where === 0 ? 'Put the missing file back; if it is gone for good: loki audit checkpoint --accept-loss' : undefined);
    throw this.#tampered(where, seq === size + 1 ? `seq ${seq} does not follow the entry before it` : 'a line that is no entry');
  }

  /**
   * The next line, where the one before is not at hand (it says itself what came before it), or entries carry no hashes (then
   * the file's first line says so).
   */
  #begins(memory: Buffer, start: number, end: number, file: ReadFile): boolean {
    const claimed = claimedHash(memory, start, end);
    if (claimed === undefined) {
      if (this.#unchained?.file !== file) this.#unchained = { file, before: hashBeforeUnchained(file, file.stat().size) };
      const { before } = this.#unchained;
      if (before === undefined || (this.#hash !== undefined && this.#hash !== before)) return false;
      this.#hash = before;
      return memory[end - 1] === 0x7d;
    }
    const before = this.#hash ?? previousHash(memory, start, end);
    if (before === undefined || this.#hasher.hash(before, memory, start, end) !== claimed) return false;
    this.#hash = claimed;
    return true;
  }

  /** A file's first line tells what came before it: then it can be gone on from there, and what is missing is known by its numbers. */
  #goesOnAfterLoss(memory: Buffer, start: number, end: number, file: ReadFile, where: number): boolean {
    const before = this.#hash;
    this.#hash = undefined;
    if (where > 0 || !this.#begins(memory, start, end, file)) {
      this.#hash = before;
      return false;
    }
    const seq = seqOf(memory, start, end);
    this.#options.sink.lost(seq - 1 - this.#position.size);
    this.#met = true;
    this.#position = { ...this.#position, size: seq - 1 };
    this.#leaves(memory, start, end + 1, 1);
    return true;
  }

  #missingBeginning(seq: number): LokiError {
    return new LokiError('audit.incomplete', {
      attempted: `cover ${this.#options.chain} by a checkpoint`, found: `the log begins at entry ${seq}, and there is no hash tree of what was before it`,
      hint: 'Put a copy of dashboard/tlog back, or of the oldest log files; if there is none: loki audit checkpoint --accept-loss',
    });
  }

  #tampered(offset: number, found: string, hint: string = 'Nothing is signed until this is cleared up; see: loki audit verify'): LokiError {
    const { file } = this.#position;
    return new LokiError('audit.tampered', { attempted: `cover ${this.#options.chain} by a checkpoint`, found: `${file ?? 'the log'} at byte ${offset}: ${found}`, hint });
  }
}

/** What an `audit.open` says of the line before it. */
function previousHash(bytes: Buffer, start: number, end: number): string | undefined {
  const line = bytes.toString('utf8', start, end);
  return /^\{"seq":\d+,"timestamp":"[^"]*","event":"audit\.open",/.test(line) ? /"previous_hash":"([0-9a-f]{64})"/.exec(line)?.[1] : undefined;
}
