/** `loki policy explain`. */
import type { Command, CommandContext } from '../command.ts';
import { columns, printable } from '../output.ts';
import { decisionLines, evaluateExits, evaluateFlags, evaluateHere, evaluateOperands } from '../policy-words.ts';

export const command: Command = {
  about: 'Says what each rule made of one context: whether it applied, held, was violated or could not be evaluated, and why.',
  operands: evaluateOperands,
  flags: evaluateFlags,
  examples: [['loki policy explain pre_execution --context context.json', ''], ['loki policy explain data --context - --json < context.json', '']],
  exits: evaluateExits,
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const { decision, exit } = await evaluateHere(context, true);
  if (output.json) {
    output.value(decision);
    return exit;
  }
  for (const line of decisionLines(decision, output.out)) output.line(line);
  const rules = decision.explain?.rules ?? [];
  if (rules.length > 0) output.line();
  for (const line of columns(rules.map(({ name, result, because, place }) => [printable(name), result, printable(because), printable(place)]))) output.line(line);
  return exit;
}
