/**
 * Where a chain stood according to what lies outside its files: the checkpoints' `state.json` (docs/formats/checkpoint.md).
 * A writer that finds its files gone, or shorter than this, goes on after it, so that no number is given twice.
 */
import type { Disk } from '../ports.ts';
import { isCount, objectIn, type JsonObject } from '../base/json.ts';
import type { ChainTail } from './chain.ts';

/** The state as it was read; `unreadable` when something stands there that is none. */
export type ResumePoint = ChainTail | 'unreadable' | undefined;

const largestState = 16_384;
/** More entries than any log will have; a number beyond it was not written by us. */
const mostEntries = 2 ** 48;
/** The last millisecond of the year 9999, the last one that a file's name can tell. */
const lastTime = 253_402_300_799_999;

/** Reads `state.json`. Never throws: what cannot be read must not stop a log. */
export function readResumePoint(disk: Disk, base: string, path: string): ResumePoint {
  try {
    const bytes = disk.readRecord(base, path, largestState);
    if (bytes === undefined) return undefined;
    return tailIn(objectIn(bytes));
  } catch {
    return 'unreadable';
  }
}

function tailIn(state: JsonObject | undefined): ResumePoint {
  if (state === undefined) return 'unreadable';
  const { size, last_hash: hash, last_time: at } = state;
  // Null where the newest entry has no time that can be read.
  const time = typeof at === 'string' ? Date.parse(at) : at ?? 0;
  if (!isCount(size) || size > mostEntries) return 'unreadable';
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return 'unreadable';
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0 || time > lastTime) return 'unreadable';
  return { seq: size, hash, time: Math.floor(time) };
}
