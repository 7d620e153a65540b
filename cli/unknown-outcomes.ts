/** Tells at start-up which actions were allowed and have no recorded outcome. */
import { unknownOutcomes, type UnknownQuestion } from '../lib/app/audit/unknown-outcomes.ts';
import type { Installation } from '../lib/app/installation.ts';
import { printable, type Output } from './output.ts';

/** A warning for each of the newest ones, and how many there are. What cannot be read is `loki audit verify`'s to tell: starting does not depend on it. */
export function warnOfUnknownOutcomes(output: Output, installation: Installation, question: UnknownQuestion): void {
  let found: ReturnType<typeof unknownOutcomes>;
  try {
    found = unknownOutcomes(installation, question);
  } catch {
    return;
  }
  const { shown, count } = found;
  for (const { seq, timestamp, actor, kind, what } of shown) {
    output.warn(`Outcome unknown: entry ${seq} of ${printable(timestamp)} allowed ${printable(actor)} ${kind} "${printable(what)}", and nothing says what became of it`);
  }
  if (count > shown.length) output.warn(`Outcomes unknown: ${count} in all, the newest ${shown.length} are shown`);
}
