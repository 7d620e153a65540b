/**
 * One audit entry: the values a caller gives, and the line that is written (contract section 4). The line is made once;
 * what is hashed is what is written, never a second rendering.
 */
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
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

/**
 * Records one event. Resolves when it is on the medium; rejects with `audit.unwritable` when it could not be recorded. `context` is the span
 * that telemetry tells it in; nothing of it is recorded.
 */
export type Recorder = (event: AuditEvent, context?: SpanContext) => Promise<AuditReceipt>;

/** What encryption and keys of subjects do to entries on their way to disk. Used under the log's lock: it may make a key, durable before it returns. */
export interface EntryProtection {
  /**
   * The members that are written in place of the event's own: plain, or an envelope in place of each protected value, bound
   * to the entry's `seq`. `time` is the entry's. Throws `config.invalid` when a key that is needed is not there.
   */
  protect(event: AuditEvent, seq: number, time: number): ProtectedMembers;
  /** Bytes that the line is longer by, at most. Throws `request.large` for what can never become a line. */
  overhead(event: AuditEvent): number;
}

/** Members of an entry as they are written: plain, or an envelope in place of each protected value. */
export interface ProtectedMembers {
  readonly actor: JsonValue;
  readonly resource?: JsonValue;
  readonly details: JsonValue;
  readonly metadata: JsonObject;
}
