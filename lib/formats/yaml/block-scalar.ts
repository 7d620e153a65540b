/**
 * Literal `|` and folded `>` scalars (YAML 1.2.2 section 8.1): the header, the indentation found or given, folding, and what
 * happens to the line breaks at the end. The last line of a text counts as ended, whether a line feed ends it or not.
 */
import type { YamlScalar } from './node.ts';
import { code, isBlank } from './reader.ts';
import type { Reader } from './reader.ts';

type Chomping = 'strip' | 'clip' | 'keep';

interface Header {
  readonly folded: boolean;
  readonly chomping: Chomping;
  /** The indentation indicator, 1 to 9, when there is one. */
  readonly digit: number | undefined;
}

/** Reads the block scalar whose `|` or `>` is at the cursor, below a parent at column `parent`; goes on to the next content. */
export function readBlockScalar(reader: Reader, parent: number): YamlScalar {
  const { line, column } = reader.place();
  const header = readHeader(reader);
  const indent = header.digit === undefined ? findIndent(reader, parent) : Math.max(parent, 0) + header.digit;
  const lines = readLines(reader, indent);
  if (header.digit !== undefined && parent < 0 && lines.some((text) => text !== '')) {
    reader.fail('an indentation indicator at the top level means different things to different programs', 'Leave the digit out, or use double quotes', { line, column });
  }
  if (header.chomping === 'keep' && reader.unended && reader.done && lines.at(-1) === '') {
    reader.fail('a block text that keeps its last line breaks ends in spaces without one', 'End the file with a line break', { line: reader.line - 1, column: 1 });
  }
  reader.skipToContent();
  const text = compose(lines, header);
  return { kind: 'scalar', value: text, text, style: header.folded ? 'folded' : 'literal', line, column };
}

/** Section 8.1.1; leaves the cursor at the start of the next line. */
function readHeader(reader: Reader): Header {
  const folded = reader.peek() === code.greater;
  reader.pos += 1;
  let chomping: Chomping | undefined;
  let digit: number | undefined;
  for (;;) {
    const char = reader.text.charAt(reader.pos);
    if ((char === '-' || char === '+') && chomping === undefined) chomping = char === '-' ? 'strip' : 'keep';
    else if (char >= '1' && char <= '9' && digit === undefined) digit = Number(char);
    else break;
    reader.pos += 1;
  }
  if (!isBlank(reader.peek())) reader.fail('a block text has a wrong header', 'After "|" or ">" write at most one digit from 1 to 9 and one of "-" and "+"');
  reader.skipBlanks();
  if (reader.peek() !== code.newline && !reader.atComment) reader.fail('text follows the header of a block text', 'Start the text on the next line');
  const end = reader.text.indexOf('\n', reader.pos);
  reader.requirePrintable(reader.pos, end);
  reader.pos = end;
  reader.breakLine();
  return { folded, chomping: chomping ?? 'clip', digit };
}

/** The indentation of the first line that is not only spaces (section 8.1.1.1); the cursor stays. */
function findIndent(reader: Reader, parent: number): number {
  const { text } = reader;
  let longest = parent + 1;
  let longestLine = 0;
  let line = reader.line;
  for (let start = reader.pos; start < text.length; line += 1) {
    let at = start;
    while (text.charCodeAt(at) === code.space) at += 1;
    const spaces = at - start;
    if (text.charCodeAt(at) !== code.newline) {
      if (spaces <= parent || isMarker(text, start)) return longest;
      if (longestLine > 0 && longest > spaces) {
        reader.fail('a blank line before the block text has more spaces than its first line', 'Remove the spaces of the blank line', { line: longestLine, column: spaces + 1 });
      }
      return spaces;
    }
    if (spaces > longest) [longest, longestLine] = [spaces, line];
    start = at + 1;
  }
  return longest;
}

function isMarker(text: string, start: number): boolean {
  const three = text.slice(start, start + 3);
  return (three === '---' || three === '...') && isBlank(text.charCodeAt(start + 3));
}

/** The lines of the scalar without their indentation; an empty line is `''`. Leaves the cursor at the start of the line behind. */
function readLines(reader: Reader, indent: number): string[] {
  const { text } = reader;
  const lines: string[] = [];
  while (!reader.done && !reader.atMarker()) {
    const start = reader.pos;
    let at = start;
    while (at - start < indent && text.charCodeAt(at) === code.space) at += 1;
    const unit = text.charCodeAt(at);
    if (unit !== code.newline && at - start < indent) {
      if (unit === code.tab) reader.fail('a tab is used as indentation', 'Use spaces', reader.place(at));
      break;
    }
    const end = text.indexOf('\n', at);
    reader.requirePrintable(at, end);
    lines.push(text.slice(at, end));
    reader.pos = end;
    reader.breakLine();
  }
  return lines;
}

/** The value of the lines: folded or not, chomped (section 8.1.1.2). */
function compose(lines: readonly string[], header: Header): string {
  const last = lines.findLastIndex((line) => line !== '');
  const content = lines.slice(0, last + 1);
  const body = header.folded ? fold(content) : content.join('\n');
  if (header.chomping === 'strip') return body;
  if (header.chomping === 'keep') return body + '\n'.repeat(lines.length - Math.max(last, 0));
  return last === -1 ? body : `${body}\n`;
}

/** Section 8.1.3: a break between two lines is a space; beside a line that starts with a blank, and for empty lines, it stays. */
function fold(lines: readonly string[]): string {
  const parts: string[] = [];
  let breaks = 0;
  let before: string | undefined;
  for (const line of lines) {
    if (line === '') {
      breaks += 1;
      continue;
    }
    const folds = before !== undefined && !startsBlank(before) && !startsBlank(line);
    if (before === undefined) parts.push('\n'.repeat(breaks));
    else if (!folds) parts.push('\n'.repeat(breaks + 1));
    else parts.push(breaks === 0 ? ' ' : '\n'.repeat(breaks));
    parts.push(line);
    before = line;
    breaks = 0;
  }
  return parts.join('');
}

function startsBlank(line: string): boolean {
  return isBlank(line.charCodeAt(0));
}
