/**
 * One audit entry: the values a caller gives, and the line that is written (contract section 4). The line is made once;
 * what is hashed is what is written, never a second rendering.
 */
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { EventName, Level } from './events.ts';

/** What a caller wants recorded. */
export interface AuditEvent {
  readonly event: EventName;
  /** `user:name`, `token:name`, `agent:type` or `system`. */
  readonly actor: string;
  /** `kind:id` of what it happened to. */
  readonly resource?: string;
  readonly details?: JsonObject;
  /** The event's usual level when left out. */
  readonly level?: Level;
  /** `tenant_id`, `project_id`, `session_id` where known. */
  readonly metadata?: JsonObject;
}

/** Where an event ended up. `seq` is null when audit is switched off or the event is excluded. */
export interface AuditReceipt {
  readonly seq: number | null;
  readonly chain_hash: string | null;
}

/** Records one event. Resolves when it is on the medium; rejects with `audit.unwritable` when it could not be recorded. */
export type Recorder = (event: AuditEvent) => Promise<AuditReceipt>;

/**
 * What encryption and pseudonyms do to entries on their way to disk and back. Both directions are pure of time; `protect`
 * may make a key, durable before it returns.
 */
export interface EntryProtection {
  /** The members that are written in place of the event's own. Envelopes are bound to `seq`. Throws when a key that is needed is not there. */
  protect(event: AuditEvent, seq: number): ProtectedMembers;
  /** What is stored as a blob in place of details that are too large for the line. */
  protectBlob(event: AuditEvent, seq: number, content: Uint8Array): Uint8Array;
  /** An entry as it was before `protect`, where its keys are at hand; what cannot be opened stays as it stands. */
  open(entry: JsonObject): JsonObject;
}

/** Members of an entry as they are written: plain, or an envelope in place of each protected value. */
export interface ProtectedMembers {
  readonly actor: JsonValue;
  readonly resource?: JsonValue;
  readonly details: JsonValue;
  readonly metadata: JsonObject;
}
