/**
 * The door of the YAML reader: size, encoding, one document, and from there down. It reads a subset of YAML 1.2.2 with the
 * core schema, and all of JSON. It never guesses: what is outside the subset is refused with its place. docs/formats/yaml.md
 * says what is in.
 */
import { readBlockNode } from './block.ts';
import { valueOf } from './node.ts';
import type { YamlNode } from './node.ts';
import { code, codePoint, limits, Reader, yamlError } from './reader.ts';

export { valueOf } from './node.ts';
export type { YamlEntry, YamlMap, YamlNode, YamlPrimitive, YamlScalar, YamlSeq, YamlStyle } from './node.ts';

export interface YamlOptions {
  /** The name of the text in error messages. */
  readonly filename?: string;
}

/** Never allowed (section 5.1): control characters but tab and line breaks, and surrogates that are no pair. */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff]/u;

/**
 * The value of a YAML or JSON text: null, boolean, number, string, array or plain object. Throws `LokiError`
 * (`yaml.invalid`) with `line`, `column` and `problems`.
 */
export function parseYaml(text: string, options: YamlOptions = {}): unknown {
  return valueOf(parseYamlNode(text, options));
}

/** The tree of a YAML or JSON text, in which every node has its line and column. Throws as `parseYaml` does. */
export function parseYamlNode(text: string, options: YamlOptions = {}): YamlNode {
  requireSize(text, options.filename);
  const reader = new Reader(normalise(text), options.filename);
  requireCharacters(reader);
  const node = readDocument(reader);
  requireExact(reader);
  reader.requireClean();
  return node;
}

function requireSize(text: unknown, filename: string | undefined): void {
  const found = sizeProblem(text);
  if (found === undefined) return;
  throw yamlError(filename, [{ ...(filename === undefined ? {} : { file: filename }), ...found }]);
}

function sizeProblem(text: unknown): { message: string; hint: string } | undefined {
  if (typeof text !== 'string') return { message: `it is ${text === null ? 'null' : `of type ${typeof text}`}, not a text`, hint: 'Decode the bytes as UTF-8 first' };
  // A UTF-16 code unit takes at most three bytes, so most texts need no counting.
  const bytes = text.length * 3 <= limits.bytes ? 0 : text.length > limits.bytes ? text.length : utf8Length(text);
  if (bytes <= limits.bytes) return undefined;
  return { message: `it is larger than ${limits.bytes} bytes`, hint: 'Split the file' };
}

/** Bytes in UTF-8; half of a surrogate pair counts two, its pair four. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** No byte order mark, and line feeds only (section 5.4). */
function normalise(text: string): string {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  return body.includes('\r') ? body.replace(/\r\n?/g, '\n') : body;
}

function requireCharacters(reader: Reader): void {
  const at = reader.text.search(forbidden);
  if (at === -1) return;
  const unit = reader.text.charCodeAt(at);
  const before = reader.text.slice(0, at);
  const place = { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
  if (unit >= 0xd800) reader.fail(`half of a character (${codePoint(unit)}) is not well-formed Unicode`, 'Save the file as UTF-8', place);
  reader.fail(`the control character ${codePoint(unit)} is not allowed`, 'Remove it, or write it as an escape in double quotes', place);
}

/** The one document of the text (section 9.1), with or without markers; null when there is none. */
function readDocument(reader: Reader): YamlNode {
  const node = readBlockNode(reader, -1, skipMarkers(reader) ? 'marker' : 'nothing');
  if (reader.done) return node;
  if (reader.indent >= 0) {
    if (reader.tabbed) reader.fail('a tab is used as indentation', 'Use spaces', reader.place(reader.lineStart + reader.indent));
    reader.fail('the line belongs to nothing above it', 'Check its indentation, and that every key has a ":" behind it');
  }
  if (skipMarkers(reader) || !reader.done) {
    reader.fail('a second document starts here', 'Keep one document in a file', { line: reader.line, column: 1 });
  }
  return node;
}

/** Steps over comments and `...` lines; true when a `---` followed, the cursor behind it. */
function skipMarkers(reader: Reader): boolean {
  reader.skipToContent();
  while (reader.atMarker()) {
    const starts = reader.peek() === code.dash;
    reader.pos += 3;
    if (starts) return true;
    reader.finishLine('the document end marker "..."');
  }
  return false;
}

/**
 * Refuses numbers that would not be kept, unless the text is JSON: there they mean what `JSON.parse` says. The test comes
 * this late because it is seldom needed.
 */
function requireExact(reader: Reader): void {
  if (reader.inexact.length === 0 || isJson(reader.text)) return;
  for (const { line, column } of reader.inexact) {
    reader.note('the number is too large to be kept exactly', 'Quote it to keep its digits, or write it as a decimal like 1e21', { line, column });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
