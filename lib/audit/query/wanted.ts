/** Which entries are wanted, and what an entry is when it is read. Types only. */
import type { JsonObject } from '../../base/json.ts';
import type { Level } from '../events.ts';

/** Which entries are wanted. Every member narrows. */
export interface AuditFilter {
  /** First and last time, ISO 8601 with milliseconds; both included. */
  readonly from?: string;
  readonly to?: string;
  /** An event's name, or the beginning of several: `auth.*`. */
  readonly event?: string;
  /** Exactly this level. */
  readonly level?: Level;
  /** With a colon the whole actor; without one what follows its colon. */
  readonly actor?: string;
  readonly resource?: string;
  /** Anything that stands in the entry's text. */
  readonly text?: string;
  /** A person (`user:alice`): who acted, or whom a text in resource, details or metadata names. */
  readonly subject?: string;
  /** Only entries that are filed under this tenant. */
  readonly tenant?: string;
  /** Only entries with a smaller, and with a greater sequence number. */
  readonly before?: number;
  readonly after?: number;
}

/** An entry as it stands in the log. `actor` is an envelope where it is encrypted and could not be opened. */
export interface LoggedEntry extends JsonObject {
  readonly seq: number;
  readonly timestamp: string;
  readonly event: string;
  readonly level: Level;
  readonly actor: string | JsonObject;
}
