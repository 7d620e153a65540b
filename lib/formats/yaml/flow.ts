/**
 * Flow collections `[ … ]` and `{ … }` (YAML 1.2.2 section 7.4), and the nodes inside them. Every JSON text is one of these,
 * or a scalar. The depth is bounded before each step down.
 */
import type { YamlMap, YamlNode, YamlSeq } from './node.ts';
import { Entries, requireKey, requireScalarKey } from './mapping.ts';
import { emptyScalar, isInexact, readPlain } from './plain.ts';
import { readDouble, readSingle } from './quoted.ts';
import { code, isBlank, isFlowIndicator } from './reader.ts';
import type { Place, Reader } from './reader.ts';

/** Where a collection opened, and the spaces that its further lines need. */
interface Frame {
  readonly open: Place;
  readonly close: number;
  readonly least: number;
  /** The spaces that the closing bracket needs. */
  readonly closeLeast: number;
}

/** Reads a scalar or a flow collection and stops behind its last character; further lines need `least` spaces. */
export function readInline(reader: Reader, least: number, inFlow: boolean): YamlNode {
  switch (reader.peek()) {
    case code.double: return readDouble(reader, least);
    case code.single: return readSingle(reader, least);
    case code.openList: return readList(reader, frameAt(reader, code.closeList, least, inFlow));
    case code.openMap: return readMap(reader, frameAt(reader, code.closeMap, least, inFlow));
    default: {
      const node = readPlain(reader, least, inFlow);
      if (isInexact(node.text, node.value)) reader.inexact.push(node);
      return node;
    }
  }
}

/** An outermost closing bracket may stand under the parent, as most people write it; its meaning is never in doubt. */
function frameAt(reader: Reader, close: number, least: number, inFlow: boolean): Frame {
  return { open: reader.place(), close, least, closeLeast: inFlow ? least : least - 1 };
}

function readList(reader: Reader, frame: Frame): YamlSeq {
  const { open } = frame;
  const items: YamlNode[] = [];
  reader.enter(open);
  reader.pos += 1;
  skipSpace(reader, frame);
  while (reader.peek() !== code.closeList) {
    items.push(readItem(reader, frame));
    endEntry(reader, frame);
  }
  reader.pos += 1;
  reader.leave();
  return { kind: 'seq', items, line: open.line, column: open.column };
}

function readMap(reader: Reader, frame: Frame): YamlMap {
  const { open } = frame;
  const entries = new Entries(reader);
  reader.enter(open);
  reader.pos += 1;
  skipSpace(reader, frame);
  while (reader.peek() !== code.closeMap) {
    readPair(reader, frame, entries);
    endEntry(reader, frame);
  }
  reader.pos += 1;
  reader.leave();
  return { kind: 'map', entries: entries.list, line: open.line, column: open.column };
}

/** One entry of a list: a node, or `key: value`, which is a mapping of one entry (section 7.4.1). */
function readItem(reader: Reader, frame: Frame): YamlNode {
  const start = reader.place();
  const node = atPlainColon(reader) ? emptyScalar(start) : readInline(reader, frame.least, true);
  const end = reader.pos;
  reader.skipBlanks();
  if (!atColonAfter(reader, node)) {
    reader.pos = end;
    return node;
  }
  const colon = reader.pos;
  reader.pos = end;
  const key = requireKey(reader, node);
  reader.pos = colon;
  reader.enter(start);
  const entries = new Entries(reader);
  entries.check(key);
  entries.add(key, readValue(reader, frame));
  reader.leave();
  return { kind: 'map', entries: entries.list, line: start.line, column: start.column };
}

/** One entry of a mapping: `key: value`, `key:` or `key` (section 7.4.2). */
function readPair(reader: Reader, frame: Frame, entries: Entries): void {
  const start = reader.place();
  const key = requireScalarKey(reader, atPlainColon(reader) ? emptyScalar(start) : readInline(reader, frame.least, true));
  entries.check(key);
  const end = reader.place();
  skipSpace(reader, frame);
  entries.add(key, atColonAfter(reader, key) ? readValue(reader, frame) : emptyScalar(end));
}

/** The value behind the colon at the cursor; empty before `,` and the end. */
function readValue(reader: Reader, frame: Frame): YamlNode {
  reader.pos += 1;
  const behind = reader.place();
  skipSpace(reader, frame);
  const unit = reader.peek();
  return unit === code.comma || unit === frame.close ? emptyScalar(behind) : readInline(reader, frame.least, true);
}

/** Whether the colon at the cursor stands alone, as it must after a plain key. */
function atPlainColon(reader: Reader): boolean {
  if (reader.peek() !== code.colon) return false;
  const next = reader.peek(1);
  return isBlank(next) || isFlowIndicator(next);
}

/** After a quoted key the value may follow its colon at once, as in JSON. */
function atColonAfter(reader: Reader, node: YamlNode): boolean {
  const adjacent = node.kind !== 'scalar' || node.style !== 'plain';
  return adjacent ? reader.peek() === code.colon : atPlainColon(reader);
}

/** Steps over the comma behind an entry, or stops at the closing bracket. */
function endEntry(reader: Reader, frame: Frame): void {
  skipSpace(reader, frame);
  const unit = reader.peek();
  if (unit === frame.close) return;
  const bracket = String.fromCharCode(frame.close);
  if (unit === code.hash) reader.fail('a comment needs a space before "#"', 'Put a space before "#", or quote the text');
  if (unit !== code.comma) {
    reader.fail(`"," or "${bracket}" is missing here`, `Put "," between entries and "${bracket}" at the end; quote a text that contains ", " or ": "`);
  }
  reader.pos += 1;
  skipSpace(reader, frame);
}

/** Goes to the next content inside the collection; on a new line it needs its indentation (section 6.3). */
function skipSpace(reader: Reader, frame: Frame): void {
  const { line } = reader;
  reader.skipToContent();
  if (reader.line === line) return;
  if (reader.done) reader.fail('a bracket is not closed', `Add the closing "${String.fromCharCode(frame.close)}"`, frame.open);
  if (reader.indent === -1) reader.fail('a document marker stands inside brackets', 'Close the brackets before it, or quote the text');
  if (reader.indent >= (reader.peek() === frame.close ? frame.closeLeast : frame.least)) return;
  if (reader.tabbed) reader.fail('a tab is used as indentation', 'Use spaces', reader.place(reader.lineStart + reader.indent));
  reader.fail(
    `the line is not indented enough to be inside the bracket of line ${frame.open.line}`,
    `Close the bracket before it, or start the line with ${frame.least === 1 ? 'a space' : `${frame.least} spaces`}`,
  );
}
