/**
 * Block mappings and sequences (YAML 1.2.2 section 8.2): which node starts at the cursor, by indentation. A line whose
 * indentation fits no open collection is refused, and so is a tab where it would decide structure.
 */
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from './node.ts';
import { readBlockScalar } from './block-scalar.ts';
import { readInline } from './flow.ts';
import { Entries, requireKey } from './mapping.ts';
import { emptyScalar, resolvePlain } from './plain.ts';
import { code } from './reader.ts';
import type { Place, Reader } from './reader.ts';

/** What stands before a node: nothing (the document starts), `---`, the `-` of an entry, or the `:` of a key. */
type Before = 'nothing' | 'marker' | 'entry' | 'key';

/**
 * Reads the node behind an indicator at the indentation `parent` (-1 for the document), and goes on to the content behind
 * it, with the reader's `indent` set. A node that needs more indentation than there is, is empty.
 */
export function readBlockNode(reader: Reader, parent: number, before: Before): YamlNode {
  const empty = reader.place();
  const { line } = reader;
  if (before !== 'nothing') {
    const tab = reader.skipBlanks();
    if (reader.peek() === code.newline || reader.atComment) reader.skipToContent();
    else reader.tabbed = tab;
  }
  const fresh = before === 'nothing' || reader.line !== line;
  if (!fresh) return readContent(reader, parent, reader.pos - reader.lineStart, before);
  // Section 8.2.1: the entries of a sequence may stand under the key that holds it.
  const undented = before === 'key' && reader.indent === parent && !reader.tabbed && reader.indicator(code.dash);
  if (reader.indent <= parent && !undented) return emptyScalar(empty);
  return readContent(reader, parent, reader.indent, 'nothing');
}

/** Reads the node at the cursor, whose column counts as `indent` when it is a collection. */
function readContent(reader: Reader, parent: number, indent: number, before: Before): YamlNode {
  const start = reader.place();
  if (reader.indicator(code.dash)) {
    requireRoom(reader, 'sequence', start, before);
    return readSequence(reader, indent);
  }
  const unit = reader.peek();
  if (unit === code.pipe || unit === code.greater) return readBlockScalar(reader, parent);
  const node = readKeyOrNode(reader, parent);
  const end = reader.pos;
  reader.skipBlanks();
  if (reader.indicator(code.colon)) {
    const colon = reader.pos;
    reader.pos = end;
    const key = requireKey(reader, node);
    requireRoom(reader, 'mapping', start, before, reader.place(colon));
    reader.pos = colon;
    return readMapping(reader, indent, key);
  }
  reader.pos = end;
  reader.finishLine(describe(node));
  return node;
}

function readKeyOrNode(reader: Reader, parent: number): YamlNode {
  return reader.indicator(code.colon) ? emptyScalar(reader.place()) : readInline(reader, parent + 1, false);
}

/** A block collection may start on a new line, or right behind the `-` of an entry, and no tab may come before it. */
function requireRoom(reader: Reader, what: 'sequence' | 'mapping', start: Place, before: Before, marked: Place = start): void {
  if (before === 'key' || before === 'marker') {
    const after = before === 'key' ? 'its key' : '"---"';
    reader.fail(`a ${what} cannot start on the line of ${after}`, `Start it on the next line; quote a text that contains "${what === 'mapping' ? ': ' : '- '}"`, marked);
  }
  if (reader.tabbed) refuseTab(reader);
}

function readSequence(reader: Reader, indent: number): YamlSeq {
  const { line, column } = reader.place();
  const items: YamlNode[] = [];
  reader.enter({ line, column });
  do {
    reader.pos += 1;
    items.push(readBlockNode(reader, indent, 'entry'));
  } while (continues(reader, indent) && reader.indicator(code.dash));
  reader.leave();
  return { kind: 'seq', items, line, column };
}

