/** Where each agent keeps the settings that name hooks, by how far they reach. Paths only; nothing here looks at the disk. */
import { join } from '../../base/paths.ts';
import type { AgentName } from '../hook.ts';

/** `project`: one project, on this machine. `user`: all projects of an account. `managed`: everybody on the machine; written by root. */
export type Scope = 'project' | 'user' | 'managed';

export const scopes: readonly Scope[] = ['project', 'user', 'managed'];

/** The folders that paths are below. Absolute. */
export interface SettingsPlaces {
  readonly project: string | undefined;
  readonly home: string;
  /** `CLAUDE_CONFIG_DIR`, or `~/.claude`. */
  readonly claudeHome: string;
  /** `CODEX_HOME`, or `~/.codex`. */
  readonly codexHome: string;
  /** `XDG_CONFIG_HOME`, or `~/.config`. */
  readonly configHome: string;
  /** What stands before `/etc`: nothing, but in tests. */
  readonly machine: string;
  readonly platform: string;
}

/** The file that our hooks go into. Undefined where the agent has none of this reach, or no project is at hand. */
export function hookFile(agent: AgentName, scope: Scope, places: SettingsPlaces): string | undefined {
  if (scope === 'managed') return managedFile(agent, places);
  if (scope === 'user') return userFile(agent, places);
  return places.project === undefined ? undefined : join(places.project, projectFiles[agent]);
}

/** Below the project. Claude's local file, since the paths in it are this machine's. */
const projectFiles: Readonly<Record<AgentName, string>> = {
  claude: '.claude/settings.local.json', codex: '.codex/hooks.json', gemini: '.gemini/settings.json', cursor: '.cursor/hooks.json', copilot: '.github/hooks/loki.json', opencode: '.opencode/plugin/loki.js',
};

function userFile(agent: AgentName, { home, claudeHome, codexHome, configHome }: SettingsPlaces): string {
  switch (agent) {
    case 'claude': return join(claudeHome, 'settings.json');
    case 'codex': return join(codexHome, 'hooks.json');
    case 'gemini': return join(home, '.gemini/settings.json');
    case 'cursor': return join(home, '.cursor/hooks.json');
    case 'copilot': return join(home, '.copilot/hooks/loki.json');
    case 'opencode': return join(configHome, 'opencode/plugin/loki.js');
  }
}

function managedFile(agent: AgentName, { machine, platform }: SettingsPlaces): string | undefined {
  const support = platform === 'darwin' ? '/Library/Application Support' : undefined;
  switch (agent) {
    case 'claude': return `${machine}${support === undefined ? '/etc/claude-code' : `${support}/ClaudeCode`}/managed-settings.json`;
    case 'codex': return `${machine}/etc/codex/requirements.toml`;
    case 'gemini': return `${machine}${support === undefined ? '/etc/gemini-cli' : `${support}/GeminiCli`}/settings.json`;
    case 'cursor': return `${machine}${support === undefined ? '/etc/cursor' : `${support}/Cursor`}/hooks.json`;
    case 'copilot': return `${machine}/etc/github-copilot/policy.d/loki.json`;
    case 'opencode': return undefined;
  }
}

/** Agents that read JSON with comments. What the others do with it nobody has promised; Claude Code drops the whole file. */
export const readsComments: readonly AgentName[] = ['gemini', 'opencode'];

/** Said of a file that the others may not read. */
export function notJson(path: string): string {
  return `${path} holds comments or trailing commas, which are not JSON`;
}

/** Every file that the agent takes settings from which bear on hooks, ours or not, the ones that win last. */
export function settingsFiles(agent: AgentName, places: SettingsPlaces): readonly string[] {
  const { project, home, codexHome, configHome } = places;
  const inProject = (...names: readonly string[]): readonly string[] => (project === undefined ? [] : names.map((name) => join(project, name)));
  const own = scopes.map((scope) => hookFile(agent, scope, places)).filter((path) => path !== undefined);
  const more: Readonly<Record<AgentName, readonly string[]>> = {
    claude: inProject('.claude/settings.json'),
    codex: [join(codexHome, 'config.toml'), ...inProject('.codex/config.toml')],
    gemini: [join(home, '.gemini/trustedFolders.json')],
    cursor: [],
    copilot: [join(home, '.copilot/settings.json'), join(home, '.copilot/config.json'), ...inProject('.github/copilot/settings.json', '.github/copilot/settings.local.json')],
    opencode: [join(configHome, 'opencode/opencode.json'), ...inProject('opencode.json', 'opencode.jsonc', '.opencode/opencode.json')],
  };
  return [...new Set([...own, ...more[agent]])];
}

/** How an agent is known: its name, its program, and the folders it leaves in a project and at home. */
export interface AgentSigns {
  readonly title: string;
  readonly programs: readonly string[];
  readonly inProject: readonly string[];
  readonly atHome: readonly string[];
}

export const agentSigns: Readonly<Record<AgentName, AgentSigns>> = {
  claude: { title: 'Claude Code', programs: ['claude'], inProject: ['.claude'], atHome: ['.claude'] },
  codex: { title: 'Codex', programs: ['codex'], inProject: ['.codex'], atHome: ['.codex'] },
  gemini: { title: 'Gemini CLI', programs: ['gemini'], inProject: ['.gemini'], atHome: ['.gemini'] },
  cursor: { title: 'Cursor', programs: ['cursor', 'cursor-agent'], inProject: ['.cursor'], atHome: ['.cursor'] },
  copilot: { title: 'Copilot CLI', programs: ['copilot'], inProject: ['.github/hooks'], atHome: ['.copilot'] },
  opencode: { title: 'OpenCode', programs: ['opencode'], inProject: ['.opencode'], atHome: ['.config/opencode', '.opencode'] },
};

export const agentNames: readonly AgentName[] = ['claude', 'codex', 'gemini', 'cursor', 'copilot', 'opencode'];
