/**
 * What an identifier is to the scanner: the forms it is written in, the arithmetic it must satisfy, the words that stand
 * beside it. A form alone proves nothing where numbers of that length are common: the weaker the form, the more must agree.
 */
import { LokiError } from '../../../errors.ts';
import type { Confidence } from '../matcher.ts';
import { isDigit, isLetter } from './codes.ts';
import { wordPattern } from './surroundings.ts';

/**
 * What a form is worth without a word beside it. `value`: low, and only where it is a value of its own (all of a line, or
 * all of what quotes hold), because in code a bare number is nearly always something else. `words`: nothing. Bare digits are
 * `low` wherever they stand when fewer than one random number in fifty passes their checks, `value` when one in ten does.
 */
export type Standing = Confidence | 'value' | 'words';

/** What a kind must and must not match; the tests run them. */
export interface Examples {
  readonly match: readonly string[];
  readonly ignore: readonly string[];
}

/** A row of knowledge: one kind of number. */
export interface Identifier extends Examples {
  readonly rule: string;
  /** What it is called, for people. */
  readonly about: string;
  /** `9` is a digit, `A` a letter, `X` either, everything else itself. No form is longer than 40 characters. */
  readonly forms: readonly (readonly [form: string, standing: Standing])[];
  /** Asked with the letters and digits alone, letters as capitals, and with the text as it stands. */
  readonly valid: (compact: string, written: string) => boolean;
  /** A check that not every valid one passes, because it is newer or older than some of them: it makes sure. */
  readonly proof?: (compact: string) => boolean;
  /** Small letters, no accents. */
  readonly words: readonly string[];
  /** What it is worth beside one of the words; `high` when left out. */
  readonly beside?: Confidence;
  /** Known from examples and advertisements: told beside a word only. */
  readonly sample?: (compact: string) => boolean;
  /** Small letters are as good as capitals. */
  readonly anyCase?: true;
  /** Digits may follow after a space, as an expiry date follows a card number. */
  readonly followed?: true;
}

/** A form ready to be compared, found by the first group in it that holds a digit. */
export interface Form {
  readonly identifier: Identifier;
  readonly words: RegExp;
  readonly standing: Standing;
  readonly text: string;
  /** Characters before that group. */
  readonly before: number;
  /** What the group is made of. */
  readonly group: 'digits' | 'digits and letters' | 'either';
  /** Groups are parted by spaces. */
  readonly isSpaced: boolean;
}

/** A group of letters and digits longer than this belongs to no identifier. */
export const longestGroup = 40;

/** Forms by the length of that group and the character after it in the form. */
export class FormTable {
  readonly #lists: (readonly Form[] | undefined)[] = [];

  constructor(identifiers: readonly Identifier[]) {
    for (const identifier of identifiers) {
      const words = wordPattern(identifier.words);
      for (const [text, standing] of identifier.forms) this.#add(identifier, words, text, standing);
    }
  }

  #add(identifier: Identifier, words: RegExp, text: string, standing: Standing): void {
    const group = [...text.matchAll(/[9AX]+/g)].find(([letters]) => /[9X]/.test(letters));
    if (group === undefined || group[0].length > longestGroup) throw new LokiError('internal', { attempted: `look for "${text}"`, found: 'it has no group of at most 40 characters with a digit' });
    const [letters] = group;
    const after = text.charCodeAt(group.index + letters.length);
    const key = keyOf(letters.length, Number.isNaN(after) ? 0 : after);
    const form = { identifier, words, standing, text, before: group.index, group: madeOf(letters), isSpaced: text.includes(' ') };
    this.#lists[key] = [...this.#lists[key] ?? [], form];
  }

  /** Those whose first group with a digit is so long and is followed by this character; 0 for forms that end with it. */
  find(length: number, after: number): readonly Form[] | undefined {
    return this.#lists[keyOf(length, after)];
  }
}

function madeOf(letters: string): Form['group'] {
  if (letters.includes('A')) return 'digits and letters';
  return letters.includes('X') ? 'either' : 'digits';
}

function keyOf(length: number, after: number): number {
  return length * 128 + after;
}

/** Whether the text from `start` is written in the form. */
export function isWritten(text: string, start: number, form: string): boolean {
  for (let at = 0; at < form.length; at += 1) {
    const code = text.charCodeAt(start + at);
    const wanted = form.charCodeAt(at);
    const fits = wanted === 57 ? isDigit(code) : wanted === 65 ? isLetter(code) : wanted === 88 ? isDigit(code) || isLetter(code) : code === wanted;
    if (!fits) return false;
  }
  return true;
}
