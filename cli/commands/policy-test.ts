/** `loki policy test`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { partsOf } from '../../lib/app/policy.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { runWithCoverage, type Coverage, type Reach } from '../../lib/policy/coverage.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { fileOperand, organisationFlag, policyFiles, refuseProblems, testLine } from '../policy-words.ts';

export const command: Command = {
  about: 'Runs the tests that stand in the policies in force here, or in the files that are named, each against all of them together; a line for each. A test that fails says what it waited for, '
    + 'what it got, and the rule that decided with its place.\n\nThen tells which rules the tests reach. A rule is reached when a test violates it: one that every test satisfies could be deleted and no test would notice.',
  operands: [fileOperand('test')],
  flags: [
    { name: 'filter', kind: 'text', value: 'TEXT', summary: 'Only tests whose name contains this; coverage is left out' },
    { name: 'min-coverage', kind: 'integer', value: 'N', summary: 'Fail when fewer than this percentage of the rules are reached', least: 0, most: 100 },
    organisationFlag,
  ],
  examples: [
    ['loki policy test', 'the policies in force'],
    ['loki policy test .loki/policies.yaml --min-coverage 80', 'for a pipeline'],
    ['loki policy test --filter push', 'a few of them'],
  ],
  exits: [[0, 'every test passes'], [1, 'a test fails, or too few rules are reached'], [2, 'a file cannot be used']],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const [filter, least] = [args.text('filter'), args.number('min-coverage')];
  if (filter !== undefined && least !== undefined) throw new LokiError('usage', { attempted: 'test the policy', found: '--filter and --min-coverage are both given', hint: 'A part of the tests says nothing about coverage: leave one out' });
  const files = policyFiles(context, installation, 'test');
  refuseProblems(files.flatMap(({ problems }) => problems));
  const found = runWithCoverage(createPolicy(files, partsOf(installation)), filter === undefined ? undefined : ({ name }) => name.includes(filter));
  if (filter !== undefined && found.tests.length === 0) throw new LokiError('usage', { attempted: 'test the policy', found: `no test has a name that contains "${filter}"`, hint: 'Leave --filter out to see them all' });
  const failed = found.tests.filter(({ passed }) => !passed).length;
  const isCovered = least === undefined || found.percent >= least;
  if (output.json) output.value(documentOf(found, failed, filter === undefined, isCovered));
  else tell(found, failed, filter === undefined, isCovered ? undefined : least, output);
  return Promise.resolve(failed === 0 && isCovered ? exitCode.done : exitCode.failed);
}

function documentOf({ tests, rules, reached, percent }: Coverage, failed: number, isWhole: boolean, isCovered: boolean): unknown {
  return { ok: failed === 0 && isCovered, tests, failed, coverage: isWhole ? { percent, reached, rules } : null };
}

const words: Readonly<Record<Exclude<Reach, 'violated'>, string>> = { 'applied': 'applied, never violated', 'never applied': 'not reached' };

function tell(found: Coverage, failed: number, isWhole: boolean, missed: number | undefined, output: Output): void {
  const { paint } = output.out;
  const { tests, rules, reached, percent } = found;
  for (const test of tests) output.line(testLine(test, output.out));
  if (tests.length > 0) output.line();
  if (tests.length === 0) output.line('No tests. docs/policy.md shows how they are written.');
  else output.line(failed === 0 ? paint('green', `Every test passes (${tests.length}).`) : paint('red', `${failed} of ${tests.length} tests fail.`));
  if (!isWhole || rules.length === 0) return;
  output.line(`Coverage: the tests reach ${reached} of ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'} (${percent}%).`);
  const open = rules.flatMap(({ name, reach, point, place }) => reach === 'violated' ? [] : [[`  ${words[reach]}`, point, printable(name), printable(place)]]);
  for (const line of columns(open)) output.line(line);
  if (missed !== undefined) output.line(paint('red', `That is less than the ${missed}% asked for.`));
}
