/** Coding agents that sessions can work with: which are installed, and the provider made of one of them. */
import { claude } from '../agents/headless/claude.ts';
import { codex } from '../agents/headless/codex.ts';
import { gemini } from '../agents/headless/gemini.ts';
import { hookEntries } from '../agents/headless/hooks.ts';
import { opencode } from '../agents/headless/opencode.ts';
import type { EnvironmentRow, HeadlessAgent } from '../agents/headless/headless.ts';
import { opencodePlugin, pluginFacts } from '../agents/settings/opencode-plugin.ts';
import { isId } from '../base/ids.ts';
import { join } from '../base/paths.ts';
import { LokiError } from '../errors.ts';
import { createRoom, type Room } from '../host/agent-room.ts';
import { agentProvider, type AgentOptions } from '../runs/agent-provider.ts';
import type { Environment } from '../runs/environment.ts';
import type { Provider } from '../runs/provider.ts';
import { hookFacts, hookGround } from './hooks/ground.ts';
import type { Installation } from './installation.ts';

/** In the order they are looked for. */
const agents: readonly HeadlessAgent[] = [claude, codex, gemini, opencode];

export function agentNamed(name: string): HeadlessAgent | undefined {
  return agents.find((agent) => agent.name === name);
}

/** The first agent on PATH. */
export function installedAgent({ host: { spawn }, surroundings }: Installation): HeadlessAgent | undefined {
  return agents.find(({ program }) => spawn.find(program, surroundings.env['PATH']) !== undefined);
}

/** What is the same for every provider of a session. */
export type SessionParts = Pick<AgentOptions, 'cwd' | 'env' | 'timeoutMs' | 'spawn' | 'model' | 'region' | 'notice' | 'sessionId'>;

/** The agent as the provider of a session. */
export function providerOf(installation: Installation, agent: HeadlessAgent, parts: SessionParts): Provider {
  const { host: { disk }, surroundings } = installation;
  assertNoPlugins(agent, installation);
  // Agents ask through their hooks; the door for programs that ask by themselves is none of theirs.
  const { LOKI_HOOK: _, ...governed } = parts.env;
  const env = { ...networkEnvironment(surroundings.env), ...credentialsFor(agent, surroundings.env), ...governed };
  const facts = hookFacts(hookGround(installation), 'project', {});
  return agentProvider({
    ...parts, agent, env, hooks: hookEntries(agent.name, facts), plugin: opencodePlugin(facts), room: roomOf(installation, parts.sessionId),
    read(path) {
      const bytes = disk.read(path, largestSettings);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
  });
}

/**
 * opencode runs a repository's plugins also where a project's configuration is left out: programs in its own process, which our plugin
 * cannot hold, with the credentials that it was given. Throws `config.untrusted` where there are some.
 */
function assertNoPlugins(agent: HeadlessAgent, installation: Installation): void {
  const { host: { disk }, project } = installation;
  if (agent.name !== 'opencode' || project === undefined) return;
  const inFolders = ['.opencode/plugin', '.opencode/plugins'].flatMap((folder) => disk.list(join(project.dir, folder)).map((name) => `${folder}/${name}`)).filter((name) => !isOwnPlugin(installation, join(project.dir, name)));
  const inSettings = ['opencode.json', 'opencode.jsonc', '.opencode/opencode.json', '.opencode/opencode.jsonc'].filter((name) => Buffer.from(disk.read(join(project.dir, name), largestSettings) ?? []).includes('"plugin"'));
  const found = [...inFolders, ...inSettings];
  if (found.length === 0) return;
  throw new LokiError('config.untrusted', {
    attempted: 'start opencode in this project', found: `the project brings plugins along, which opencode runs whatever it is told: ${found.slice(0, 3).join(', ')}`,
    hint: 'Take them out for the run, or choose another agent with --provider',
  });
}

/** Whether a file is, byte for byte, the plugin that this program writes. */
function isOwnPlugin({ host: { disk, facts } }: Installation, path: string): boolean {
  const text = Buffer.from(disk.read(path, largestSettings) ?? []).toString('utf8');
  const known = pluginFacts(text);
  return known !== undefined && opencodePlugin(known) === text && known.program.join('\0') === facts.loki.join('\0');
}

/** Where a session's agent finds its settings. */
export function roomOf({ home }: Installation, sessionId: string): Room {
  if (!isId('session', sessionId)) throw new LokiError('internal', { attempted: 'find the files of a session', found: `"${sessionId}" is no id of one` });
  return createRoom(join(home.run, sessionId));
}

const largestSettings = 4 << 20;

/** The way out of this machine. A proxy's address may hold a password; the agent cannot work without it. */
const networkVariables: readonly string[] = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

function networkEnvironment(env: Environment): Readonly<Record<string, string>> {
  return picked(env, networkVariables);
}

/** What the agent needs to reach its model: the names of its own table, and no other. */
export function credentialsFor({ environment }: { readonly environment: readonly EnvironmentRow[] }, env: Environment): Readonly<Record<string, string>> {
  return Object.assign({}, ...environment.filter(({ when }) => when === undefined || isOn(env[when])).map(({ names }) => picked(env, names)));
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

function picked(env: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => { const value = env[name]; return value === undefined ? [] : [[name, value]]; }));
}
