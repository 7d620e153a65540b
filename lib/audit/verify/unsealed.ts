/** The entries after the newest checkpoint, which nothing has signed yet: whether there should be a checkpoint by now, and how they are spelled. */
import { oddityOf } from './form.ts';
import { timeOf } from './opening.ts';
import { verdictOf, type ChainBreak } from './causes.ts';
import type { CheckpointFindings, Lines, Signed, TreeSide } from './checkpoints.ts';
import { lineAt, linesFrom } from './lines.ts';

/** So many checkpoints may be missing before that is told: a writer may be busy, or have been stopped. */
const slack = 10;
/** Whoever wrote an entry has this long to have it sealed. */
const leastGraceMs = 10 * 60_000;
/** No more lines are looked at closely. */
const mostLooked = 10_000;

export interface UnsealedFindings {
  readonly unsealed: number;
  readonly breaks: readonly ChainBreak[];
}

export async function checkUnsealed(lines: Lines, tree: TreeSide, signed: Signed, { checkpoint, breaks }: CheckpointFindings): Promise<UnsealedFindings> {
  const last = lines.lastSeq ?? 0;
  const sealed = checkpoint?.size ?? 0;
  const unsealed = Math.max(0, last - Math.max(sealed, (lines.firstSeq ?? 1) - 1));
  if (unsealed === 0 || lines.isTampered || breaks.some(({ cause }) => verdictOf[cause] === 'tampered')) return { unsealed, breaks: [] };
  const overdue = breaks.some(({ cause }) => cause === 'missing checkpoint') ? undefined : overdueSince(lines, tree, signed, sealed, unsealed);
  const missing: readonly ChainBreak[] = overdue === undefined ? [] : [{ ...placeOf(lines, last), cause: 'missing checkpoint', found: overdue }];
  return { unsealed, breaks: [...missing, ...await odd(lines, last - Math.min(unsealed, mostLooked) + 1, last)] };
}

/** Why a checkpoint should be there by now; undefined when none is due. */
function overdueSince(lines: Lines, { expected }: TreeSide, { recorded }: Signed, sealed: number, unsealed: number): string | undefined {
  if (expected === undefined) return undefined;
  const { every, intervalMs, now } = expected;
  if (unsealed > every * slack) return `${unsealed} entries are in no checkpoint; one is made every ${every}`;
  const first = lines.firstSeq ?? 1;
  const since = Math.max(timeAt(lines, Math.max(sealed, first)) ?? now, recorded?.size === sealed ? recorded.time : 0);
  const due = needingSeal(lines, Math.max(sealed + 1, first), now - Math.max(leastGraceMs, slack * intervalMs));
  if (due === undefined || due.time <= since + intervalMs) return undefined;
  return `seq ${due.seq} of ${new Date(due.time).toISOString()} is in no checkpoint; the newest one is of ${new Date(since).toISOString()}`;
}

/** The newest entry that should be sealed by now: one that is older than `time` and does not itself only tell of a checkpoint. */
function needingSeal(lines: Lines, from: number, time: number): { readonly seq: number; readonly time: number } | undefined {
  let due = newestBefore(lines, from, time);
  while (due !== undefined && lineAt(lines, due.seq)?.bytes.includes('"event":"audit.checkpoint"') === true) {
    const before = due.seq - 1;
    due = before < from ? undefined : { seq: before, time: timeAt(lines, before) ?? 0 };
  }
  return due;
}

/** The newest entry from `from` on that is older than a time. Times never go back, so it is found by halving. */
function newestBefore(lines: Lines, from: number, time: number): { readonly seq: number; readonly time: number } | undefined {
  let [low, high] = [from, lines.lastSeq ?? 0];
  let found: { readonly seq: number; readonly time: number } | undefined;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const at = timeAt(lines, middle);
    if (at !== undefined && at < time) {
      found = { seq: middle, time: at };
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return found;
}

function timeAt(lines: Lines, seq: number): number | undefined {
  const line = lineAt(lines, seq);
  const text = line === undefined ? undefined : timeOf(line.bytes, 0, line.bytes.length);
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** Lines that are not spelled as the writer spells them. Up to the newest checkpoint, somebody's signature vouches for each byte. */
async function odd(lines: Lines, from: number, to: number): Promise<readonly ChainBreak[]> {
  const found: ChainBreak[] = [];
  for await (const { file, line, seq, offset, memory, start, end } of linesFrom(lines, from, to, lines.timers)) {
    const oddity = oddityOf(memory.toString('utf8', start, end));
    if (oddity !== undefined) found.push({ file, line, seq, offset, cause: 'not canonical', found: `${oddity}; and no checkpoint covers it` });
    if (found.length === slack) break;
  }
  return found;
}

function placeOf({ files }: Lines, seq: number): Pick<ChainBreak, 'file' | 'line' | 'seq' | 'offset'> {
  const file = files.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
  return { file: file?.name ?? '', line: file === undefined ? 0 : seq - file.firstSeq + 1, seq, offset: file?.size ?? 0 };
}
