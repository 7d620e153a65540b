/**
 * Drives a run: REASON, ACT, REFLECT, VERIFY, round after round, by the table in state.ts, until it is accepted, something
 * is spent, or somebody stops it. It trusts the kernel's lock that it is the only one at work in the project, and the store
 * for where the run stands. Every way out leaves either an ended run or one that `resumeRun` can take up.
 */
import type { JsonObject } from '../base/json.ts';
import { messageOf } from '../errors.ts';
import type { AuditEvent } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { short } from './answer.ts';
import { assertNotHalted, auditOf, type PhaseResult, type RunContext } from './context.ts';
import { ensureBranch } from './branch.ts';
import type { RunDeps, RunOrder, RunOutcome, RunPlace } from './deps.ts';
import { createRun, inProject, takeUpRun } from './opening.ts';
import { moveTasks, phaseWork, taskEntry } from './phases.ts';
import type { Phase, RunStatus } from './run.ts';
import { RunEnd } from './run-end.ts';
import { phaseAttributes, roundAttributes, taskAttributes } from './spans.ts';
import { step, stateOf, type Move, type Position } from './state.ts';
import { watchSteering } from './steering.ts';
import type { EventDraft, Step } from './timeline.ts';

/** Starts a run and drives it to its end. Rejects before anything is recorded when the order cannot be carried out. */
export function startRun(deps: RunDeps, order: RunOrder): Promise<RunOutcome> {
  return inProject(deps, order, `start a session in "${order.project.dir}"`, async () => drive(await createRun(deps, order)));
}

/** Takes up the project's run whose process died (`runId`: that one and no other), from the phase it was in, and drives it to its end. */
export function resumeRun(deps: RunDeps, place: RunPlace, runId?: string): Promise<RunOutcome> {
  return inProject(deps, place, `resume the session in "${place.project.dir}"`, async () => drive(await takeUpRun(deps, place, runId)));
}

async function drive(context: RunContext): Promise<RunOutcome> {
  const stopWatching = watchSteering(context);
  let ended: { readonly status?: string; readonly error?: unknown } = {};
  try {
    try {
      await ensureBranch(context);
      const outcome = await rounds(context);
      ended = { status: outcome.status };
      return outcome;
    } catch (error) {
      ended = { error };
      // A step that could not be written leaves the run as a death of the process would: to be taken up.
      if (context.timeline.isBroken) throw error;
      const outcome = await finish(context, endOf(context, error));
      ended = { status: outcome.status, error };
      return outcome;
    }
  } finally {
    context.trace.end({ [attribute.status]: ended.status }, ended.error);
    stopWatching();
    context.provider.close?.();
  }
}

async function rounds(context: RunContext): Promise<RunOutcome> {
  for (;;) {
    const outcome = await context.trace.within(spanNames.task, roundAttributes(context), async (span) => {
      try {
        return await round(context);
      } finally {
        span.setAttributes(taskAttributes(context));
      }
    });
    if (outcome !== undefined) return outcome;
  }
}

/** From the phase the run stands in to the end of its round; how the run ended, if it did. */
async function round(context: RunContext): Promise<RunOutcome | undefined> {
  for (;;) {
    await pauseIfWanted(context);
    assertNotHalted(context);
    const result = await workOn(context, positionOf(context));
    assertNotHalted(context);
    if (result.move === 'approve') return finish(context, { status: 'completed', reason: 'every gate passed and the council approved', step: result.step, audit: [] });
    if (result.move === 'reject' && context.timeline.progress.iteration >= context.settings.max_iterations) {
      await context.timeline.write(result.step);
      throw new RunEnd('not_accepted', `not accepted after ${context.settings.max_iterations} rounds: ${firstLine(result.feedback?.[0] ?? 'no reason given')}`);
    }
    await context.timeline.write(moveStep(context, result.move, result.step));
    if (result.move === 'reject') return undefined;
  }
}

