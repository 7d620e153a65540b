/** Counts over entries, as `loki enterprise audit summary` and the API show them. */
import type { Disk } from '../ports.ts';
import { wantedPieces, type Hit, type LoggedEntry, type QueryOptions } from './query.ts';
import { createLineCounter, type Tally } from './query/count.ts';

/** Each count is sorted, the largest first. */
export interface AuditSummary {
  readonly total_events: number;
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_level: Readonly<Record<string, number>>;
  readonly by_actor: Readonly<Record<string, number>>;
}

/** How protected actors are counted. */
export interface SummaryOptions extends Pick<QueryOptions, 'onUnreadable'> {
  /** The name to count a protected actor under; `(encrypted)` when left out. */
  readonly actorOf?: (entry: LoggedEntry) => string;
}

/** More names than this are counted together: the log of a large installation may name any number. */
const mostNames = 10_000;

/** So many pieces of a file are counted before others may have a turn. */
const piecesATurn = 8;

/**
 * Counts the entries from one time to another; the last value is the result, what comes before it is undefined and lets others
 * have a turn.
 */
export function* summarize(disk: Disk, directory: string, range: { readonly from?: string; readonly to?: string }, options: SummaryOptions = {}): Generator<undefined, AuditSummary> {
  const sums = createSums(options);
  const counter = createLineCounter(range, sums.tally);
  let looked = 0;
  for (const bytes of wantedPieces(disk, directory, range, 'oldest', options.onUnreadable)) {
    counter.add(bytes);
    looked += 1;
    if (looked % piecesATurn === 0) yield undefined;
  }
  counter.end();
  return sums.result();
}

/** Counts of entries that were picked out already; as `summarize` in all else. */
export function* summarizeHits(hits: Iterable<Hit | undefined>, options: SummaryOptions = {}): Generator<undefined, AuditSummary> {
  const sums = createSums(options);
  for (const hit of hits) {
    if (hit === undefined) yield undefined;
    else sums.tally(hit.entry as LoggedEntry, 1);
  }
  return sums.result();
}

function createSums({ actorOf = () => '(encrypted)' }: SummaryOptions): { readonly tally: Tally; readonly result: () => AuditSummary } {
  let total = 0;
  const [types, levels, actors] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const add = (into: Map<string, number>, name: string, count: number): void => {
    const key = into.size < mostNames || into.has(name) ? name : '(others)';
    into.set(key, (into.get(key) ?? 0) + count);
  };
  return {
    tally(entry, count) {
      const { event, level, actor } = entry;
      total += count;
      add(types, event, count);
      add(levels, level, count);
      add(actors, typeof actor === 'string' ? actor : actorOf(entry), count);
    },
    result: () => ({ total_events: total, by_type: sorted(types), by_level: sorted(levels), by_actor: sorted(actors) }),
  };
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
