/**
 * Plain scalars: where one may start, where it ends, how its lines fold (YAML 1.2.2 section 7.3.3), and the type its text
 * has by the core schema (section 10.3.2). What starts a construct that is not supported is refused here, by its first character.
 */
import type { YamlPrimitive, YamlScalar } from './node.ts';
import { code, find, isBlank, isFlowIndicator, trimEnd } from './reader.ts';
import type { Place, Reader } from './reader.ts';

const integer = /^[-+]?[0-9]+$/;
const octal = /^0o[0-7]+$/;
const hexadecimal = /^0x[0-9a-fA-F]+$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** The words of the core schema. */
const words: ReadonlyMap<string, YamlPrimitive> = new Map<string, YamlPrimitive>([
  ['', null], ['~', null], ['null', null], ['Null', null], ['NULL', null],
  ['true', true], ['True', true], ['TRUE', true],
  ['false', false], ['False', false], ['FALSE', false],
  ...['inf', 'Inf', 'INF'].flatMap((word): [string, YamlPrimitive][] => [[`.${word}`, Infinity], [`+.${word}`, Infinity], [`-.${word}`, -Infinity]]),
  ['.nan', NaN], ['.NaN', NaN], ['.NAN', NaN],
]);
const longestWord = 5;

/** The value of a plain scalar by the core schema: a word, a number, or else the text itself. */
export function resolvePlain(text: string): YamlPrimitive {
  if (text.length <= longestWord) {
    const word = words.get(text);
    if (word !== undefined) return word;
  }
  const first = text.charCodeAt(0);
  const numeric = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === code.dash || first === code.dot;
  if (!numeric) return text;
  return float.test(text) || octal.test(text) || hexadecimal.test(text) ? Number(text) : text;
}

/**
 * Whether a number in the text could not be kept: an integer that JavaScript would write back with other digits, or a
 * number too large for a double. `0.1` is exact in this sense; `9007199254740993` and `1e999` are not.
 */
export function isInexact(text: string, value: YamlPrimitive): boolean {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return false;
  if (integer.test(text)) return text.replace(/^([-+]?)0*(?=[0-9])/, '') !== String(Math.abs(value));
  if (octal.test(text) || hexadecimal.test(text)) return true;
  return !Number.isFinite(value) && !words.has(text);
}

/** Where a line of a plain scalar ends: before `: `, before a comment, and in a flow collection before its indicators. */
const endInBlock = /:(?=[ \t\n])|[ \t]#|\n/g;
const endInFlow = /:(?=[ \t\n,[\]{}])|[ \t]#|[\n,[\]{}]/g;

/** First characters that no plain scalar may have, and what to say. */
const refusals: ReadonlyMap<string, readonly [message: string, hint: string]> = new Map([
  ['&', ['anchors are not supported', 'Write the value out where it is used, or quote a text that starts with "&"']],
  ['*', ['aliases are not supported', 'Write the value out, or quote a text that starts with "*"']],
  ['!', ['tags are not supported', 'Leave the tag out, or quote a text that starts with "!"']],
  ['%', ['a plain text cannot start with "%"', 'Quote the text']],
  ['@', ['a plain text cannot start with "@"', 'Quote the text']],
  ['`', ['a plain text cannot start with "`"', 'Quote the text']],
  ['|', ['a block text cannot start here', 'Quote a text that starts with "|"']],
  ['>', ['a block text cannot start here', 'Quote a text that starts with ">"']],
  ['#', ['a comment needs a space before "#"', 'Put a space before "#", or quote the text']],
  [',', ['a value is missing before ","', 'Write the value, or quote a text that starts with ","']],
  [']', ['"]" closes nothing', 'Remove it, or quote the text']],
  ['}', ['"}" closes nothing', 'Remove it, or quote the text']],
  ['-', ['a sequence entry cannot start here', 'Start the sequence on its own line, or quote the "-"']],
  ['?', ['complex keys ("? ") are not supported', 'Use a plain or quoted key, or quote the "?"']],
  [':', ['a key is missing before ":"', 'Write the key, or quote the ":"']],
]);

