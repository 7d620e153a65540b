/**
 * The session of a project: the one run that works in it now, and the process that drives it. The record is how other
 * processes see and steer the session; what keeps a second one out is the kernel's lock, not the record.
 */
import type { JsonValue } from '../base/json.ts';
import type { ProcessFacts, Spawn } from '../ports.ts';
import { StoredObject } from './progress.ts';
import { keptContext, readContext, type KeptContext } from './kept-context.ts';

/** `pausing` and `stopping` are wishes of a person that the session's process has not yet carried out. */
export type SessionState = 'running' | 'pausing' | 'paused' | 'stopping';

/** With the span of whoever asked for the run, where there is one: a process that takes it up goes on in that trace. */
export type SessionRecord = {
  readonly id: string;
  readonly project_id: string;
  readonly run_id: string;
  readonly pid: number;
  /** Tells the process from a later one with the same pid. */
  readonly process_start: string;
  readonly hostname: string;
  readonly state: SessionState;
  /** Who asked for the state, as an audit actor. */
  readonly requested_by: string;
  readonly started_at: string;
} & KeptContext;

/** The value a store keeps. */
export function sessionValue(session: SessionRecord): JsonValue {
  return { ...session };
}

/** A session read from the store. Throws `store.corrupt` for anything that is none. */
export function readSession(value: JsonValue): SessionRecord {
  const from = new StoredObject('session', value);
  return {
    id: from.text('id'),
    project_id: from.text('project_id'),
    run_id: from.text('run_id'),
    pid: from.count('pid'),
    process_start: from.text('process_start'),
    hostname: from.text('hostname'),
    state: from.oneOf<SessionState>('state', ['running', 'pausing', 'paused', 'stopping']),
    requested_by: from.text('requested_by'),
    started_at: from.text('started_at'),
    ...keptContext(readContext(from)),
  };
}

/** Whether the session's process still lives. One on another machine is taken to: only its own machine can tell. */
export function processLives(session: SessionRecord, facts: Pick<ProcessFacts, 'hostname' | 'startOf'>): boolean {
  return session.hostname !== facts.hostname || facts.startOf(session.pid) === session.process_start;
}

/**
 * Ends what an agent of a dead session left running: its processes outlive a runner that was killed, and would work on beside
 * whoever takes the project over. They are known by the session's id in their environment.
 */
export function endLeftovers(session: SessionRecord, { facts, spawn }: { readonly facts: Pick<ProcessFacts, 'hostname'>; readonly spawn: Pick<Spawn, 'endMarked'> }): number {
  return session.hostname === facts.hostname ? spawn.endMarked('LOKI_SESSION_ID', session.id) : 0;
}
