/**
 * One audit entry: the values a caller gives, and the line that is written (contract section 4). The line is made once;
 * what is hashed is what is written, never a second rendering.
 */
import type { JsonObject } from '../base/json.ts';
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
