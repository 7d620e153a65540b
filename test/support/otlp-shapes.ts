/**
 * The forms that members of an OTLP/JSON payload may have, stricter than a receiver is: what the specification lets a receiver put up with
 * (a 64-bit number as a number, an enum by its name, a member it does not know) is a mistake of a sender.
 * Source: opentelemetry-proto, docs/specification.md "JSON Protobuf Encoding"; the proto3 JSON mapping for the rest.
 */
import { isPlainObject } from '../../lib/base/json.ts';

/** Takes a mistake, and where it is. */
export type Say = (at: string, words: string) => void;
export type Members = Readonly<Record<string, unknown>>;
/** Says what is wrong with a value. */
export type Shape = (value: unknown, at: string, say: Say) => void;
/** Says what is wrong with a message whose members are each right. */
export type Rule = (message: Members, at: string, say: Say) => void;

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

/** A shape that a test of the value decides. */
function form(what: string, fits: (value: unknown) => boolean): Shape {
  return (value, at, say) => { if (!fits(value)) say(at, `is not ${what}: ${shown(value)}`); };
}

/** Half a surrogate pair has no UTF-8, so no protobuf text. */
const half = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function isInteger(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isDecimal(value: unknown, least: bigint, most: bigint): boolean {
  if (typeof value !== 'string' || !/^(0|-?[1-9]\d{0,19})$/.test(value)) return false;
  const number = BigInt(value);
  return number >= least && number <= most;
}

export const text: Shape = form('a text that has a UTF-8 form', (value) => typeof value === 'string' && !half.test(value));
export const filledText: Shape = form('a text of at least one character', (value) => typeof value === 'string' && value !== '' && !half.test(value));
export const bool: Shape = form('true or false', (value) => typeof value === 'boolean');
export const uint32: Shape = form('a whole number of 32 bits from 0', (value) => isInteger(value, 0, 2 ** 32 - 1));
export const int32: Shape = form('a whole number of 32 bits', (value) => isInteger(value, -(2 ** 31), 2 ** 31 - 1));
export const uint64: Shape = form('the text of a whole number of 64 bits from 0', (value) => isDecimal(value, 0n, 2n ** 64n - 1n));
export const int64: Shape = form('the text of a whole number of 64 bits', (value) => isDecimal(value, -(2n ** 63n), 2n ** 63n - 1n));
/** Nanoseconds since 1970. Nothing happened in 1970: 0 means unknown. */
export const moment: Shape = form('the text of nanoseconds since 1970', (value) => isDecimal(value, 1n, 2n ** 64n - 1n));
export const finite: Shape = form('a finite number', (value) => typeof value === 'number' && Number.isFinite(value));
export const double: Shape = form('a finite number, "NaN", "Infinity" or "-Infinity"', (value) => (typeof value === 'number' ? Number.isFinite(value) : value === 'NaN' || value === 'Infinity' || value === '-Infinity'));
export const bytes: Shape = form('base64', (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value);

/** An id of so many bytes, in hexadecimal. */
export function id(length: number): Shape {
  const pattern = new RegExp(`^(?!0+$)[0-9a-fA-F]{${length * 2}}$`);
  return form(`${length} bytes in hexadecimal, not all zero`, (value) => typeof value === 'string' && pattern.test(value));
}

/** A number of an enum. */
export function from(least: number, most: number): Shape {
  return form(`a number from ${least} to ${most}`, (value) => isInteger(value, least, most));
}

/** Bits of a mask, and none beside it. */
export function bits(mask: number): Shape {
  return form(`a number with no bits beside 0x${mask.toString(16)}`, (value) => isInteger(value, 0, 2 ** 32 - 1) && (Number(value) & ~mask) === 0);
}

export function list(shape: Shape): Shape {
  return (value, at, say) => {
    if (!Array.isArray(value)) return say(at, `is not a list: ${shown(value)}`);
    value.forEach((item: unknown, index) => { shape(item, `${at}[${index}]`, say); });
  };
}

/** A list that is there for what is in it: an envelope with nothing in it is not sent. */
export function filledList(shape: Shape): Shape {
  return (value, at, say) => {
    if (Array.isArray(value) && value.length === 0) return say(at, 'is empty');
    list(shape)(value, at, say);
  };
}

/** A shape that is not made yet, because it holds itself. */
export function later(shape: () => Shape): Shape {
  return (value, at, say) => { shape()(value, at, say); };
}

/** An object with these members and no others. A name that ends in `!` must be there. Rules are asked when all members are right. */
export function message(members: Readonly<Record<string, Shape>>, ...rules: readonly Rule[]): Shape {
  const fields = new Map(Object.entries(members).map(([name, shape]) => [name.replace('!', ''), { shape, isRequired: name.endsWith('!') }]));
  return (value, at, say) => {
    if (!isPlainObject(value)) return say(at, `is not an object: ${shown(value)}`);
    let mistakes = 0;
    const sayInside = (name: string, words: string): void => { mistakes += 1; say(name, words); };
    const inside = (name: string): string => (at === '' ? name : `${at}.${name}`);
    for (const [name, { isRequired }] of fields) if (isRequired && !Object.hasOwn(value, name)) sayInside(inside(name), 'is missing');
    for (const [name, member] of Object.entries(value)) {
      const field = fields.get(name);
      if (field === undefined) sayInside(inside(name), 'is not known');
      else field.shape(member, inside(name), sayInside);
    }
    if (mistakes === 0) for (const rule of rules) rule(value, at, say);
  };
}
