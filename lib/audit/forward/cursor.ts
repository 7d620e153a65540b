/**
 * How far a receiver has been served, kept in `spool/siem-<receiver>.json`: the place in the log after the last entry that
 * the receiver has, and what went wrong since. Losing the file costs repetition, not entries; what stands in it is checked
 * against the log before it is believed.
 */
import type { Disk } from '../../ports.ts';
import { isCount, isPlainObject, objectIn, type JsonObject } from '../../base/json.ts';
import { dirname } from '../../base/paths.ts';
import { parseLogFileName } from '../files.ts';

/** A place in the log, at the end of a line or at the start of a file. */
export interface Position {
  /** `seq` of the last entry before it; 0 before the first. */
  readonly seq: number;
  /** The log file, by the name it has uncompressed; null while there is none. */
  readonly file: string | null;
  /** Bytes of the file, uncompressed, that lie before it. */
  readonly offset: number;
  /** SHA-256 of the line before it, without line feed; null at the start of a file. */
  readonly hash: string | null;
}

/** Trouble that has not ended. Times in milliseconds since the epoch. */
export interface Trouble {
  readonly since: number;
  readonly attempts: number;
  readonly message: string;
  /** Trying again makes no sense until somebody changed something. */
  readonly permanent: boolean;
  /** Whether it has been recorded as `syslog.error`; then its end is, too. */
  readonly told: boolean;
  readonly nextTry: number;
}

export interface ReceiverState {
  readonly position: Position;
  readonly trouble: Trouble | undefined;
  /** When trouble was last recorded, this or an earlier one; 0 for never. Recording makes entries, which are sent, which may fail. */
  readonly reported: number;
  /** Entries that the receiver refused for good, and that no record speaks of yet. */
  readonly refused: number;
}

/** Where a receiver's state lies. */
export interface StatePlace {
  readonly disk: Disk;
  /** LOKI_HOME. */
  readonly base: string;
  readonly path: string;
}

/** `new`: this receiver was never served. `damaged`: it was, and nobody knows how far. */
export type FoundState = { readonly kind: 'known'; readonly state: ReceiverState } | { readonly kind: 'new' } | { readonly kind: 'damaged' };

const largestState = 4096;

export function readState({ disk, base, path }: StatePlace): FoundState {
  const size = disk.stat(path)?.size;
  if (size === undefined) return { kind: 'new' };
  if (size > largestState) return { kind: 'damaged' };
  const bytes = disk.readRecord(base, path, largestState);
  if (bytes === undefined) return { kind: 'new' };
  const state = parseState(Buffer.from(bytes).toString('utf8'));
  return state === undefined ? { kind: 'damaged' } : { kind: 'known', state };
}

/** Durable when it returns. `receiver` is for people who look into the file. */
export function writeState({ disk, base, path }: StatePlace, receiver: string, { position, trouble, reported, refused }: ReceiverState): void {
  const { seq, file, offset, hash } = position;
  const text = JSON.stringify({ receiver, seq, file, offset, hash, reported, refused, trouble: trouble ?? null });
  disk.ensureDirectory(base, dirname(path), 0o700);
  disk.replace(base, path, Buffer.from(`${text}\n`), 0o600);
}

export function parseState(text: string): ReceiverState | undefined {
  const value = objectIn(text);
  if (value === undefined) return undefined;
  const position = parsePosition(value);
  const { trouble, reported, refused } = value;
  if (position === undefined || !isCount(reported) || !isCount(refused)) return undefined;
  if (trouble === null) return { position, reported, refused, trouble: undefined };
  return isTrouble(trouble) ? { position, reported, refused, trouble } : undefined;
}

/** A position that was kept; undefined when it is none. */
export function parsePosition({ seq, file, offset, hash }: Record<string, unknown>): Position | undefined {
  if (!isCount(seq) || !isCount(offset)) return undefined;
  if (file !== null && (typeof file !== 'string' || parseLogFileName(file)?.compressed !== false)) return undefined;
  if (hash !== null && (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))) return undefined;
  return { seq, file, offset, hash };
}

function isTrouble(value: unknown): value is Trouble {
  return isPlainObject(value) && isCount(value['since']) && isCount(value['attempts']) && typeof value['message'] === 'string'
    && typeof value['permanent'] === 'boolean' && typeof value['told'] === 'boolean' && isCount(value['nextTry']);
}

/** A position as details of an entry tell it. */
export function positionDetails({ seq, file, offset }: Position): JsonObject {
  return { seq, file, offset };
}
