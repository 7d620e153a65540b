/** Flags to members of an object: only what was given, so that what is left out stays as it is. */
import { momentAgo, momentEnd } from '../../lib/base/moment.ts';
import { parseDuration } from '../../lib/base/duration.ts';
import type { JsonObject, JsonValue } from '../../lib/base/json.ts';
import { LokiError } from '../../lib/errors.ts';
import type { Args } from '../args.ts';
import { memberOf, type Member } from './resource.ts';

/** What the flags give. Throws `usage` for a member that must be given and was not, all of them named. */
export function membersGiven(args: Args, members: readonly Member[], nowMs: number, attempted: string): JsonObject {
  const missing = members.filter(({ flag, required }) => required === true && valuesOf(args, flag.name, flag.kind).length === 0).map(({ flag }) => `--${flag.name}`);
  if (missing.length > 0) throw new LokiError('usage', { attempted, found: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing` });
  const given: Record<string, JsonValue> = {};
  for (const { flag, read } of members) {
    const values = valuesOf(args, flag.name, flag.kind);
    const [first] = values;
    if (first === undefined) continue;
    if (flag.repeated === true) given[memberOf(flag)] = listOf(values.map(String));
    else given[memberOf(flag)] = typeof first === 'string' && read !== undefined ? read(first, nowMs) : first;
  }
  return given;
}

function valuesOf(args: Args, name: string, kind: string): readonly (string | number)[] {
  const number = kind === 'integer' ? args.number(name) : undefined;
  return kind === 'integer' ? (number === undefined ? [] : [number]) : args.list(name);
}

/** `a,b` and `a` `b` are the same list; `none` alone is the empty one. */
function listOf(values: readonly string[]): readonly string[] {
  const items = values.flatMap((value) => value.split(',')).map((item) => item.trim()).filter((item) => item !== '');
  return items.length === 1 && items[0] === 'none' ? [] : items;
}

/** A text that may be taken away again. */
export function orNone(text: string): string | null {
  return text === 'none' ? null : text;
}

/** A point in time ahead: a length of time from now, a day (to its end), a time; `none`. */
export function expiryOf(text: string, nowMs: number): string | null {
  if (text === 'none' || text === 'never') return null;
  const length = /^\d+$/.test(text) ? undefined : parseDuration(text);
  const moment = length === undefined ? momentEnd(text) : new Date(nowMs + length).toISOString();
  if (moment !== undefined) return moment;
  throw new LokiError('usage', { attempted: 'read when it expires', found: `"${text.slice(0, 40)}" is no point in time`, hint: 'Write 90d, 2027-01-31, 2027-01-31T12:00:00Z or never' });
}

/** A point in time behind, as a filter: `24h` is so long ago; a day and a time stay as they are. */
export function since(text: string, nowMs: number): string {
  return momentAgo(text, nowMs) ?? text;
}
