/**
 * Any value -> AnyValue of OTLP/JSON (opentelemetry-proto, common.proto; protocol, "JSON Protobuf Encoding"). Values come from anybody and may
 * fight back: getters and proxies that throw, cycles, numbers that are none. Nothing throws; what cannot be said is left out, and depth, number and
 * size are bounded. No `toJSON` or `toString` of a value is ever called.
 */
import { cut, keptValue, longestName, quote, valueBounds } from './value.ts';

/** What stands for what was cut away because of a bound. */
const tooDeep = '{"stringValue":"[too deep]"}';
const circular = '{"stringValue":"[circular]"}';
const emptyValue = '{}';

interface Writing {
  readonly longest: number;
  /** What it is inside of: meeting one of these again is a cycle. */
  readonly outer: object[];
  count: number;
  characters: number;
}

/** The value as it is now; undefined when it is none (undefined, null, a function, a symbol, an object that cannot be looked into). Strings are cut at `longest`. */
export function writeValue(value: unknown, longest: number = Infinity): string | undefined {
  try {
    return write(value, { longest, outer: [], count: 0, characters: 0 });
  } catch {
    return undefined;
  }
}

function write(value: unknown, writing: Writing): string | undefined {
  switch (typeof value) {
    case 'string': return `{"stringValue":${quote(takeText(value, writing))}}`;
    case 'number': case 'boolean': case 'bigint': return keptValue(value);
    case 'object': return value === null ? undefined : writeObject(value, writing);
    default: return undefined;
  }
}

function takeText(text: string, writing: Writing): string {
  const taken = cut(text, Math.min(writing.longest, valueBounds.characters - writing.characters));
  writing.characters += taken.length;
  return taken;
}

function writeObject(value: object, writing: Writing): string {
  if (writing.outer.includes(value)) return circular;
  if (writing.outer.length >= valueBounds.depth) return tooDeep;
  const plain = saidOtherwise(value, writing);
  if (plain !== undefined) return plain;
  writing.outer.push(value);
  const text = Array.isArray(value) ? writeArray(value, writing) : writeMap(value, writing);
  writing.outer.pop();
  return text;
}

/** Objects that stand for one value. They are asked through the prototypes of the language: their own methods may be anybody's. */
function saidOtherwise(value: object, writing: Writing): string | undefined {
  if (value instanceof Date) {
    const time = Date.prototype.getTime.call(value);
    return `{"stringValue":"${Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value)}"}`;
  }
  if (value instanceof Uint8Array) {
    const bytes = value.subarray(0, Math.max(0, valueBounds.characters - writing.characters));
    writing.characters += bytes.length;
    return `{"bytesValue":"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}"}`;
  }
  return undefined;
}

/** A place without a value keeps its place. */
function writeArray(values: readonly unknown[], writing: Writing): string {
  const texts: string[] = [];
  for (let at = 0; at < values.length && writing.count < valueBounds.count; at += 1) texts.push(attempt(() => values[at], writing) ?? emptyValue);
  return `{"arrayValue":{"values":[${texts.join(',')}]}}`;
}

/** A name stands once: what became equal because of what was cut away counts as the first of them. */
function writeMap(map: object, writing: Writing): string {
  const texts = new Map<string, string>();
  for (const name of Object.keys(map)) {
    if (writing.count >= valueBounds.count) break;
    const key = quote(cut(name, longestName));
    const value = name === '' || texts.has(key) ? undefined : attempt(() => Reflect.get(map, name), writing);
    if (value !== undefined) texts.set(key, `{"key":${key},"value":${value}}`);
  }
  return `{"kvlistValue":{"values":[${[...texts.values()].join(',')}]}}`;
}

/** One member that throws is no reason to lose the others. */
function attempt(member: () => unknown, writing: Writing): string | undefined {
  const depth = writing.outer.length;
  writing.count += 1;
  try {
    return write(member(), writing);
  } catch {
    writing.outer.length = depth;
    return undefined;
  }
}
