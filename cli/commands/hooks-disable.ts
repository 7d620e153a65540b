/** `loki hooks disable`. */
import { assertSomeone, planUninstall } from '../../lib/app/hooks/install.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { agentOf, agentOperand, carryOut, dryRunFlag, openHooks, reasonOf, scopeFlag, scopeOf } from '../hook-words.ts';
import { asFlag } from '../proof.ts';

export const command: Command = {
  about: 'Takes our hooks out of the settings of coding agents for a reason that is recorded, with who did it: for the day when an agent must work without being asked about. '
    + 'Needs the fresh proof. loki hooks install puts them back.',
  operands: [agentOperand],
  flags: [{ name: 'reason', kind: 'text', value: 'TEXT', summary: 'Why; recorded' }, scopeFlag, dryRunFlag, yesFlag, asFlag],
  examples: [['loki hooks disable --reason "the hook blocks an urgent fix, INC-7"', 'all agents of this project'], ['loki hooks disable codex --reason "upgrading Codex" --scope user', '']],
  exits: [[1, 'a person said no, or a file changed meanwhile'], [2, 'wrong usage, or there are no hooks of ours'], [3, 'the project is not as it was enrolled'], [4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const reason = reasonOf(context);
  const scope = scopeOf(context);
  const ground = openHooks(context, scope);
  const plan = planUninstall(ground, scope, agentOf(context));
  assertSomeone(plan);
  return carryOut(context, ground, plan, {
    question: 'Disable these hooks?', attempted: 'disable hooks', reason, nothing: 'There are no hooks of ours in it; nothing is to do.',
    done: (agents) => `Disabled the hooks of ${agents}. What they do is not judged any more; to put them back: loki hooks install`,
  });
}