/**
 * Reads the plain scalar at the cursor and stops right behind its last character. Its further lines need `least` spaces.
 * It ends before `: `, ` #` and, inside a flow collection, before `, [ ] { }`.
 */
export function readPlain(reader: Reader, least: number, inFlow: boolean): YamlScalar {
  const { line, column } = reader.place();
  requireStart(reader, inFlow);
  let text = readLine(reader, inFlow);
  for (let rest = readContinuation(reader, least, inFlow); rest !== undefined; rest = readContinuation(reader, least, inFlow)) text += rest;
  return { kind: 'scalar', value: resolvePlain(text), text, style: 'plain', line, column };
}

/** Refuses the complex key, tag, anchor … at the cursor; returns when a plain scalar may start there (ns-plain-first). */
function requireStart(reader: Reader, inFlow: boolean): void {
  const first = reader.peek();
  // Most begin with a letter or a digit.
  if (isWordUnit(first)) return;
  if (first === code.dash || first === code.question || first === code.colon) {
    if (isPlainSafe(reader.peek(1), inFlow)) return;
  }
  if (first === code.percent && reader.pos === reader.lineStart) {
    reader.fail('directives are not supported', 'Leave the line out; every text is read as YAML 1.2');
  }
  const refusal = refusals.get(String.fromCharCode(first));
  if (refusal !== undefined) reader.fail(...refusal);
}

function isWordUnit(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39);
}

function isPlainSafe(unit: number, inFlow: boolean): boolean {
  return !isBlank(unit) && !(inFlow && isFlowIndicator(unit));
}

/** The rest of a scalar on the current line, without blanks at its end. */
function readLine(reader: Reader, inFlow: boolean): string {
  const { text, pos: from } = reader;
  const end = trimEnd(text, from, find(text, inFlow ? endInFlow : endInBlock, from));
  reader.requirePrintable(from, end);
  reader.pos = end;
  return text.slice(from, end);
}

/** The next line of the scalar with the fold before it (section 6.5), or undefined, the cursor unmoved, when it has ended. */
function readContinuation(reader: Reader, least: number, inFlow: boolean): string | undefined {
  const { pos, line, lineStart } = reader;
  // A key ends at its colon.
  if (!isBlank(reader.text.charCodeAt(pos))) return undefined;
  reader.skipBlanks();
  const blanks = reader.peek() === code.newline ? skipBlankLines(reader, least) : -1;
  const rest = blanks >= 0 && !reader.atComment ? readLine(reader, inFlow) : '';
  if (rest !== '') return (blanks === 0 ? ' ' : '\n'.repeat(blanks)) + rest;
  reader.pos = pos;
  reader.line = line;
  reader.lineStart = lineStart;
  return undefined;
}

/** Goes to the next line with content and counts the blank lines before it; -1 when it cannot continue the scalar. */
function skipBlankLines(reader: Reader, least: number): number {
  for (let blanks = 0; ; blanks += 1) {
    reader.breakLine();
    if (reader.done || reader.atMarker()) return -1;
    const indented = skipIndent(reader, least);
    const tab = reader.skipBlanks();
    if (reader.peek() !== code.newline) return indented ? blanks : -1;
    if (tab && !indented) return -1;
  }
}

/** Steps over up to `least` spaces; false when there are fewer. */
export function skipIndent(reader: Reader, least: number): boolean {
  const { text } = reader;
  const end = reader.pos + Math.max(0, least);
  let at = reader.pos;
  while (at < end && text.charCodeAt(at) === code.space) at += 1;
  reader.pos = at;
  return at === end;
}

/** The scalar that stands for nothing written. */
export function emptyScalar(place: Place): YamlScalar {
  return { kind: 'scalar', value: null, text: '', style: 'plain', line: place.line, column: place.column };
}
