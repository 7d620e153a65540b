/** Driving a session from the terminal: its timeline is told as it happens, approvals are asked of whoever sits there. */
import { exitCode } from '../lib/errors.ts';
import { approverFor } from '../lib/app/approver.ts';
import { openRecord } from '../lib/app/audit/record.ts';
import type { Installation } from '../lib/app/installation.ts';
import type { SessionOptions } from '../lib/app/session.ts';
import { atTerminal, type Prove } from '../lib/approvals/proof.ts';
import type { RunOutcome } from '../lib/runs/deps.ts';
import { createAsker } from './asker.ts';
import type { CommandContext } from './command.ts';
import { eventLines } from './narration.ts';
import { actorOf } from './open.ts';
import { printable } from './output.ts';
import { askPassphrase } from './proof.ts';

/**
 * What `startSession` and `takeUpSession` are given here. With `--json` each event is a line of JSON. `loki`: what reaches
 * the same records when it is typed in another terminal.
 */
export function sessionOptions({ output, terminal }: CommandContext, installation: Installation, loki = 'loki'): SessionOptions {
  const actor = actorOf(installation);
  const asker = createAsker({ output, terminal }, {
    actor, loki,
    askProof: (question, withdrawn) => proofOfYes({ output, terminal }, installation, { actor, question, withdrawn }),
  });
  return {
    actor,
    signal: terminal.signal,
    narrate(event) {
      if (output.json) return output.line(JSON.stringify(event));
      const lines = eventLines(event, output.out);
      if (lines.length > 0) asker.between(event, () => { for (const line of lines) output.line(line); });
    },
    onApproval: asker.onApproval,
  };
}

interface Yes {
  readonly actor: string;
  readonly question: string;
  readonly withdrawn: AbortSignal;
}

/** What proves a yes that was typed at a question of the session; undefined when it is not given. */
async function proofOfYes(context: Pick<CommandContext, 'output' | 'terminal'>, installation: Installation, { actor, question, withdrawn }: Yes): Promise<Prove | undefined> {
  const attempted = 'approve this here';
  const approver = approverFor(installation, actor, attempted);
  if (approver === undefined) return atTerminal;
  const log = openRecord(installation);
  try {
    return await askPassphrase(context, { installation, record: log.record, approver, ask: { question, attempted }, withdrawn });
  } finally {
    await log.close();
  }
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
