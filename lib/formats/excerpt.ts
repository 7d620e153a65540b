/**
 * The part of a text that an error is about: one line, and a caret under the column. The text may be hostile, so what could
 * move a cursor, hide or reorder words on a terminal is shown as a replacement character, one for one.
 */

/** Longer lines are shown as a window around the column. */
const widest = 100;
const lead = 60;

/** Control characters but the tab, line and direction marks, byte order marks, lone surrogates. */
const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu;

/**
 * The line and, below it, a caret. Lines and columns count from 1 (UTF-16 code units); a byte order mark at the start of
 * the text is not counted. Tabs stay, above and below, so that the caret stands where the column is.
 */
export function excerptAt(text: string, line: number, column: number): string {
  const source = lineAt(text, line);
  const at = Math.min(Math.max(column, 1) - 1, source.length);
  const from = source.length <= widest ? 0 : Math.max(0, Math.min(at - lead, source.length - widest));
  const to = Math.min(source.length, from + widest);
  const before = from > 0 ? '…' : '';
  const after = to < source.length ? '…' : '';
  const shown = source.slice(from, to).replace(unsafe, '\ufffd');
  const pad = `${before}${source.slice(from, at)}`.replace(/[^\t]/g, ' ');
  return `${before}${shown}${after}\n${pad}^`;
}

/** The line without its break (LF, CR LF or CR); empty when there is no such line. */
function lineAt(text: string, line: number): string {
  const breaks = /\r\n?|\n/g;
  let start = text.startsWith('\ufeff') ? 1 : 0;
  for (let at = 1; at < line; at += 1) {
    if (breaks.exec(text) === null) return '';
    start = breaks.lastIndex;
  }
  const end = breaks.exec(text);
  return text.slice(start, end === null ? text.length : end.index);
}
