/** `loki start`. */
import { LokiError } from '../../lib/errors.ts';
import { assertTrusted, usualDocument, usualDocuments } from '../../lib/app/beginning.ts';
import { requireProject, type Installation } from '../../lib/app/installation.ts';
import { startSession } from '../../lib/app/session.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { readEnrolment } from '../../lib/gate/enrolment.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { reportOutcome, sessionOptions } from '../session.ts';
import { warnOfUnknownOutcomes } from '../unknown-outcomes.ts';

export const command: Command = {
  about: 'Makes a run from a requirements document and repeats REASON, ACT, REFLECT, VERIFY until every quality gate passes and the council approves, or rounds '
    + 'or budget run out, or somebody stops it. Every action of the agent goes through the gate. What happens is told as it happens; approvals are asked here.',
  operands: [{ name: 'PRD', summary: `The requirements document; left out: ${usualDocuments.join(', ')}` }],
  flags: [
    { name: 'provider', kind: 'text', value: 'NAME', summary: 'Who does the work', choices: ['claude', 'codex', 'gemini', 'opencode', 'command', 'scripted'] },
    { name: 'max-iterations', kind: 'integer', value: 'N', summary: 'At most so many rounds', least: 1, most: 1000 },
    { name: 'budget', kind: 'integer', value: 'N', summary: 'At most so many tokens', least: 1, most: 1_000_000_000_000 },
    { name: 'script', kind: 'text', value: 'FILE', summary: 'What the provider scripted plays' },
  ],
  examples: [
    ['loki start prd.md', ''],
    ['loki start prd.md --provider command --max-iterations 3', 'with the program that the configuration names'],
    ['loki start prd.md --json', 'each event as a line of JSON, the outcome last'],
  ],
  exits: [[0, 'completed'], [1, 'the run failed, or was stopped'], [2, 'wrong usage, unreadable document, missing provider'], [3, 'the project is not as it was enrolled'], [130, 'interrupted: the run is cancelled']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context, settingFlags(context));
  const { project } = requireProject(installation);
  assertTrusted(installation);
  const { host: { disk }, home } = installation;
  if (readEnrolment(disk, home.home, home.project(project.id)) === undefined) output.warn('The project is not enrolled: its policy can be changed unseen. Enrol it with: loki init');
  const document = args.operand('PRD') ?? usualDocument(installation, project.dir);
  const script = args.text('script');
  if (script !== undefined) assertScript(installation, script);
  warnOfUnknownOutcomes(output, installation, { project: project.id, nobodyWorks: true });
  return reportOutcome(context, await startSession(installation, document, { ...sessionOptions(context, installation), ...(script === undefined ? {} : { script }) }));
}

/** Flags that stand for settings, as the configuration reads them. */
function settingFlags({ args }: CommandContext): ReadonlyMap<string, string> {
  const given = [['--provider', args.text('provider')], ['--max-iterations', args.number('max-iterations')], ['--budget', args.number('budget')]] as const;
  return new Map(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}

/** Before anything is recorded of a run that could do nothing. */
function assertScript({ host: { disk }, surroundings }: Installation, script: string): void {
  const path = disk.realpath(resolveFrom(surroundings.cwd, script));
  const kind = path === undefined ? undefined : disk.stat(path)?.kind;
  if (kind === 'file') return;
  throw new LokiError('usage', { attempted: `play the script "${script}"`, found: kind === undefined ? 'there is no such file' : 'it is not a file', hint: 'Name a script: --script FILE; docs/runs.md describes it' });
}
