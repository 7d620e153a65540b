/** Asking for passphrases: typed unseen; a new one twice, and refused when it could be guessed. */
import { LokiError } from '../lib/errors.ts';
import { passphraseProblem, shortestPassphrase } from '../lib/app/approver.ts';
import type { CommandContext } from './command.ts';

const tries = 3;

/** What was typed; undefined when nothing was, or the question was withdrawn. Throws `interrupted` on Ctrl-C. */
export async function askUnseen(terminal: CommandContext['terminal'], words: string, attempted: string, withdrawn?: AbortSignal): Promise<string | undefined> {
  const typed = await terminal.askHidden(words, withdrawn);
  if (terminal.signal.aborted) throw new LokiError('interrupted', { attempted, found: 'interrupted while asking' });
  return typed === '' ? undefined : typed;
}

/** The passphrase; undefined when none is typed. `of`: what it is for. */
export async function askNewPassphrase({ terminal, output }: Pick<CommandContext, 'terminal' | 'output'>, of: string, attempted: string): Promise<string | undefined> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const first = await askUnseen(terminal, `New passphrase of ${of}, ${shortestPassphrase} characters or more: `, attempted);
    if (first === undefined) {
      output.note('Nothing was changed.');
      return undefined;
    }
    const problem = passphraseProblem(first);
    if (problem !== undefined) output.warn(`The passphrase is not taken: ${problem}`);
    else if (await askUnseen(terminal, 'Once more: ', attempted) === first) return first;
    else output.warn('The two are not the same');
  }
  throw new LokiError('usage', { attempted, found: `no passphrase was given in ${tries} tries`, hint: 'Take several words that nobody would put together, then run the command again' });
}
