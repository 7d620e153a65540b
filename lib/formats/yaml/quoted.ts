/**
 * Quoted scalars (YAML 1.2.2 sections 7.3.1 and 7.3.2): escapes, doubled quotes, and the folding of several lines. Any
 * escape that YAML does not define is refused. A `\ud800` alone is kept as JSON keeps it.
 */
import type { YamlScalar } from './node.ts';
import { skipIndent } from './plain.ts';
import { code, find, trimEnd } from './reader.ts';
import type { Place, Reader } from './reader.ts';

/** Section 5.7, without the three that take hexadecimal digits. */
const escapes: ReadonlyMap<string, string> = new Map([
  ['0', '\0'], ['a', '\x07'], ['b', '\b'], ['t', '\t'], ['\t', '\t'], ['n', '\n'], ['v', '\v'], ['f', '\f'], ['r', '\r'], ['e', '\x1b'],
  [' ', ' '], ['"', '"'], ['/', '/'], ['\\', '\\'], ['N', '\x85'], ['_', '\xa0'], ['L', '\u2028'], ['P', '\u2029'],
]);
const digitCounts: ReadonlyMap<string, number> = new Map([['x', 2], ['u', 4], ['U', 8]]);
const hexDigits = /^[0-9a-fA-F]+$/;

/** What the text between quotes stops at. */
const doubleStop = /["\\\n]/g;
const singleStop = /['\n]/g;

/** Reads the double-quoted scalar at the cursor; further lines need `least` spaces. */
export function readDouble(reader: Reader, least: number): YamlScalar {
  const { text } = reader;
  const start = reader.place();
  const parts: string[] = [];
  reader.pos += 1;
  for (;;) {
    const from = reader.pos;
    const at = find(text, doubleStop, from);
    const unit = text.charCodeAt(at);
    reader.pos = at;
    if (unit === code.newline) {
      parts.push(text.slice(from, trimEnd(text, from, at)), readFold(reader, least, start, ' '));
      continue;
    }
    parts.push(text.slice(from, at));
    if (unit === code.double) break;
    parts.push(readEscape(reader, least, start));
  }
  reader.pos += 1;
  return scalar('double', parts, start);
}

/** Reads the single-quoted scalar at the cursor; further lines need `least` spaces. */
export function readSingle(reader: Reader, least: number): YamlScalar {
  const { text } = reader;
  const start = reader.place();
  const parts: string[] = [];
  reader.pos += 1;
  for (;;) {
    const from = reader.pos;
    const at = find(text, singleStop, from);
    reader.pos = at;
    if (text.charCodeAt(at) === code.newline) {
      parts.push(text.slice(from, trimEnd(text, from, at)), readFold(reader, least, start, ' '));
      continue;
    }
    parts.push(text.slice(from, at));
    reader.pos += 1;
    if (reader.peek() !== code.single) return scalar('single', parts, start);
    parts.push("'");
    reader.pos += 1;
  }
}

function scalar(style: 'single' | 'double', parts: readonly string[], start: Place): YamlScalar {
  const text = parts.join('');
  return { kind: 'scalar', value: text, text, style, line: start.line, column: start.column };
}

/** What a line break inside quotes means, with the blank lines behind it (section 6.5); the cursor goes on to the next text. */
function readFold(reader: Reader, least: number, start: Place, alone: '' | ' '): string {
  const blankLines = skipLines(reader, least, start);
  return blankLines === 0 ? alone : '\n'.repeat(blankLines);
}

/** Goes from a line feed to the content of the next line that has any, and counts the blank lines between. */
function skipLines(reader: Reader, least: number, start: Place): number {
  for (let blanks = 0; ; blanks += 1) {
    reader.breakLine();
    if (reader.done) reader.fail('a quote is not closed', 'Add the closing quote', start);
    if (reader.atMarker()) reader.fail('a document marker stands inside quotes', 'Close the quote before it, or indent the line');
    const indented = skipIndent(reader, least);
    const tab = reader.skipBlanks();
    if (reader.peek() !== code.newline && indented) return blanks;
    if (!indented && tab) reader.fail('a tab is used as indentation', 'Use spaces', reader.place(reader.text.indexOf('\t', reader.lineStart)));
    if (reader.peek() !== code.newline) {
      reader.fail(
        `the line is not indented enough to be inside the quotes of line ${start.line}`,
        `Close the quote before it, or start the line with ${least === 1 ? 'a space' : `${least} spaces`}`,
      );
    }
  }
}

/** What the escape at the cursor stands for; the cursor moves behind it. Blanks before an escaped line break are content. */
function readEscape(reader: Reader, least: number, start: Place): string {
  const name = reader.text.charAt(reader.pos + 1);
  if (name === '\n') {
    reader.pos += 1;
    return readFold(reader, least, start, '');
  }
  const simple = escapes.get(name);
  if (simple !== undefined) {
    reader.pos += 2;
    return simple;
  }
  const count = digitCounts.get(name);
  if (count === undefined) reader.fail(`the escape ${/^[!-~]$/.test(name) ? `\\${name}` : 'after "\\"'} is unknown`, 'Write a backslash as \\\\, or use single quotes, which have no escapes');
  const digits = reader.text.slice(reader.pos + 2, reader.pos + 2 + count);
  if (digits.length !== count || !hexDigits.test(digits)) reader.fail(`the escape \\${name} needs ${count} hexadecimal digits`, 'Write all its digits, or a backslash as \\\\');
  const point = Number.parseInt(digits, 16);
  if (point > 0x10ffff || (name === 'U' && point >= 0xd800 && point <= 0xdfff)) reader.fail(`the escape \\U${digits} is no Unicode character`, 'Use a code point up to 0010FFFF');
  reader.pos += 2 + count;
  return String.fromCodePoint(point);
}
