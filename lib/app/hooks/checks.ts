/**
 * What can be wrong with an agent's hooks while everything looks well: an agent says nothing when it drops its hooks. One list for
 * `loki hooks status` and for the doctor. Each check looks, changes nothing, and says what repairs it.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { AgentName } from '../../agents/hook.ts';
import { handedDown } from '../../agents/hook-command.ts';
import { wrongMember } from '../../agents/settings/claude-shape.ts';
import { clientTable, isOlder } from '../../agents/settings/client-versions.ts';
import { shapeProblems } from '../../agents/settings/json-hooks.ts';
import { agentSigns, notJson, readsComments } from '../../agents/settings/places.ts';
import { hookShapes } from '../../agents/settings/wanted.ts';
import { isPlainObject } from '../../base/json.ts';
import { isInside } from '../../base/paths.ts';
import { readToml } from '../../formats/toml.ts';
import { readEnrolment } from '../../gate/enrolment.ts';
import { fail, names, ok, warn, type Outcome } from '../doctor/check.ts';
import { enrolmentAsItStands } from '../enrol.ts';
import { commandCheck, eventCheck } from './check-commands.ts';
import { httpCheck } from './check-http.ts';
import { switchCheck, trustCheck } from './check-switches.ts';
import { agentsHere, type HookGround } from './ground.ts';
import { lookAtAgent, type AgentScene } from './scene.ts';

/** One check. Undefined where it has nothing to look at. */
export interface AgentCheck {
  readonly name: string;
  readonly about: string;
  look(scene: AgentScene): Outcome | undefined;
}

export const agentChecks: readonly AgentCheck[] = [
  { name: 'installed', about: 'whether our hooks stand in its settings', look: installedCheck },
  { name: 'settings', about: 'whether the agent can read its settings: what it cannot, it drops without a word', look: settingsCheck },
  { name: 'events', about: 'whether every event is asked about, for every tool, and a hook that fails is a no', look: eventCheck },
  { name: 'command', about: 'whether the hooks start this program, for this project, as it was written', look: commandCheck },
  { name: 'http', about: 'whether the control plane answers hooks that ask it, and they reach it', look: httpCheck },
  { name: 'switches', about: 'settings that switch hooks off', look: switchCheck },
  { name: 'trust', about: 'whether the agent trusts the hooks and the folder', look: trustCheck },
  { name: 'version', about: 'whether this version of the agent does what a hook says', look: versionCheck },
  { name: 'environment', about: 'variables that load other code before the hook', look: environmentCheck },
  { name: 'pins', about: 'whether the settings are as they were enrolled', look: pinCheck },
];

/** What one check found. */
export interface AgentFinding extends Outcome {
  readonly check: string;
  readonly about: string;
}

/** What was found of one agent. */
export interface AgentReport {
  readonly agent: AgentName;
  readonly title: string;
  /** How far the hooks reach, and where they stand. */
  readonly installed: readonly { readonly scope: string; readonly path: string }[];
  readonly checks: readonly AgentFinding[];
}

/** Looks at the named agents, or at those that are here. */
export async function reportHooks(ground: HookGround, named: readonly AgentName[]): Promise<readonly AgentReport[]> {
  const reports: AgentReport[] = [];
  for (const agent of named.length > 0 ? named : agentsHere(ground)) reports.push(reportOn(await lookAtAgent(ground, agent)));
  return reports;
}

/** Where nothing is installed there is nothing else to say. */
export function reportOn(scene: AgentScene): AgentReport {
  const checks = scene.installed.length === 0 ? agentChecks.slice(0, 2) : agentChecks;
  return {
    agent: scene.agent, title: agentSigns[scene.agent].title, installed: scene.installed.map(({ scope, path }) => ({ scope, path })),
    checks: checks.flatMap(({ name, about, look }) => {
      const outcome = attempted(() => look(scene));
      return outcome === undefined ? [] : [{ check: name, about, ...outcome }];
    }),
  };
}

/** A check that cannot look has found something too. */
function attempted(look: () => Outcome | undefined): Outcome | undefined {
  try {
    return look();
  } catch (error) {
    return fail(`it cannot be looked at: ${messageOf(error)}`, error instanceof LokiError ? error.hint : 'Check permissions and the disk');
  }
}

function installedCheck({ agent, installed, ground }: AgentScene): Outcome {
  const [first, ...more] = installed;
  if (first === undefined) return notInstalled(agent, ground);
  const places = installed.map(({ scope, path }) => `${scope} settings (${path})`);
  if (more.length === 0) return ok(`in ${places.join('')}`);
  return warn(`in ${places.join(' and ')}: each call is asked about more than once`, `loki hooks uninstall ${agent} --scope ${first.scope}`);
}

