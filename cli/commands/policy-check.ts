/** `loki policy check`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { loadLayers, probeOf, projectPolicyName, readLayers } from '../../lib/app/policy.ts';
import { changedSince, readEnrolment } from '../../lib/gate/enrolment.ts';
import { checkPolicy, type PolicyReport } from '../../lib/policy/check.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import type { PolicyFile } from '../../lib/policy/rules.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { commandsIn } from '../../lib/policy/shell/analyze.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';

const largestPolicy = 1024 * 1024;

export const command: Command = {
  about: 'Reads the policies in force here, or the files that are named, and tells every mistake with its place; then runs the tests that stand in them. '
    + 'Rules that add nothing are pointed out.',
  operands: [{ name: 'FILE', summary: 'Policy files to check instead of those in force', repeated: true }],
  flags: [{ name: 'rules', kind: 'switch', summary: 'List the rules and where they come from' }],
  examples: [
    ['loki policy check', 'the organisation\'s, the user\'s and the project\'s'],
    ['loki policy check draft.yaml', 'a file before it is put in force'],
    ['loki policy check --rules', 'with every rule'],
  ],
  exits: [[0, 'usable, and every test passes'], [1, 'a test fails'], [2, 'a file cannot be used']],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const named = args.operands('FILE');
  const { host } = installation;
  const files = named.length > 0 ? named.map((name) => loadNamed(context, installation, name)) : loadLayers(readLayers(installation));
  const report = checkPolicy(files, { probe: probeOf(host.disk), monotonic: () => host.clock.monotonic(), scanners, commandsIn });
  const changed = named.length > 0 ? undefined : changeSinceEnrolment(installation);
  if (output.json) output.value({ ...report, enrolment: changed ?? null });
  else tell(report, changed, args.on('rules'), output);
  if (report.problems.length > 0) return Promise.resolve(exitCode.usage);
  return Promise.resolve(report.ok ? exitCode.done : exitCode.failed);
}

function loadNamed({ terminal }: CommandContext, { host: { disk } }: Installation, name: string): PolicyFile {
  const path = resolveFrom(terminal.cwd, name);
  const real = disk.realpath(path);
  if (real !== undefined && disk.stat(real)?.kind === 'directory') throw new LokiError('usage', { attempted: `check "${name}"`, found: 'it is a directory', hint: 'Name a policy file' });
  const bytes = disk.read(path, largestPolicy);
  if (bytes === undefined) throw new LokiError('not_found', { attempted: `check "${name}"`, found: 'there is no such file', hint: 'Name a policy file' });
  return loadPolicyFile({ text: new TextDecoder().decode(bytes), filename: name, layer: 'project' });
}

/** How the project's policy differs from what was enrolled; while it does, everything is denied. */
function changeSinceEnrolment({ host: { disk }, home, project }: Installation): string | undefined {
  const enrolment = project === undefined ? undefined : readEnrolment(disk, home.home, home.project(project.id));
  return enrolment === undefined ? undefined : changedSince(disk, enrolment, projectPolicyName(disk, enrolment.path));
}

function tell(report: PolicyReport, changed: string | undefined, listRules: boolean, output: Output): void {
  const { paint } = output.out;
  if (report.problems.length > 0) {
    const count = report.problems.length;
    throw new LokiError('policy.invalid', { attempted: 'use the policy', found: `${count} ${count === 1 ? 'mistake' : 'mistakes'}`, hint: report.problems[0]?.hint ?? 'Correct what is named above; docs/policy.md describes every field', problems: report.problems });
  }
  if (report.files.length === 0) output.line('No policies configured: only the built-in rules apply. A first policy: loki init');
  const files = report.files.map(({ filename, layer, rules, tests }) => ['ok', printable(filename), layer, `${rules} ${rules === 1 ? 'rule' : 'rules'}`, `${tests} ${tests === 1 ? 'test' : 'tests'}`]);
  for (const line of columns(files)) output.line(paint('green', line));
  if (listRules) for (const line of columns(report.rules.map(({ point, name, action, monitor, place }) => [`  ${point}`, printable(name), `${action}${monitor ? ' (only watched)' : ''}`, printable(place)]))) output.line(line);
  for (const { message, file, line } of report.findings) output.warn(`${printable(file ?? '')}:${line ?? 1}: ${printable(message)}`);
  for (const { name, place, passed, because } of report.tests) {
    if (!passed) output.line(`${paint('red', 'failed')}  ${printable(name)} (${printable(place)}): ${printable(because)}`);
  }
  const failed = report.tests.filter(({ passed }) => !passed).length;
  if (report.tests.length > 0) output.line(failed === 0 ? `Every test passes (${report.tests.length}).` : paint('red', `${failed} of ${report.tests.length} tests fail.`));
  if (changed !== undefined) output.warn(`The project is not as it was enrolled (${printable(changed)}): everything is denied until it is enrolled again with: loki init`);
}
