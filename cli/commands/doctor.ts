/** `loki doctor`. */
import { exitCode } from '../../lib/errors.ts';
import { areaNames, examine, worstStatus, type Finding } from '../../lib/app/doctor/doctor.ts';
import type { Status } from '../../lib/app/doctor/check.ts';
import type { Command, CommandContext } from '../command.ts';
import { findingLines } from '../finding-words.ts';
import type { Output } from '../output.ts';

export const command: Command = {
  about: 'Looks at what recording, forwarding, telemetry and governing depend on, and says for each check what was found and the one step that repairs it. Changes nothing; '
    + 'works without LOKI_HOME, with a configuration that cannot be used, and with a damaged log.\n\nAreas: audit (the log of record), syslog (forwarding), telemetry (asks receivers, when it is named), project (the one at hand), hooks (of coding agents), approvals (what it takes to decide, webhooks).',
  operands: [{ name: 'AREA', summary: 'Only this area', choices: areaNames }],
  flags: [],
  examples: [
    ['loki doctor', 'everything'],
    ['loki doctor audit', 'why is nothing recorded?'],
    ['loki doctor telemetry', 'what do receivers answer to a span, a data point, a log record?'],
    ['loki doctor --quiet', 'only what is not well'],
    ['loki doctor --json', 'as {"status", "checks": [{area, check, about, status, found, repair}]}'],
  ],
  exits: [[0, 'all is well, or there are warnings only'], [1, 'something is not recorded, not protected or not delivered']],
  run,
};

async function run({ args, output, terminal }: CommandContext): Promise<number> {
  const area = areaNames.find((name) => name === args.operand('AREA'));
  const project = args.text('project');
  const findings = await examine(terminal, project === undefined ? {} : { project }, area === undefined ? areaNames : [area]);
  const status = worstStatus(findings);
  if (output.json) output.value({ status, checks: findings });
  else tell(findings, status, output, args.on('quiet'));
  return status === 'fail' ? exitCode.failed : exitCode.done;
}

function tell(findings: readonly Finding[], status: Status, output: Output, quiet: boolean): void {
  const { paint } = output.out;
  const width = Math.max(...findings.map(({ check }) => check.length));
  let area = '';
  for (const each of findings) {
    if (quiet && each.status === 'ok') continue;
    if (each.area !== area) output.line(`${area === '' ? '' : '\n'}${paint('bold', each.area)}`);
    area = each.area;
    for (const line of findingLines(each, width, paint)) output.line(line);
  }
  const troubled = findings.filter((each) => each.status !== 'ok').length;
  output.note(status === 'ok' ? `All is well: ${findings.length} checks.` : `${troubled} of ${findings.length} checks found something.`);
}
