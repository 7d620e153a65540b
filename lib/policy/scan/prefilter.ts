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

const cellBits = 15;
const cells = 1 << cellBits;
/** A character is five bits that say its kind and ten that tell it from others of the kind; the older of three keeps only the five. */
const digit = 27;
const other = 31;
/** Kinds of characters that words are not made of: blanks and all beyond ASCII are 0. */
const outsideWords = [0, digit, 29, 30, other];
const valueOf: Uint16Array = valueTable();

function valueTable(): Uint16Array {
  // One place for every code unit: no test in the loop whether there is one.
  const values = new Uint16Array(65_536);
  for (let code = 33; code < 127; code += 1) values[code] = other | (code * 37 & 1023) << 5;
  for (let code = 48; code < 58; code += 1) values[code] = digit;
  for (let letter = 1; letter <= 26; letter += 1) values[64 + letter] = values[96 + letter] = letter | (letter * 41 & 1023) << 5;
  for (let mark = 0; mark < 3; mark += 1) values['_-.'.charCodeAt(mark)] = 28 + mark;
  return values;
}

/** The cell of three neighbours. */
function cellOf(text: string, end: number): number {
  return ((valueOf[text.charCodeAt(end - 2)] ?? 0) << 10 ^ (valueOf[text.charCodeAt(end - 1)] ?? 0) << 5 ^ (valueOf[text.charCodeAt(end)] ?? 0)) & cells - 1;
}

/** Letters from the most common to the rarest in English; what stands late makes the better cell. */
const byFrequency = 'etaoinsrhldcumfpgwybvkxjqz';
const rankOfMark = 18;

interface Place<Subject> {
  readonly anchor: Anchor<Subject>;
  readonly back: number;
  readonly before: number;
}

export class Prefilter<Subject> {
  /** Cell -> its last place, or 0; a place is an anchor, where in it the cell's three characters end, and the place before it. */
  readonly #last: Uint16Array = new Uint16Array(cells);
  readonly #places: Place<Subject>[] = [];

  constructor(anchors: readonly Anchor<Subject>[]) {
    const rank = new Uint8Array(128).fill(rankOfMark);
    for (let at = 0; at < byFrequency.length; at += 1) rank[byFrequency.charCodeAt(at)] = at;
    for (const anchor of anchors) {
      if (anchor.text.length > 2) {
        const end = rarestEnd(anchor.text, rank);
        this.#place(anchor, cellOf(anchor.text, end), end);
        continue;
      }
      // Two characters are no cell: what may stand before them is named instead.
      const own = (valueOf[anchor.text.charCodeAt(0)] ?? 0) << 5 ^ (valueOf[anchor.text.charCodeAt(1)] ?? 0);
      for (const before of outsideWords) this.#place(anchor, (before << 10 ^ own) & cells - 1, 1);
    }
  }

  #place(anchor: Anchor<Subject>, cell: number, back: number): void {
    this.#places.push({ anchor, back, before: this.#last[cell] ?? 0 });
    this.#last[cell] = this.#places.length;
  }

  /** Every anchor in the text, in the order of its places. */
  each(text: string, subject: Subject): void {
    const [last, values, { length }] = [this.#last, valueOf, text];
    let cell = 0;
    for (let at = 0; at < length; at += 1) {
      cell = (cell << 5 ^ (values[text.charCodeAt(at)] as number)) & cells - 1;
      const place = last[cell] as number;
      if (place !== 0) this.#look(place, text, at, subject);
    }
  }

  #look(first: number, text: string, at: number, subject: Subject): void {
    for (let place = this.#places[first - 1]; place !== undefined; place = this.#places[place.before - 1]) {
      if (standsAt(place.anchor.text, text, at - place.back)) place.anchor.found(subject, at - place.back);
    }
  }
}

/** Where the rarest three neighbours of the anchor end. Without destructuring: this runs cold, once, for some thousand places. */
function rarestEnd(anchor: string, rank: Uint8Array): number {
  let best = 2;
  let bestScore = -1;
  let a = anchor.charCodeAt(0);
  let b = anchor.charCodeAt(1);
  for (let end = 2; end < anchor.length; end += 1) {
    const c = anchor.charCodeAt(end);
    const score = a === b && b === c ? 0 : (rank[a] as number) + (rank[b] as number) + (rank[c] as number);
    if (score > bestScore) {
      best = end;
      bestScore = score;
    }
    a = b;
    b = c;
  }
  return best;
}

function standsAt(anchor: string, text: string, from: number): boolean {
  if (from < 0) return false;
  for (let at = 0; at < anchor.length; at += 1) {
    const code = text.charCodeAt(from + at);
    if ((code >= 65 && code <= 90 ? code | 32 : code) !== anchor.charCodeAt(at)) return false;
  }
  return true;
}
