/** Asking before something is done that cannot simply be taken back. Where nobody can be asked, `--yes` must have said it. */
import { LokiError } from '../lib/errors.ts';
import type { CommandContext, FlagRow } from './command.ts';

/** The flag of every command that asks. */
export const yesFlag: FlagRow = { name: 'yes', short: 'y', kind: 'switch', summary: 'Do not ask' };

/** Whether a person agrees. `attempted` is a verb phrase: `enrol the project`. */
export async function confirm({ args, terminal, output }: CommandContext, question: string, attempted: string): Promise<boolean> {
  if (args.on('yes')) return true;
  if (!terminal.inputIsTerminal) {
    throw new LokiError('usage', { attempted, found: 'it needs a confirmation, and standard input is no terminal', hint: 'Read what it would do, then add --yes' });
  }
  const answer = await terminal.ask(`${question} ${output.err.paint('bold', '[y/N]')} `);
  if (terminal.signal.aborted) throw new LokiError('interrupted', { attempted, found: 'interrupted while asking' });
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return true;
  output.note('Nothing was changed.');
  return false;
}
