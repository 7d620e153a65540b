/**
 * Room kept back for the day the disk is full: a file of a mebibyte that is given up so that the log can still say what
 * happened. Until it can be made again nothing else is recorded, and so nothing else is allowed: the room is not for
 * working on. The file lies where every process sees it: whole it is ready, cut it is spent, and then each byte in it
 * stands for an entry that was refused.
 */
import type { Disk, Random } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { dirname } from '../base/paths.ts';

interface ReservePlace {
  readonly disk: Disk;
  readonly random: Random;
  readonly base: string;
  readonly reservePath?: string;
}

/** What is kept back. */
export const reserveBytes: number = 1 << 20;
/** There is room again when so much can be written besides the reserve. */
const roomBytes: number = 1 << 20;
/** Refusals are counted up to here. */
const mostCounted = 65_536;

export class Reserve {
  readonly #place: ReservePlace;
  readonly #path: string | undefined;
  /** It cannot be made for another reason than a full disk: the log goes on without one. */
  #givenUp = false;

  constructor(place: ReservePlace) {
    this.#place = place;
    this.#path = place.reservePath;
  }

  /** Whether the disk is known to be full. Costs one look at the file; under the log's lock. */
  isSpent(): boolean {
    return this.#state() === 'spent';
  }

  /**
   * Makes the reserve when it is not there. Gives how many entries were refused when it had been spent, undefined when
   * nothing was amiss. Throws `io.failed` while there is no room for it; under the log's lock.
   */
  ensure(): number | undefined {
    const state = this.#state();
    if (state === 'ready' || this.#path === undefined || this.#givenUp) return undefined;
    const refused = state === 'spent' ? this.#place.disk.stat(this.#path)?.size ?? 0 : undefined;
    try {
      this.#make(this.#path, refused !== undefined);
    } catch (error) {
      if (isFull(error)) throw error;
      this.#givenUp = true;
      return undefined;
    }
    return refused;
  }

  /** Gives the room up. False when there is none to give. */
  spend(): boolean {
    if (this.#path === undefined || this.#state() !== 'ready') return false;
    this.#cut(this.#path, 0);
    return true;
  }

  /** Notes refusals. Best effort: the disk is full. */
  countRefused(entries: number): void {
    if (this.#path === undefined) return;
    try {
      const file = this.#place.disk.openRecord(this.#place.base, this.#path, 0o600);
      try {
        const { size } = file.stat();
        if (size < mostCounted) file.append(Buffer.alloc(Math.min(entries, mostCounted - size), 0x2e));
      } finally {
        file.close();
      }
    } catch {
      // The count is a courtesy; the refusals themselves were told.
    }
  }

  #state(): 'ready' | 'spent' | 'none' {
    if (this.#path === undefined) return 'none';
    const size = this.#place.disk.stat(this.#path)?.size;
    return size === undefined ? 'none' : size >= reserveBytes ? 'ready' : 'spent';
  }

  /** After it was spent, twice the size at first: the room it takes was its own before, and proves nothing. Incompressible, so that it takes that room. */
  #make(path: string, isRoomAsked: boolean): void {
    const { disk, base, random } = this.#place;
    const bytes = isRoomAsked ? reserveBytes + roomBytes : reserveBytes;
    const free = disk.freeBytes(dirname(path));
    if (free !== undefined && free < bytes) throw noRoom(free);
    disk.replace(base, path, random.bytes(bytes), 0o600);
    if (isRoomAsked) this.#cut(path, reserveBytes);
  }

  #cut(path: string, size: number): void {
    const file = this.#place.disk.openRecord(this.#place.base, path, 0o600);
    try {
      file.cut(size);
    } finally {
      file.close();
    }
  }
}

function noRoom(free: number): LokiError {
  const cause = Object.assign(new Error(`only ${free} bytes are free`), { code: 'ENOSPC' });
  return new LokiError('io.failed', { attempted: 'keep room back for the audit log', found: cause.message, cause, hint: 'The disk is full; free some space' });
}

/** Whether an error, or what caused it, says that there is no room. */
export function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && (at.code === 'ENOSPC' || at.code === 'EDQUOT')) return true;
  }
  return false;
}
