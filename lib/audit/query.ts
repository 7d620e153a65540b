/**
 * Reads entries of the log of record, the newest first, without an index: whole files are skipped by their day, lines by a
 * look for the bytes that a match must contain, and only what is left is parsed. A line that is no entry is passed over:
 * finding damage is verification's task, and a search must still answer.
 */
import type { Disk, ReadFile } from '../ports.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { linesOf } from '../journal/lines.ts';
import { levels, type Level } from './events.ts';
import { logFiles, type LogFileName } from './files.ts';
import { asBuffer } from './tail.ts';

/** Which entries are wanted. Every member narrows. */
export interface AuditFilter {
  /** First and last time, ISO 8601 with milliseconds; both included. */
  readonly from?: string;
  readonly to?: string;
  readonly event?: string;
  /** Exactly this level. */
  readonly level?: Level;
  /** With a colon the whole actor; without one what follows its colon. */
  readonly actor?: string;
  readonly resource?: string;
  /** Anything that stands in the entry's text. */
  readonly text?: string;
  /** Only entries with a smaller, and with a greater sequence number. */
  readonly before?: number;
  readonly after?: number;
}

/** An entry as it stands in the log. */
export interface LoggedEntry extends JsonObject {
  readonly seq: number;
  readonly timestamp: string;
  readonly event: string;
  readonly level: Level;
  readonly actor: string;
}

const pieceBytes = 1 << 18;
/** Longer than any entry: what is longer is no line of ours. */
const longestLine = 1 << 17;

/** Matching entries of the log in `directory`, the newest first. */
export function* queryLog(disk: Disk, directory: string, filter: AuditFilter): Generator<LoggedEntry> {
  for (const entry of searchLog(disk, directory, filter)) if (entry !== undefined) yield entry;
}

/** So many lines are looked at before others may have a turn. */
const linesATurn = 2000;

/** As `queryLog`, with an undefined now and then: a rare match may lie behind a million lines, and others want their turn. */
export function* searchLog(disk: Disk, directory: string, filter: AuditFilter): Generator<LoggedEntry | undefined> {
  const needles = needlesOf(filter);
  let looked = 0;
  for (const name of logFiles(disk.list(directory)).toReversed()) {
    if (name.compressed || !mayHold(name, filter)) continue;
    const file = disk.openRead(join(directory, name.name));
    if (file === undefined) continue;
    try {
      for (const line of linesBackward(file, file.stat().size)) {
        looked += 1;
        if (looked % linesATurn === 0) yield undefined;
        if (!needles.every((needle) => line.includes(needle))) continue;
        const entry = parseEntry(line);
        if (entry === undefined) continue;
        if (filter.after !== undefined && entry.seq <= filter.after) return;
        if (matches(entry, filter)) yield entry;
      }
    } finally {
      file.close();
    }
  }
}

/** Lines from the end to the beginning, without their line feeds; a tail that has none is left out. */
export function* linesBackward(file: ReadFile, size: number): Generator<Buffer> {
  let end = size;
  let carry: Buffer = Buffer.alloc(0);
  let torn = true;
  while (end > 0) {
    const start = Math.max(0, end - pieceBytes);
    const bytes = Buffer.concat([asBuffer(file.read(start, end - start)), carry]);
    const firstEnd = start === 0 ? -1 : bytes.indexOf(10);
    if (start > 0 && firstEnd < 0 && bytes.length > longestLine) carry = Buffer.alloc(0);
    else if (start > 0 && firstEnd < 0) carry = bytes;
    else {
      const whole = bytes.subarray(firstEnd + 1);
      const lines = [...linesOf(whole)].reverse();
      if (torn && lines.length > 0 && whole.at(-1) !== 10) lines.shift();
      torn = false;
      for (const [from, to] of lines) yield whole.subarray(from, to);
      carry = bytes.subarray(0, firstEnd + 1);
      if (firstEnd < 0) return;
    }
    end = start;
  }
}

/** One line as an entry; undefined when it is none. */
export function parseEntry(line: Buffer): LoggedEntry | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is LoggedEntry {
  return isPlainObject(value) && typeof value['seq'] === 'number' && typeof value['timestamp'] === 'string'
    && typeof value['event'] === 'string' && typeof value['actor'] === 'string'
    && levels.some((level) => level === value['level']);
}

function mayHold(name: LogFileName, filter: AuditFilter): boolean {
  return (filter.from === undefined || name.day >= filter.from.slice(0, 10)) && (filter.to === undefined || name.day <= filter.to.slice(0, 10));
}

/** Bytes every match contains. JSON writes the names and plain values in one way only; text that JSON escapes is left to `matches`. */
function needlesOf(filter: AuditFilter): readonly Buffer[] {
  const parts: string[] = [];
  if (filter.event !== undefined) parts.push(`"event":${JSON.stringify(filter.event)}`);
  if (filter.level !== undefined) parts.push(`"level":"${filter.level}"`);
  if (filter.actor !== undefined) parts.push(JSON.stringify(filter.actor).slice(1));
  if (filter.resource !== undefined) parts.push(JSON.stringify(filter.resource));
  return parts.map((part) => Buffer.from(part));
}

/** Whether an entry is wanted. */
export function matches(entry: LoggedEntry, filter: AuditFilter): boolean {
  return (filter.from === undefined || entry.timestamp >= filter.from)
    && (filter.to === undefined || entry.timestamp <= filter.to)
    && (filter.event === undefined || entry.event === filter.event)
    && (filter.level === undefined || entry.level === filter.level)
    && (filter.actor === undefined || isActor(entry.actor, filter.actor))
    && (filter.resource === undefined || entry['resource'] === filter.resource)
    && (filter.text === undefined || JSON.stringify(entry).includes(filter.text))
    && (filter.before === undefined || entry.seq < filter.before)
    && (filter.after === undefined || entry.seq > filter.after);
}

function isActor(actor: string, wanted: string): boolean {
  return wanted.includes(':') ? actor === wanted : actor === wanted || actor.slice(actor.indexOf(':') + 1) === wanted;
}
