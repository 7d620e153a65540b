/** `loki policy check`. */
import { exitCode } from '../../lib/errors.ts';
import { changeSinceEnrolment, partsOf, repairOf } from '../../lib/app/policy.ts';
import { checkPolicy, type PolicyReport } from '../../lib/policy/check.ts';
import type { LintFinding } from '../../lib/policy/lint/lint.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { fileOperand, organisationFlag, policyFiles, refuseProblems, testLine } from '../policy-words.ts';

export const command: Command = {
  about: 'Reads the policies in force here, or the files that are named, and tells every mistake with its place; then shows what they come to: every rule of every layer with its origin, in the order '
    + 'in which they are asked. The tests that stand in them are run.\n\nWarnings point out rules that make no difference: those that a stricter rule leaves nothing to, whose conditions can never hold or never fail, '
    + 'that say what another rule says. Only what is certain is told. Rules that are only watched (mode: monitor) are named.',
  operands: [fileOperand('check')],
  flags: [{ name: 'strict', kind: 'switch', summary: 'A warning is a failure' }, organisationFlag],
  examples: [
    ['loki policy check', 'the organisation\'s, the user\'s and the project\'s'],
    ['loki policy check draft.yaml', 'a file before it is put in force'],
    ['loki policy check --strict --quiet', 'for a pipeline: without the list of rules'],
  ],
  exits: [[0, 'usable, and every test passes'], [1, 'a test fails; with --strict also: there are warnings'], [2, 'a file cannot be used, or the policy that was enrolled is gone']],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const named = args.operands('FILE').length > 0;
  const report = checkPolicy(policyFiles(context, installation, 'check'), partsOf(installation));
  const changed = named ? undefined : changeSinceEnrolment(installation);
  const warnings = report.findings.filter(({ severity }) => severity === 'warning');
  if (output.json) output.value({ ...report, enrolment: changed ?? null });
  else tell(report, warnings, changed, args.on('quiet'), output);
  const gone = changed !== undefined && report.files.every(({ layer }) => layer !== 'project');
  if (report.problems.length > 0 || gone) return Promise.resolve(exitCode.usage);
  return Promise.resolve(report.ok && !(args.on('strict') && warnings.length > 0) ? exitCode.done : exitCode.failed);
}

function tell(report: PolicyReport, warnings: readonly LintFinding[], changed: string | undefined, brief: boolean, output: Output): void {
  const { paint } = output.out;
  refuseProblems(report.problems);
  if (report.files.length === 0 && changed === undefined) output.line('No policies configured: only the built-in rules apply. A first policy: loki init');
  const files = report.files.map(({ filename, layer, rules, tests }) => ['ok', printable(filename), layer, `${rules} ${rules === 1 ? 'rule' : 'rules'}`, `${tests} ${tests === 1 ? 'test' : 'tests'}`]);
  for (const line of columns(files)) output.line(paint('green', line));
  if (!brief) for (const line of ruleLines(report)) output.line(line);
  for (const { message, file, line, column } of warnings) output.warn(`${printable(file)}:${line}:${column}: ${printable(message)}`);
  const watched = report.findings.flatMap(({ kind, rule }) => kind === 'watched' ? [printable(rule)] : []);
  if (watched.length > 0) output.note(`Only watched (mode: monitor): ${watched.join(', ')}. What enforcing would change: loki policy simulate`);
  for (const test of report.tests) if (!test.passed) output.line(testLine(test, output.out));
  const failed = report.tests.filter(({ passed }) => !passed).length;
  if (report.tests.length > 0) output.line(failed === 0 ? `Every test passes (${report.tests.length}).` : paint('red', `${failed} of ${report.tests.length} tests fail.`));
  if (changed !== undefined) output.warn(`The project is not as it was enrolled (${printable(changed)}): everything is denied. ${repairOf(changed)}`);
}

/** What the files come to together: each rule with its action, its layer and its place. */
function ruleLines({ rules, approval_gates }: PolicyReport): readonly string[] {
  return columns([
    ...rules.map(({ point, name, action, monitor, layer, place }) => [`  ${point}`, printable(name), `${action}${monitor ? ' (only watched)' : ''}`, layer, printable(place)]),
    ...approval_gates.map(({ name, phase, required, approvers, layer, place }) => ['  approval_gates', printable(name), printable(`phase ${phase}: ${required} of ${approvers.length === 0 ? 'all approvers' : approvers.join(', ')}`), layer, printable(place)]),
  ]);
}
