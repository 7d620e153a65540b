/** A run and what happens in it, as the API shows them (contract section 6). */
import type { JsonObject } from '../base/json.ts';

export const runStatuses = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
export const runTriggers = ['manual', 'webhook', 'schedule', 'replay', 'api'] as const;

export type RunStatus = (typeof runStatuses)[number];
export type RunTrigger = (typeof runTriggers)[number];
export type Phase = 'REASON' | 'ACT' | 'REFLECT' | 'VERIFY';

export interface Run {
  readonly id: string;
  readonly project_id: string;
  readonly tenant_id: string | null;
  readonly status: RunStatus;
  readonly trigger: RunTrigger;
  readonly config: JsonObject;
  readonly result_summary: JsonObject | null;
  readonly parent_run_id: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly created_at: string;
}

export type RunEventType =
  | 'phase_change' | 'quality_gate' | 'agent_action' | 'policy_decision' | 'approval' | 'council' | 'error' | 'log';

/** One step of a run's timeline. `seq` counts from 1 within the run. */
export interface RunEvent {
  readonly id: string;
  readonly seq: number;
  readonly event_type: RunEventType;
  readonly phase: Phase | null;
  readonly details: JsonObject;
  readonly timestamp: string;
}

/** Store keys of runs, their events and the session of a project. */
export const runKeys = {
  run: (id: string): string => `runs/${id}`,
  runs: 'runs/',
  event: (runId: string, seq: number): string => `run-events/${runId}/${String(seq).padStart(10, '0')}`,
  events: (runId: string): string => `run-events/${runId}/`,
  /** Where the run's timeline ends: whoever appends checks it, so two of them never take one place. */
  tail: (runId: string): string => `run-tails/${runId}`,
  session: (projectId: string): string => `sessions/${projectId}`,
  /** The document of a run that was ordered. */
  document: (runId: string): string => `run-documents/${runId}`,
  /** Which worker drives a run. */
  lease: (runId: string): string => `run-leases/${runId}`,
  /** At the root of the store: runs that workers have to see to, and the tokens of runs. */
  queued: (runId: string): string => `run-queue/${runId}`,
  queue: 'run-queue/',
  token: (runId: string): string => `run-tokens/${runId}`,
} as const;
