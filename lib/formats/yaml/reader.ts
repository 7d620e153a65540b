/**
 * The cursor that every part of the YAML reader moves: position, line, indentation, and the mistakes found so far. It knows
 * lines, blanks, comments and document markers; it trusts nothing in the text and knows no YAML value.
 */
import { LokiError } from '../../errors.ts';
import type { Problem } from '../../errors.ts';
import { excerptAt } from '../excerpt.ts';
import type { YamlScalar } from './node.ts';

/** What a text may hold at most. Bytes are UTF-8; depth counts collections in collections; a key's length is YAML's own limit. */
export const limits: Readonly<Record<'bytes' | 'depth' | 'keyLength' | 'problems', number>> = {
  bytes: 1024 * 1024,
  depth: 64,
  keyLength: 1024,
  problems: 20,
};

/** UTF-16 code units the reader looks for. */
export const code = {
  tab: 0x09, newline: 0x0a, space: 0x20, double: 0x22, hash: 0x23, percent: 0x25, single: 0x27, comma: 0x2c, dash: 0x2d, dot: 0x2e,
  colon: 0x3a, greater: 0x3e, question: 0x3f, openList: 0x5b, backslash: 0x5c, closeList: 0x5d, openMap: 0x7b, pipe: 0x7c, closeMap: 0x7d,
} as const;

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Allowed inside quotes only, where YAML allows what JSON allows (section 5.1). */
const onlyQuoted = /[\u007f-\u0084\u0086-\u009f\ufeff\ufffe\uffff]/;

/** Whether a code unit is a space, a tab or the end of the line; every text ends with a line feed. */
export function isBlank(unit: number): boolean {
  return unit === code.space || unit === code.newline || unit === code.tab;
}

function isInlineBlank(unit: number): boolean {
  return unit === code.space || unit === code.tab;
}

export function isFlowIndicator(unit: number): boolean {
  return unit === code.comma || unit === code.openList || unit === code.closeList || unit === code.openMap || unit === code.closeMap;
}

/** Where a global pattern matches next, from a position on; the end of the text when it does not. */
export function find(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** Where the text between two positions ends when the blanks at its end are left out. */
export function trimEnd(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && isInlineBlank(text.charCodeAt(end - 1))) end -= 1;
  return end;
}

export class Reader {
  /** Line breaks are single line feeds, and one ends the last line. */
  readonly text: string;
  /** Whether the last line came without its line break. */
  readonly unended: boolean;
  pos = 0;
  line = 1;
  /** Where the current line starts. */
  lineStart = 0;
  /** Spaces before the content that `skipToContent` found on a new line; -1 at the end of the document. */
  indent = 0;
  /** Whether a tab stands between that indentation, or an indicator, and the content. */
  tabbed = false;
  /** Mistakes that do not stop the reading. */
  readonly problems: Problem[] = [];
  /** Values whose number could not be kept; the end of the reading decides about them. */
  readonly inexact: YamlScalar[] = [];
  readonly #filename: string | undefined;
  readonly #hasOnlyQuoted: boolean;
  #depth = 0;

  constructor(text: string, filename: string | undefined) {
    this.unended = !text.endsWith('\n');
    this.text = this.unended ? `${text}\n` : text;
    this.#filename = filename;
    this.#hasOnlyQuoted = onlyQuoted.test(text);
  }

  /** The code unit at the cursor, or `ahead` of it; 0 behind the end. */
  peek(ahead: number = 0): number {
    return this.text.charCodeAt(this.pos + ahead) || 0;
  }

  /** The place of a position on the current line; the cursor when none is given. */
  place(at: number = this.pos): Place {
    return { line: this.line, column: at - this.lineStart + 1 };
  }

  /** Whether the cursor is behind the last line. */
  get done(): boolean {
    return this.pos >= this.text.length;
  }

  /** Steps over the line feed at the cursor. */
  breakLine(): void {
    this.pos += 1;
    this.line += 1;
    this.lineStart = this.pos;
  }

  /** Steps over spaces and tabs; true when there was a tab. */
  skipBlanks(): boolean {
    const { text } = this;
    let tab = false;
    let at = this.pos;
    for (let unit = text.charCodeAt(at); unit === code.space || unit === code.tab; unit = text.charCodeAt(at)) {
      if (unit === code.tab) tab = true;
      at += 1;
    }
    this.pos = at;
    return tab;
  }

  /** Whether an indicator at the cursor stands alone: a space, a tab or the end of the line follows. */
  indicator(unit: number): boolean {
    return this.text.charCodeAt(this.pos) === unit && isBlank(this.text.charCodeAt(this.pos + 1));
  }

