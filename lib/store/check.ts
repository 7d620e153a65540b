/**
 * What a transaction, a key and a listing may look like. Drivers call this at the door, before anything is read or
 * written, so that a malformed key can never reach a file. The bounds are those etcd has by default, or tighter.
 */
import { isTooDeep, type JsonValue } from '../base/json.ts';
import { LokiError } from '../errors.ts';
import type { StoreChange, StoreCheck, StoreKey } from './store.ts';

/** Bounds of the port: characters of a key, checks and changes of one transaction, bytes of its values as JSON. */
export const storeLimits: Readonly<Record<'key' | 'checks' | 'changes' | 'bytes', number>> = { key: 512, checks: 128, changes: 128, bytes: 1024 * 1024 };

const keyShape = /^[A-Za-z0-9._:-]+(?:\/[A-Za-z0-9._:-]+)*$/;
const prefixShape = /^[A-Za-z0-9._:/-]*$/;

/** Throws `request.invalid` unless `key` is one (see `StoreKey`). */
export function checkKey(key: StoreKey): void {
  if (key.length > 0 && key.length <= storeLimits.key && keyShape.test(key)) return;
  throw refused('use a store key', `${quoted(key)} is not 1 to ${storeLimits.key} characters A-Z a-z 0-9 . _ : - in segments parted by /`);
}

/** Throws `request.invalid` unless `prefix` can begin a key; the empty prefix begins all. */
export function checkPrefix(prefix: string): void {
  if (prefix.length <= storeLimits.key && prefixShape.test(prefix)) return;
  throw refused('list stored objects', `the prefix ${quoted(prefix)} cannot begin a key`);
}

/** Throws `request.invalid` unless `limit` is a whole number, 1 or more. */
export function checkLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw refused('list stored objects', `the limit ${limit} is not a whole number of 1 or more`);
}

/** Throws `request.invalid` unless `revision` is a whole number, 0 or more. */
export function checkRevision(revision: number): void {
  if (Number.isSafeInteger(revision) && revision >= 0) return;
  throw refused('use a store revision', `${revision} is not a whole number of 0 or more`);
}

/** Throws `request.invalid` or `request.large` unless checks and changes can be one transaction. */
export function checkTransaction(checks: readonly StoreCheck[], changes: readonly StoreChange[]): void {
  if (checks.length > storeLimits.checks || changes.length > storeLimits.changes) {
    throw new LokiError('request.large', {
      attempted: 'change stored objects',
      found: `${checks.length} checks and ${changes.length} changes; one transaction takes ${storeLimits.checks} and ${storeLimits.changes}`,
    });
  }
  for (const check of checks) {
    checkKey(check.key);
    checkRevision(check.revision);
  }
  const seen = new Set<StoreKey>();
  for (const { key } of changes) {
    checkKey(key);
    if (seen.has(key)) throw refused('change stored objects', `the key ${quoted(key)} is changed twice in one transaction`);
    seen.add(key);
  }
}

/** Throws `request.large` when a transaction's values take more than the bound. */
export function checkBytes(bytes: number): void {
  if (bytes <= storeLimits.bytes) return;
  throw new LokiError('request.large', {
    attempted: 'change stored objects', found: `${bytes} bytes of values; one transaction takes ${storeLimits.bytes}`,
  });
}

/** Throws `request.invalid` for a value, as JSON, that nests so deep that the line it would stand in could not be read again. */
export function checkDepth(key: StoreKey, text: string): void {
  if (isTooDeep(text, deepestValue)) throw refused('change stored objects', `the value of ${quoted(key)} nests deeper than ${deepestValue} lists and objects`);
}

/** A line adds a few of its own. */
const deepestValue = 900;

/**
 * The value with every object and list in it frozen. Stored values are shared between readers, so a reader that writes
 * into one must fail there and then.
 */
export function frozen(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function refused(attempted: string, found: string): LokiError {
  return new LokiError('request.invalid', { attempted, found });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
