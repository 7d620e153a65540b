/**
 * One pass over a text that finds every place where some rule could begin. Each rule names a short piece of text that
 * must be there, its anchor; three neighbouring characters of each anchor lead to a cell of a table, and the pass looks at
 * one cell a character. Upper and lower case are one.
 */

/** A piece of text that must be there, in lower case, and what to do where it is. */
export interface Anchor<Subject> {
  readonly text: string;
  found(subject: Subject, at: number): void;
}

const cells = 32_768;
/** Characters in five bits: letters, digits, `_`, `-`, `.`, other printable ASCII; blanks and all else are 0. */
const digits = 27;
const others = 31;
const foldOf: Uint8Array = foldTable();

function foldTable(): Uint8Array {
  const fold = new Uint8Array(128);
  fold.fill(others, 33, 127);
  fold.fill(digits, 48, 58);
  for (let letter = 0; letter < 26; letter += 1) fold[65 + letter] = fold[97 + letter] = letter + 1;
  for (const [index, char] of ['_', '-', '.'].entries()) fold[char.charCodeAt(0)] = 28 + index;
  return fold;
}

/** Letters from the most common to the rarest in English; what stands late makes the better cell. */
const byFrequency = ' etaoinsrhldcumfpgwybvkxjqz';

export class Prefilter<Subject> {
  readonly #anchors: Anchor<Subject>[] = [];
  /** Cell -> the number of its last place, from 1; a place is an anchor and where in it the cell's three characters end. */
  readonly #last = new Uint16Array(cells);
  readonly #places: { readonly anchor: number; readonly back: number; readonly before: number }[] = [];

  constructor(anchors: readonly Anchor<Subject>[]) {
    for (const anchor of anchors) {
      this.#anchors.push(anchor);
      const codes = Array.from(anchor.text, (char) => foldOf[char.charCodeAt(0)] ?? 0);
      const end = rarestEnd(anchor.text);
      if (end > 0) this.#place((codes[end - 2] ?? 0) << 10 | (codes[end - 1] ?? 0) << 5 | (codes[end] ?? 0), end);
      // Two characters are no cell: what may stand before them is named instead.
      else for (const before of [0, digits, 29, 30, others]) this.#place(before << 10 | (codes[0] ?? 0) << 5 | (codes[1] ?? 0), 1);
    }
  }

  #place(cell: number, back: number): void {
    this.#places.push({ anchor: this.#anchors.length - 1, back, before: this.#last[cell] ?? 0 });
    this.#last[cell] = this.#places.length;
  }

  /** Every anchor in the text, in the order of its places. */
  each(text: string, subject: Subject): void {
    const [last, fold, { length }] = [this.#last, foldOf, text];
    let cell = 0;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      cell = (cell << 5 | (code < 128 ? fold[code] ?? 0 : 0)) & 32_767;
      if (last[cell] !== 0) this.#look(last[cell] ?? 0, text, at, subject);
    }
  }

  #look(first: number, text: string, at: number, subject: Subject): void {
    for (let number = first; number !== 0;) {
      const place = this.#places[number - 1];
      if (place === undefined) return;
      const anchor = this.#anchors[place.anchor];
      if (anchor !== undefined && standsAt(anchor.text, text, at - place.back)) anchor.found(subject, at - place.back);
      number = place.before;
    }
  }
}

/** Where the rarest three neighbours of the anchor end; -1 for an anchor of two characters. */
function rarestEnd(anchor: string): number {
  let [best, bestScore] = [-1, -1];
  for (let end = 2; end < anchor.length; end += 1) {
    let score = anchor[end] === anchor[end - 1] && anchor[end] === anchor[end - 2] ? -60 : 0;
    for (let at = end - 2; at <= end; at += 1) {
      const rank = byFrequency.indexOf(anchor.charAt(at));
      score += rank < 0 ? 18 : rank;
    }
    if (score > bestScore) [best, bestScore] = [end, score];
  }
  return anchor.length > 2 && best < 0 ? anchor.length - 1 : best;
}

function standsAt(anchor: string, text: string, from: number): boolean {
  if (from < 0) return false;
  for (let at = 0; at < anchor.length; at += 1) {
    const code = text.charCodeAt(from + at);
    if ((code >= 65 && code <= 90 ? code | 32 : code) !== anchor.charCodeAt(at)) return false;
  }
  return true;
}
