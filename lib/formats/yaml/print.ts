/**
 * Writes a value as YAML that reads back as the same value, here and in other programs: a text that any YAML version could
 * take for something else is quoted. Values that YAML cannot hold are refused, never dropped.
 */
import { LokiError } from '../../errors.ts';
import { limits } from './reader.ts';

/** A text that no YAML program takes for anything but a text: starts with a letter, `_` or `/`, no indicator where it matters. */
const plainText = /^[\p{L}_/](?:[\p{L}\p{M}\p{N}_/.,@=+~^$%()<>;!?&|*'"\\-]|:(?=[\p{L}\p{N}_/\\])| (?=[\p{L}\p{N}_/(<"'$]))*$/u;

/** Words that YAML 1.1 or 1.2 takes for a boolean or null. */
const reserved = /^(?:y|yes|n|no|on|off|true|false|null)$/i;

/** Longer texts are quoted, or written as a block when they have several lines. */
const longestPlain = 200;

/** Not written as they are: controls, line and direction marks, byte order marks, lone surrogates. */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]/u;
const escaped = new RegExp(unprintable, 'gu');

/**
 * The YAML text of a value made of null, booleans, numbers, strings, arrays and plain objects, ended by a line feed. Throws
 * `LokiError` (`yaml.invalid`) for anything else, for more than 64 levels (a cycle ends there), and above the size limit of
 * the reader.
 */
export function printYaml(value: unknown): string {
  const text = `${printNode(value, 0, 1).replace(/^[\n ]/, '')}\n`;
  if (new TextEncoder().encode(text).length > limits.bytes) refuse(`the text is larger than ${limits.bytes} bytes`, 'Split the value');
  return text;
}

/** A node as it stands behind an indicator: a space and a scalar, or a line feed and indented lines. */
function printNode(value: unknown, indent: number, depth: number): string {
  if (typeof value === 'string') return ` ${printText(value, indent)}`;
  if (typeof value !== 'object' || value === null) return ` ${printWord(value)}`;
  requireDepth(depth);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (items.length === 0) return ' []';
    return `\n${lines(Array.from(items, (item) => `-${compact(printNode(item, indent + 2, depth + 1), indent + 2)}`), indent)}`;
  }
  const entries = entriesOf(value);
  if (entries.length === 0) return ' {}';
  if (entries.some(([key]) => printKey(key).length > limits.keyLength)) return ` ${printFlow(value, depth)}`;
  return `\n${lines(entries.map(([key, item]) => `${printKey(key)}:${printNode(item, indent + 2, depth + 1)}`), indent)}`;
}

function lines(parts: readonly string[], indent: number): string {
  return parts.map((part) => ' '.repeat(indent) + part).join('\n');
}

/** A collection behind a dash starts on the line of the dash. */
function compact(node: string, indent: number): string {
  return node.startsWith('\n') ? ` ${node.slice(1 + indent)}` : node;
}

/** One line, for a mapping whose keys are too long for a block. */
function printFlow(value: unknown, depth: number): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return printWord(value);
  requireDepth(depth);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return `[${Array.from(items, (item) => printFlow(item, depth + 1)).join(', ')}]`;
  }
  return `{${entriesOf(value).map(([key, item]) => `${quote(key)}: ${printFlow(item, depth + 1)}`).join(', ')}}`;
}

function requireDepth(depth: number): void {
  if (depth > limits.depth) refuse(`the nesting is deeper than ${limits.depth} levels`, 'Use fewer levels; look for a value that contains itself');
}

function entriesOf(value: object): [string, unknown][] {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse('an object with a class has no YAML form', 'Convert it to a plain object or a string');
  return Object.entries(value);
}

function printWord(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') refuse(`a value of type ${typeof value} has no YAML form`, 'Leave it out, or convert it to a string');
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function printKey(key: string): string {
  return isPlain(key) ? key : quote(key);
}

function printText(text: string, indent: number): string {
  if (isPlain(text)) return text;
  return isBlockText(text) ? blockText(text, indent) : quote(text);
}

function isPlain(text: string): boolean {
  return text.length <= longestPlain && plainText.test(text) && !reserved.test(text);
}

/** Whether a literal block holds the text exactly: several printable lines, at most one line feed at the end, no blank first. */
function isBlockText(text: string): boolean {
  return text.includes('\n') && /^[^ \t\n]/.test(text) && !text.endsWith('\n\n') && !text.includes('\r') && !unprintable.test(text);
}

function blockText(text: string, indent: number): string {
  const clipped = text.endsWith('\n');
  const pad = ' '.repeat(Math.max(indent, 2));
  const body = (clipped ? text.slice(0, -1) : text).split('\n').map((line) => (line === '' ? '' : pad + line));
  return [clipped ? '|' : '|-', ...body].join('\n');
}

/** Double quotes with the escapes of JSON, which are escapes of YAML. */
function quote(text: string): string {
  return JSON.stringify(text).replace(escaped, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function refuse(found: string, hint: string): never {
  throw new LokiError('yaml.invalid', { attempted: 'print YAML', found, hint });
}
