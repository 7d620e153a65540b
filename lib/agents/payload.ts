/**
 * An object that an agent sent, read member by member. A member that is missing or of another type than the agent's interface says makes
 * the whole input unusable: what was meant is never guessed, because a guess could let something through.
 */
import { LokiError } from '../errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';

/** Longest text of a member that names something, in UTF-16 code units. */
const longestName = 4096;

export class Payload {
  readonly #what: string;
  readonly #value: Readonly<Record<string, unknown>>;

  /** `what` names the object in messages. Throws `action.invalid` for what is no object. */
  constructor(what: string, value: unknown) {
    this.#what = what;
    if (!isPlainObject(value)) throw invalid(`${what} is no JSON object`);
    this.#value = value;
  }

  /** Names of all members. */
  get names(): readonly string[] {
    return Object.keys(this.#value);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name) && this.#value[name] !== null && this.#value[name] !== undefined;
  }

  /** A text, which may be empty. */
  text(name: string): string {
    const value = this.#value[name];
    if (!this.has(name)) throw invalid(`"${name}" is missing in ${this.#what}`);
    if (typeof value !== 'string') throw invalid(`"${name}" in ${this.#what} is no text`);
    return value;
  }

  /** A text or, where it is missing or null, undefined. */
  maybe(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** A text that names something: not empty, bounded, without NUL. */
  name(name: string): string {
    const value = this.text(name);
    if (value === '') throw invalid(`"${name}" in ${this.#what} is empty`);
    if (value.length > longestName) throw invalid(`"${name}" in ${this.#what} is longer than ${longestName} characters`);
    if (value.includes('\0')) throw invalid(`"${name}" in ${this.#what} holds a NUL character`);
    return value;
  }

  /** As `name`; undefined where it is missing, null or empty. */
  maybeName(name: string): string | undefined {
    return this.maybe(name) === undefined || this.#value[name] === '' ? undefined : this.name(name);
  }

  /** A whole number from 0; 0 where it is missing or something else. For what is only told. */
  count(name: string): number {
    const value = this.#value[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
  }

  object(name: string): Payload {
    if (!this.has(name)) throw invalid(`"${name}" is missing in ${this.#what}`);
    return new Payload(`"${name}"`, this.#value[name]);
  }

  /** The list's objects; empty where it is missing. */
  objects(name: string): readonly Payload[] {
    if (!this.has(name)) return [];
    const value = this.#value[name];
    if (!Array.isArray(value)) throw invalid(`"${name}" in ${this.#what} is no list`);
    return value.map((item, at) => new Payload(`"${name}" ${at + 1}`, item));
  }

  /** The list's texts; a single text counts as a list of one; empty where it is missing. */
  texts(name: string): readonly string[] {
    if (!this.has(name)) return [];
    const value = this.#value[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((item) => {
      if (typeof item !== 'string') throw invalid(`"${name}" in ${this.#what} holds something that is no text`);
      return item;
    });
  }

  /** The member as it came. */
  raw(name: string): unknown {
    return this.#value[name];
  }

  /** The member as it came out of JSON; undefined where it is missing. */
  value(name: string): JsonValue | undefined {
    return isJson(this.#value[name]) ? this.#value[name] : undefined;
  }

  /** All of it as JSON. */
  json(): string {
    return JSON.stringify(this.#value);
  }
}

/** Short texts among some members, for a record: what is no text, or long, is left out. */
export function shortTexts(payload: Payload, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => {
    const value = payload.raw(name);
    return typeof value === 'string' && value !== '' && value.length <= 256 ? [[name, value]] : [];
  }));
}

export function invalid(found: string): LokiError {
  return new LokiError('action.invalid', { attempted: 'read the hook input', found });
}

/** What came out of JSON.parse is JSON all the way down. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}
