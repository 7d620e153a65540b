/** Counts over entries, as `loki enterprise audit summary` and the API show them. */
import type { LoggedEntry } from './query.ts';

/** Each count is sorted, the largest first. */
export interface AuditSummary {
  readonly total_events: number;
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_level: Readonly<Record<string, number>>;
  readonly by_actor: Readonly<Record<string, number>>;
}

/** More actors than this are counted together: the log of a large installation may name any number. */
const mostNames = 10_000;

/** Counts entries one by one. */
export interface Summing {
  add(entry: LoggedEntry): void;
  result(): AuditSummary;
}

export function createSumming(): Summing {
  let total = 0;
  const [types, levels, actors] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const count = (into: Map<string, number>, name: string): void => {
    const key = into.size < mostNames || into.has(name) ? name : '(others)';
    into.set(key, (into.get(key) ?? 0) + 1);
  };
  return {
    add(entry) {
      total += 1;
      count(types, entry.event);
      count(levels, entry.level);
      count(actors, entry.actor);
    },
    result: () => ({ total_events: total, by_type: sorted(types), by_level: sorted(levels), by_actor: sorted(actors) }),
  };
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
