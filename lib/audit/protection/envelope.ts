/**
 * The envelope that stands in an entry in place of a protected value (docs/formats/erasure.md): the value's JSON, sealed
 * with XAES-256-GCM under the key that `kid` names, and bound to the entry and to the place it stands in. The chain covers
 * what is written, so it holds whether or not the key still exists.
 */
import type { Random } from '../../ports.ts';
import { keyBytes, nonceBytes, seal, unseal } from '../../base/cipher.ts';
import { isPlainObject, jsonIn, type JsonObject, type JsonValue } from '../../base/json.ts';

/** A data key and the name that envelopes call it by. */
export interface DataKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

/** `n` is the nonce, `c` the sealed JSON text with its tag, both base64; `in` names the keys of envelopes inside. */
export interface Envelope extends JsonObject {
  readonly $enc: 1;
  readonly kid: string;
  readonly n: string;
  readonly c: string;
}

/** What every line with an envelope contains. */
export const sealedMark = '{"$enc":1,';

/** The key of one UTC day, and that of one subject. A kid is safe as a file name and tells nothing of a person. */
const kidForm = /^(?:d\d{8}-[0-9a-f]{16}|s[0-9a-f]{32}|names)$/;

export function isKid(text: unknown): text is string {
  return typeof text === 'string' && kidForm.test(text);
}

export function isEnvelope(value: unknown): value is Envelope {
  return isPlainObject(value) && value['$enc'] === 1 && isKid(value['kid']) && typeof value['n'] === 'string' && typeof value['c'] === 'string';
}

/** Keys that an envelope needs: its own, and those of envelopes that stand inside. */
export function kidsOf(envelope: Envelope): readonly string[] {
  const inside = envelope['in'];
  return [envelope.kid, ...(Array.isArray(inside) ? inside.filter(isKid) : [])];
}

/** Seals a value that stands at `path` (a JSON pointer, RFC 6901) of entry `seq`. */
export function sealValue(value: JsonValue, { kid, key }: DataKey, seq: number, path: string, random: Random): Envelope {
  const nonce = random.bytes(nonceBytes);
  const sealed = seal(key, nonce, JSON.stringify(value), boundTo(kid, seq, path));
  const inside = new Set<string>();
  walk(value, path, (each) => {
    if (isEnvelope(each)) inside.add(each.kid);
    return undefined;
  });
  return { $enc: 1, kid, n: base64(nonce), c: base64(sealed), ...(inside.size === 0 ? {} : { in: [...inside] }) };
}

/** The value; undefined when this is not what was sealed here under this key. */
export function openValue(envelope: Envelope, key: Uint8Array, seq: number, path: string): JsonValue | undefined {
  const content = unseal(key, Buffer.from(envelope.n, 'base64'), Buffer.from(envelope.c, 'base64'), boundTo(envelope.kid, seq, path));
  return content === undefined ? undefined : jsonIn(content);
}

function boundTo(kid: string, seq: number, path: string): string {
  return `loki entry 1\n${kid}\n${seq}\n${path}`;
}

/** A key as it is kept under another one. */
export function wrapKey(key: Uint8Array, kid: string, by: Uint8Array, random: Random): { readonly n: string; readonly c: string } {
  const nonce = random.bytes(nonceBytes);
  return { n: base64(nonce), c: base64(seal(by, nonce, key, `loki key 1\n${kid}`)) };
}

/** The key; undefined when `by` is not what it was wrapped with. */
export function unwrapKey(wrapped: { readonly n: string; readonly c: string }, kid: string, by: Uint8Array): Uint8Array | undefined {
  const key = unseal(by, Buffer.from(wrapped.n, 'base64'), Buffer.from(wrapped.c, 'base64'), `loki key 1\n${kid}`);
  return key?.length === keyBytes ? key : undefined;
}

/** Details are looked into so deep; what stands deeper was made by nobody here. */
const deepest = 64;

/**
 * The value with parts replaced: `visit` is given each value and its JSON pointer, outermost first, and answers with what
 * stands there instead, or with undefined to look inside. A value in which nothing was replaced is given back as it is.
 */
export function walk(value: JsonValue, path: string, visit: (value: JsonValue, path: string) => JsonValue | undefined, depth = 0): JsonValue {
  const replaced = visit(value, path);
  if (replaced !== undefined) return replaced;
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  if (isList(value)) {
    const items = value.map((item, at) => walk(item, `${path}/${at}`, visit, depth + 1));
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  const members = Object.entries(value).map(([name, member]) => [name, walk(member, `${path}/${pointerWord(name)}`, visit, depth + 1)] as const);
  return members.some(([name, member]) => member !== value[name]) ? Object.fromEntries(members) : value;
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function pointerWord(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
