/**
 * Reads entries of the log of record, the newest first, without an index: whole files are skipped by their day, lines by a
 * look for the bytes that a match must contain, and only what is left is parsed. A line that is no entry is passed over:
 * finding damage is verification's task, and a search must still answer.
 */
import type { Disk } from '../ports.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { levels, type Level } from './events.ts';
import { logFiles, type LogFileName } from './files.ts';
import { linesBackward } from './lines-backward.ts';

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

/** One line as an entry; undefined when it is none. */
function parseEntry(line: Buffer): LoggedEntry | undefined {
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
