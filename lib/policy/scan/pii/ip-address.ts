/**
 * IP addresses. Those of the public Internet can lead to a person and count; private, reserved and documentation ranges
 * (RFC 6890) are low, since they mean something only inside one network. Four numbers after "version" are a version.
 */
import { isInBlock, parseAddress } from '../../../base/addresses.ts';
import type { Confidence, Hit } from '../matcher.ts';
import { isDigit, isLetter, isWord } from './codes.ts';
import { isBeside, wordPattern } from './surroundings.ts';
import type { Examples } from './identifier.ts';

export const ipExamples: Examples = {
  match: ['client 8.8.4.4 connected', '203.0.113.7', '2a00:1450:4001:81b::200e', '::ffff:192.0.2.1', 'http://[2a00:1450::1]:80/', '192.168.1.0/24', 'user@2001:db8::1'],
  ignore: ['192.168.1.256', 'v1.2.3.4', 'version 1.2.3.4', '"version": "81.2.69.142"', '11.3.244.8-node.9', '1.3.6.1.4.1', 'Chrome/99.0.0.0', '12:30:45', 'std::vector', 'abc:def:ghi', 'a[1::2]', 'x[::1]', ':::', '2001::25de::cade', '12345:db8::1', 'fe80::1text', '192.168.1', '01.02.03.04'],
};

const words = wordPattern(['ip', 'ipv4', 'ipv6', 'address', 'addr', 'host', 'client', 'remote', 'peer', 'server', 'gateway', 'dns', 'proxy', 'subnet', 'visitor', 'x forwarded for', 'forwarded', 'from']);
const afterVersion = /(?:version|release|build|sdk|firmware|driver|oid|\bver\.?|\bv)\W{0,6}$/i;
const longestVersionWord = 16;

/** Blocks that no public address lies in (RFC 6890 and its successors at IANA). */
const reserved: readonly string[] = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24',
  '203.0.113.0/24', '224.0.0.0/3', '::/8', '100::/64', '2001:db8::/32', '3fff::/20', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
];
const longestFour = 15;
const longestSix = 48;

/** The address of four numbers that begins with the digit at `start`. */
export function fourAt(text: string, start: number): Hit | undefined {
  let end = start;
  while (end - start <= longestFour && (isDigit(text.charCodeAt(end)) || (text.charCodeAt(end) === 46 && isDigit(text.charCodeAt(end + 1))))) end += 1;
  const before = text.charCodeAt(start - 1);
  if (end - start > longestFour || isWord(text.charCodeAt(end)) || (text.charCodeAt(end) === 45 && isLetter(text.charCodeAt(end + 1))) || isWord(before) || before === 46 || (before === 45 && isWord(text.charCodeAt(start - 2)))) return undefined;
  const found = text.slice(start, end);
  const bytes = parseAddress(found);
  if (bytes === undefined || /(?:^|\.)0\d/.test(found)) return undefined;
  // `Chrome/99.0.0.0`, `lib-1.2.3.4`
  if (before === 47 && isLetter(text.charCodeAt(start - 2))) return undefined;
  if (afterVersion.test(text.slice(Math.max(0, start - longestVersionWord), start))) return undefined;
  return withPrefix(text, start, end, confidenceOf(text, start, end, bytes));
}

/** The address in the run of hex digits, colons and dots around the colon at `at`, which may be as long as `longestSix`. */
export function sixAt(text: string, at: number): Hit | undefined {
  let [start, end] = [at, at + 1];
  while (at - start <= longestSix && isSixPart(text.charCodeAt(start - 1))) start -= 1;
  while (end - at <= longestSix && isSixPart(text.charCodeAt(end))) end += 1;
  while (text.charCodeAt(end - 1) === 46 || (text.charCodeAt(end - 1) === 58 && text.charCodeAt(end - 2) !== 58)) end -= 1;
  if (end - start > longestSix || isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(end))) return undefined;
  const found = text.slice(start, end);
  const bytes = isPlausibleSix(found) ? parseAddress(found) : undefined;
  if (bytes === undefined || isSlice(text, start, end)) return undefined;
  const hit = withPrefix(text, start, end, confidenceOf(text, start, end, bytes));
  return found === '::' && hit.length === 2 ? undefined : hit;
}

/** Scopes and slices of programming languages are written with colons too: `a::b`, `1::2`. */
function isPlausibleSix(found: string): boolean {
  if (!found.includes('::')) return /^(?:[0-9A-Fa-f]{1,4}:){6}/.test(found);
  const groups = found.split(':').filter((group) => group !== '');
  if (found === '::') return true;
  if (!/\d/.test(found)) return false;
  return found.startsWith('::') || groups.length >= 3 || /^[0-9A-Fa-f]{4}$/.test(groups[0] ?? '') && /\d/.test(groups[0] ?? '') || /^(?:\d{2,4}|f[cde][0-9a-f]{2})::\d/i.test(found);
}

/** `x[::1]`, and not `http://[::1]` or `[::1]:80`. */
function isSlice(text: string, start: number, end: number): boolean {
  return text.charCodeAt(start - 1) === 91 && text.charCodeAt(end) === 93 && (isWord(text.charCodeAt(start - 2)) || text.charCodeAt(start - 2) === 93 || text.charCodeAt(start - 2) === 41);
}

function isSixPart(code: number): boolean {
  return isDigit(code) || code === 58 || code === 46 || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

/** `/24` belongs to it where it stands. */
function withPrefix(text: string, start: number, end: number, confidence: Confidence): Hit {
  const prefix = /^\/\d{1,3}(?![\w./])/.exec(text.slice(end, end + 5))?.[0] ?? '';
  return { rule: 'ip-address', offset: start, length: end + prefix.length - start, confidence };
}

function confidenceOf(text: string, start: number, end: number, bytes: readonly number[]): Confidence {
  if (reserved.some((block) => isInBlock(bytes, block))) return 'low';
  if (isBeside(text, start, end, words)) return 'high';
  // Small numbers without a word are as often a version or a section.
  return bytes.length === 4 && bytes.every((byte) => byte <= 20) ? 'low' : 'medium';
}
