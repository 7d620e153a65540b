/**
 * Asking whoever sits at the terminal about the approvals of a session, one after the other. A question is withdrawn as soon
 * as its approval is decided elsewhere or expires; what was typed for it then answers nothing. Where nobody sits, the
 * approval is only shown: it is decided elsewhere, or time decides it.
 */
import { messageOf } from '../lib/errors.ts';
import type { OpenApprovals } from '../lib/app/approvals.ts';
import { atTerminal, type Prove } from '../lib/approvals/proof.ts';
import { textOfDecision } from '../lib/approvals/steps.ts';
import type { ApprovalView } from '../lib/runs/deps.ts';
import type { RunEvent } from '../lib/runs/run.ts';
import type { CommandContext } from './command.ts';
import { printable } from './output.ts';

/** Who asks, and what is typed elsewhere to run this program. */
export interface AskerOptions {
  /** Who answers, as an audit actor. */
  readonly actor: string;
  /** `loki`, or whatever reaches the same records from another terminal. */
  readonly loki: string;
  /** Asks for what proves a yes; undefined when there is none to be had. A confirmation is proof when left out. */
  readonly askProof?: (question: string, withdrawn: AbortSignal) => Promise<Prove | undefined>;
}

export interface Asker {
  /** Asks about an approval that is pending; about each one once. */
  onApproval(view: ApprovalView, room: OpenApprovals['room']): void;
  /** Prints what is told of an event so that a question that stands keeps a line of its own. */
  between(event: RunEvent, print: () => void): void;
}

/** A question on the screen. */
interface Standing {
  readonly id: string;
  readonly words: string;
  readonly withdrawn: AbortController;
}

interface Answer {
  readonly outcome: 'approve' | 'reject' | undefined;
  readonly prove: Prove | undefined;
  readonly withdrawn: boolean;
}

export function createAsker({ output, terminal }: Pick<CommandContext, 'output' | 'terminal'>, { actor, loki, askProof }: AskerOptions): Asker {
  const asked = new Set<string>();
  let before: Promise<void> = Promise.resolve();
  let standing: Standing | undefined;
  const tellHow = (view: ApprovalView): void => output.note(`To decide: ${loki} approve ${view.id} (or reject in place of approve; until ${view.expires_at ?? 'it expires'})`);

  return {
    onApproval(view, room) {
      if (view.status !== 'pending' || asked.has(view.id)) return;
      asked.add(view.id);
      if (!terminal.inputIsTerminal || output.json) tellHow(view);
      else before = before.then(() => ask(view, room)).catch((error: unknown) => output.warn(printable(messageOf(error))));
    },
    between(event, print) {
      const now = standing;
      if (now !== undefined && endsQuestion(event, now.id)) now.withdrawn.abort();
      if (now === undefined || now.withdrawn.signal.aborted) return print();
      terminal.stderr.write('\n');
      print();
      terminal.stderr.write(now.words);
    },
  };

  async function ask(view: ApprovalView, room: OpenApprovals['room']): Promise<void> {
    const now = await room.get(view.id);
    if (now?.status !== 'pending') return;
    const { outcome, prove, withdrawn } = await answerTo(view, room);
    if (withdrawn || terminal.signal.aborted) return;
    if (outcome === undefined || prove === undefined) return tellHow(view);
    const said = { id: view.id, outcome, by: actor };
    await room.decide({ ...said, proof: prove((at) => textOfDecision(now, said, at)) });
  }

  /** What was answered, if anything, and what proves it; or that the question was withdrawn before. */
  async function answerTo(view: ApprovalView, room: OpenApprovals['room']): Promise<Answer> {
    const withdrawn = new AbortController();
    const answered = new AbortController();
    const words = `${output.err.paint('yellow', 'Approve')} ${printable(view.action)}? ${output.err.paint('bold', '[y/N]')} `;
    standing = { id: view.id, words, withdrawn };
    // However watching ends, the approval is not known to be pending any more.
    const watching = room.wait(view.id, Number.POSITIVE_INFINITY, answered.signal).then(() => withdrawn.abort(), () => withdrawn.abort());
    try {
      const answer = await terminal.ask(words, withdrawn.signal);
      if (answer === undefined) return { outcome: undefined, prove: undefined, withdrawn: withdrawn.signal.aborted };
      if (!/^y(es)?$/i.test(answer.trim())) return { outcome: 'reject', prove: atTerminal, withdrawn: false };
      const prove = askProof === undefined ? atTerminal : await askProof('To approve it:', withdrawn.signal);
      return { outcome: 'approve', prove, withdrawn: prove === undefined && withdrawn.signal.aborted };
    } finally {
      standing = undefined;
      answered.abort();
      await watching;
    }
  }
}

/** Whether an event says that there is nothing left to answer. */
function endsQuestion({ event_type: type, details }: RunEvent, id: string): boolean {
  return type === 'approval' && details['approval_id'] === id && details['status'] !== 'pending';
}
