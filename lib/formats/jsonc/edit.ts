/**
 * Changes in a JSON text that keep every byte they are not about: order, indentation, line ends, comments, trailing commas, a byte
 * order mark. What is put in is written in the manner of the text around it. Taking out what was put in gives the text before.
 */
import { LokiError } from '../../errors.ts';
import type { JsonValue } from '../../base/json.ts';
import { commentEnd, nodeAt, parseJsonc, type JsonNode, type Span } from './parse.ts';

export type JsonPath = readonly (string | number)[];

type Container = Extract<JsonNode, { kind: 'object' | 'array' }>;

/** Puts a member at the end of the object at `path`. There must be none of that name. */
export function addMember(text: string, path: JsonPath, name: string, value: JsonValue): string {
  return add(text, containerAt(text, path, 'object'), (style) => `${JSON.stringify(name)}:${style.isCompact ? '' : ' '}${written(value, style)}`);
}

/** Puts an item at the end of the array at `path`. */
export function addItem(text: string, path: JsonPath, value: JsonValue): string {
  return add(text, containerAt(text, path, 'array'), (style) => written(value, style));
}

/** Puts another value in the place of the one at `path`. */
export function replaceValue(text: string, path: JsonPath, value: JsonValue): string {
  const node = nodeAt(parseJsonc(text, 'the settings').root, path);
  if (node === undefined) throw missing(path);
  return text.slice(0, node.from) + written(value, styleOf(text, indentOfLine(text, node.from))) + text.slice(node.to);
}

/** Takes out the member or item at `path`, with the comma that belongs to it. */
export function removeAt(text: string, path: JsonPath): string {
  const container = containerAt(text, path.slice(0, -1));
  const step = path[path.length - 1];
  const index = container.kind === 'object' ? container.items.findIndex(({ name }) => name === step) : Number(step);
  const item = container.items[index];
  if (item === undefined) throw missing(path);
  if (container.items.length === 1) return withoutOnly(text, container, item);
  return index === container.items.length - 1 ? withoutLast(text, container, index) : withoutOne(text, item);
}

/** How a value is written where it is put. */
interface Style {
  readonly isCompact: boolean;
  readonly unit: string;
  readonly newline: string;
  /** What the line begins with that the value begins on. */
  readonly indent: string;
}

function styleOf(text: string, indent: string): Style {
  const newline = /\r?\n/.exec(text)?.[0];
  return { isCompact: newline === undefined && text.trim() !== '{}', unit: /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ', newline: newline ?? '\n', indent };
}

function written(value: JsonValue, { isCompact, unit, newline, indent }: Style): string {
  return isCompact ? JSON.stringify(value) : JSON.stringify(value, null, unit).replaceAll('\n', newline + indent);
}

function add(text: string, container: Container, write: (style: Style) => string): string {
  const last = container.items[container.items.length - 1];
  if (last === undefined) {
    const outer = indentOfLine(text, container.from);
    const style = styleOf(text, outer);
    const inner = { ...style, indent: outer + style.unit };
    const [before, after] = style.isCompact ? ['', ''] : [style.newline + inner.indent, style.newline + outer];
    const rest = text.slice(container.from + 1, container.to - 1).trim() === '' ? container.to - 1 : container.from + 1;
    return `${text.slice(0, container.from + 1)}${before}${write(inner)}${after}${text.slice(rest)}`;
  }
  const gap = gapBefore(text, last);
  const comma = commaAfter(text, last.to);
  // After a comment that follows the last item: it belongs to that one.
  const end = lastTokenEnd(text, container);
  const item = gap + write(styleOf(text, gap.includes('\n') ? gap.slice(gap.lastIndexOf('\n') + 1) : indentOfLine(text, last.from)));
  if (comma !== undefined) return `${text.slice(0, end)}${safe(text, end, item)},${text.slice(end)}`;
  return `${text.slice(0, last.to)},${text.slice(last.to, end)}${safe(text, end, item)}${text.slice(end)}`;
}

/** Behind a comment that runs to the end of its line nothing may stand on that line. */
function safe(text: string, end: number, item: string): string {
  const line = text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
  return !/^\r?\n/.test(item) && line.includes('//') ? `\n${item}` : item;
}

/** As before `add`: what that put around the only item goes with it. */
function withoutOnly(text: string, container: Container, item: Span): string {
  const [from, to] = [container.from + 1, container.to - 1];
  const comma = commaAfter(text, item.to);
  const before = text.slice(from, item.from - whiteBefore(text.slice(from), item.from - from).length);
  const after = comma === undefined ? text.slice(item.to, to) : text.slice(item.to, comma) + text.slice(comma + 1, to);
  const kept = before + (after.trim() === '' ? after : after.replace(/^\r?\n[ \t]*(?=\r?\n|[ \t]*\/)/, ''));
  return text.slice(0, from) + (kept.trim() === '' ? '' : kept) + text.slice(to);
}

function withoutLast(text: string, container: Container, index: number): string {
  const [item, before] = [container.items[index], container.items[index - 1]];
  if (item === undefined || before === undefined) return text;
  const start = item.from - whiteBefore(text, item.from).length;
  const own = commaAfter(text, item.to);
  if (own !== undefined) return text.slice(0, start) + text.slice(item.to, own) + text.slice(own + 1);
  const comma = commaAfter(text, before.to) ?? before.to;
  return text.slice(0, comma) + text.slice(comma + 1, Math.max(start, comma + 1)) + text.slice(item.to);
}

function withoutOne(text: string, item: Span): string {
  const comma = commaAfter(text, item.to) ?? item.to;
  return text.slice(0, item.from - whiteBefore(text, item.from).length) + text.slice(item.to, comma) + text.slice(comma + 1);
}

/** White space between an item and what stands before it, for the next one to have the same. */
function gapBefore(text: string, { from }: Span): string {
  const white = whiteBefore(text, from);
  return white.includes('\n') ? white.slice(Math.max(0, white.lastIndexOf('\n') - (white.charAt(white.lastIndexOf('\n') - 1) === '\r' ? 1 : 0))) : white;
}

function whiteBefore(text: string, at: number): string {
  return /[ \t\r\n]*$/.exec(text.slice(0, at))?.[0] ?? '';
}

/** Offset of the comma that follows, with only white space and comments between. */
function commaAfter(text: string, at: number): number | undefined {
  const next = afterTrivia(text, at);
  return text.charAt(next) === ',' ? next : undefined;
}

function afterTrivia(text: string, from: number): number {
  for (let at = from; ;) {
    const white = /^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0;
    const end = commentEnd(text, at + white);
    if (end === undefined || end < 0) return at + white;
    at = end;
  }
}

/** Where the last comma, item or comment in a container ends. */
function lastTokenEnd(text: string, { to }: Container): number {
  return to - 1 - whiteBefore(text, to - 1).length;
}

function indentOfLine(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, at).replace(/^\ufeff/, ''))?.[0] ?? '';
}

function containerAt(text: string, path: JsonPath, kind?: 'object' | 'array'): Container {
  const node = nodeAt(parseJsonc(text, 'the settings').root, path);
  if (node === undefined || node.kind === 'scalar' || (kind !== undefined && node.kind !== kind)) throw missing(path);
  return node;
}

function missing(path: JsonPath): LokiError {
  return new LokiError('internal', { attempted: 'change a JSON text', found: `there is nothing of this kind at ${JSON.stringify(path)}` });
}
