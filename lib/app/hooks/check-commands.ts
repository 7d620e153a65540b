/** Checks of the hooks themselves: that they stand for every event and tool, and start this program as it was written. */
import type { AgentName } from '../../agents/hook.ts';
import { hookEvents, type EventRow } from '../../agents/hook-events.ts';
import { findHooks, type FoundHook } from '../../agents/settings/json-hooks.ts';
import { isOwnPlugin, opencodePlugin, pluginFacts } from '../../agents/settings/opencode-plugin.ts';
import { readOwnCommand } from '../../agents/settings/own-command.ts';
import { hookShapes, programSeconds, type HookFacts, type JsonAgent } from '../../agents/settings/wanted.ts';
import { fail, names, ok, warn, type Outcome } from '../doctor/check.ts';
import { settingsReader } from './ground.ts';
import type { AgentScene, InstalledScope } from './scene.ts';

/** The command that puts an agent's hooks right. */
export function repairOf(agent: AgentName, { scope, hooks }: Pick<InstalledScope, 'scope' | 'hooks'>): string {
  return `loki hooks install ${agent}${scope === 'project' ? '' : ` --scope ${scope}`}${hooks.some(({ http }) => http !== undefined) ? ' --http' : ''}`;
}

export function eventCheck(scene: AgentScene): Outcome | undefined {
  const { agent, installed } = scene;
  if (agent === 'opencode') return undefined;
  for (const place of installed) {
    const missing = hookEvents[agent].filter(({ event }) => !place.hooks.some((hook) => hook.event === event)).map(({ event }) => event);
    if (missing.length > 0) return fail(`nothing is asked about ${names(missing)} (${place.path})`, repairOf(agent, place));
    const problems = agent === 'codex' && place.scope === 'managed' ? [] : hookProblems(scene, agent, place);
    if (problems.length > 0) return fail(problems.join('; '), repairOf(agent, place));
  }
  return ok(`${hookEvents[agent].length} events, every tool`);
}

function hookProblems({ ground: { installation } }: AgentScene, agent: JsonAgent, { path }: InstalledScope): readonly string[] {
  const found = findHooks(settingsReader(installation)(path) ?? '{}', hookShapes[agent], path).filter(({ isOurs }) => isOurs);
  return found.flatMap((hook) => {
    const row = hookEvents[agent].find(({ event }) => event === hook.event);
    return row === undefined ? [] : [matcherProblem(hook), guardProblem(agent, hook, row), timeProblem(agent, hook, row)].filter((problem) => problem !== undefined);
  });
}

/** Every tool: no matcher, or one that says so. */
const everything: readonly unknown[] = [undefined, '', '*', '.*'];

function matcherProblem({ event, group, handler }: FoundHook): string | undefined {
  const matcher = group['matcher'] ?? handler['matcher'];
  if (!everything.includes(matcher)) return `${event} has the matcher ${JSON.stringify(matcher)}: other tools are not asked about`;
  if (handler['if'] !== undefined) return `${event} has a condition ("if"): other calls are not asked about`;
  if (handler['async'] === true || handler['once'] === true) return `${event} is ${handler['async'] === true ? 'not waited for ("async")' : 'asked about once only'}`;
  return undefined;
}

/** What an agent does with a hook that cannot be started, where it can be told. */
const guards: Partial<Readonly<Record<AgentName, readonly [member: string, value: string | boolean]>>> = { claude: ['onFailure', 'block'], cursor: ['failClosed', true] };

function guardProblem(agent: AgentName, { event, handler }: FoundHook, { guard }: EventRow): string | undefined {
  const [member, value] = guards[agent] ?? [];
  return guard === 'closed' && member !== undefined && handler[member] !== value ? `${event} lacks ${member}: ${JSON.stringify(value)}, so that a hook that cannot be started lets the tool run` : undefined;
}

function timeProblem(agent: AgentName, { event, handler }: FoundHook, { seconds }: EventRow): string | undefined {
  const given = handler[agent === 'copilot' ? 'timeoutSec' : 'timeout'];
  const inSeconds = typeof given === 'number' ? given / (agent === 'gemini' ? 1000 : 1) : undefined;
  return inSeconds === undefined || inSeconds <= programSeconds(seconds) ? `${event} has ${inSeconds === undefined ? 'no time limit' : `a time limit of ${inSeconds} s`}: the agent may give up before the hook has answered` : undefined;
}

export function commandCheck(scene: AgentScene): Outcome {
  for (const place of scene.installed) {
    for (const { command, http } of place.hooks) {
      if (http !== undefined) continue;
      const outcome = scene.agent === 'opencode' ? pluginOutcome(scene, place) : commandOutcome(scene, place, command);
      if (outcome !== undefined) return outcome;
    }
  }
  return ok('this program, as it was written');
}

function commandOutcome(scene: AgentScene, place: InstalledScope, line: string): Outcome | undefined {
  const command = readOwnCommand(line, scene.agent);
  if (command?.isAsWritten !== true) return fail(`a command line of ours was changed by hand (${place.path})`, repairOf(scene.agent, place));
  return factsOutcome(scene, place, command);
}

function pluginOutcome(scene: AgentScene, place: InstalledScope): Outcome | undefined {
  const text = settingsReader(scene.ground.installation)(place.path) ?? '';
  const facts = isOwnPlugin(text) ? pluginFacts(text) : undefined;
  if (facts === undefined || opencodePlugin(facts) !== text) return fail(`the plugin is not the one that this version writes (${place.path})`, repairOf(scene.agent, place));
  // It has its own timer.
  return factsOutcome(scene, place, { ...facts, timeoutProgram: '/bin/sh' });
}

function factsOutcome({ agent, ground: { installation: { host: { disk, facts }, home }, project } }: AgentScene, place: InstalledScope, command: HookFacts): Outcome | undefined {
  const repair = repairOf(agent, place);
  const gone = [...command.program.filter((word) => word.startsWith('/')), ...(command.timeoutProgram === undefined ? [] : [command.timeoutProgram])].find((path) => disk.realpath(path) === undefined);
  if (gone !== undefined) return fail(`the hooks start ${gone}, which does not exist: every call is refused`, repair);
  if (command.project !== undefined && disk.realpath(command.project) === undefined) return fail(`the hooks judge for ${command.project}, which does not exist: every call is refused`, repair);
  if (place.scope === 'project' && command.project !== project?.dir) return fail(`the hooks judge for ${command.project ?? 'whatever directory they are started in'}, not for this project`, repair);
  if (command.program.join('\0') !== facts.loki.join('\0')) return warn(`the hooks start another installation: ${command.program.join(' ')}`, repair);
  const records = command.env['LOKI_HOME'];
  if (records !== undefined && records !== home.home) return warn(`the hooks keep their records in ${records}, not in ${home.home}`, repair);
  const off = ['LOKI_AUDIT_DISABLED', 'LOKI_AUDIT_NO_INTEGRITY'].filter((name) => command.env[name] !== undefined);
  if (off.length > 0) return warn(`the hooks were installed with ${off.join(' and ')} set, and have it for good`, `unset ${off.join(' ')}; ${repair}`);
  return command.timeoutProgram === undefined ? warn('there is no timeout(1) here: a hook that hangs is ended by the agent, and some agents then let the tool run', `Install coreutils, then: ${repair}`) : undefined;
}
