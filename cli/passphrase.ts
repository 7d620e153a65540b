/** Asking for a new passphrase: typed twice, unseen, refused when it could be guessed. */
import { LokiError } from '../lib/errors.ts';
import { passphraseProblem, shortestPassphrase } from '../lib/app/approver.ts';
import type { CommandContext } from './command.ts';

const tries = 3;

/** The passphrase; undefined when none is typed. `of`: what it is for. */
export async function askNewPassphrase({ terminal, output }: Pick<CommandContext, 'terminal' | 'output'>, of: string, attempted: string): Promise<string | undefined> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const first = await terminal.askHidden(`New passphrase of ${of}, ${shortestPassphrase} characters or more: `);
    if (terminal.signal.aborted) throw new LokiError('interrupted', { attempted, found: 'interrupted while asking' });
    if (first === undefined || first === '') {
      output.note('Nothing was changed.');
      return undefined;
    }
    const problem = passphraseProblem(first);
    if (problem !== undefined) output.warn(`The passphrase is not taken: ${problem}`);
    else if (await terminal.askHidden('Once more: ') === first) return first;
    else if (terminal.signal.aborted) throw new LokiError('interrupted', { attempted, found: 'interrupted while asking' });
    else output.warn('The two are not the same');
  }
  throw new LokiError('usage', { attempted, found: `no passphrase was given in ${tries} tries`, hint: 'Take several words that nobody would put together, then run the command again' });
}
