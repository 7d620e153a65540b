/**
 * Notices what people want of a running session: pause, go on, stop, and the approvals that wait for them. Wishes are read
 * from the session record, a few times a second; a stop ends the agent's process group at once.
 */
import { LokiError, messageOf } from '../errors.ts';
import { short } from './answer.ts';
import type { RunContext } from './context.ts';
import { runKeys } from './run.ts';
import { readSession } from './session.ts';

const lookEveryMs = 150;

/** Starts watching; returns what ends it. */
export function watchSteering(context: RunContext): () => void {
  const { place } = context;
  const interrupted = (): void => stop(context, place.actor);
  if (place.signal.aborted) interrupted();
  place.signal.addEventListener('abort', interrupted, { once: true });
  const letGo = (): void => context.timeline.abandon(new LokiError('interrupted', { attempted: `go on with run ${context.timeline.run.id}`, found: 'its worker has let go of it', hint: 'Another worker takes it up, or: loki resume' }));
  if (place.relinquish?.aborted === true) letGo();
  place.relinquish?.addEventListener('abort', letGo, { once: true });

  const watching = { ended: false };
  void lookAgainAndAgain(context, watching);

  const approvals = new AbortController();
  void showApprovals(context, approvals.signal);
  return () => {
    watching.ended = true;
    approvals.abort();
    place.signal.removeEventListener('abort', interrupted);
    place.relinquish?.removeEventListener('abort', letGo);
  };
}

/** Sleeping, not a timer: a run keeps its process alive for as long as it goes on. */
async function lookAgainAndAgain(context: RunContext, watching: { readonly ended: boolean }): Promise<void> {
  while (!watching.ended) {
    // A store that cannot be read now will be found out by the next step that is written.
    await look(context).catch(() => undefined);
    await context.deps.timers.sleep(lookEveryMs);
  }
}

async function look(context: RunContext): Promise<void> {
  const entry = await context.deps.store.get(runKeys.session(context.place.project.id));
  if (entry === undefined) return;
  const session = readSession(entry.value);
  if (session.id !== context.sessionId) return;
  if (session.state === 'stopping') stop(context, session.requested_by);
  if (session.state === 'pausing' || session.state === 'paused') context.pauseWanted = session.requested_by;
  if (session.state === 'running' && context.pauseWanted !== undefined) {
    context.resumedBy = session.requested_by;
    context.pauseWanted = undefined;
  }
}

function stop(context: RunContext, by: string): void {
  if (context.halted !== undefined) return;
  context.halted = { by };
  context.halt.abort();
}

/** Approvals are shown, never decided here. A watch that fails says so once; the gate waits and times out on its own. */
async function showApprovals(context: RunContext, signal: AbortSignal): Promise<void> {
  const { deps, timeline, sessionId } = context;
  if (deps.watchApprovals === undefined) return;
  try {
    for await (const view of deps.watchApprovals(sessionId, signal)) {
      const { id, status, reason, action, expires_at } = view;
      await timeline.write({ events: [{ event_type: 'approval', details: { approval_id: id, status, reason: short(deps.redact(reason)), action: short(deps.redact(action)), ...(expires_at === undefined ? {} : { expires_at }) } }] });
      deps.onApproval?.(view);
    }
  } catch (error) {
    if (signal.aborted || timeline.isBroken) return;
    await timeline.write({ events: [{ event_type: 'error', details: { message: `Approvals cannot be shown: ${messageOf(error)}` } }] }).catch(() => undefined);
  }
}
