/** Audit entries as lines for a person, and what is common to the commands that print them. */
import type { JsonObject, JsonValue } from '../lib/base/json.ts';
import { unreadWords, type UnreadBlobs } from '../lib/audit/blob.ts';
import type { LoggedEntry } from '../lib/audit/query.ts';
import type { Level } from '../lib/audit/events.ts';
import type { OnUnreadable } from '../lib/app/audit/reading.ts';
import { printable, type Colour, type Look, type Output } from './output.ts';

const levelColours: Readonly<Record<Level, Colour>> = { debug: 'dim', info: 'green', warning: 'yellow', error: 'red' };

/** Says once, after the entries, that some are closed. */
export function noteClosed(closed: number, output: Output): void {
  if (closed > 0) output.note(`${closed} ${closed === 1 ? 'entry is' : 'entries are'} sealed: the key is not here (LOKI_AUDIT_KEY, LOKI_AUDIT_KEY_FILE), or was destroyed by an erasure.`);
}

/** Says once, after the entries, that details which lie beside the log could not be had. */
export function noteUnread(unread: UnreadBlobs, output: Output): void {
  if (unread.entries > 0) output.warn(`${unreadWords(unread)}. See: loki audit verify`);
}

/** Details in one line are cut here; `--json` shows all. */
const longestDetails = 160;

/** So wide is the number of an entry, by which `loki audit prove` and an `audit_seq` name it. */
const seqWidth = 6;

/** `    41  2026-02-15T14:30:00.000Z  warning  policy.deny  agent:claude  reason="…"`. */
export function entryLine(entry: LoggedEntry, look: Look): string {
  const level = look.paint(levelColours[entry.level], entry.level.padEnd(7));
  const resource = entry['resource'];
  const about = typeof resource === 'string' ? `  ${printable(resource)}` : '';
  const line = `${String(entry.seq).padStart(seqWidth)}  ${look.paint('dim', printable(entry.timestamp))}  ${level}  ${printable(entry.event).padEnd(22)}  ${printable(actorWord(entry.actor))}${about}`;
  return `${line}${details(entry['details'], look)}`;
}

/** An entry as a command prints it: a line for a person, the entry's JSON with `--json`. */
export function entryText(entry: LoggedEntry, { json, out }: Output): string {
  return json ? JSON.stringify(entry) : entryLine(entry, out);
}

/** Tells of files that cannot be read; the others are shown all the same. */
export function warnUnreadable(output: Output): OnUnreadable {
  return (_file, error) => output.warn(`${printable(error.message)}; what it holds is not shown`);
}

/** The actor as it is shown; one that is encrypted and could not be opened has no name. */
export function actorWord(actor: LoggedEntry['actor']): string {
  if (typeof actor !== 'string') return '(encrypted)';
  return actor.startsWith('sealed:') ? '(encrypted)' : actor;
}

function details(value: JsonValue | undefined, look: Look): string {
  if (isObject(value) && isEnvelope(value)) return `  ${look.paint('dim', '(encrypted)')}`;
  const words = isObject(value) ? memberWords(value) : '';
  return words === '' ? '' : `  ${look.paint('dim', words.length > longestDetails ? `${words.slice(0, longestDetails - 1)}…` : words)}`;
}

/** The members of an object that say something in a line: plain values, and an action by its kind and what it is about. */
export function memberWords(value: JsonObject): string {
  return Object.entries(value).flatMap(([name, member]) => {
    if (member === null || member === '') return [];
    if (name === 'action' && isObject(member)) return [`action=${actionWords(member)}`];
    if (isObject(member) && isEnvelope(member)) return [`${printable(name)}=(encrypted)`];
    return typeof member === 'object' ? [] : [`${printable(name)}=${word(member)}`];
  }).join(' ');
}

function actionWords(action: JsonObject): string {
  const about = ['command', 'file_path', 'url', 'mcp_tool', 'agent', 'tool'].map((name) => action[name]).find((each) => typeof each === 'string');
  return word([action['kind'], about].filter((each) => typeof each === 'string').join(' '));
}

function word(value: string | number | boolean): string {
  const text = printable(String(value));
  return /^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** What could not be opened (docs/formats/erasure.md). */
function isEnvelope(value: JsonObject): boolean {
  return '$enc' in value;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
