/** Which entries are wanted, and whether an entry is one of them. */
import { isPlainObject, objectIn, type JsonValue } from '../../base/json.ts';
import { levels } from '../events.ts';
import type { AuditFilter, LoggedEntry } from './wanted.ts';

/** One line as an entry; undefined when it is none. */
export function parseEntry(line: Buffer): LoggedEntry | undefined {
  const value = objectIn(line);
  return isEntry(value) ? value : undefined;
}

export function isEntry(value: unknown): value is LoggedEntry {
  return isPlainObject(value) && typeof value['seq'] === 'number' && typeof value['timestamp'] === 'string'
    && typeof value['event'] === 'string' && (typeof value['actor'] === 'string' || isPlainObject(value['actor']))
    && levels.some((level) => level === value['level']);
}

/** Whether an entry is wanted. `concerns` says whether it is about a subject; by its texts, when left out. */
export function matches(entry: LoggedEntry, filter: AuditFilter, concerns: (subject: string) => boolean = (subject) => isAbout(entry, subject)): boolean {
  return matchesHead(entry, filter)
    && (filter.actor === undefined || names(entry.actor, filter.actor))
    && (filter.resource === undefined || entry['resource'] === filter.resource)
    && (filter.text === undefined || JSON.stringify(entry).includes(filter.text))
    && (filter.subject === undefined || concerns(filter.subject));
}

/** Whether an entry is wanted as far as what is never protected tells. */
export function matchesHead(entry: LoggedEntry, filter: AuditFilter): boolean {
  return (filter.from === undefined || entry.timestamp >= filter.from)
    && (filter.to === undefined || entry.timestamp <= filter.to)
    && (filter.event === undefined || isEvent(entry.event, filter.event))
    && (filter.level === undefined || entry.level === filter.level)
    && (filter.tenant === undefined || isOf(entry['metadata'], filter.tenant))
    && (filter.before === undefined || entry.seq < filter.before)
    && (filter.after === undefined || entry.seq > filter.after);
}

function isOf(metadata: JsonValue | undefined, tenant: string): boolean {
  return isPlainObject(metadata) && metadata['tenant_id'] === tenant;
}

/** Whether an event is the wanted one, or begins as `wanted` says: `auth.*`. */
export function isEvent(event: string, wanted: string): boolean {
  return wanted.endsWith('.*') ? event.startsWith(wanted.slice(0, -1)) : event === wanted;
}

/** Whether a value is the wanted name: the whole of it, or without a colon what follows one. */
export function names(value: JsonValue, wanted: string): boolean {
  if (typeof value !== 'string') return false;
  return value === wanted || (!wanted.includes(':') && value.slice(value.indexOf(':') + 1) === wanted);
}

/** A person as entries name them: without a kind, `alice` is the user of that name. */
export function subjectName(text: string): string {
  return text.includes(':') ? text : `user:${text}`;
}

/** Deeper than any entry of this program; what a stranger made of a line must not overflow the stack. */
const deepest = 64;

/** Whether an entry is about somebody: who acted, or whom one of its texts names. */
function isAbout(entry: LoggedEntry, subject: string): boolean {
  const found = (value: JsonValue | undefined, depth: number): boolean => {
    if (value === undefined || value === null || depth > deepest) return false;
    return typeof value === 'object' ? Object.values(value).some((member: JsonValue) => found(member, depth + 1)) : value === subject;
  };
  return [entry.actor, entry['resource'], entry['details'], entry['metadata']].some((member) => found(member, 0));
}
