/** Credentials of HTTP: authorization headers, the header of a key, and the user that `curl` is given. */
import { doubtOf, isMadeUp, isReference } from '../filler.ts';
import { characters, runEnd, startsWord } from '../matcher.ts';
import { isPublished } from '../published.ts';
import { rarity } from '../rarity.ts';
import type { Detector, Scan } from '../scan.ts';

const token = characters('A-Za-z0-9_.~+/=@-');
const base64 = characters('A-Za-z0-9+/=');
const blank = characters(' \t');
const longest = 4096;
const [leastToken, leastBasic] = [16, 8];

/** `Authorization: Bearer …`, or the word alone with a token behind it. */
function scheme(name: string): Detector {
  return {
    text: name,
    found(scan: Scan, at: number): void {
      const { text } = scan;
      if (!startsWord(text, at)) return;
      const from = runEnd(text, at + name.length, blank, 8);
      const end = scan.runs.end(from, token);
      const value = text.slice(from, Math.min(end, from + longest));
      if (value.length < leastToken || !/\d/.test(value) || !/[A-Za-z]/.test(value) || rarity(value) < 4.4) return;
      reportValue(scan, value, from);
    },
  };
}

/** `Basic` and base64 of `user:password`. */
const basic: Detector = {
  text: 'basic ',
  found(scan: Scan, at: number): void {
    const { text } = scan;
    if (!startsWord(text, at)) return;
    const from = runEnd(text, at + 6, blank, 8);
    const end = scan.runs.end(from, base64);
    const value = text.slice(from, end);
    if (value.length < leastBasic || value.length > longest) return;
    const [user, password] = pairIn(value);
    if (user === undefined || isSamplePair(user, password ?? '')) return;
    scan.report({ rule: 'authorization-header', offset: from, length: end - from, confidence: 'high' }, 'general');
  },
};

/** User and password of base64 that is readable and holds a colon. */
function pairIn(value: string): readonly [user?: string, password?: string] {
  let pair: string;
  try {
    pair = atob(value.length % 4 === 1 ? value.slice(0, -1) : value);
  } catch {
    return [];
  }
  const colon = pair.indexOf(':');
  return colon < 1 || !/^[\x20-\x7e\x80-\xff]+$/.test(pair) ? [] : [pair.slice(0, colon), pair.slice(colon + 1)];
}

/** A header whose name is that of a key, on a command line: `-H "X-Api-Key: …"`, `-H 'Authorization: …'`. */
function header(end: string): Detector {
  return {
    text: end,
    found(scan: Scan, at: number): void {
      const { text } = scan;
      const colon = at + end.length - 1;
      if (scan.curl < 0 || at - scan.curl > longestCommand || !headerName.test(text.slice(Math.max(0, colon - 40), colon))) return;
      const from = runEnd(text, colon + 1, blank, 8);
      const stop = scan.runs.end(from, token);
      const value = text.slice(from, Math.min(stop, from + longest));
      if (value.length < leastBasic || !/["'\s]/.test(text.charAt(stop)) || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return;
      if (rarity(value) >= unlikeWords) reportValue(scan, value, from);
    },
  };
}

const headerName = /["'](?:(?:proxy-)?authorization|(?:x-(?:[a-z]+-)?)?(?:api-?)?(?:key|token))$/i;
/** Less than elsewhere: the name of the header has said what it is. */
const unlikeWords = 3.5;

function reportValue(scan: Scan, value: string, from: number): void {
  const doubt = doubtOf(value);
  if (isMadeUp(value) || isReference(value) || isPublished(value)) return;
  scan.report({ rule: 'authorization-header', offset: from, length: value.length, confidence: doubt === 'none' ? 'medium' : 'low' }, 'general');
}

/** How far behind `curl` an option is still taken for its own. */
const longestCommand = 2000;

const curl: Detector = {
  text: 'curl',
  found(scan: Scan, at: number): void {
    if (startsWord(scan.text, at)) scan.curl = at;
  },
};

const pair = characters('!#-&(-:<-[]-_a-{}~');

/** `curl -u user:password`, in quotes or not. */
function userOption(option: string): Detector {
  return {
    text: option,
    found(scan: Scan, at: number): void {
      const { text } = scan;
      if (scan.curl < 0 || at - scan.curl > longestCommand || !text.startsWith(option, at)) return;
      const place = text.charAt(at + option.length) === '=' ? at + option.length + 1 : runEnd(text, at + option.length, blank, 8);
      const quote = /["']/.test(text.charAt(place)) ? text.charAt(place) : '';
      const from = place + quote.length;
      const end = quote === '' ? runEnd(text, from, pair, 256) : text.slice(from, from + 256).indexOf(quote) + from;
      const colon = text.slice(from, Math.max(from, end)).indexOf(':');
      if (colon < 0) return;
      const [user, rest] = [text.slice(from, from + colon), text.slice(from + colon + 1, end)];
      const password = quote === '' && rest === '' ? quotedAt(text, end) : rest;
      if (isSamplePair(user, password) || (user.length < 3 && password.length < 6)) return;
      scan.report({ rule: 'curl-user', offset: from, length: Math.max(end - from, colon + 1 + password.length), confidence: 'medium' }, 'general');
    },
  };
}

/** `user:'password'`. */
function quotedAt(text: string, at: number): string {
  const quote = text.charAt(at);
  if (quote !== '"' && quote !== "'") return '';
  const end = text.slice(at + 1, at + 257).indexOf(quote);
  return end < 0 ? '' : text.slice(at + 1, at + 1 + end);
}

/** What manuals and scripts write where the pair would stand. */
function isSamplePair(user: string, password: string): boolean {
  if (isReference(password) || /[$`]\(|[[\]<>{}]|^[$%]/.test(user) || /\$[A-Z_]{2}|[[\]<>{}]|\$\(/.test(password)) return true;
  if (password === '') return user.length < 6 || isReference(user);
  return password.length < 3 || isMadeUp(password) || user.toLowerCase() === password.toLowerCase() || /^(?:change(?:it|me)|pass(?:word|wd)?|pwd|test|token|secret|\*+|x+)\d{0,3}$/i.test(password);
}

export const authorizations: readonly Detector[] = [scheme('bearer '), scheme('authorization: token '), basic, header('authorization:'), header('key:'), header('token:'), curl, userOption(' -u'), userOption('--user')];
