/**
 * The life of a run as a table: REASON, ACT, REFLECT, VERIFY, round after round, until it ends. Pure data and one step
 * function; whatever is not a row of the table cannot happen. docs/runs.md prints this table.
 */
import { LokiError } from '../errors.ts';
import type { Phase, RunStatus } from './run.ts';

/** Where a run stands: before its first phase, in a phase, paused before a phase, or ended. */
export type RunState = 'pending' | Phase | 'paused' | 'completed' | 'failed' | 'cancelled';

/**
 * What moves it. `take_up`: a new process goes on with a run whose process died. `fail`: iterations or budget spent, a
 * provider that keeps failing, a policy that forbids going on, or a dead process that nobody takes up.
 */
export type Move = 'begin' | 'done' | 'approve' | 'reject' | 'pause' | 'continue' | 'take_up' | 'stop' | 'fail';

/** Where `continue` and `take_up` of a paused run lead: to the phase it was paused before. */
type Target = RunState | 'its phase';

/** State, move, next state. */
export const transitions: readonly (readonly [RunState, Move, Target])[] = [
  ['pending', 'begin', 'REASON'],
  ['pending', 'stop', 'cancelled'],
  ['pending', 'fail', 'failed'],

  ['REASON', 'done', 'ACT'],
  ['ACT', 'done', 'REFLECT'],
  ['REFLECT', 'done', 'VERIFY'],
  ['VERIFY', 'approve', 'completed'],
  ['VERIFY', 'reject', 'REASON'],

  ['REASON', 'pause', 'paused'],
  ['ACT', 'pause', 'paused'],
  ['REFLECT', 'pause', 'paused'],
  ['VERIFY', 'pause', 'paused'],
  ['paused', 'continue', 'its phase'],

  ['REASON', 'take_up', 'REASON'],
  ['ACT', 'take_up', 'ACT'],
  ['REFLECT', 'take_up', 'REFLECT'],
  ['VERIFY', 'take_up', 'VERIFY'],
  ['paused', 'take_up', 'its phase'],

  ['REASON', 'stop', 'cancelled'],
  ['ACT', 'stop', 'cancelled'],
  ['REFLECT', 'stop', 'cancelled'],
  ['VERIFY', 'stop', 'cancelled'],
  ['paused', 'stop', 'cancelled'],

  ['REASON', 'fail', 'failed'],
  ['ACT', 'fail', 'failed'],
  ['REFLECT', 'fail', 'failed'],
  ['VERIFY', 'fail', 'failed'],
  ['paused', 'fail', 'failed'],
];

/** A run's place in the table. `phase` stays set while paused, and after the end names the phase it ended in. */
export interface Position {
  readonly status: RunStatus;
  readonly phase: Phase | null;
  /** Rounds begun, from 1; 0 before the first. */
  readonly iteration: number;
}

const byStateAndMove: ReadonlyMap<string, Target> = new Map(transitions.map(([from, move, to]) => [`${from} ${move}`, to]));

const phases: ReadonlySet<string> = new Set<Phase>(['REASON', 'ACT', 'REFLECT', 'VERIFY']);

/** The state of a position. */
export function stateOf({ status, phase }: Position): RunState {
  if (status !== 'running') return status;
  if (phase === null) throw impossible('a running run', 'take its state', 'it is in no phase');
  return phase;
}

/** Whether nothing more can happen to a run of this status. */
export function hasEnded(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** The position after a move. Throws `internal` for a move the table does not have. */
export function step(position: Position, move: Move): Position {
  const from = stateOf(position);
  const target = byStateAndMove.get(`${from} ${move}`);
  if (target === undefined) throw impossible(from, move, 'the table has no such move');
  const to = target === 'its phase' ? phaseOf(position, move) : target;
  if (isPhase(to)) {
    const round = move === 'begin' || move === 'reject' ? 1 : 0;
    return { status: 'running', phase: to, iteration: position.iteration + round };
  }
  return { ...position, status: to === 'pending' ? 'pending' : to };
}

function phaseOf(position: Position, move: Move): Phase {
  if (position.phase === null) throw impossible(position.status, move, 'it is in no phase');
  return position.phase;
}

function isPhase(state: RunState): state is Phase {
  return phases.has(state);
}

function impossible(from: string, move: string, found: string): LokiError {
  return new LokiError('internal', { attempted: `move a run from "${from}" by "${move}"`, found });
}
