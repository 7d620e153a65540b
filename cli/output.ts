/**
 * Where a command prints: results to stdout, messages to stderr. Colours only where a person looks, each stream judged by
 * itself. Text from outside passes `printable` first, so that a recorded escape sequence cannot rewrite the screen.
 */
import type { Terminal, TextSink } from '../lib/host/terminal.ts';

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, dim: 2 } as const;

export type Colour = keyof typeof codes;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** One stream's look. */
export interface Look {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly paint: Paint;
}

/** What a command prints with. */
export interface Output {
  readonly json: boolean;
  readonly out: Look;
  readonly err: Look;
  /** One line of the result. */
  line(text?: string): void;
  /** The result as one JSON value: spread over lines for a person, one line for a program. */
  value(value: unknown): void;
  /** A message on stderr, left out with `--quiet`. */
  note(text: string): void;
  /** A message on stderr that is always printed. */
  warn(text: string): void;
  /** A line on stderr as it stands, always printed. */
  message(line: string): void;
}

/** What the flags ask for. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly plain: boolean;
}

export function createOutput(terminal: Terminal, options: OutputOptions): Output {
  const plain = options.plain || (terminal.env['NO_COLOR'] ?? '') !== '' || terminal.env['TERM'] === 'dumb';
  const { stdout, stderr } = terminal;
  const out = createLook(stdout, plain);
  const err = createLook(stderr, plain);
  return {
    json: options.json,
    out,
    err,
    line: (text = '') => stdout.write(`${text}\n`),
    value: (value) => stdout.write(`${JSON.stringify(value, undefined, stdout.isTerminal ? 2 : undefined)}\n`),
    note: (text) => { if (!options.quiet) stderr.write(`${text}\n`); },
    warn: (text) => stderr.write(`${err.paint('yellow', 'warning:')} ${text}\n`),
    message: (line) => stderr.write(`${line}\n`),
  };
}

function createLook(sink: TextSink, plain: boolean): Look {
  return {
    get isTerminal() { return sink.isTerminal; },
    get columns() { return sink.columns; },
    paint: (colour, text) => (plain || !sink.isTerminal ? text : `\u001b[${codes[colour]}m${text}\u001b[0m`),
  };
}

/** Control characters, and marks that reorder or hide text. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with everything a terminal would act on shown as an escape. */
export function printable(text: string): string {
  return text.replace(unprintable, (char) => (char === '\t' ? '  ' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

/** Rows as lines, each column as wide as its widest cell; no line longer than `width` where one is given. */
export function columns(rows: readonly (readonly string[])[], width?: number): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => { widths[at] = Math.max(widths[at] ?? 0, cell.length); });
  return rows.map((row) => {
    const line = row.map((cell, at) => (at + 1 < row.length ? cell.padEnd(widths[at] ?? 0) : cell)).join('  ').trimEnd();
    return width !== undefined && line.length > width ? `${line.slice(0, width - 1)}…` : line;
  });
}
