/** Which files pruning would take: always the oldest ones without a gap, never the newest, and none that has no seal. */
import { plainName, type LogFileName } from '../files.ts';
import { filesWithContent, type Kept, type KeepProblem } from './finished.ts';
import { readSeal, type Seal } from './seal.ts';
import { mostFiles } from './statement.ts';

/** How long to keep. Undefined: for ever, as many as there are. */
export interface Retention {
  readonly days?: number;
  readonly maxFiles?: number;
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
}

const dayMs = 24 * 3600_000;

/** Looks, and changes nothing. */
export function planPrune(kept: Kept, retention: Retention): PrunePlan {
  const files = filesWithContent(kept);
  const beyond = retention.maxFiles === undefined ? 0 : files.length - retention.maxFiles;
  const now = kept.clock.now();
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

/** Whether the whole day was over at `time`, by the file's name and by its newest entry. */
function isOlder({ day }: LogFileName, seal: Seal | undefined, time: number): boolean {
  const dayEnd = Date.parse(`${day}T00:00:00.000Z`) + dayMs;
  return Math.max(dayEnd, seal === undefined ? 0 : Date.parse(seal.last_time)) <= time;
}