/** Reads the mapping whose first key was read; the cursor is at its colon. */
function readMapping(reader: Reader, indent: number, firstKey: YamlScalar): YamlMap {
  const { line, column } = firstKey;
  const entries = new Entries(reader);
  reader.enter({ line, column });
  let key = firstKey;
  for (;;) {
    entries.check(key);
    reader.pos += 1;
    entries.add(key, readBlockNode(reader, indent, 'key'));
    while (continues(reader, indent) && readUsualPair(reader, indent, entries));
    if (!continues(reader, indent)) break;
    key = readNextKey(reader, indent);
  }
  reader.leave();
  return { kind: 'map', entries: entries.list, line, column };
}

/** A line as nearly all are: a plain key, then a word, or a text in quotes without escapes, and nothing behind it. */
const usualPair = /([A-Za-z_][\w-]{0,99}): +(?:([A-Za-z_][\w-]*)|'([^'\n]*)'|"([^"\\\n]*)")\n/y;

/** Reads such a line at once, which is all that this adds to what the rest of the file does; false, the cursor unmoved, at any other. */
function readUsualPair(reader: Reader, indent: number, entries: Entries): boolean {
  const { text, pos, line } = reader;
  usualPair.lastIndex = pos;
  const found = usualPair.exec(text);
  if (found === null) return false;
  const [keyText = '', word, single, double] = [found[1], found[2], found[3], found[4]];
  const end = usualPair.lastIndex;
  if (word !== undefined && mayGoOn(text, end, indent)) return false;
  const value = word ?? single ?? double ?? '';
  const column = pos - reader.lineStart + 1;
  const valueColumn = end - value.length - (word === undefined ? 2 : 0) - reader.lineStart;
  const key: YamlScalar = { kind: 'scalar', value: resolvePlain(keyText), text: keyText, style: 'plain', line, column };
  entries.check(key);
  entries.add(key, { kind: 'scalar', value: word === undefined ? value : resolvePlain(word), text: value, style: word !== undefined ? 'plain' : single !== undefined ? 'single' : 'double', line, column: valueColumn });
  reader.pos = end - 1;
  reader.skipToContent();
  return true;
}

/** Whether what begins at a line's start may be more of the plain text before it: anything deeper than its mapping, or a blank line. */
function mayGoOn(text: string, start: number, indent: number): boolean {
  let at = start;
  while (text.charCodeAt(at) === code.space) at += 1;
  return at - start > indent || text.charCodeAt(at) === code.newline || text.charCodeAt(at) === code.tab;
}

/** Whether the next line belongs to the collection at `indent`; refuses a line that belongs to none. */
function continues(reader: Reader, indent: number): boolean {
  if (reader.indent < indent) return false;
  if (reader.tabbed) refuseTab(reader);
  if (reader.indent === indent) return true;
  return reader.fail(`the line starts at column ${reader.indent + 1}, where nothing is open`, `Align it with column ${indent + 1}, or with the line that it belongs to`);
}

/** Reads a key up to its colon. */
function readNextKey(reader: Reader, indent: number): YamlScalar {
  if (reader.indicator(code.dash)) reader.fail('a sequence entry stands where a key belongs', 'Indent the entry under its key, or write a key');
  const node = readKeyOrNode(reader, indent);
  const end = reader.pos;
  reader.skipBlanks();
  const colon = reader.pos;
  if (!reader.indicator(code.colon)) {
    reader.fail(`":" is missing after ${describe(node)}`, 'Write "key: value" with a space after the colon, or indent a text that goes on', { line: node.line, column: node.column });
  }
  reader.pos = end;
  const key = requireKey(reader, node);
  reader.pos = colon;
  return key;
}

function refuseTab(reader: Reader): never {
  const tab = reader.text.lastIndexOf('\t', reader.pos);
  return reader.fail('a tab is used as indentation', 'Use spaces', reader.place(Math.max(tab, reader.lineStart)));
}

function describe(node: YamlNode): string {
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'seq') return 'a sequence';
  return node.style === 'plain' ? 'a plain text' : 'a quoted text';
}
