/**
 * Secrets without a form of their own: a name that says secret, and a value beside it that looks random. Random means high
 * entropy and neighbours that are rare in words; a reference, a call, a path, a digest or a placeholder does not count.
 */
import { longestName, nameSet, valueAfter } from './assignment.ts';
import type { Value } from './assignment.ts';
import { doubtOf, isMadeUp, isReference } from './filler.ts';
import { characters, runEnd, runStart } from './matcher.ts';
import type { Confidence } from './matcher.ts';
import { isPublished } from './published.ts';
import { entropy, rarity } from './rarity.ts';
import type { Detector, Scan } from './scan.ts';
import { secretNameOf } from './secret-name.ts';
import type { SecretName } from './secret-name.ts';

const longestValue = 256;
/** `lone`: of a name that is `key` and no more; `sureBare`: without quotes and still as sure as with them. */
const least = { quoted: 10, bare: 16, sureBare: 24, password: 8, lone: 20 } as const;
const bare = characters('A-Za-z0-9_+/=.~!@%^*$-');
const quoted = characters('A-Za-z0-9_+/=.~-');
/** Passwords are typed, so they hold anything that is no quote. */
const typed = characters('!#-&(-[]-_a-~');

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Parts of names, in lower case; what the whole name says is asked where one is found. */
const parts = ['secret', 'token', 'passw', 'pwd', 'passphrase', 'passcode', 'dbpass', 'userpass', 'credential', 'creds', 'key', 'auth'] as const;

export const genericSecrets: readonly Detector[] = parts.map((part) => ({ text: part, found: lookAtName }));

function lookAtName(scan: Scan, at: number): void {
  const { text, runs } = scan;
  const nameEnd = runs.end(at, nameSet);
  if (nameEnd === scan.nameDone || nameEnd - at > longestName) return;
  scan.nameDone = nameEnd;
  const start = runStart(text, at, nameSet, longestName);
  const value = valueAfter(text, nameEnd, text.startsWith('--', start) ? 'flag' : 'type');
  // Most values are too short, which is cheaper to see than what the name says.
  if (value === undefined || runEnd(text, value.from, typed, least.password) - value.from < least.password) return;
  const name = text.slice(start, nameEnd);
  const says = secretNameOf(`${wordBefore(text, start)}${name}`);
  // Behind `::` stands the name of a type.
  if (says === undefined || text.startsWith('::', start - 2)) return;
  const end = runs.end(value.from, !value.isQuoted ? bare : says === 'password' ? typed : quoted);
  const length = end - value.from;
  if (length > longestValue || length < (says === 'password' ? least.password : value.isQuoted ? least.quoted : least.bare)) return;
  const confidence = uuid.test(text.slice(value.from, end)) ? identifierAs(name, value) : judge(text, value, end, says);
  if (confidence !== undefined) scan.report({ rule: says === 'password' ? 'generic-password' : 'generic-secret', offset: value.from, length, confidence }, 'general');
}

/** The word before a name, with the blank between: `next page token:` is no token. */
function wordBefore(text: string, start: number): string {
  return text.charAt(start - 1) === ' ' ? text.slice(runStart(text, start - 1, nameSet, 16), start) : '';
}

/** A UUID names a thing more often than it opens one. */
function identifierAs(name: string, value: Value): Confidence | undefined {
  return value.isQuoted && /(?:api|auth|access|secret)[_.-]?(?:key|token|secret)$/i.test(name) ? 'low' : undefined;
}

/** How sure it is that the value is a secret, or undefined. */
function judge(text: string, value: Value, end: number, says: SecretName): Confidence | undefined {
  const found = text.slice(value.from, end);
  const next = text.charAt(end);
  if (value.isQuoted ? !/["'`\\&;,]/.test(next) && next !== '' : /[([{:\\]/.test(next) && text.charAt(end + 1) !== 'n') return undefined;
  if (isReference(found) || isPlain(found) || isPublished(found) || isMadeUp(found) || (says === 'key' && !value.isQuoted)) return undefined;
  if (looksRandom(found, says)) return says !== 'key' && (value.isQuoted || found.length >= least.sureBare) && doubtOf(found) === 'none' ? 'medium' : 'low';
  return says === 'password' && value.isQuoted && isMixed(found) ? 'low' : undefined;
}

function looksRandom(found: string, says: SecretName): boolean {
  if (!/[A-Za-z]/.test(found) || found.length < (says === 'key' ? least.lone : least.quoted)) return false;
  if (/^[\da-fA-F]+$/.test(found)) return found.length >= 16 && says !== 'key' && /\d/.test(found) && entropy(found) >= 2.7;
  const hasDigit = /\d/.test(found);
  if (entropy(found) < (found.length >= 20 ? 3.3 : 3) || rarity(found) < (hasDigit ? 4.75 : 6) || !(hasDigit || found.length >= 16)) return false;
  // A few digits make a name rare that is made of words all the same.
  const letters = found.replace(/[^A-Za-z]+/g, '');
  return letters.length < 6 || rarity(letters) >= 4.9;
}

/** Letters of both cases, digits and other characters: what people type when told to. */
function isMixed(found: string): boolean {
  return !/^(?:enter|your|passw)|:$/i.test(found) && [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(found)).length >= 3 && /\d|[^A-Za-z0-9_.-]/.test(found) && !/^[\w-]+(?:\.[\w-]+)+$/.test(found);
}

/** Names of members and hosts, paths, versions, e-mail addresses, URLs, numbers, words with dashes and slashes. */
function isPlain(found: string): boolean {
  if (/^[./~\\]/.test(found) || /^[a-zA-Z]:[\\/]/.test(found) || found.includes('://') || found.includes('::') || /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(found)) return true;
  if (/^[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$][\w$]*)+$/.test(found) && rarity(found) < 5.5) return true;
  if (/^[\w.-]+:\d+$/.test(found) || (/^[\w.-]+(?:\/[\w.-]*){2,}$/.test(found) && rarity(found) < 5)) return true;
  return /^[\d.:,eE+-]+$/.test(found) || /^[A-Za-z]+\d{0,2}(?:[-_.][A-Za-z]+\d{0,2})+[-_.]?\d{0,4}$/.test(found) && rarity(found) < 5.5;
}
