/** Whether a group of letters and digits begins something that is written in a known form, and how sure that is where it stands. */
import type { Confidence, Hit } from '../matcher.ts';
import { FormTable, isWritten } from './identifier.ts';
import type { Form } from './identifier.ts';
import { identifiers } from './kinds.ts';
import { besideIn, isContinued, isValue, isWhole } from './surroundings.ts';

/** A group of letters and digits in the text: what is searched for stands in front of it, in it and behind it. */
export interface Group {
  readonly start: number;
  readonly end: number;
  /** It has no letter. */
  readonly isNumber: boolean;
}

const forms = new FormTable(identifiers);
const rank: Readonly<Record<Confidence, number>> = { low: 0, medium: 1, high: 2 };

/** The forms of one text. */
export class WrittenForms {
  readonly #text: string;
  readonly #isBeside: ReturnType<typeof besideIn>;

  constructor(text: string) {
    this.#text = text;
    this.#isBeside = besideIn(text);
  }

  /** What the surest form makes of the group, the longer of two. */
  around(group: Group): Hit | undefined {
    const length = group.end - group.start;
    const after = this.#text.charCodeAt(group.end);
    const alone = this.#best(group, forms.find(length, 0), undefined);
    return after < 128 ? this.#best(group, forms.find(length, after), alone) : alone;
  }

  #best({ start: groupStart, isNumber }: Group, candidates: readonly Form[] | undefined, known: Hit | undefined): Hit | undefined {
    let best = known;
    if (candidates === undefined) return best;
    for (const form of candidates) {
      if (form.group === (isNumber ? 'digits and letters' : 'digits')) continue;
      const start = groupStart - form.before;
      if (start >= 0 && isWritten(this.#text, start, form.text)) best = betterOf(best, this.#judge(start, form));
    }
    return best;
  }

  /** What is written in a form is told when it is whole, valid, and as sure as the place it stands in makes it. */
  #judge(start: number, form: Form): Hit | undefined {
    const { identifier, text: { length } } = form;
    const end = start + length;
    if (!isWhole(this.#text, start, end) || (form.isSpaced && isContinued(this.#text, start, end, identifier.followed === true))) return undefined;
    const written = this.#text.slice(start, end);
    const compact = written.toUpperCase().replace(/[^0-9A-Z]/g, '');
    if (!identifier.valid(compact, written)) return undefined;
    const confidence = this.#isBeside(start, end, form.words) ? identifier.beside ?? 'high' : this.#withoutWords(start, form, written, compact);
    return confidence === undefined ? undefined : { rule: identifier.rule, offset: start, length, confidence };
  }

  #withoutWords(start: number, { identifier, standing }: Form, written: string, compact: string): Confidence | undefined {
    if (standing === 'words' || identifier.sample?.(compact) === true || (standing === 'low' && isOrdinary(written))) return undefined;
    // Identity numbers are written in capitals; names of things in code are not.
    if (standing === 'value' || (identifier.anyCase !== true && /[a-z]/.test(written))) return isValue(this.#text, start, start + written.length) && !isOrdinary(written) ? 'low' : undefined;
    return identifier.proof?.(compact) === true ? 'high' : standing;
  }
}

function betterOf(one: Hit | undefined, other: Hit | undefined): Hit | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const gain = rank[other.confidence] - rank[one.confidence] || other.length - one.length;
  return gain > 0 ? other : one;
}

/** What most bare numbers are: seconds or milliseconds since 1970 in the years 2010 to 2034, round numbers, counted digits. */
function isOrdinary(written: string): boolean {
  return /^(?:12[7-9]|1[3-9]\d|20[0-4])\d{7}(?:\d{3})?$/.test(written) || /0{6}$/.test(written) || '012345678901234567890'.includes(written);
}
