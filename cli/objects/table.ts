/**
 * Objects as a table that fits the terminal: what does not fit is cut with an ellipsis and never wrapped. Widths are counted as
 * terminals show characters, so that names in any script stand in their columns. Where no person looks nothing is cut.
 */
import type { JsonObject } from '../../lib/base/json.ts';
import { printable, type Look } from '../output.ts';
import type { Column } from './resource.ts';

const gap = 2;
/** A column that gives way keeps so much. */
const narrowest = 6;

/** The head and one line an object. `widths` of an earlier table keep what comes later in its columns. */
export interface Table {
  readonly head: string;
  readonly lines: readonly string[];
  readonly widths: readonly number[];
}

export function tableOf(objects: readonly JsonObject[], columns: readonly Column[], look: Look, known: readonly number[] = []): Table {
  const rows = objects.map((object) => columns.map((column) => printable(column.cell(object))));
  const natural = columns.map(({ title }, at) => Math.max(title.length, known[at] ?? 0, ...rows.map((row) => displayWidth(row[at] ?? ''))));
  const room = look.isTerminal ? look.columns : undefined;
  const widths = room === undefined ? natural : shrunk(natural, columns, room);
  const lineOf = (cells: readonly string[], paint: (text: string, at: number) => string): string => {
    const cut = cells.map((cell, at) => fit(cell, widths[at] ?? 0, at + 1 < cells.length));
    const line = cut.map((text, at) => paint(text, at)).join(' '.repeat(gap)).trimEnd();
    // However narrow it is: colours are left out where the line itself is cut.
    const plain = cut.join(' '.repeat(gap)).trimEnd();
    return room !== undefined && displayWidth(plain) > room ? fit(plain, room, false) : line;
  };
  return {
    widths, head: lineOf(columns.map(({ title }) => title), (text) => look.paint('bold', text)),
    lines: rows.map((row, index) => lineOf(row, (text, at) => {
      const colour = columns[at]?.colour?.(objects[index] ?? {});
      return colour === undefined ? text : look.paint(colour, text);
    })),
  };
}

/** Takes what is too much from the widest of the columns that give way. */
function shrunk(natural: readonly number[], columns: readonly Column[], room: number): readonly number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width + gap, -gap);
  for (;;) {
    const widest = columns.reduce((best, { shrinks }, at) => (shrinks === true && (widths[at] ?? 0) > (widths[best] ?? narrowest) ? at : best), -1);
    const over = total() - room;
    if (widest < 0 || over <= 0) return widths;
    const others = columns.flatMap(({ shrinks }, at) => (shrinks === true && at !== widest ? [widths[at] ?? 0] : []));
    const width = widths[widest] ?? 0;
    // Down to the next widest at a time, so that none gives all.
    const next = Math.max(narrowest, ...others.filter((other) => other < width));
    widths[widest] = Math.max(width - over, Math.min(next, width - 1), narrowest);
  }
}

/** The text in a column: cut, or filled up with spaces. */
function fit(text: string, width: number, fill: boolean): string {
  const wide = displayWidth(text);
  if (wide <= width) return fill ? text + ' '.repeat(width - wide) : text;
  let [cut, used] = ['', 0];
  for (const char of text) {
    const more = charWidth(char);
    if (used + more > width - 1) break;
    cut += char;
    used += more;
  }
  return `${cut}…${fill ? ' '.repeat(Math.max(0, width - used - 1)) : ''}`;
}

/** In columns of a terminal. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

const none = /^[\p{M}\u200d\ufe0f]$/u;
const double = /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

function charWidth(char: string): number {
  if (char >= ' ' && char <= '~') return 1;
  return none.test(char) ? 0 : double.test(char) ? 2 : 1;
}
