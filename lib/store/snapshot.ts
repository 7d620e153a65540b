/**
 * Reading and writing snapshots: all objects of the store. One is written in short steps while the store goes on changing, so
 * an object in it may be newer than the journal's beginning; the journal, read after it, sets that right, and the last line
 * says up to which revision the journal must reach. A snapshot has its name only when whole; reading it checks every line.
 */
import type { Disk, ReadFile, RecordFile } from '../ports.ts';
import { linesOf, pieces } from '../journal/lines.ts';
import { damageAt, missingFile } from './damage.ts';
import type { Damage } from './damage.ts';
import { decode, encodeBegin, encodeEnd, encodeObjects } from './frame.ts';
import type { Begin, BeginFrame, Frame } from './frame.ts';
import type { StoreIndex } from './indexes.ts';
import { assertKnown } from './migrations.ts';
import { Objects } from './objects.ts';
import type { WrittenObject } from './objects.ts';
import type { StoreKey } from './store.ts';

/** Objects and bytes of one line: enough that hashing and parsing cost little each, few enough that a line stays short. */
const lineBounds = { objects: 64, bytes: 256 * 1024 } as const;

/** Bytes of memory that values of a snapshot share. They are free when none of the values is there any more. */
const blockBytes = 1024 * 1024;

/** What a generation begins with. */
export interface Snapshot {
  readonly objects: Objects;
  readonly schema: number;
  readonly revision: number;
  /** Sum of the last transaction in the journal before. */
  readonly sum: string;
  /** The journal after it reaches this revision: objects may have been written at it. */
  readonly reaches: number;
}

export interface SnapshotWriterOptions {
  /** What is written: empty so far. Closed by the writer. */
  readonly file: Pick<RecordFile, 'append' | 'close'>;
  readonly begin: Begin;
  readonly objects: Objects;
  /** Bytes of one step. */
  readonly stepBytes: number;
}

