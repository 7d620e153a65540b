/**
 * Counts lines by event, level and actor without parsing them: in a line of this program the three stand side by side behind
 * the time, and the bytes from the event to the actor are the same for all lines that count alike. Each such stretch is
 * parsed once, when it is first seen; a line that looks otherwise is always parsed.
 */
import { parseEntry } from './filter.ts';
import type { LoggedEntry } from './wanted.ts';

/** Called with an entry and how many lines count as it does; it is whole when its actor is no plain text. */
export type Tally = (entry: LoggedEntry, count: number) => void;

interface Stretch {
  readonly bytes: Buffer;
  readonly entry: LoggedEntry;
  count: number;
}

/** More kinds of lines than this are parsed one by one: memory stays bounded whatever a log holds. */
const mostStretches = 1 << 14;

const [lineFeed, quote, backslash, closingBrace] = [10, 0x22, 0x5c, 0x7d];
const beforeTime = Buffer.from(',"timestamp":"');
const afterTime = Buffer.from('","event":"');
const timeLength = 24;
/** Quotes from the one that ends the event to the one that ends the actor: `","level":"…","actor":"…"`. */
const quotesInStretch = 9;

export interface LineCounter {
  /** Counts the whole lines in `bytes` with a time from `from` to `to`. */
  add(bytes: Buffer): void;
  /** Hands over what was counted. */
  end(): void;
}

export function createLineCounter(range: { readonly from?: string; readonly to?: string }, tally: Tally): LineCounter {
  const from = Buffer.from(range.from ?? '');
  const to = Buffer.from(range.to ?? '');
  const known = new Map<number, Stretch>();
  let last: Stretch | undefined;

  const parsed = (line: Buffer): LoggedEntry | undefined => {
    const entry = parseEntry(line);
    return entry !== undefined && entry.timestamp >= (range.from ?? '') && (range.to === undefined || entry.timestamp <= range.to) ? entry : undefined;
  };

  const addParsed = (bytes: Buffer, start: number, end: number): void => {
    const entry = parsed(bytes.subarray(start, end));
    if (entry !== undefined) tally(entry, 1);
  };

  const addLine = (bytes: Buffer, start: number, end: number): void => {
    const time = timeAt(bytes, start, end);
    const stretch = time < 0 ? -1 : time + timeLength + afterTime.length;
    const [length, hash] = time < 0 ? [-1, 0] : measure(bytes, stretch, end);
    if (length < 0 || bytes[end - 1] !== closingBrace) return addParsed(bytes, start, end);
    if (compareTime(bytes, time, from) < 0 || compareTime(bytes, time, to) > 0) return;
    if (last === undefined || !isSame(bytes, stretch, length, last.bytes)) {
      const found = known.get(hash);
      if (found !== undefined && isSame(bytes, stretch, length, found.bytes)) last = found;
      else {
        const entry = parsed(bytes.subarray(start, end));
        if (entry === undefined) return;
        const isPlain = bytes.toString('utf8', stretch, stretch + length) === `${entry.event}","level":"${entry.level}","actor":"${typeof entry.actor === 'string' ? entry.actor : ''}"`;
        if (found !== undefined || known.size >= mostStretches || !isPlain) return tally(entry, 1);
        last = { bytes: Buffer.from(bytes.subarray(stretch, stretch + length)), entry, count: 0 };
        known.set(hash, last);
      }
    }
    last.count += 1;
  };

  return {
    add(bytes) {
      for (let start = 0; start < bytes.length;) {
        const end = bytes.indexOf(lineFeed, start);
        addLine(bytes, start, end);
        start = end + 1;
      }
    },
    end() {
      for (const { entry, count } of known.values()) tally(entry, count);
      known.clear();
      last = undefined;
    },
  };
}

/** Where the time of a line begins that starts as `{"seq":N,"timestamp":"` and goes on with its event; -1 for another line. */
function timeAt(bytes: Buffer, start: number, end: number): number {
  let at = start + 7;
  if (bytes[start] !== 0x7b || bytes[start + 2] !== 0x73) return -1;
  while (isDigit(bytes[at])) at += 1;
  const time = at + beforeTime.length;
  const event = time + timeLength;
  return event + afterTime.length < end && isSame(bytes, at, beforeTime.length, beforeTime) && isSame(bytes, event, afterTime.length, afterTime) ? time : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Length and hash of the bytes up to the actor's closing quote; a length of -1 when there is an escape in them. */
function measure(bytes: Buffer, start: number, end: number): readonly [length: number, hash: number] {
  let quotes = 0;
  let hash = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash) return [-1, 0];
    hash = (Math.imul(hash, 31) + byte) | 0;
    if (byte !== quote) continue;
    quotes += 1;
    if (quotes === quotesInStretch) return [at + 1 - start, hash];
  }
  return [-1, 0];
}

/** The time at `at` against another, as texts; 0 when there is no other. */
function compareTime(bytes: Buffer, at: number, other: Buffer): number {
  for (let n = 0; n < other.length; n += 1) {
    const difference = (bytes[at + n] ?? 0) - (other[n] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isSame(bytes: Buffer, start: number, length: number, other: Buffer): boolean {
  if (length !== other.length) return false;
  for (let n = 0; n < length; n += 1) if (bytes[start + n] !== other[n]) return false;
  return true;
}
