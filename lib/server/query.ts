/**
 * Query parameters. Each route names the ones it takes; an unknown name, a repeated one and a value that does not fit are
 * refused, all of them at once. What comes out has been checked, so handlers read it without another look.
 */
import { LokiError, type Problem } from '../errors.ts';
import { idPrefixes, isId, type IdKind } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { didYouMean } from '../base/suggest.ts';

/** What one parameter accepts. */
export interface QueryRule {
  /** Completes "it must be …". */
  readonly accepts: string;
  readonly fits: (text: string) => boolean;
  /** What the OpenAPI document says of it; any text when left out. */
  readonly schema?: JsonObject;
  /** Values to suggest from when it does not fit. */
  readonly known?: readonly string[];
  /** Characters of a value; 1,024 when left out. */
  readonly longest?: number;
}

export type QueryRules = Readonly<Record<string, QueryRule>>;

const most = { parameters: 32, name: 64, value: 1024 };

/** Reads `a=b&c=d`. `open`: parameters that have no rule are left aside, once each. Throws `request.invalid` with every mistake found. */
export function readQuery(text: string, rules: QueryRules, open: boolean = false): ReadonlyMap<string, string> {
  const pairs = text === '' ? [] : text.split('&');
  if (pairs.length > most.parameters) throw refused([{ message: `${pairs.length} parameters; at most ${most.parameters} are read` }]);
  const values = new Map<string, string>();
  const aside = new Map<string, string>();
  const problems: Problem[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = decoded(equals < 0 ? '' : pair.slice(equals + 1));
    if (open && name !== undefined && !Object.hasOwn(rules, name) && !aside.has(name)) {
      aside.set(name, '');
      continue;
    }
    const problem = mistake(name, value, rules, values);
    if (problem !== undefined) problems.push({ message: problem });
    else if (name !== undefined && value !== undefined) values.set(name, value);
  }
  if (problems.length > 0) throw refused(problems);
  return values;
}

function mistake(name: string | undefined, value: string | undefined, rules: QueryRules, seen: ReadonlyMap<string, string>): string | undefined {
  if (name === undefined || name.length > most.name) return 'a parameter name is too long or is not percent-encoded UTF-8 text';
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined) {
    const taken = Object.keys(rules);
    const these = taken.length === 0 ? '; none is taken here' : didYouMean(name, taken) || `; taken here: ${taken.join(', ')}`;
    return `parameter ${quoted(name)} is unknown${these}`;
  }
  if (seen.has(name)) return `parameter "${name}" is given more than once`;
  if (value === undefined || value.length > (rule.longest ?? most.value)) return `parameter "${name}" is too long or is not percent-encoded UTF-8 text`;
  if (rule.fits(value)) return undefined;
  return `parameter "${name}" is ${quoted(value)}; it must be ${rule.accepts}${didYouMean(value, rule.known ?? [])}`;
}

/** Percent-decoded text, or undefined for bad escapes, bad UTF-8 and control characters. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    return /[\u0000-\u001f\u007f]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

function refused(problems: readonly Problem[]): LokiError {
  const found = problems.map(({ message }) => message).join('; ');
  return new LokiError('request.invalid', { attempted: 'read the query', found, problems });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** A whole number from `least` to `greatest`. */
export function wholeNumber(least: number, greatest: number): QueryRule {
  return {
    accepts: `a whole number from ${least} to ${greatest}`, schema: { type: 'integer', minimum: least, maximum: greatest },
    fits: (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= greatest,
  };
}

export function oneOf(accepted: readonly string[]): QueryRule {
  const few = accepted.length <= 8;
  return { accepts: few ? `one of ${accepted.join(', ')}` : 'a known name', schema: { type: 'string', enum: [...accepted] }, fits: (text) => accepted.includes(text), known: accepted };
}

export function idOf(kind: IdKind): QueryRule {
  return { accepts: `the id of a ${kind}`, schema: { type: 'string', pattern: `^${idPrefixes[kind]}[0-7][0-9A-HJKMNP-TV-Z]{25}$` }, fits: (text) => isId(kind, text) };
}

/** Text without control characters, compared as it is. */
export function plainText(longest: number): QueryRule {
  return { accepts: `1 to ${longest} characters`, schema: { type: 'string', minLength: 1, maxLength: longest }, fits: (text) => text.length > 0 && text.length <= longest };
}
