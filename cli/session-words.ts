/** A session and a run in words, for the commands that show them. */
import type { JsonObject } from '../lib/base/json.ts';
import type { SessionView } from '../lib/runs/control.ts';
import { progressOf, tokensOf } from '../lib/runs/progress.ts';
import { runStatuses, type Run, type RunStatus } from '../lib/runs/run.ts';
import { printable, type Colour, type Look } from './output.ts';

export const statusColours: Readonly<Record<RunStatus, Colour>> = {
  pending: 'cyan', running: 'cyan', paused: 'yellow', completed: 'green', failed: 'red', cancelled: 'yellow',
};

/** Undefined for a status that this version does not know. */
export function runColour(status: string): Colour | undefined {
  return runStatuses.some((known) => known === status) ? statusColours[status as RunStatus] : undefined;
}

/** Label and value pairs about a session at work. */
export function sessionRows({ session, state, run, progress }: SessionView, look: Look): readonly (readonly [string, string])[] {
  const words = { running: 'running', pausing: 'will pause after its current phase', paused: 'paused', stopping: 'is being stopped', dead: `its process ${session.pid} died; loki resume takes it up` }[state];
  const colour: Colour = state === 'running' ? 'green' : state === 'dead' ? 'red' : 'yellow';
  return [
    ['Session', `${look.paint(colour, words)} (${session.id}, process ${session.pid} on ${printable(session.hostname)})`],
    ['Run', `${run.id}, ${progress.phase ?? 'no phase'}, round ${progress.iteration}, ${tokensOf(progress)} tokens`],
    ...(progress.gates.length === 0 ? [] : [['Gates', progress.gates.map(({ name, passed }) => `${printable(name)} ${passed ? 'passed' : 'failed'}`).join(', ')] as const]),
  ];
}

/** The newest run when no session is at work. */
export function runRows(run: Run, look: Look): readonly (readonly [string, string])[] {
  const progress = progressOf(run);
  const reason = progress.reason === null ? '' : `: ${printable(progress.reason)}`;
  return [['Last run', `${look.paint(statusColours[run.status], run.status)}${reason}`], ['Run', `${run.id}, ${progress.iteration} ${progress.iteration === 1 ? 'round' : 'rounds'}, ended ${run.ended_at ?? 'never'}`]];
}

/** A session for `--json`. */
export function sessionJson({ session, state, run, progress }: SessionView): JsonObject {
  return { id: session.id, state, pid: session.pid, hostname: session.hostname, started_at: session.started_at, run_id: run.id, phase: progress.phase, iteration: progress.iteration };
}
