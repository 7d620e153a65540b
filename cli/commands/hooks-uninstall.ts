/** `loki hooks uninstall`. */
import { assertSomeone, planUninstall } from '../../lib/app/hooks/install.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { agentOf, agentOperand, carryOut, dryRunFlag, openHooks, scopeFlag, scopeOf } from '../hook-words.ts';
import { asFlag } from '../proof.ts';

export const command: Command = {
  about: 'Takes our hooks out of the settings of coding agents again, of the agent named, else of each that has them. Where nobody has changed a file since, it gets back the bytes it had; '
    + 'else everything that is not ours stays. Shows the change first, asks for the fresh proof, and is recorded. From then on these agents are not asked about anything.',
  operands: [agentOperand],
  flags: [scopeFlag, dryRunFlag, yesFlag, asFlag],
  examples: [['loki hooks uninstall', ''], ['loki hooks uninstall gemini --scope user --dry-run', 'only the change']],
  exits: [[1, 'a person said no, or a file changed meanwhile'], [2, 'wrong usage, or there are no hooks of ours'], [3, 'the project is not as it was enrolled'], [4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const scope = scopeOf(context);
  const ground = openHooks(context, scope);
  const plan = planUninstall(ground, scope, agentOf(context));
  assertSomeone(plan);
  return carryOut(context, ground, plan, {
    question: 'Take these hooks out?', attempted: 'take hooks out', nothing: 'There are no hooks of ours in it; nothing is to do.',
    done: (agents) => `Took the hooks of ${agents} out. What they do is not judged any more.`,
  });
}
