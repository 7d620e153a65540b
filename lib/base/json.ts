/** JSON values as types, and the checks that turn unknown input into them. */

export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject { readonly [key: string]: JsonValue }

/** Whether a value is a plain object: not an array, not null, no class instance. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The value that a text holds, whoever wrote it; undefined when it is no JSON, or nests too deep. The caller has bounded its length. */
export function jsonIn(text: string | Uint8Array): JsonValue | undefined {
  if (isTooDeep(text)) return undefined;
  try {
    const value: JsonValue = JSON.parse(typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

/** As `jsonIn`, for a text that should hold an object; undefined when it holds something else. */
export function objectIn(text: string | Uint8Array): JsonObject | undefined {
  const value = jsonIn(text);
  return isPlainObject(value) ? value : undefined;
}

/** Whether a value is a whole number from 0 that is kept exactly. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * The one text of a value: members sorted by UTF-16 code units, as RFC 8785 orders them, no spaces. Used where a hash of
 * a value must not depend on who wrote it.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Deeper JSON is nobody's record: it would overflow the stack of whoever looks into it or writes it again. */
const deepest = 1000;
const [quote, backslash, openings, closings] = [0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]];

/** How many brackets open in the text, in strings or not; counted up to one more than `most`. Found by the engine's own search, where a look at each byte would cost more than parsing. */
function openingsIn(text: string | Uint8Array, most: number): number {
  let count = 0;
  for (const opening of openings) {
    const next = typeof text === 'string' ? (from: number): number => text.indexOf(String.fromCharCode(opening), from) : (from: number): number => text.indexOf(opening, from);
    for (let at = next(0); at >= 0 && count <= most; at = next(at + 1)) count += 1;
  }
  return count;
}

/** Whether the text of a JSON value nests deeper than `most`: so deep, unless said, that it must not be read. Costs nothing for a short text. */
export function isTooDeep(text: string | Uint8Array, most: number = deepest): boolean {
  if (text.length <= 2 * most || openingsIn(text, most) <= most) return false;
  const codeAt = typeof text === 'string' ? (at: number): number => text.charCodeAt(at) : (at: number): number => text[at] ?? 0;
  let depth = 0;
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = codeAt(at);
    if (byte === quote) inside = !inside;
    else if (inside) at += byte === backslash ? 1 : 0;
    else if (openings.includes(byte)) depth += 1;
    else if (closings.includes(byte)) depth -= 1;
    if (depth > most) return true;
  }
  return false;
}
