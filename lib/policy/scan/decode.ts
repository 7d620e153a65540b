/**
 * What is written in base64, in hexadecimal digits or with percent escapes is read once more as what it says. One round:
 * what is encoded twice is not found. Only readable text is looked at, and so much of it in one text as `mostDecoded`.
 */
import { characters, runEnd, Runs, runStart } from './matcher.ts';

const mostDecoded = 1 << 20;
const longestRun = 1 << 16;
const least = { base64: 32, hex: 40, escapes: 2 } as const;
/** Shorter than `least` by enough that no run that counts lies between two looks. */
const stride = 16;
const base64 = characters('A-Za-z0-9+/_-');
const escaped = characters('A-Za-z0-9%+._~-');

/** An encoded stretch and what it says. */
export interface Decoded {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** Every encoded stretch of the text that says something readable. */
export function decodedParts(text: string): readonly Decoded[] {
  const parts: Decoded[] = [];
  let budget = mostDecoded;
  const add = (part: Decoded | undefined): void => {
    if (part === undefined) return;
    budget -= part.length;
    parts.push(part);
  };
  for (let at = stride - 1; at < text.length && budget > 0; at += stride) {
    if (!isWithinRun(text, at)) continue;
    const from = runStart(text, at, base64, stride);
    const end = runEnd(text, at, base64, text.length);
    if (end - from >= least.base64) add(runDecoded(text, from, end));
    at = Math.max(at, end - 1);
  }
  const runs = new Runs(text);
  for (let at = text.indexOf('%'); at >= 0 && budget > 0;) {
    const end = escapedEnd(text, at, runs);
    if (end > at) add(escapesDecoded(text, at, end));
    at = text.indexOf('%', Math.max(end, at + 1));
  }
  return parts;
}

/** Whether a long run may lie about the place: most words are over within these few characters. */
function isWithinRun(text: string, at: number): boolean {
  return base64[text.charCodeAt(at)] === 1 && base64[text.charCodeAt(at - 5)] === 1 && base64[text.charCodeAt(at - 10)] === 1 && base64[text.charCodeAt(at - 15)] === 1;
}

function runDecoded(text: string, from: number, end: number): Decoded | undefined {
  const run = text.slice(from, Math.min(end, from + longestRun));
  const said = run.length >= least.hex && run.length % 2 === 0 && /^(?:[2-7][\da-fA-F]|0[9aAdD]){12}/.test(run) && /^[\da-fA-F]+$/.test(run) ? fromHex(run) : fromBase64(run);
  return said === undefined ? undefined : { offset: from, length: end - from, text: said };
}

function fromHex(run: string): string {
  return run.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

/** Looks at the first bytes before it decodes the rest, since most long runs are names. */
function fromBase64(run: string): string | undefined {
  const standard = run.includes('-') || run.includes('_') ? run.replaceAll('-', '+').replaceAll('_', '/') : run;
  if (!isReadable(atob(standard.slice(0, 24)))) return undefined;
  const said = atob(standard.slice(0, standard.length - (standard.length % 4 === 1 ? 1 : 0)));
  const wide = said.length > 8 && said.charCodeAt(1) === 0 && said.charCodeAt(3) === 0;
  return wide ? said.replaceAll('\0', '') : said;
}

/** Printable ASCII and blanks; every second byte may be 0, as in UTF-16. */
function isReadable(bytes: string): boolean {
  return /^[\t\n\r\x20-\x7e]+$/.test(bytes) || /^(?:[\t\n\r\x20-\x7e]\0)+$/.test(bytes);
}

/** End of the stretch without blanks that holds the escape at `at`, or -1 when there is none. */
function escapedEnd(text: string, at: number, runs: Runs): number {
  return /^%[\da-fA-F]{2}/.test(text.slice(at, at + 3)) ? runs.end(at, escaped) : -1;
}

/** The stretch around the first escape: what stands before it belongs to it. */
function escapesDecoded(text: string, first: number, end: number): Decoded | undefined {
  let from = first;
  while (from > 0 && first - from < 64 && escaped[text.charCodeAt(from - 1)] === 1) from -= 1;
  const run = text.slice(from, Math.min(end, from + longestRun));
  const said = run.replace(/%([\da-fA-F]{2})/g, (_, pair: string) => String.fromCharCode(Number.parseInt(pair, 16)));
  return (run.length - said.length) / 2 < least.escapes ? undefined : { offset: from, length: end - from, text: said };
}