  /** Whether the cursor is at a `#` that starts a comment: at the start of the line or after a blank (section 6.6). */
  get atComment(): boolean {
    return this.text.charCodeAt(this.pos) === code.hash && (this.pos === this.lineStart || isBlank(this.text.charCodeAt(this.pos - 1)));
  }

  /** Whether the line at the cursor is `---` or `...`, alone or before a blank (section 9.1.4). */
  atMarker(): boolean {
    if (this.pos !== this.lineStart) return false;
    const unit = this.peek();
    if (unit !== code.dash && unit !== code.dot) return false;
    return this.peek(1) === unit && this.peek(2) === unit && isBlank(this.peek(3));
  }

  /** Steps over blanks, comments and line ends to the next content; when that is on a new line, sets `indent` and `tabbed`. */
  skipToContent(): void {
    for (;;) {
      const from = this.pos;
      const tab = this.skipBlanks();
      if (from === this.lineStart) this.#measure(tab);
      if (this.atComment) this.#skipComment();
      if (this.peek() !== code.newline) return;
      this.breakLine();
    }
  }

  /** Ends a node in a block collection: only a comment may follow on its line. Goes on to the next content. */
  finishLine(what: string): void {
    const line = this.line;
    this.skipToContent();
    if (this.line !== line) return;
    if (this.peek() === code.hash) this.fail('a comment needs a space before "#"', 'Put a space before "#", or quote the text');
    this.fail(`text follows ${what} on the same line`, 'Quote the whole text, or start a new line');
  }

  /** Refuses characters that are allowed inside quotes only, from a position on the current line. */
  requirePrintable(from: number, to: number): void {
    if (!this.#hasOnlyQuoted) return;
    const at = this.text.slice(from, to).search(onlyQuoted);
    if (at === -1) return;
    const unit = this.text.charCodeAt(from + at);
    const name = unit === 0xfeff ? 'a byte order mark' : `the control character ${codePoint(unit)}`;
    this.fail(`${name} stands outside quotes`, `Remove it, or write it as \\u${hex(unit)} in double quotes`, this.place(from + at));
  }

  /** Counts one collection more around the cursor. */
  enter(place: Place): void {
    this.#depth += 1;
    if (this.#depth > limits.depth) this.fail(`the nesting is deeper than ${limits.depth} levels`, 'Use fewer levels', place);
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** Keeps a mistake and goes on; stops when there are too many. */
  note(message: string, hint: string, place: Place): void {
    this.problems.push({
      message,
      ...(this.#filename === undefined ? {} : { file: this.#filename }),
      line: place.line,
      column: place.column,
      excerpt: excerptAt(this.text, place.line, place.column),
      hint,
    });
    if (this.problems.length >= limits.problems) throw yamlError(this.#filename, this.problems);
  }

  /** Stops the reading with everything found so far. */
  fail(message: string, hint: string, place: Place = this.place()): never {
    this.note(message, hint, place);
    throw yamlError(this.#filename, this.problems);
  }

  /** Throws when mistakes were kept. */
  requireClean(): void {
    if (this.problems.length > 0) throw yamlError(this.#filename, this.problems);
  }

  #measure(tab: boolean): void {
    if (this.done || (this.pos === this.lineStart && this.atMarker())) {
      this.indent = -1;
      this.tabbed = false;
      return;
    }
    const firstTab = tab ? this.text.indexOf('\t', this.lineStart) : this.pos;
    this.indent = firstTab - this.lineStart;
    this.tabbed = tab;
  }

  #skipComment(): void {
    const end = this.text.indexOf('\n', this.pos);
    this.requirePrintable(this.pos, end);
    this.pos = end;
  }
}

/** The error for the mistakes in a text, sorted by place. */
export function yamlError(filename: string | undefined, problems: readonly Problem[]): LokiError {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const first = sorted[0];
  const place = first?.line === undefined ? '' : `line ${first.line}, column ${first.column}: `;
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
  return new LokiError('yaml.invalid', {
    attempted: filename === undefined ? 'read YAML' : `read YAML ${JSON.stringify(filename)}`,
    found: `${place}${first?.message ?? 'it is not well-formed'}${more}`,
    problems: sorted,
  });
}

/** `U+001B`. */
export function codePoint(unit: number): string {
  return `U+${hex(unit)}`;
}

function hex(unit: number): string {
  return unit.toString(16).toUpperCase().padStart(4, '0');
}
