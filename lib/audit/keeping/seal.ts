/**
 * The seal of a finished log file: what it holds, in a small file of its own that stays when the lines are pruned. Readers
 * skip files by it; verification and pruning compare with it. The log itself vouches for it: an `audit.rotate` entry carries its hash.
 */
import type { Disk } from '../../ports.ts';
import { isCount, isPlainObject, objectIn } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { parseLogFileName, plainName } from '../files.ts';

/** Members in the order in which they are written. Times are those of the entries; `bytes` and `sha256` are of the lines, uncompressed. */
export interface Seal {
  /** The file's name, without `.gz`. */
  readonly file: string;
  readonly day: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly entries: number;
  readonly first_time: string;
  readonly last_time: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The chain's hash before the first and after the last line. */
  readonly previous_hash: string;
  readonly last_hash: string;
  /** How many entries, by name. */
  readonly events: Readonly<Record<string, number>>;
  readonly levels: Readonly<Record<string, number>>;
  /** Null when there are more than a thousand, or when the entries protect who acted. */
  readonly actors: Readonly<Record<string, number>> | null;
}

/** With the thousand longest actors a seal stays below. */
const largestSeal = 1 << 24;

/** Where a file's seal lies; the name may be that of the compressed file. */
export function sealPath(tlogDirectory: string, fileName: string): string {
  return join(tlogDirectory, 'seals', `${plainName(fileName)}.json`);
}

/** The bytes of a seal's file: one line of JSON. */
export function sealText(seal: Seal): string {
  return `${JSON.stringify(seal)}\n`;
}

/** The seal of a log file; undefined when there is none, or none that can be understood. */
export function readSeal(disk: Disk, base: string, tlogDirectory: string, fileName: string): Seal | undefined {
  const bytes = disk.readRecord(base, sealPath(tlogDirectory, fileName), largestSeal);
  const value = bytes === undefined ? undefined : objectIn(bytes);
  return isSeal(value) && value.file === plainName(fileName) ? value : undefined;
}

const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isTime = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const isCounts = (value: unknown): boolean => isPlainObject(value) && Object.values(value).every(isCount);

const checks: Readonly<Record<keyof Seal, (value: unknown) => boolean>> = {
  file: (value) => typeof value === 'string' && parseLogFileName(value)?.compressed === false,
  day: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value),
  first_seq: isCount, last_seq: isCount, entries: isCount, first_time: isTime, last_time: isTime, bytes: isCount, sha256: isHash,
  previous_hash: isHash, last_hash: isHash, events: isCounts, levels: isCounts, actors: (value) => value === null || isCounts(value),
};

function isSeal(value: unknown): value is Seal & Record<string, unknown> {
  return isPlainObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));
}
