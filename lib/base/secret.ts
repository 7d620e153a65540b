/**
 * A secret text that no log, message, JSON or debugger print can show by accident. Only `reveal()` gives it out, so that
 * every place where a secret leaves its box can be found by searching for that word.
 */

/** What a secret prints as, everywhere. */
export const masked = '***';

/** A secret text. Prints as `***` through `String()`, templates and `JSON.stringify`; `util.inspect` shows no private field. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself, to be handed to the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return masked;
  }

  toJSON(): string {
    return masked;
  }
}
