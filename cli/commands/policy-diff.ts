/** `loki policy diff`. */
import { exitCode } from '../../lib/errors.ts';
import { loadNamedPolicy } from '../../lib/app/policy.ts';
import { diffPolicies, type Difference, type PolicyDiff } from '../../lib/policy/diff/diff.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable, type Colour, type Output } from '../output.ts';
import { namedLayer, organisationFlag, refuseProblems } from '../policy-words.ts';

export const command: Command = {
  about: 'Tells what changes from one policy file to another: rules, approval gates, budgets and tests that are added, removed or say something else, matched by name and enforcement point. '
    + 'Order, comments and line numbers are no change.\n\nOf each change it is said whether it tightens or loosens, where that is certain: a stricter action, a watched rule that is enforced, a condition that is violated wherever the old one is, '
    + 'a longer list of gates, a smaller budget. What recorded actions would have met is shown by loki policy simulate.',
  operands: [{ name: 'A', summary: 'The file before', required: true }, { name: 'B', summary: 'The file after', required: true }],
  flags: [organisationFlag],
  examples: [
    ['loki policy diff .loki/policies.yaml draft.yaml', ''],
    ['git show main:.loki/policies.yaml > /tmp/main.yaml; loki policy diff /tmp/main.yaml .loki/policies.yaml', 'in review'],
  ],
  exits: [[0, 'they mean the same'], [1, 'they differ'], [2, 'a file cannot be used']],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const [before, after] = ['A', 'B'].map((name) => loadNamedPolicy(installation, args.operand(name) ?? '', `compare "${args.operand(name) ?? ''}"`, namedLayer(context)));
  if (before === undefined || after === undefined) return Promise.resolve(exitCode.usage);
  refuseProblems([...before.problems, ...after.problems]);
  const diff = diffPolicies(before, after);
  if (output.json) output.value(diff);
  else tell(diff, output);
  return Promise.resolve(diff.same ? exitCode.done : exitCode.failed);
}

const colours: Readonly<Record<Difference['direction'], Colour>> = { tightens: 'green', loosens: 'red', changes: 'yellow', none: 'dim' };

const sentences: Readonly<Record<PolicyDiff['direction'], string>> = {
  tightens: 'Every change tightens.', loosens: 'Every change loosens.', changes: 'The changes go different ways, or which way is not certain.', none: 'What is allowed does not change.',
};

function tell({ same, direction, differences }: PolicyDiff, output: Output): void {
  const { paint } = output.out;
  if (same) return output.line('Both mean the same.');
  for (const { is, name, point, change, direction: way, before, after, changes } of differences) {
    const word = paint(colours[way], (way === 'none' ? '' : way).padEnd(8));
    output.line(`${word}  ${is} ${printable(name)} (${printable(point)}) ${change}: ${printable([before, after].filter((place) => place !== null).join(' -> '))}`);
    for (const { what, from, to } of changes) output.line(`            ${what}: ${shown(from)} -> ${shown(to)}`);
  }
  output.line();
  output.line(paint(colours[direction], sentences[direction]));
}

function shown(text: string | null): string {
  return text === null ? 'none' : text === '' ? '(empty)' : printable(text);
}