function workOn(context: RunContext, { phase, iteration }: { readonly phase: Phase | null; readonly iteration: number }): Promise<PhaseResult> {
  if (phase === null) throw new Error('the run is in no phase');
  return context.trace.within(spanNames.phase(phase), phaseAttributes(phase, iteration), async (span) => {
    const result = await phaseWork[phase](context);
    span.setAttribute(attribute.phaseOutcome, result.move);
    return result;
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Where the run stands. */
function positionOf({ timeline }: RunContext): Position {
  return { status: timeline.run.status, phase: timeline.progress.phase, iteration: timeline.progress.iteration };
}

/** A step that also makes a move of the table. */
function moveStep(context: RunContext, move: Move, extra: Step = {}, details: JsonObject = {}): Step {
  const from = positionOf(context);
  const to = step(from, move);
  const event: EventDraft = { event_type: 'phase_change', phase: to.phase, details: { move, from: stateOf(from), to: stateOf(to), iteration: to.iteration, ...details } };
  return {
    ...extra,
    events: [...(extra.events ?? []).map((one) => ({ phase: from.phase, ...one })), event],
    status: to.status,
    progress: (before) => ({ ...(extra.progress === undefined ? before : extra.progress(before)), phase: to.phase, iteration: to.iteration }),
  };
}

/** Pauses before the next phase: a phase that was begun is completed, so that no agent is frozen while it holds a lock. */
async function pauseIfWanted(context: RunContext): Promise<void> {
  const actor = context.pauseWanted;
  if (actor === undefined || context.halted !== undefined) return;
  const { timeline, deps } = context;
  const details = { run_id: timeline.run.id, iteration: timeline.progress.iteration, phase: timeline.progress.phase };
  const resource = `session:${context.sessionId}`;
  context.trace.event('session.pause');
  await timeline.write(moveStep(context, 'pause', {
    audit: [auditOf(context, 'session.pause', { actor, resource, details })],
    session: (before) => (before === undefined ? null : before.state === 'pausing' ? { ...before, state: 'paused' } : before),
  }, { by: actor }));
  while (context.pauseWanted !== undefined && context.halted === undefined && !timeline.isBroken) await deps.timers.sleep(pausedCheckMs);
  assertNotHalted(context);
  const by = context.resumedBy ?? actor;
  context.trace.event('session.resume');
  await timeline.write(moveStep(context, 'continue', { audit: [auditOf(context, 'session.resume', { actor: by, resource, details })] }, { by }));
}

/** How soon a paused run goes on after it may. */
const pausedCheckMs = 50;

interface Ending {
  readonly status: RunOutcome['status'];
  readonly reason: string;
  readonly step: Step;
  readonly audit: readonly AuditEvent[];
}

/** What an error inside a run makes of it. Whatever is not a planned end is a failure with its own words. */
function endOf(context: RunContext, error: unknown): Ending {
  if (context.halted !== undefined) return { status: 'cancelled', reason: `stopped by ${context.halted.by}`, step: {}, audit: [] };
  if (error instanceof RunEnd) return { status: error.status, reason: error.message, step: {}, audit: error.audit };
  return { status: 'failed', reason: messageOf(error), step: {}, audit: [] };
}

const endMoves: Readonly<Record<RunOutcome['status'], Extract<Move, 'approve' | 'fail' | 'stop'>>> = { completed: 'approve', failed: 'fail', cancelled: 'stop' };
const endEvents: Readonly<Record<RunOutcome['status'], readonly [EventName, EventName]>> = {
  completed: ['session.complete', 'run.complete'],
  failed: ['session.fail', 'run.fail'],
  cancelled: ['session.stop', 'run.cancel'],
};

/** The last step: run, tasks and session end together. */
async function finish(context: RunContext, ending: Ending): Promise<RunOutcome> {
  const { timeline, sessionId } = context;
  const reason = short(context.deps.redact(ending.reason));
  const runId = timeline.run.id;
  const completed = ending.status === 'completed';
  const tasks = moveTasks(context, completed ? 'completed' : 'failed', ({ status }) => status === 'in_progress' || (completed && status === 'pending'));
  const [sessionEvent, runEvent] = endEvents[ending.status];
  const { iteration, input_tokens, output_tokens, unmetered_calls, branch } = timeline.progress;
  const details: JsonObject = { run_id: runId, reason, iterations: iteration, input_tokens, output_tokens, unmetered_calls, branch };
  const actor = ending.status === 'cancelled' ? context.halted?.by ?? 'system' : 'system';
  const error: readonly EventDraft[] = ending.status === 'failed' ? [{ event_type: 'error', details: { message: reason } }] : [];
  await timeline.write(moveStep(context, endMoves[ending.status], {
    audit: [
      ...ending.audit, ...(ending.step.audit ?? []),
      ...tasks.map((task) => taskEntry(context, completed ? 'task.complete' : 'task.fail', task)),
      auditOf(context, runEvent, { actor, resource: `run:${runId}`, details }),
      auditOf(context, sessionEvent, { actor, resource: `session:${sessionId}`, details }),
    ],
    events: [...(ending.step.events ?? []), ...error],
    tasks,
    session: () => null,
    progress: (before) => ({ ...(ending.step.progress === undefined ? before : ending.step.progress(before)), reason }),
  }, { reason }));
  const status: RunStatus = timeline.run.status;
  return { run: timeline.run, session_id: sessionId, status: status === 'completed' || status === 'cancelled' ? status : 'failed', reason };
}
