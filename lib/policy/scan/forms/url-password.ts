/** Passwords in URLs and connection strings: `scheme://user:password@host`, `Server=…;Password=…`. */
import { doubtOf, isMadeUp, isReference } from '../filler.ts';
import { characters, runEnd } from '../matcher.ts';
import { isPublished } from '../published.ts';
import type { Detector, Scan } from '../scan.ts';

const userSet = characters('A-Za-z0-9_.%+~-');
/** What ends a URL wherever it stands. */
const stops = characters('/?# \n\r\t"\'<>`\\');
const longestUser = 128;
const longestPassword = 256;
const leastPassword = 3;
const leastSetting = 6;
/** A user and password that are one word are longer where they are meant. */
const longestSample = 12;

const inUrl: Detector = {
  text: '://',
  found(scan: Scan, at: number): void {
    const { text } = scan;
    const colon = runEnd(text, at + 3, userSet, longestUser);
    if (text.charAt(colon) !== ':') return;
    const from = colon + 1;
    let end = from;
    while (end < text.length && end - from <= longestPassword && text.charAt(end) !== '@' && stops[text.charCodeAt(end)] !== 1) end += 1;
    const password = text.slice(from, end);
    if (text.charAt(end) !== '@' || password.length < leastPassword || isReference(password)) return;
    const doubt = doubtOf(password);
    if (isMadeUp(password) || isPublished(password) || isSample(text.slice(at + 3, colon), password, text.slice(end + 1, end + 40))) return;
    scan.report({ rule: 'password-in-url', offset: from, length: end - from, confidence: doubt === 'none' ? 'high' : 'medium' }, 'general');
  },
};

/** What manuals write: a name twice, a word and some digits at a host that is reserved for examples (RFC 2606) or is called host. */
function isSample(user: string, password: string, host: string): boolean {
  if (user.toLowerCase() === password.toLowerCase() && user.length <= longestSample) return true;
  return /^[A-Za-z]{0,12}\d{0,4}$/.test(password) && /^(?:host|hostname|server)\b|^(?:[\w-]+\.)*example(?:\.(?:com|org|net))?\b|^[\w.-]+\.(?:invalid|test)\b/i.test(host);
}

/** ADO.NET, ODBC and JDBC: settings between semicolons, the password among them. */
const setting: Detector = {
  text: 'assword=',
  found(scan: Scan, at: number): void {
    const { text } = scan;
    const from = at + 8;
    const end = runEnd(text, from, settingSet, longestPassword);
    const around = text.slice(Math.max(0, at - 200), at);
    if (end - from < leastSetting || !/[;?&]\s*(?:\w+ ?)?p?$/i.test(around) || !/=[^;=\n]{1,100}[;?&][^\n]*$/.test(around)) return;
    const password = text.slice(from, end);
    if (isReference(password) || isMadeUp(password)) return;
    scan.report({ rule: 'password-in-connection-string', offset: from, length: end - from, confidence: 'medium' }, 'general');
  },
};

const settingSet = characters('!#-%(-:<-[]-_a-z|~');

export const urlPasswords: readonly Detector[] = [inUrl, setting];
