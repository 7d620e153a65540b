/** Which way a change goes, as far as it can be told: several changes together go one way only when all of them do. */

/** `changes`: neither is certain. */
export type Direction = 'tightens' | 'loosens' | 'changes';

/** Something a rule, gate or test says, before and after, as text; null where it says nothing. */
export interface Change {
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: Direction;
}

export function together(directions: readonly Direction[]): Direction {
  const [first] = directions;
  return first !== undefined && directions.every((one) => one === first) ? first : 'changes';
}

/** A set that may only be larger when more is forbidden. */
export function grown(from: ReadonlySet<string>, to: ReadonlySet<string>): Direction {
  const [lost, won] = [[...from].some((item) => !to.has(item)), [...to].some((item) => !from.has(item))];
  return lost === won ? 'changes' : won ? 'tightens' : 'loosens';
}

/** The opposite way. */
export function reversed(direction: Direction): Direction {
  return direction === 'tightens' ? 'loosens' : direction === 'loosens' ? 'tightens' : 'changes';
}
