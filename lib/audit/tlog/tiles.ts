/**
 * The tree's hashes on disk, in C2SP tlog-tiles' coordinates: hash N of level L is that of the 256^L leaves from N * 256^L
 * on, and stands at byte 32 * N of the file `tile-L`; so tile N of the level is the file's bytes from 8192 * N on. Only
 * complete subtrees have a hash, so a file is only ever appended to.
 */
import type { Disk, ReadFile, RecordFile } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { hashBytes } from '../../base/merkle/hash.ts';
import { nodeHashInto } from '../../base/merkle/hasher.ts';
import type { Subtree } from '../../base/merkle/subtree.ts';

/** Levels of the tree between two levels of tiles. */
const tileHeight = 8;
/** Hashes of a tile. */
export const tileWidth = 256;
/** 2^53 leaves have so many levels of tiles. */
export const tileLevels = 7;

/** Where the files lie. */
export interface TilePlace {
  readonly disk: Disk;
  readonly base: string;
  readonly directory: string;
}

/** How many hashes a level has in a tree of `size` leaves. */
export function tileHashes(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

export function tilePath(directory: string, level: number): string {
  return join(directory, `tile-${level}`);
}

/** Reads hashes; each file is opened when it is first needed. */
export class TileReader {
  readonly #place: TilePlace;
  readonly #files: (ReadFile | undefined)[] = [];

  constructor(place: TilePlace) {
    this.#place = place;
  }

  /** `count` hashes of a level of tiles, one after the other. Throws `audit.incomplete` when they are not there. */
  hashes(level: number, from: number, count: number): Buffer {
    const path = tilePath(this.#place.directory, level);
    const file = this.#files[level] ??= this.#place.disk.openRead(path);
    const bytes = file?.read(from * hashBytes, count * hashBytes);
    if (bytes?.length === count * hashBytes) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    throw new LokiError('audit.incomplete', {
      attempted: `read the hash tree "${path}"`, found: `it ends before hash ${from + count}`, hint: 'The tree is made anew from the log by: loki audit checkpoint',
    });
  }

  /** The hash of a complete subtree. */
  hashOf({ level, index }: Subtree): Uint8Array {
    const above = level % tileHeight;
    return fold(this.hashes((level - above) / tileHeight, index * 2 ** above, 2 ** above));
  }

  close(): void {
    for (const file of this.#files.splice(0)) file?.close();
  }
}

/** The root over a power of two of hashes. */
export function fold(hashes: Buffer): Uint8Array {
  const memory = Buffer.from(hashes);
  for (let count = hashes.length / hashBytes; count > 1; count /= 2) {
    for (let n = 0; n < count / 2; n += 1) nodeHashInto(memory, n * hashBytes, memory, 2 * n * hashBytes, memory, (2 * n + 1) * hashBytes);
  }
  return new Uint8Array(memory.subarray(0, hashBytes));
}

/** Appended hashes are kept in memory up to this many bytes a level. */
const growBytes = 1 << 16;

interface Level {
  file: RecordFile | undefined;
  /** Hashes in the file. */
  written: number;
  memory: Buffer;
  /** Bytes of `memory` that are not in the file yet. */
  used: number;
}

/**
 * Appends hashes of a tree that had `size` leaves when this was made. What stands in a file beyond that was never signed,
 * and is cut off before anything is appended.
 */
export class TileWriter {
  readonly #place: TilePlace;
  readonly #mode: number;
  readonly #reader: TileReader;
  readonly #levels: Level[];

  constructor(place: TilePlace, size: number, mode: number) {
    this.#place = place;
    this.#mode = mode;
    this.#reader = new TileReader(place);
    this.#levels = Array.from({ length: tileLevels }, (_, level) => ({ file: undefined, written: tileHashes(level, size), memory: Buffer.alloc(0), used: 0 }));
  }

  /** Takes the hash of a complete subtree, when its level is one of tiles. */
  take(level: number, memory: Buffer, at: number): void {
    if (level % tileHeight !== 0) return;
    const row = this.#level(level / tileHeight);
    if (row.used + hashBytes > row.memory.length) row.memory = Buffer.concat([row.memory, Buffer.allocUnsafe(Math.max(growBytes, row.memory.length))]);
    memory.copy(row.memory, row.used, at, at + hashBytes);
    row.used += hashBytes;
  }

  /** Bytes that wait to be written. */
  waiting(): number {
    return this.#levels.reduce((sum, { used }) => sum + used, 0);
  }

  /** The levels of which some wait. */
  waitingLevels(): readonly number[] {
    return this.#levels.flatMap(({ used }, level) => (used > 0 ? [level] : []));
  }

  /** Writes what waits of a level; durable when it returns. */
  flush(level: number): void {
    const row = this.#level(level);
    const file = row.file ??= this.#open(level, row.written);
    file.append(row.memory.subarray(0, row.used));
    row.written += row.used / hashBytes;
    row.used = 0;
  }

  /** Writes all that waits. */
  flushAll(): void {
    for (const level of this.waitingLevels()) this.flush(level);
  }

  /** The hash of a complete subtree, written or not. */
  hashOf({ level, index }: Subtree): Uint8Array {
    const above = level % tileHeight;
    return fold(this.#hashes((level - above) / tileHeight, index * 2 ** above, 2 ** above));
  }

  close(): void {
    this.#reader.close();
    for (const row of this.#levels) {
      row.file?.close();
      row.file = undefined;
    }
  }

  #hashes(level: number, from: number, count: number): Buffer {
    const { written, memory } = this.#level(level);
    const inFile = Math.max(0, Math.min(count, written - from));
    const waiting = memory.subarray((from + inFile - written) * hashBytes, (from + count - written) * hashBytes);
    if (inFile === 0) return waiting;
    const read = this.#reader.hashes(level, from, inFile);
    return inFile === count ? read : Buffer.concat([read, waiting]);
  }

  #open(level: number, written: number): RecordFile {
    const { disk, base, directory } = this.#place;
    const file = disk.openRecord(base, tilePath(directory, level), this.#mode);
    const { size } = file.stat();
    if (size > written * hashBytes) file.cut(written * hashBytes);
    if (size >= written * hashBytes) return file;
    file.close();
    throw new LokiError('io.failed', { attempted: `append to "${tilePath(directory, level)}"`, found: `it has ${size} bytes, not ${written * hashBytes}` });
  }

  #level(level: number): Level {
    const row = this.#levels[level];
    if (row === undefined) throw new LokiError('internal', { attempted: 'use the hash tree', found: `there is no level ${level} of tiles` });
    return row;
  }
}
