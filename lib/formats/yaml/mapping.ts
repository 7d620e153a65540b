/**
 * The entries of one mapping while it is read. A key given twice, a merge key and a key too long for its place are refused
 * here: keeping the last of two keys is how a rule gets lost.
 */
import type { YamlEntry, YamlNode, YamlScalar } from './node.ts';
import { isInexact } from './plain.ts';
import { limits } from './reader.ts';
import type { Place, Reader } from './reader.ts';

const longestNamed = 60;

export class Entries {
  readonly list: YamlEntry[] = [];
  readonly #reader: Reader;
  readonly #seen = new Map<string, YamlScalar>();
  /** Typed keys by their value, so that `1` and `0x1` are one key, as the core schema has it. */
  #typed: Map<string, YamlScalar> | undefined;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  add(key: YamlScalar, value: YamlNode): void {
    this.list.push({ key, value });
  }

  /** Checks a key before its value is read, so that mistakes come in the order of the file. */
  check(key: YamlScalar): void {
    const { text } = key;
    const first = this.#seen.get(text);
    const twin = this.#twin(key);
    if (first !== undefined) {
      this.#reader.note(`the key ${shorten(text)} is already given in line ${first.line}`, 'Remove one of the two', key);
    } else if (twin !== undefined) {
      this.#reader.note(`the key ${shorten(text)} means the same as ${shorten(twin.text)} in line ${twin.line}`, 'Quote both to keep them apart', key);
    } else if (text === '<<' && key.style === 'plain') {
      this.#reader.note('merge keys are not supported', 'Write the entries out, or quote the key: "<<"', key);
    }
    this.#seen.set(text, key);
  }

  #twin(key: YamlScalar): YamlScalar | undefined {
    if (typeof key.value === 'string' || isInexact(key.text, key.value)) return undefined;
    this.#typed ??= new Map();
    const value = String(key.value);
    const twin = this.#typed.get(value);
    this.#typed.set(value, key);
    return twin;
  }
}

/**
 * A node that turned out to be a key: a scalar on one line, not longer than YAML allows (section 7.4.3). The cursor is
 * behind it, on the line where it ended.
 */
export function requireKey(reader: Reader, node: YamlNode): YamlScalar {
  const key = requireScalarKey(reader, node);
  if (key.line !== reader.line) {
    const first = reader.text.slice(reader.lineStart).search(/[^ \t]/);
    reader.fail(`this line goes on with the text of line ${key.line}, so it cannot hold a key`, 'Correct its indentation, or quote a text that contains ": "', reader.place(reader.lineStart + first));
  }
  const length = reader.pos - reader.lineStart - (key.column - 1);
  if (length > limits.keyLength && [...reader.text.slice(reader.pos - length, reader.pos)].length > limits.keyLength) {
    reader.fail(`a key is longer than ${limits.keyLength} characters`, 'Shorten the key, or write the mapping in braces, where the limit does not apply', key);
  }
  return key;
}

/** A node that turned out to be a key, where it may go over several lines. */
export function requireScalarKey(reader: Reader, node: YamlNode): YamlScalar {
  if (node.kind !== 'scalar') reader.fail('a mapping or sequence as a key is not supported', 'Use a plain or quoted key', place(node));
  if (reader.inexact.at(-1) === node) reader.inexact.pop();
  return node;
}

function place(node: Place): Place {
  return { line: node.line, column: node.column };
}

function shorten(text: string): string {
  return JSON.stringify(text.length <= longestNamed ? text : `${text.slice(0, longestNamed)}…`);
}
