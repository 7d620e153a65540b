/** `loki init`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { agentSigns } from '../../lib/agents/settings/places.ts';
import { performInit, planInit, type InitPlan } from '../../lib/app/enrol.ts';
import { agentsHere, hookGround, type HookGround } from '../../lib/app/hooks/ground.ts';
import { asksOverHttp, changesOf, performPlan, planInstall, type HookPlan } from '../../lib/app/hooks/install.ts';
import { projectOf, type Installation } from '../../lib/app/installation.ts';
import { join } from '../../lib/base/paths.ts';
import { unifiedDiff } from '../../lib/formats/unified-diff.ts';
import { readEnrolment } from '../../lib/gate/enrolment.ts';
import { findProject, type Project } from '../../lib/gate/project.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { tellNotes } from '../hook-words.ts';
import { open } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: 'Writes a commented .loki/config.yaml and .loki/policies.yaml and a .gitignore where they are missing, and enrols the project: from then on its policy '
    + 'is pinned, and while the file is missing or changed everything is denied until a person runs loki init again. Puts hooks into the settings of the coding agents that are found, '
    + 'as loki hooks install does. Shows what it will do, and asks. '
    + 'Nothing that exists is overwritten.',
  operands: [],
  flags: [yesFlag, asFlag,
    { name: 'monitor', kind: 'switch', summary: 'A new policy only records what it would have stopped' },
    { name: 'no-hooks', kind: 'switch', summary: 'Leave the settings of coding agents alone' }],
  examples: [
    ['loki init', 'in the project\'s directory'],
    ['loki init --monitor', 'watch first, enforce later'],
    ['loki init --project ../other --yes', 'without being asked'],
  ],
  exits: [[1, 'a person said no'], [2, 'wrong usage, or a policy that cannot be used or fails its tests'], [4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  const project = projectOf(installation, args.text('project') ?? terminal.cwd);
  assertOwnProject(installation, project);
  const plan = planInit(installation, project, args.on('monitor'));
  const ground = hookGround(installation, project);
  const hooks = args.on('no-hooks') ? undefined : planHooks(ground, output);
  const isEnrolled = plan.writes.length === 0 && plan.enrolled !== undefined && plan.changed.length === 0;
  if (isEnrolled && hooks === undefined) return nothingToDo(plan, output);
  if (!isEnrolled) for (const line of planLines(plan, installation.home.project(project.id))) output.note(line);
  if (hooks !== undefined) showHooks(ground, hooks, output);
  const proof = await askProof(context, installation, { question: 'Go ahead?', attempted: 'enrol the project' });
  if (proof === undefined) return exitCode.failed;
  const enrolment = isEnrolled && plan.enrolled !== undefined ? plan.enrolled : await performInit(installation, plan, proof.by, proof.prove);
  // The project is enrolled first: putting hooks in then renews its pins, and those of nothing else.
  if (hooks !== undefined) await performPlan(ground, hooks, proof);
  if (output.json) output.value({ project, written: [...plan.writes, ...(hooks === undefined ? [] : changesOf(hooks))].map(({ path }) => path), enrolled_at: enrolment.enrolled_at });
  else {
    output.line(`${output.out.paint('green', 'Enrolled')} ${printable(project.dir)} (${project.id})`);
    if (hooks !== undefined) output.line(`Put hooks in for ${hooks.agents.map(({ agent }) => agentSigns[agent].title).join(', ')}. Whether they are in force says: loki hooks status`);
    output.note('Next: read .loki/policies.yaml, then loki policy check, then loki start PRD');
  }
  return exitCode.done;
}

/** Hooks for the agents that are here; undefined when nothing is to do. Settings that cannot be understood keep nobody from enrolling. */
function planHooks(ground: HookGround, output: Output): HookPlan | undefined {
  const agents = agentsHere(ground).flatMap((agent) => {
    try {
      // Those that ask over HTTP were chosen so.
      if (agent === 'claude' && asksOverHttp(ground)) return [];
      return planInstall(ground, 'project', [agent]).agents.filter(({ changes }) => changes.length > 0);
    } catch (error) {
      if (!(error instanceof LokiError)) throw error;
      output.warn(printable(`No hooks for ${agent}: ${error.message}`));
      return [];
    }
  });
  return agents.length === 0 ? undefined : { does: 'install', scope: 'project', agents };
}

function showHooks(ground: HookGround, hooks: HookPlan, output: Output): void {
  output.note('This will put hooks into the settings of coding agents (to leave them alone: --no-hooks):');
  for (const { path, before, after } of changesOf(hooks)) output.message(`  ${before === undefined ? 'write  ' : 'change '} ${printable(path)}${sizeOf(before, after)}`);
  output.note('To see each line of it first: loki hooks install --dry-run');
  tellNotes(ground, hooks, output);
}

/** How much of a file changes. */
function sizeOf(before: string | undefined, after: string | undefined): string {
  const lines = unifiedDiff(before, after, '').slice(2);
  const [added, taken] = [lines.filter((line) => line.startsWith('+')).length, lines.filter((line) => line.startsWith('-')).length];
  return ` (${added} ${added === 1 ? 'line' : 'lines'} added${taken === 0 ? '' : `, ${taken} taken out`})`;
}

/** A project inside an enrolled one would never be asked about: the outermost counts. And LOKI_HOME is no project. */
function assertOwnProject({ host: { disk }, home }: Installation, project: Project): void {
  const attempted = `enrol "${project.dir}"`;
  if (join(project.dir, '.loki') === home.home) {
    throw new LokiError('usage', { attempted, found: 'its .loki is LOKI_HOME, where records are kept', hint: 'Choose a directory of its own for the project, or set LOKI_HOME' });
  }
  const around = findProject(disk, { cwd: project.dir, home: home.home, enrolmentFile: home.project });
  if (around === undefined || around.id === project.id || readEnrolment(disk, home.home, home.project(around.id)) === undefined) return;
  throw new LokiError('usage', { attempted, found: `it is part of the enrolled project "${around.dir}"`, hint: `Name that project: loki init --project ${around.dir}` });
}

function nothingToDo({ project, enrolled }: InitPlan, output: Output): number {
  if (output.json) output.value({ project, written: [], enrolled_at: enrolled?.enrolled_at ?? null });
  else output.line(`${printable(project.dir)} is enrolled (${enrolled?.enrolled_at ?? ''}), and nothing has changed.`);
  return exitCode.done;
}

function planLines({ project, writes, enrolled, changed }: InitPlan, enrolment: string): readonly string[] {
  return [
    `This will, for ${printable(project.dir)}:`,
    ...writes.map(({ path }) => `  write   ${printable(path)}`),
    ...changed.map((name) => `  accept  ${printable(name)} as it is now; it differs from what was enrolled`),
    `  ${enrolled === undefined ? 'enrol  ' : 'renew  '} the project in ${printable(enrolment)}`,
  ];
}
