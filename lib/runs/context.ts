/** One process's work on one run: its parts, and the ways it can be told to end. */
import type { JsonObject } from '../base/json.ts';
import type { AuditEvent } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import type { RunDeps, RunPlace, RunProject, RunSettings } from './deps.ts';
import type { Prd } from './prd.ts';
import type { Provider } from './provider.ts';
import type { Repository } from './git.ts';
import { RunEnd } from './run-end.ts';
import type { Task } from './task.ts';
import type { Move } from './state.ts';
import type { Step, Timeline } from './timeline.ts';
import type { RunTrace } from './trace.ts';

export interface RunContext {
  readonly deps: RunDeps;
  readonly place: RunPlace;
  readonly sessionId: string;
  readonly settings: RunSettings;
  readonly prd: Prd;
  readonly provider: Provider;
  readonly timeline: Timeline;
  readonly trace: RunTrace;
  /** Undefined where the project is in no repository. */
  readonly repository: Repository | undefined;
  /** Aborted when the run must end now: stopped by a person, or a step that could not be written. */
  readonly halt: AbortController;
  /** Why it was halted; set before the abort. */
  halted: { readonly by: string } | undefined;
  /** Who wants the run to pause before its next phase. */
  pauseWanted: string | undefined;
  /** Who let it go on the last time. */
  resumedBy: string | undefined;
  /** Tasks of the run, newest state. */
  tasks: readonly Task[];
}

/** What a completed phase comes to. */
export interface PhaseResult {
  readonly move: Extract<Move, 'done' | 'approve' | 'reject'>;
  readonly step: Step;
  /** Why a round was not accepted. */
  readonly feedback?: readonly string[];
}

/** An entry for the log of record about this run. */
export function auditOf(context: { readonly place: { readonly project: RunProject }; readonly sessionId: string }, event: EventName, parts: { readonly actor?: string; readonly resource: string; readonly details: JsonObject }): AuditEvent {
  const { project } = context.place;
  return {
    event,
    actor: parts.actor ?? 'system',
    resource: parts.resource,
    details: parts.details,
    metadata: { ...(project.tenant_id === null ? {} : { tenant_id: project.tenant_id }), project_id: project.id, session_id: context.sessionId },
  };
}

/** Ends the run when somebody stopped it. */
export function assertNotHalted(context: RunContext): void {
  if (context.halted !== undefined) throw new RunEnd('cancelled', `stopped by ${context.halted.by}`);
}
