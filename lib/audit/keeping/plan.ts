/** Which files pruning would take: always the oldest ones without a gap, never the newest, and none that has no seal. */
import { plainName, type LogFileName } from '../files.ts';
import { filesWithContent, type Kept, type KeepProblem } from './finished.ts';
import { readSeal, type Seal } from './seal.ts';
import { mostFiles } from './statement.ts';

/** How long to keep. Undefined: for ever, as many as there are. */
export interface Retention {
  readonly days?: number;
  readonly maxFiles?: number;
  /** No person looks at what would go: then a clock that is far ahead of the log is not believed. */
  readonly isUnattended?: boolean;
}

/** One file that would go, and by which rule. */
export interface Doomed {
  readonly seal: Seal;
  readonly why: 'retention_days' | 'max_files';
}

export interface PrunePlan {
  readonly doomed: readonly Doomed[];
  /** What should go and does not, because nobody could say afterwards what it was. */
  readonly problems: readonly KeepProblem[];
  /** By how many milliseconds the clock is ahead of the newest finished entry, where that is so far that it may be wrong. */
  readonly clockAheadMs?: number;
}

const dayMs = 24 * 3600_000;
/** A clock that is ahead of the newest finished entry by more than this may have jumped. */
export const farAheadMs: number = 7 * dayMs;

/** Looks, and changes nothing. */
export function planPrune(kept: Kept, retention: Retention): PrunePlan {
  const files = filesWithContent(kept);
  const clock = kept.clock.now();
  const newest = newestFinished(kept, files.at(-2));
  const isAhead = newest !== undefined && clock > newest + farAheadMs;
  const plan = planAt(kept, files, retention, isAhead && retention.isUnattended === true ? newest + farAheadMs : clock);
  return isAhead ? { ...plan, clockAheadMs: clock - newest } : plan;
}

function planAt(kept: Kept, files: readonly LogFileName[], retention: Retention, now: number): PrunePlan {
  const beyond = retention.maxFiles === undefined ? 0 : files.length - retention.maxFiles;
  const doomed: Doomed[] = [];
  for (const [at, name] of files.slice(0, -1).entries()) {
    if (doomed.length === mostFiles) break;
    const seal = readSeal(kept.disk, kept.base, kept.tlogDirectory, name.name);
    const isOld = retention.days !== undefined && isOlder(name, seal, now - retention.days * dayMs);
    if (!isOld && at >= beyond) break;
    if (seal === undefined) return { doomed, problems: [{ file: plainName(name.name), found: 'its time is over, and it has no seal: it stays, and so does what came after it' }] };
    doomed.push({ seal, why: isOld ? 'retention_days' : 'max_files' });
  }
  return { doomed, problems: [] };
}

/** The time of a file's last entry, by its seal; without one, the end of its day. */
function newestFinished({ disk, base, tlogDirectory }: Kept, file: LogFileName | undefined): number | undefined {
  const seal = file === undefined ? undefined : readSeal(disk, base, tlogDirectory, file.name);
  return file === undefined ? undefined : seal === undefined ? endOfDay(file) : Date.parse(seal.last_time);
}

function endOfDay({ day }: LogFileName): number {
  return Date.parse(`${day}T00:00:00.000Z`) + dayMs;
}

/** Whether the whole day was over at `time`, by the file's name and by its newest entry. */
function isOlder(name: LogFileName, seal: Seal | undefined, time: number): boolean {
  return Math.max(endOfDay(name), seal === undefined ? 0 : Date.parse(seal.last_time)) <= time;
}
