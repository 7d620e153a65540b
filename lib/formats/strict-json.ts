/**
 * JSON from a program we do not trust. Beyond `JSON.parse` it refuses what two readers could read differently (a member named
 * twice, half a surrogate pair) and nesting beyond a bound. Messages give the place, never the text around it: the text may
 * hold a secret.
 */
import { LokiError, type ErrorCode } from '../errors.ts';

/** No message of a coding agent nests deeper. */
export const deepestJson = 64;

/** The value of one JSON text. `what` names it in messages: `the action`. Throws `code`. */
export function parseStrictJson(text: string, what: string, code: ErrorCode = 'action.invalid'): unknown {
  const invalid = (found: string, offset: number): LokiError => invalidAt(code, what, found, text, offset);
  const found = scan(text);
  if (found.tooDeep !== undefined) throw invalid(`it nests deeper than ${deepestJson} levels`, found.tooDeep);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const place = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw invalid(text.trim() === '' ? 'there is nothing in it' : 'it is not well-formed JSON', place === undefined ? text.length : Number(place));
  }
  if (found.duplicate !== undefined) throw invalid('a member is there twice', found.duplicate);
  const half = /\\u[dD][89a-fA-F]/.test(text) || /\p{Surrogate}/u.test(text) ? findHalfPair(value) : false;
  if (half) throw invalid('a text in it holds half a surrogate pair', 0);
  return value;
}

function invalidAt(code: ErrorCode, what: string, found: string, text: string, offset: number): LokiError {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return new LokiError(code, {
    attempted: `read ${what}`, found: `${found} (line ${line}, column ${column})`, problems: [{ message: found, line, column }],
  });
}

/** Where nesting first goes too deep, and where a member's name is first repeated within its object. */
interface Scan {
  readonly tooDeep?: number;
  readonly duplicate?: number;
}

/** One pass over the text, which need not be well-formed: what is not, `JSON.parse` refuses. */
function scan(text: string): Scan {
  const levels: (Set<string> | undefined)[] = [];
  let nameNext = false;
  let duplicate: number | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = stringEnd(text, at);
      const names = levels[levels.length - 1];
      if (nameNext && names !== undefined) {
        const name = decoded(text.slice(at, end + 1));
        if (names.has(name)) duplicate ??= at;
        names.add(name);
      }
      nameNext = false;
      at = end;
    } else if (char === '{' || char === '[') {
      if (levels.length === deepestJson) return { tooDeep: at };
      levels.push(char === '{' ? new Set() : undefined);
      nameNext = char === '{';
    } else if (char === '}' || char === ']') levels.pop();
    else if (char === ',') nameNext = levels[levels.length - 1] !== undefined;
  }
  return duplicate === undefined ? {} : { duplicate };
}

/** Index of the quote that closes the string opened at `from`; the text's length when none does. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charAt(end - 1 - slashes) === '\\') slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** The text a quoted name stands for; itself when its escapes are not well-formed. */
function decoded(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

function findHalfPair(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => findHalfPair(name) || findHalfPair(member));
}
