/**
 * Texts, numbers and truths as OTLP/JSON has them (opentelemetry-proto, common.proto; protocol, "JSON Protobuf Encoding"): all that most attributes
 * are. What reads any other value is `any-value.ts`, which nobody loads before there is one.
 */
import type { WrittenValue } from '../../base/telemetry-data.ts';

/** Of one value: how deep it may nest, how many values it may hold in all, and how many characters its strings may have together. */
export const valueBounds: { readonly depth: number; readonly count: number; readonly characters: number } = { depth: 16, count: 4096, characters: 1 << 20 };

/** Of the name of an attribute, and of whatever else names something. */
export const longestName: number = 1024;

/** The range of int64. */
const [leastInt, mostInt] = [-(2n ** 63n), 2n ** 63n - 1n];

/** All that stands in JSON as it is. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Text between quotation marks. Half a surrogate pair is no character, and becomes U+FFFD; line feeds are escaped. */
export function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  const quoted = JSON.stringify(text);
  // Only lone surrogates are written as \ud…, but a backslash followed by "ud" looks alike: then it is looked at closely.
  return quoted.includes('\\ud') ? JSON.stringify(wellFormed(text)) : quoted;
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** At most so many characters, never half of a pair. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}

/** A double as JSON has it; what JSON has no number for is a string (proto3 JSON mapping). */
export function double(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}

function numberValue(value: number): string {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? `{"intValue":"${value}"}` : `{"doubleValue":${double(value)}}`;
}

/** Whole numbers that int64 cannot hold are said in digits. */
function bigintValue(value: bigint): string {
  return value >= leastInt && value <= mostInt ? `{"intValue":"${value}"}` : `{"stringValue":"${value < 0 ? '-' : ''}${digits(value)}"}`;
}

/** Of a number so large that nobody reads its digits, the writing of which would take long, only that it is so. */
function digits(value: bigint): string {
  const size = value < 0 ? -value : value;
  return size < 1n << 4096n ? String(size) : '[huge]';
}

/** A value that was kept, as it is written. */
export function keptValue(value: string | number | boolean | bigint | WrittenValue): string {
  switch (typeof value) {
    case 'string': return `{"stringValue":${quote(value)}}`;
    case 'number': return numberValue(value);
    case 'boolean': return value ? '{"boolValue":true}' : '{"boolValue":false}';
    case 'bigint': return bigintValue(value);
    default: return value.json;
  }
}
