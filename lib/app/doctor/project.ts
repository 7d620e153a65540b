/** Checks of the project at hand: enrolled as it stands, policies that can be used, commands confirmed, its chain safe. */
import { LokiError, messageOf } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { readEnrolment } from '../../gate/enrolment.ts';
import { trustState } from '../enrol.ts';
import { assertAsEnrolled, loadLayers, readLayers } from '../policy.ts';
import { count, fail, ok, quoted, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

export const projectChecks: readonly Check[] = [
  { name: 'enrolment', about: 'whether the project is as a person enrolled it', look: enrolment },
  { name: 'policies', about: 'the policy files of every layer', look: policies },
  { name: 'commands', about: 'commands that the project wants to run', look: commands },
  { name: 'agent chain', about: 'the file that says what agents did', look: agentChain },
];

const none = 'no project here';

function enrolment({ installation }: Scene): Outcome {
  const { host: { disk }, home, project } = installation;
  if (project === undefined) return ok(none);
  try {
    if (readEnrolment(disk, home.home, home.project(project.id)) === undefined) return warn(`${project.dir} is not enrolled: its policy can be changed unseen`, 'loki init');
    assertAsEnrolled(installation);
    return ok(`${project.dir} is as it was enrolled`);
  } catch (error) {
    return fail(`everything is denied: ${messageOf(error)}`, error instanceof LokiError ? error.hint : 'loki init');
  }
}

function policies({ installation }: Scene): Outcome {
  const files = loadLayers(readLayers(installation));
  const problems = files.flatMap((file) => file.problems);
  const [first] = problems;
  if (first !== undefined) return fail(`${count(problems.length, 'mistake')}, the first: ${first.message}`, 'loki policy check');
  return ok(files.length === 0 ? 'no policy file: the built-in rules alone apply' : `${count(files.length, 'file')} can be used`);
}

function commands({ installation }: Scene): Outcome {
  if (installation.project === undefined) return ok(none);
  const state = trustState(installation);
  if (state.commands.length === 0) return ok('its configuration names none');
  return state.confirmed ? ok(`${count(state.commands.length, 'command')} confirmed`) : warn(`${count(state.commands.length, 'command')} that nobody has confirmed: no session starts`, 'loki trust');
}

function agentChain({ installation: { host: { disk, facts }, project, layout } }: Scene): Outcome {
  if (project === undefined || layout === undefined) return ok(none);
  for (const path of [layout.loki, layout.logs]) {
    if (disk.stat(path)?.kind === 'symlink') return fail(`${path} is a symbolic link: what agents do is not written through one`, `Find out who made it, then: rm ${quoted(path)}`);
  }
  const path = layout.agentAudit;
  const stat = disk.stat(path);
  if (stat === undefined) return ok(`${path} does not exist yet`);
  if (stat.kind !== 'file' || stat.links > 1) return fail(`${path} is ${stat.kind === 'file' ? `one file under ${stat.links} names` : `a ${stat.kind}`}: nothing is written to it`, `Find out who made it, then move it away: mv ${quoted(path)} ${quoted(join(project.dir, 'agent-audit.aside'))}`);
  if (facts.userId !== undefined && stat.owner !== facts.userId) return fail(`${path} belongs to user ${stat.owner}, and this is user ${facts.userId}`, `sudo chown ${facts.userId} ${quoted(path)}`);
  return ok(`${path}, ${stat.size} bytes`);
}
