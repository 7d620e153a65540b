/** What hooks of agents are installed with: where settings lie on this machine, the facts of our command, the agents that are here. */
import { LokiError } from '../../errors.ts';
import { hookPath } from '../../agents/hook-command.ts';
import { askSeconds } from '../../agents/hook-events.ts';
import type { AgentName } from '../../agents/hook.ts';
import type { ReadText, SettingsTarget } from '../../agents/settings/changes.ts';
import { agentNames, agentSigns, type Scope, type SettingsPlaces } from '../../agents/settings/places.ts';
import { programSeconds, type HookFacts } from '../../agents/settings/wanted.ts';
import { join, resolveFrom } from '../../base/paths.ts';
import type { Project } from '../../gate/project.ts';
import { assertKeyReachesHooks, gateSettings, hookTelemetrySettings } from '../hook-environment.ts';
import type { Installation } from '../installation.ts';

/** An installation, the project that hooks are looked at for, and where settings lie. */
export interface HookGround {
  readonly installation: Installation;
  readonly project: Project | undefined;
  readonly places: SettingsPlaces;
}

/** `machine` stands before `/etc`: tests have no root. */
export function hookGround(installation: Installation, project: Project | undefined = installation.project, machine: string = ''): HookGround {
  const { surroundings: { env, homeDirectory: home, cwd }, host: { facts } } = installation;
  const named = (name: string, otherwise: string): string => {
    const value = env[name];
    return value === undefined || value === '' ? join(home, otherwise) : resolveFrom(cwd, value);
  };
  return {
    installation, project,
    places: {
      project: project?.dir, home, machine, platform: facts.platform,
      claudeHome: named('CLAUDE_CONFIG_DIR', '.claude'), codexHome: named('CODEX_HOME', '.codex'), configHome: named('XDG_CONFIG_HOME', '.config'),
    },
  };
}

/** What of the command a person may choose. */
export interface HookChoices {
  /** How long a hook waits for an approval, in milliseconds. */
  readonly waitMs?: number;
  /** What becomes of an action that needs approval. */
  readonly approval?: string;
}

/** The facts of our command. Throws `usage` or `config.invalid` for what hooks could not work with. */
export function hookFacts({ installation, project }: HookGround, scope: Scope, choices: HookChoices): HookFacts {
  const { host: { facts, spawn }, surroundings: { env, homeDirectory, cwd }, home } = installation;
  if (facts.platform === 'win32') throw new LokiError('usage', { attempted: 'install hooks', found: 'this is Windows, and the hooks are written for a POSIX shell', hint: 'Install them within WSL' });
  assertKeyReachesHooks(installation, 'install hooks with an encrypted log');
  const keyFile = env['LOKI_AUDIT_KEY_FILE'];
  const timeoutProgram = spawn.find('timeout', hookPath);
  // Hooks of the whole machine run for every account: each has its own home, and its own records unless LOKI_HOME is said.
  const own = scope === 'managed' ? {} : { HOME: homeDirectory };
  const records = scope === 'managed' && (env['LOKI_HOME'] ?? '') === '' ? {} : { LOKI_HOME: home.home };
  return {
    program: facts.loki, flags: flagsOf(choices),
    env: { ...own, PATH: hookPath, LANG: env['LANG'] ?? 'C.UTF-8', ...records, ...gateSettings(installation), ...hookTelemetrySettings(env), ...(keyFile === undefined ? {} : { LOKI_AUDIT_KEY_FILE: resolveFrom(cwd, keyFile) }) },
    ...(scope === 'project' && project !== undefined ? { project: project.dir } : {}), ...(timeoutProgram === undefined ? {} : { timeoutProgram }),
  };
}

function flagsOf({ waitMs, approval }: HookChoices): readonly string[] {
  const most = programSeconds(askSeconds);
  if (waitMs !== undefined && waitMs > most * 1000) throw new LokiError('usage', { attempted: 'install hooks', found: `a hook cannot wait longer than ${most} seconds: agents give up after ${askSeconds}`, hint: 'Choose less with --wait; an action asked again after its approval is allowed' });
  return [...(waitMs === undefined ? [] : ['--wait', `${Math.round(waitMs / 1000)}s`]), ...(approval === undefined ? [] : ['--approval', approval])];
}

/** Larger than any settings file. */
const largestSettings = 1 << 24;

/** Reads settings as text. Throws `io.failed` for what is none. */
export function settingsReader({ host: { disk } }: Installation): ReadText {
  return (path) => {
    const bytes = disk.read(path, largestSettings);
    if (bytes === undefined) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new LokiError('io.failed', { attempted: `read "${path}"`, found: 'it is not UTF-8 text', hint: 'Write it as UTF-8' });
    }
  };
}

export function targetOf({ installation, places }: HookGround, agent: AgentName, scope: Scope): SettingsTarget {
  return { agent, scope, places, read: settingsReader(installation) };
}

/** The agents that are here: a program on the PATH, or a folder of settings in the project or at home. */
export function agentsHere(ground: HookGround): readonly AgentName[] {
  return agentNames.filter((agent) => isHere(ground, agent));
}

export function isHere({ installation: { host: { disk, spawn }, surroundings: { env } }, places }: HookGround, agent: AgentName): boolean {
  const { programs, inProject, atHome } = agentSigns[agent];
  if (programs.some((program) => spawn.find(program, env['PATH']) !== undefined)) return true;
  const folders = [...inProject.map((name) => (places.project === undefined ? undefined : join(places.project, name))), ...atHome.map((name) => join(places.home, name))];
  return folders.some((path) => path !== undefined && disk.stat(path) !== undefined);
}