export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  #sum: string;
  #waiting: Uint8Array[];
  #bytes: number;
  /** The last key that was written. */
  #cursor: StoreKey = '';
  #count = 0;
  #ended = false;
  #closed = false;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    const begin = encodeBegin(options.begin);
    [this.#sum, this.#waiting, this.#bytes] = [begin.sum, [begin.bytes], begin.bytes.length];
  }

  /** Objects written so far. */
  get count(): number {
    return this.#count;
  }

  /** Writes on; true once the file is whole and durable. `revision` is that of the newest transaction in the objects. */
  step(revision: number): boolean {
    if (this.#ended) return true;
    let line: WrittenObject[] = [];
    let lineBytes = 0;
    const longest = Math.min(lineBounds.bytes, this.#options.stepBytes);
    let done = true;
    for (const object of this.#options.objects.written(this.#cursor)) {
      line.push(object);
      lineBytes += object.text.length;
      if (line.length < lineBounds.objects && lineBytes < longest) continue;
      this.#add(line);
      [line, lineBytes] = [[], 0];
      if (this.#bytes < this.#options.stepBytes) continue;
      done = false;
      break;
    }
    if (line.length > 0) this.#add(line);
    if (done) this.#push(encodeEnd(this.#count, revision, this.#sum).bytes);
    this.#options.file.append(Buffer.concat(this.#waiting, this.#bytes));
    [this.#waiting, this.#bytes, this.#ended] = [[], 0, done];
    if (done) this.close();
    return done;
  }

  close(): void {
    if (!this.#closed) this.#options.file.close();
    this.#closed = true;
  }

  #add(objects: readonly WrittenObject[]): void {
    const { bytes, sum, offsets } = encodeObjects(objects, this.#sum);
    const first = offsets[0] ?? 0;
    const last = objects.at(-1);
    // What has been written down rests as what was written: the values that were parsed, and older bytes, are free.
    const values = new Uint8Array(bytes.subarray(first, (offsets.at(-1) ?? 0) + (last?.text.length ?? 0)));
    objects.forEach(({ key, revision, text }, at) => {
      const start = (offsets[at] ?? 0) - first;
      this.#options.objects.settle(key, revision, values, start, start + text.length);
    });
    this.#push(bytes);
    this.#sum = sum;
    this.#count += objects.length;
    this.#cursor = last?.key ?? this.#cursor;
  }

  #push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
  }
}

/** Reads the snapshot of a generation, of any when it is left out; or says what is wrong with it. */
export function readSnapshot(disk: Disk, path: string, generation: number | undefined, indexes: readonly StoreIndex[]): Snapshot | Damage {
  const file = disk.openRead(path);
  if (file === undefined) return missingFile(path);
  try {
    return readObjects(file, path, new SnapshotReader(generation, indexes));
  } finally {
    file.close();
  }
}

function readObjects(file: ReadFile, path: string, reader: SnapshotReader): Snapshot | Damage {
  for (const piece of pieces(file, 0, file.stat().size)) {
    for (const [start, end] of linesOf(piece.bytes)) {
      const found = reader.take(piece.bytes.subarray(start, end), piece.complete);
      if (found !== undefined) return damageAt(path, piece.offset + start, found);
    }
  }
  return reader.result() ?? { ...damageAt(path, file.stat().size, 'it ends too early'), missing: true };
}

class SnapshotReader {
  readonly #generation: number | undefined;
  readonly #objects: Objects;
  #begin: BeginFrame | undefined;
  #sum: string | undefined;
  #reaches: number | undefined;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(generation: number | undefined, indexes: readonly StoreIndex[]) {
    this.#generation = generation;
    this.#objects = new Objects(indexes);
  }

  /** Takes a line; the words of what is wrong with it, if anything is. */
  take(line: Uint8Array, complete: boolean): string | undefined {
    const decoded = complete && this.#reaches === undefined ? decode(line, this.#sum) : undefined;
    if (decoded === undefined) return 'the line does not match its checksum';
    this.#sum = decoded.sum;
    return this.#use(decoded.frame);
  }

  result(): Snapshot | undefined {
    if (this.#reaches === undefined || this.#begin === undefined) return undefined;
    const { schema, revision, after } = this.#begin;
    return { objects: this.#objects, schema, revision, sum: after, reaches: this.#reaches };
  }

  #use(frame: Frame): string | undefined {
    if (this.#begin === undefined) {
      if (frame.kind !== 'begin') return 'the first line is not the one of this snapshot';
      assertKnown(frame);
      if (this.#generation !== undefined && frame.generation !== this.#generation) return 'the first line is not the one of this snapshot';
      this.#begin = frame;
      return undefined;
    }
    if (frame.kind === 'end' && frame.count === this.#objects.size) {
      this.#reaches = frame.revision ?? this.#begin.revision;
      return undefined;
    }
    return this.#take(frame);
  }

  /** A copy, for what was read is overwritten by what is read next. Many lines share one piece of memory: that is faster to get. */
  #kept(values: Uint8Array): { readonly bytes: Uint8Array; readonly offset: number } {
    if (this.#block.length - this.#used < values.length) [this.#block, this.#used] = [Buffer.allocUnsafeSlow(Math.max(blockBytes, values.length)), 0];
    const offset = this.#used;
    this.#block.set(values, offset);
    this.#used += values.length;
    return { bytes: this.#block, offset };
  }

  #take(frame: Frame): string | undefined {
    if (frame.kind === 'packed') {
      const { keys, revisions, starts, ends, values } = frame.packed;
      const { bytes, offset } = this.#kept(values);
      for (let at = 0; at < keys.length; at += 1) this.#objects.rest(keys[at] ?? '', revisions[at] ?? 0, bytes, offset + (starts[at] ?? 0), offset + (ends[at] ?? 0));
      return undefined;
    }
    if (frame.kind !== 'objects') return 'the line does not belong into a snapshot';
    for (const { key, value, revision } of frame.objects) this.#objects.apply({ key, value }, revision);
    return undefined;
  }
}