/** In a project that a person has put under governance an agent that is not asked about is a hole; elsewhere it is worth knowing. */
function notInstalled(agent: AgentName, { installation: { host: { disk }, home }, project }: HookGround): Outcome {
  const enrolled = project !== undefined && readEnrolment(disk, home.home, home.project(project.id)) !== undefined;
  return (enrolled ? fail : warn)('no hooks of ours: what it does is not judged and not recorded', `loki hooks install ${agent}`);
}

function settingsCheck({ agent, files }: AgentScene): Outcome | undefined {
  const problems = files.flatMap(({ path, text, problem, members, isStrict }) => {
    if (problem !== undefined) return [`${path}: ${problem}`];
    if (path.endsWith('.toml')) return tomlProblem(path, text);
    if (!isStrict && !readsComments.includes(agent)) return [notJson(path)];
    const wrong = agent === 'claude' ? wrongMember(members) : undefined;
    if (wrong !== undefined) return [`${path}: ${JSON.stringify(wrong)} has a shape that is not known`];
    return agent === 'opencode' || !isHookFile(path) ? [] : shapeProblems(members, hookShapes[agent]).map(({ message }) => `${path}: ${message}`);
  });
  const [first] = problems;
  if (first === undefined) return files.length === 0 ? undefined : ok(`${files.length === 1 ? 'one file' : `${files.length} files`} can be read`);
  const others = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  return fail(`${first}${others}; ${agentSigns[agent].title} may drop everything in it, hooks too`, 'Correct the file');
}

function isHookFile(path: string): boolean {
  return !path.endsWith('/trustedFolders.json') && !path.endsWith('/config.json');
}

function tomlProblem(path: string, text: string): readonly string[] {
  try {
    readToml(text, `"${path}"`);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function versionCheck({ agent, client, installed }: AgentScene): Outcome {
  const { least, better, before, tried } = clientTable[agent];
  const title = agentSigns[agent].title;
  if (client === undefined) return ok('no program of it on the PATH, so its version was not looked at');
  const { version, program } = client;
  const known = tried === undefined ? 'nobody has tried the hooks with this agent yet' : `tried with ${tried}`;
  if (version === undefined) return warn(`the version of ${program} cannot be told; ${known}`, `loki hooks test ${agent}`);
  if (least !== undefined && isOlder(version, least[0])) return fail(`${version} is older than ${least[0]}: ${least[1]}`, `Update ${title}`);
  if (before !== undefined && !isOlder(version, before[0])) return fail(`${version}: ${before[1]}`, `Use a version of ${title} before ${before[0]}`);
  const overHttp = installed.some(({ hooks }) => hooks.some(({ http }) => http !== undefined));
  if (better !== undefined && isOlder(version, better[0])) return (overHttp ? fail : warn)(`${version} is older than ${better[0]}: ${better[1]}`, `Update ${title}`);
  return tried === undefined ? warn(`${version}; ${known}`, `loki hooks test ${agent}`) : ok(`${version}, ${known}`);
}

/** Variables by which code is loaded into the shell, the programs of the hook, or the agent itself. */
const preloading = /^(?:LD_(?:PRELOAD|AUDIT|LIBRARY_PATH)|DYLD_\w+|BASH_ENV|ENV|NODE_OPTIONS|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|PS4)$/;

function environmentCheck({ ground: { installation: { surroundings: { env } } }, files }: AgentScene): Outcome {
  for (const { path, members } of files) {
    const given = isPlainObject(members['env']) ? Object.keys(members['env']).filter((name) => preloading.test(name)) : [];
    if (given.length > 0) return fail(`${path} sets ${names(given)} for the agent and what it starts, by which other code runs before the hook`, `Take ${given.join(', ')} out of "env" in ${path}`);
    const session = isPlainObject(members['env']) ? Object.keys(members['env']).filter((name) => handedDown.includes(name)) : [];
    if (session.length > 0) return fail(`${path} sets ${names(session)}, by which the hooks take the agent for one of a governed run or of another session: what it uses is then not counted`, `Take ${session.join(', ')} out of "env" in ${path}`);
  }
  const here = Object.keys(env).filter((name) => preloading.test(name) && (env[name] ?? '') !== '');
  return here.length === 0 ? ok('none is set') : warn(`${names(here)} ${here.length === 1 ? 'is' : 'are'} set here: an agent started from this shell loads other code before the hook`, `unset ${here.join(' ')}`);
}

function pinCheck({ ground: { installation, project }, installed }: AgentScene): Outcome | undefined {
  if (project === undefined || !installed.some(({ path }) => isInside(path, project.dir))) return undefined;
  try {
    const enrolled = enrolmentAsItStands(installation, project, 'use the hooks');
    return enrolled === undefined ? warn('the project is not enrolled: its settings can be changed unseen', 'loki init') : ok('as they were enrolled');
  } catch (error) {
    return fail(messageOf(error), error instanceof LokiError ? error.hint : 'loki init');
  }
}
