/**
 * Snapshots: all objects of the store as of one revision. Written beside under a temporary name and renamed when whole, so
 * a snapshot that has its name is complete; reading it checks every line all the same.
 */
import type { Disk } from '../ports.ts';
import { linesOf, pieces } from '../journal/lines.ts';
import { damageAt } from './damage.ts';
import type { Damage } from './damage.ts';
import { decode, encodeBegin, encodeEnd, encodeObjects, storeFormat } from './frame.ts';
import type { BeginFrame, Encoded, Frame } from './frame.ts';
import type { StoreIndex } from './indexes.ts';
import type { Layout } from './layout.ts';
import { Objects } from './objects.ts';
import type { StoreEntry } from './store.ts';

/** Objects of one line: enough that hashing and parsing cost little each, few enough that a line stays short. */
const objectsOfLine = 64;

/** Bytes collected before they are written. */
const pieceBytes = 4 * 1024 * 1024;

/** What a generation begins with. */
export interface Snapshot {
  readonly objects: Objects;
  readonly revision: number;
  /** Sum of the last transaction in the journal before. */
  readonly sum: string;
}

/** Writes the snapshot of a generation, durable when it returns. What an earlier try left behind is replaced. */
export function writeSnapshot(disk: Disk, base: string, layout: Layout, generation: number, { objects, revision, sum }: Snapshot): void {
  const path = layout.snapshot(generation);
  const temporary = `${path}.tmp`;
  disk.remove(temporary);
  const file = disk.openRecord(base, temporary, 0o600);
  try {
    let waiting: Uint8Array[] = [];
    let bytes = 0;
    for (const line of snapshotLines(generation, revision, sum, objects)) {
      waiting.push(line);
      bytes += line.length;
      if (bytes < pieceBytes) continue;
      file.append(concatenated(waiting, bytes));
      [waiting, bytes] = [[], 0];
    }
    file.append(concatenated(waiting, bytes));
  } finally {
    file.close();
  }
  disk.move(temporary, path);
}

function* snapshotLines(generation: number, revision: number, after: string, objects: Objects): Generator<Uint8Array> {
  let line: Encoded = encodeBegin(generation, revision, after);
  yield line.bytes;
  let waiting: StoreEntry[] = [];
  for (const entry of objects.all()) {
    waiting.push(entry);
    if (waiting.length < objectsOfLine) continue;
    line = encodeObjects(waiting, line.sum);
    yield line.bytes;
    waiting = [];
  }
  if (waiting.length > 0) {
    line = encodeObjects(waiting, line.sum);
    yield line.bytes;
  }
  yield encodeEnd(objects.size, line.sum).bytes;
}

/** Reads the snapshot of a generation; or says what is wrong with it. */
export function readSnapshot(disk: Disk, layout: Layout, generation: number, indexes: readonly StoreIndex[]): Snapshot | Damage {
  const path = layout.snapshot(generation);
  const file = disk.openRead(path);
  if (file === undefined) return damageAt(path, 0, 'it is missing');
  try {
    const reader = new SnapshotReader(generation, indexes);
    for (const piece of pieces(file, 0, file.stat().size)) {
      for (const [start, end] of linesOf(piece.bytes)) {
        const found = reader.take(piece.bytes.subarray(start, end), piece.complete);
        if (found !== undefined) return damageAt(path, piece.offset + start, found);
      }
    }
    return reader.result() ?? damageAt(path, file.stat().size, 'it ends too early');
  } finally {
    file.close();
  }
}

class SnapshotReader {
  readonly #generation: number;
  readonly #objects: Objects;
  #begin: BeginFrame | undefined;
  #sum: string | undefined;
  #ended = false;

  constructor(generation: number, indexes: readonly StoreIndex[]) {
    this.#objects = new Objects(indexes);
    this.#generation = generation;
  }

  /** Takes a line; the words of what is wrong with it, if anything is. */
  take(line: Uint8Array, complete: boolean): string | undefined {
    const decoded = complete && !this.#ended ? decode(line, this.#sum) : undefined;
    if (decoded === undefined) return 'the line does not match its checksum';
    this.#sum = decoded.sum;
    return this.#use(decoded.frame);
  }

  result(): Snapshot | undefined {
    if (!this.#ended || this.#begin === undefined) return undefined;
    return { objects: this.#objects, revision: this.#begin.revision, sum: this.#begin.after };
  }

  #use(frame: Frame): string | undefined {
    if (this.#begin === undefined) {
      if (frame.kind !== 'begin' || frame.generation !== this.#generation) return 'the first line is not the one of this snapshot';
      if (frame.format !== storeFormat) return `it has format ${frame.format}; this release reads format ${storeFormat}`;
      this.#begin = frame;
      return undefined;
    }
    if (frame.kind === 'end' && frame.count === this.#objects.size) {
      this.#ended = true;
      return undefined;
    }
    if (frame.kind !== 'objects') return 'the line does not belong into a snapshot';
    for (const { key, value, revision } of frame.objects) this.#objects.apply({ key, value }, revision);
    return undefined;
  }
}

function concatenated(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
