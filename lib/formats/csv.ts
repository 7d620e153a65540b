/**
 * Comma-separated values: RFC 4180, section 2. A spreadsheet takes a cell for a formula when it begins with one of certain
 * characters, so text from outside that begins so gets an apostrophe in front, unless the caller wants it as it is.
 */

const mustBeQuoted = /[",\r\n]/;
const looksLikeFormula = /^[=+\-@\t\r]/;

/** One row with its line end (CR LF). `raw` leaves cells that look like formulas as they are. */
export function csvRow(cells: readonly (string | number | undefined)[], raw = false): string {
  return `${cells.map((cell) => (typeof cell === 'number' ? String(cell) : csvCell(cell ?? '', raw))).join(',')}\r\n`;
}

function csvCell(text: string, raw: boolean): string {
  const safe = !raw && looksLikeFormula.test(text) ? `'${text}` : text;
  return mustBeQuoted.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
