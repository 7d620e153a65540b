/**
 * Comma-separated values: RFC 4180, section 2. A spreadsheet takes a cell for a formula when it begins with one of certain
 * characters, some also behind spaces, so text from outside that begins so gets an apostrophe in front, and control
 * characters, which the RFC has no place for, are shown as a replacement character; unless the caller wants it as it is.
 */

/** Semicolons and tabs separate cells where a spreadsheet's language says so. */
const mustBeQuoted = /[",;\t\r\n]/;
/** The wide forms count as the plain ones in some languages. */
const looksLikeFormula = /^(?:[\t\r\n]|\s*[=+\-@\uff0b\uff0d\uff1d\uff20])/;
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** One row with its line end (CR LF). `raw` leaves cells that look like formulas as they are. */
export function csvRow(cells: readonly (string | number | undefined)[], raw = false): string {
  return `${cells.map((cell) => (typeof cell === 'number' ? String(cell) : csvCell(cell ?? '', raw))).join(',')}\r\n`;
}

function csvCell(text: string, raw: boolean): string {
  const shown = raw ? text : text.replace(control, '\ufffd');
  const safe = !raw && looksLikeFormula.test(shown) ? `'${shown}` : shown;
  return mustBeQuoted.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
