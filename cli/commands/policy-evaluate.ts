/** `loki policy evaluate`. */
import type { Command, CommandContext } from '../command.ts';
import { decisionLines, evaluateExits, evaluateFlags, evaluateHere, evaluateOperands } from '../policy-words.ts';

export const command: Command = {
  about: 'Asks the policy in force here about one context, as a pipeline does before it deploys. Built-in rules and the log of record take no part: nothing happens yet. A field that the point does not have, or a value of another type, is an error.',
  operands: evaluateOperands,
  flags: evaluateFlags,
  examples: [
    ['loki policy evaluate pre_deployment --context context.json', 'may this be deployed?'],
    ['echo \'{"kind":"exec","command":"git push --force"}\' | loki policy evaluate pre_execution --context - --json', ''],
  ],
  exits: evaluateExits,
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const { decision, exit } = await evaluateHere(context, false);
  if (output.json) output.value(decision);
  else for (const line of decisionLines(decision, output.out)) output.line(line);
  return exit;
}
