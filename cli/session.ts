/** Driving a session from the terminal: its timeline is told as it happens, approvals are asked of whoever sits there. */
import { exitCode, messageOf } from '../lib/errors.ts';
import type { OpenApprovals } from '../lib/app/approvals.ts';
import type { Installation } from '../lib/app/installation.ts';
import type { SessionOptions } from '../lib/app/session.ts';
import type { ApprovalView, RunOutcome } from '../lib/runs/deps.ts';
import type { CommandContext } from './command.ts';
import { eventLines } from './narration.ts';
import { actorOf } from './open.ts';
import { printable } from './output.ts';

/** What `startSession` and `takeUpSession` are given here. With `--json` each event is a line of JSON. */
export function sessionOptions({ output, terminal }: CommandContext, installation: Installation): SessionOptions {
  const asker = createAsker({ output, terminal }, actorOf(installation));
  return {
    actor: actorOf(installation),
    signal: terminal.signal,
    narrate(event) {
      if (output.json) output.line(JSON.stringify(event));
      else for (const line of eventLines(event, output.out)) output.line(line);
    },
    onApproval: asker,
  };
}

/** Tells how a session ended, and gives the exit code. */
export function reportOutcome({ output, terminal }: CommandContext, { run, session_id, status, reason }: RunOutcome): number {
  if (output.json) output.line(JSON.stringify({ run, session_id, status, reason }));
  else {
    output.line();
    output.line(`${output.out.paint(status === 'completed' ? 'green' : 'red', status)}: ${printable(reason)} (${run.id})`);
    output.note('What happened: loki enterprise audit tail. Is it intact: loki audit verify');
  }
  if (status === 'completed') return exitCode.done;
  return status === 'cancelled' && terminal.signal.aborted ? exitCode.interrupted : exitCode.failed;
}

/**
 * Asks about one approval after the other. Where nobody sits, the approval is only shown: it is decided elsewhere, or time
 * decides it. An approval that is decided elsewhere while the question stands keeps that decision.
 */
function createAsker({ output, terminal }: Pick<CommandContext, 'output' | 'terminal'>, actor: string): (view: ApprovalView, room: OpenApprovals['room']) => void {
  const asked = new Set<string>();
  let before: Promise<void> = Promise.resolve();
  return (view, room) => {
    if (view.status !== 'pending' || asked.has(view.id)) return;
    asked.add(view.id);
    if (!terminal.inputIsTerminal || output.json) output.note(`To decide: loki approve ${view.id}, or loki reject ${view.id} (until ${view.expires_at ?? 'it expires'})`);
    else before = before.then(() => ask(view, room));
  };

  async function ask(view: ApprovalView, room: OpenApprovals['room']): Promise<void> {
    const now = await room.get(view.id);
    if (now?.status !== 'pending') return;
    const answer = await terminal.ask(`${output.err.paint('yellow', 'Approve')} ${printable(view.action)}? ${printable(view.reason)} ${output.err.paint('bold', '[y/N]')} `);
    if (answer === undefined) return;
    const outcome = /^y(es)?$/i.test(answer.trim()) ? 'approve' : 'reject';
    try {
      await room.decide({ id: view.id, outcome, by: actor, proof: { kind: 'terminal' } });
    } catch (error) {
      output.warn(printable(messageOf(error)));
    }
  }
}
