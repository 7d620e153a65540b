/** Secrets known by their form and not by their maker: private keys, signed tokens, passwords inside URLs. */
import { base64, characters, isPlaceholder, runEnd, startsWord, wordDash } from './matcher.ts';
import type { Matcher } from './matcher.ts';

const longestKey = 16_384;
/** Taken for part of a key that has no end. */
const longestTorn = 4096;

/** A PEM block, up to its end where there is one. Public keys and certificates are none. */
const privateKey: Matcher = (text, report) => {
  for (let at = text.indexOf('-----BEGIN '); at >= 0; at = text.indexOf('-----BEGIN ', at + 11)) {
    const label = /^[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(at + 11, at + 80));
    if (label === null) continue;
    const begin = at + 11 + label[0].length;
    // The next dashes end it, whatever they begin: no part of the text is looked at for two keys.
    const dashes = text.slice(begin, begin + longestKey).indexOf('-----');
    const stop = dashes < 0 ? Math.min(text.length, begin + longestTorn) : begin + dashes;
    const end = text.startsWith('-----END ', stop) ? endOfLabel(text, stop) : stop;
    const material = text.slice(begin, stop).replace(/\\n/g, '').replace(/[^A-Za-z0-9+/]/g, '');
    if (material.length >= 32) report({ rule: 'private-key', offset: at, length: end - at, confidence: 'high' });
  }
};

/** Behind the dashes that close `-----END …-----`; behind its opening ones when the line is cut off. */
function endOfLabel(text: string, at: number): number {
  const close = text.slice(at + 9, at + 80).indexOf('-----');
  return at + 9 + (close < 0 ? 0 : close + 5);
}

/** Three base64url parts, of which the first two open with `{"`. */
const jsonWebToken: Matcher = (text, report) => {
  for (let at = text.indexOf('eyJ'); at >= 0; at = text.indexOf('eyJ', at + 3)) {
    if (!startsWord(text, at)) continue;
    const header = runEnd(text, at, wordDash, 2048);
    if (header - at < 12 || !text.startsWith('.eyJ', header)) continue;
    const payload = runEnd(text, header + 1, wordDash, 8192);
    if (text.charAt(payload) !== '.') continue;
    const end = runEnd(text, payload + 1, wordDash, 1024);
    if (end - payload > 20) report({ rule: 'json-web-token', offset: at, length: end - at, confidence: 'high' });
  }
};

const userChars = characters('A-Za-z0-9_.%+-');
const stops = new Set(['/', '?', '#', ' ', '\n', '\t', '"', "'", '<', '>', '`']);
const longestPassword = 256;

/** `scheme://user:password@host`. */
const urlPassword: Matcher = (text, report) => {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const colon = runEnd(text, at + 3, userChars, 128);
    if (text.charAt(colon) !== ':') continue;
    const from = colon + 1;
    let end = from;
    while (end < text.length && end - from <= longestPassword && text.charAt(end) !== '@' && !stops.has(text.charAt(end))) end += 1;
    const password = text.slice(from, end);
    if (text.charAt(end) !== '@' || password.length < 3 || isReference(password) || isPlaceholder(password)) continue;
    report({ rule: 'password-in-url', offset: from, length: end - from, confidence: 'high' });
  }
};

/** Values that point to a secret and are none: `$PASS`, `${PASS}`, `{{pass}}`, `<pass>`, `%s`, `***`. */
export function isReference(value: string): boolean {
  return /^(?:\$|\{\{?|<|%|\*+$)/.test(value) || /^(?:password|passwd|pass|secret|token|user|null|none|true|false|undefined)$/i.test(value);
}

const bearerChars = characters('A-Za-z0-9_.~+/=-');

/** `Authorization: Bearer …` and `Basic …`. */
const authorization: Matcher = (text, report) => {
  for (const match of text.matchAll(/\b(?:Bearer|Basic)[ \t]+/g)) {
    const from = match.index + match[0].length;
    const end = runEnd(text, from, match[0].startsWith('Basic') ? base64 : bearerChars, 2048);
    const value = text.slice(from, end);
    if (value.length < 20 || !/\d/.test(value) || !/[A-Za-z]/.test(value) || isPlaceholder(value)) continue;
    report({ rule: 'authorization-header', offset: from, length: end - from, confidence: 'medium' });
  }
};

export const structureMatchers: readonly Matcher[] = [privateKey, jsonWebToken, urlPassword, authorization];
