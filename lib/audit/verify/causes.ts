/** What can be wrong with a chain, and what each of it makes of the verdict. */

/** `ok`; `incomplete`: nothing contradicts, something is not there; `tampered`; `no_integrity`: the chain hash was switched off. */
export type Verdict = 'ok' | 'incomplete' | 'tampered' | 'no_integrity';

/** What is wrong at a place. */
export type BreakCause =
  | 'edited' | 'deleted' | 'inserted' | 'reordered' | 'missing file' | 'wrong file' | 'damaged file' | 'two versions' | 'not an entry' | 'not canonical'
  | 'truncated' | 'rewritten' | 'wrong key' | 'seal differs'
  | 'torn tail' | 'accepted loss' | 'oldest entries missing' | 'unreadable file' | 'missing checkpoint' | 'missing seal' | 'damaged tiles'
  | 'no integrity';

/** How severe each cause is. */
export const verdictOf: Readonly<Record<BreakCause, Verdict>> = {
  'edited': 'tampered',
  'deleted': 'tampered',
  'inserted': 'tampered',
  'reordered': 'tampered',
  'missing file': 'tampered',
  'wrong file': 'tampered',
  'damaged file': 'tampered',
  'two versions': 'tampered',
  'not an entry': 'tampered',
  'not canonical': 'tampered',
  'truncated': 'tampered',
  'rewritten': 'tampered',
  'wrong key': 'tampered',
  'seal differs': 'tampered',
  'torn tail': 'incomplete',
  'accepted loss': 'incomplete',
  'oldest entries missing': 'incomplete',
  'unreadable file': 'incomplete',
  'missing checkpoint': 'incomplete',
  'missing seal': 'incomplete',
  'damaged tiles': 'incomplete',
  'no integrity': 'no_integrity',
};

const severity: readonly Verdict[] = ['ok', 'no_integrity', 'incomplete', 'tampered'];

/** The worst of several verdicts. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return severity[Math.max(0, ...verdicts.map((verdict) => severity.indexOf(verdict)))] ?? 'ok';
}

/** One place where a chain does not hold. `line` counts from 1 in its file, `offset` is the byte at which the line begins. */
export interface ChainBreak {
  readonly file: string;
  readonly line: number;
  readonly seq: number | null;
  readonly offset: number;
  readonly cause: BreakCause;
  readonly found: string;
}

/** No more are told of one chain. */
export const mostBreaks = 100;

/** Breaks, the first ones; beyond the limit only one of each severity that none before had, because the worst one must be told. */
export class Breaks<B extends { cause: BreakCause }> {
  readonly list: B[] = [];
  /** How many speak of tampering, told or not. */
  tampered = 0;

  add(found: B): void {
    if (verdictOf[found.cause] === 'tampered') this.tampered += 1;
    const known = this.list.length >= mostBreaks && this.list.some(({ cause }) => verdictOf[cause] === verdictOf[found.cause]);
    if (!known) this.list.push(found);
  }
}
