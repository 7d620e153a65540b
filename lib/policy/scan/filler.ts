/**
 * What stands where a secret would and is none: fillers, placeholders, references to where the secret really is. Fillers
 * are told from their form, never from a list of strings that somebody saw.
 */
import { entropy } from './rarity.ts';

/** How much a value looks made up: `placeholder` says so in words, `filler` is too regular, `doubtful` may be one that somebody typed. */
export type Doubt = 'none' | 'doubtful' | 'filler' | 'placeholder';

const longestLookedAt = 512;
const placeholderWords = /example|placeholder|change[_-]?(?:me|this|it)|redacted|your[_-]|[_-]here\b|insert[_-]|replace[_-]|\bdummy|sample[_-]|x{4}|\*{3}|\.{3}/i;
const doubtfulWords = /test|fake|dummy|sample|secret|passw|12345678|87654321|00000000|abcdefgh|deadbeef|qwerty/i;
/** So many steps through the alphabet are no chance, and no key. */
const alphabetSteps = 11;

export function doubtOf(value: string): Doubt {
  const looked = value.slice(0, longestLookedAt);
  if (placeholderWords.test(looked)) return 'placeholder';
  if (isMonotonous(looked)) return 'filler';
  return doubtfulWords.test(looked) ? 'doubtful' : 'none';
}

/** Whether a value is nobody's secret. */
export function isMadeUp(value: string): boolean {
  const doubt = doubtOf(value);
  return doubt === 'placeholder' || doubt === 'filler';
}

/** Few different characters, half of it one character in a row, or the alphabet. */
function isMonotonous(value: string): boolean {
  let [same, longest, steps, mostSteps] = [1, 1, 0, 0];
  for (let at = 1; at < value.length; at += 1) {
    const step = value.charCodeAt(at) - value.charCodeAt(at - 1);
    same = step === 0 ? same + 1 : 1;
    steps = step === 1 ? steps + 1 : 0;
    longest = Math.max(longest, same);
    mostSteps = Math.max(mostSteps, steps);
  }
  return longest * 2 >= value.length || mostSteps >= alphabetSteps || (value.length >= 12 && entropy(value) < (value.length >= 32 ? 2.6 : 2));
}

/** Values that point to a secret and are none: `$PASS`, `${PASS}`, `{{pass}}`, `<pass>`, `%s`, `[pass]`, `@pass@`, `***`, `null`. */
export function isReference(value: string): boolean {
  return /^(?:\$|\{|<|%|\[|@\w+@$|\*+$|!|&[a-z]|#)/.test(value) || /\$\{|\{\{|<[a-z_ -]+>/i.test(value)
    || /^(?:password|passwd|pass|pwd|secret|token|user|username|null|none|nil|true|false|undefined|required|optional|string|test|foo|bar|baz|x+)$/i.test(value);
}
