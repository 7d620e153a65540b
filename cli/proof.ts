/**
 * The one door of commands to what needs a fresh proof (contract section 3). Until an approver key exists, a confirmation at
 * the terminal, or `--yes`, stands in for it. From then on it is the passphrase, typed unseen at a terminal: never an argument
 * or a variable, which every program of the same user can read, and which shells write down. `--yes` does not replace it.
 */
import { LokiError } from '../lib/errors.ts';
import type { Recorder } from '../lib/audit/entry.ts';
import { approverFor, unlock } from '../lib/app/approver.ts';
import { openRecord } from '../lib/app/audit/record.ts';
import type { Installation } from '../lib/app/installation.ts';
import { atTerminal, type Approver, type Prove } from '../lib/approvals/proof.ts';
import type { CommandContext, FlagRow } from './command.ts';
import { confirm } from './confirm.ts';
import { actorOf } from './open.ts';
import { askUnseen } from './passphrase.ts';

/** The flag of commands that a person may give as one of several approvers. */
export const asFlag: FlagRow = { name: 'as', kind: 'text', value: 'NAME', summary: 'Whose approver key stands behind it (the one of this account)' };

/** What a person is asked to stand behind. */
export interface Ask {
  /** Ends with a question mark. */
  readonly question: string;
  /** A verb phrase: `enrol the project`. */
  readonly attempted: string;
  /** A flag has said it in so many words: without an approver key nothing is asked. */
  readonly isSaid?: true;
}

/** Somebody who has shown that they are there: who they are to the log, and what proves it. */
export interface Proven {
  readonly by: string;
  readonly prove: Prove;
}

const tries = 3;

/** Asks for the fresh proof. Undefined when the person says no. Throws `auth.proof` where there is none to be had. */
export async function askProof(context: CommandContext, installation: Installation, ask: Ask): Promise<Proven | undefined> {
  const by = deciderOf(context, installation);
  const approver = approverFor(installation, by, ask.attempted);
  if (approver === undefined) {
    if (context.args.text('as') !== undefined) throw new LokiError('usage', { attempted: ask.attempted, found: '--as names an approver, and no approver key exists', hint: 'Make one with: loki approver create' });
    return ask.isSaid === true || await confirm(context, ask.question, ask.attempted) ? { by, prove: atTerminal } : undefined;
  }
  assertTerminal(context, ask.attempted);
  // Opened for wrong passphrases, and apart from what the command records: it counts whatever becomes of the command.
  const log = openRecord(installation);
  try {
    const prove = await askPassphrase(context, { installation, record: log.record, approver, ask });
    return prove === undefined ? undefined : { by, prove };
  } finally {
    await log.close();
  }
}

/** `--as NAME`, or the account. */
export function deciderOf({ args }: CommandContext, installation: Installation): string {
  const name = args.text('as');
  if (name === undefined) return actorOf(installation);
  return name.startsWith('user:') ? name : `user:${name}`;
}

export function assertTerminal({ terminal }: Pick<CommandContext, 'terminal'>, attempted: string): void {
  if (terminal.inputIsTerminal) return;
  throw new LokiError('auth.proof', { attempted, found: 'it needs the passphrase of the approver key, and standard input is no terminal' });
}

export interface PassphraseAsk {
  readonly installation: Installation;
  readonly record: Recorder;
  readonly approver: Approver;
  readonly ask: Ask;
  readonly withdrawn?: AbortSignal;
}

/** Asks until the passphrase is right, three times at most. Undefined for an empty one, which is a no, and when the question is withdrawn. */
export async function askPassphrase({ terminal, output }: Pick<CommandContext, 'terminal' | 'output'>, { installation, record, approver, ask, withdrawn }: PassphraseAsk): Promise<Prove | undefined> {
  const words = `${ask.question} Passphrase of ${approver.owner} (empty: no): `;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const passphrase = await askUnseen(terminal, words, ask.attempted, withdrawn);
    if (passphrase === undefined) {
      if (withdrawn?.aborted !== true) output.note('Nothing was changed.');
      return undefined;
    }
    const prove = await unlock(installation, record, approver, passphrase);
    if (prove !== undefined) return prove;
    output.warn('That is not the passphrase; it is recorded that it was tried.');
  }
  throw new LokiError('auth.proof', { attempted: ask.attempted, found: `the passphrase was wrong ${tries} times`, hint: 'Without the passphrase the key is lost: docs/formats/approver-key.md says what then' });
}
