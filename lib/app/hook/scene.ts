/** What the handlers of one hook event share. */
import type { HookEvent } from '../../agents/hook.ts';
import type { JsonObject } from '../../base/json.ts';
import type { AuditEvent } from '../../audit/entry.ts';
import type { OpenLog } from '../audit/record.ts';
import type { Installation } from '../installation.ts';
import type { PolicyMemory } from '../policy.ts';
import type { ActionTrace } from '../telemetry/action-trace.ts';
import { filedUnder } from '../tenancy.ts';

export interface HookScene {
  readonly installation: Installation;
  readonly log: OpenLog;
  /** `claude`, `codex` … */
  readonly agent: string;
  /** The session of `loki start` the agent works in, else the agent's own; `none` where it names none. */
  readonly sessionId: string;
  /** Whether a governed run is at work: it tells of its session and its calls itself. */
  readonly inRun: boolean;
  /** Kept by a process that answers again and again. */
  readonly policy?: PolicyMemory;
  /** Makes the spans, where telemetry is on. */
  readonly trace?: ActionTrace;
}

/** An entry about what the agent did or said, filed under its session and project. */
export function entryOf({ installation, agent, sessionId }: HookScene, event: AuditEvent['event'], details: JsonObject): AuditEvent {
  return {
    event, actor: `agent:${agent}`, ...(sessionId === 'none' ? {} : { resource: `session:${sessionId}` }), details,
    metadata: filedUnder(installation, sessionId),
  };
}

/** What is recorded beside an action: which call, whose, and how freely the agent works. All of it the agent's word. */
export function aboutOf(event: HookEvent): JsonObject {
  const callId = event.does === 'ask' ? event.call.id : undefined;
  const { worker, mode } = event;
  return {
    ...(callId === undefined ? {} : { call_id: callId }), ...(worker === undefined ? {} : { worker: { id: worker.id, type: worker.type } }), ...(mode === undefined ? {} : { mode }),
  };
}
