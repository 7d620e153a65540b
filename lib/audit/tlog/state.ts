/**
 * `state.json` beside a checkpoint: where the tree stands in the files, so that it need not be looked for, and the hash and
 * time that the chain goes on from where its files are gone (`lib/audit/resume.ts` reads it for the writer). It can be lost:
 * then it is made anew.
 */
import type { Disk } from '../../ports.ts';
import { isCount, objectIn, type JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import type { Position } from './follow.ts';

/** A place in the files, and the time of the entry before it. */
export interface TreeState extends Position {
  /** As the entry has it; null when it has none. */
  readonly time: string | null;
}

const largestState = 4096;

/** The state as it was written; undefined when there is none that can be understood. */
export function readState(disk: Disk, base: string, directory: string): TreeState | undefined {
  const bytes = disk.readRecord(base, join(directory, 'state.json'), largestState);
  const value = bytes === undefined ? undefined : objectIn(bytes);
  return value === undefined ? undefined : stateIn(value);
}

function stateIn(value: JsonObject): TreeState | undefined {
  const { size, last_hash: hash, last_time: time, file, offset } = value;
  if (!isCount(size) || !isCount(offset) || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  if (typeof file !== 'string' && file !== null) return undefined;
  return { size, hash, file, offset, time: typeof time === 'string' ? time : null };
}

export function writeState(disk: Disk, base: string, directory: string, { size, hash, time, file, offset }: TreeState, mode: number): void {
  disk.replace(base, join(directory, 'state.json'), Buffer.from(`${JSON.stringify({ size, last_hash: hash, last_time: time, file, offset })}\n`), mode);
}
