/** Which provider a session works with: the one a run that is taken up began with, else the configured one, else the first agent installed, else the script. */
import { LokiError } from '../errors.ts';
import type { Violation } from '../base/action.ts';
import { resolveFrom } from '../base/paths.ts';
import { commandsNamedByProject } from '../config/commands.ts';
import type { ProviderRequest } from '../runs/deps.ts';
import { judgeProvider } from '../policy/residency.ts';
import { commandProvider, scriptedProvider, type CommandOptions } from '../runs/command-provider.ts';
import { agentEnvironment } from '../runs/environment.ts';
import type { Provider } from '../runs/provider.ts';
import { trustState } from './enrol.ts';
import { agentNamed, installedAgent, providerOf } from './agents.ts';
import { gateSettings } from './hook-environment.ts';
import { requireProject, type Installation } from './installation.ts';
import { packageFile } from './package-file.ts';
import { residencyOf } from './residency.ts';

/** A provider call that takes longer is ended. */
const providerTimeoutMs = 60 * 60_000;

/** Makes the provider of a session. `script`: what the scripted provider plays, from the working directory. `refuse` hears what residency has against it. */
export function makeProvider(installation: Installation, script: string | undefined, request: ProviderRequest, refuse: (provider: string, found: readonly Violation[]) => never): Provider {
  const chosen = installation.config.runs.provider;
  const name = request.began?.name ?? chosen?.name ?? usualProvider(installation, script);
  const refused = judgeProvider(residencyOf(installation), { provider: name, ...calledBy(installation, name) });
  if (refused.length > 0) refuse(name, refused);
  if (name === 'scripted') return scripted(installation, script, request);
  if (name === 'command') return command(installation, chosen?.name === 'command' ? chosen.command : undefined, request);
  const agent = agentNamed(name);
  if (agent === undefined) throw new LokiError('provider.missing', { attempted: `use the provider "${name}"`, found: 'this version does not know it', hint: 'Run any agent with the provider "command"; it asks the gate through loki hook generic' });
  const notice = chosen === undefined && request.began === null ? `No provider is configured: ${agent.title} works, the first agent that is installed. Choose with --provider or runs.provider` : undefined;
  return providerOf(installation, agent, { ...common(installation, request, name), sessionId: request.sessionId, ...(notice === undefined ? {} : { notice }) });
}

/** The provider where none is configured. Who names a script wants it played. */
function usualProvider(installation: Installation, script: string | undefined): string {
  return script === undefined ? installedAgent(installation)?.name ?? 'scripted' : 'scripted';
}

/** The script that is played where nobody names one. */
export function walkThrough(): string {
  return packageFile('fixtures/scripted/walk-through.json');
}

function scripted(installation: Installation, script: string | undefined, request: ProviderRequest): Provider {
  const { host, surroundings } = installation;
  const kept = request.began?.kept['script'];
  const path = typeof kept === 'string' ? kept
    : script === undefined ? walkThrough() : resolveFrom(surroundings.cwd, script);
  return scriptedProvider({ ...common(installation, request, 'scripted'), player: [...host.facts.loki, 'play'], script: path });
}

function command(installation: Installation, line: string | undefined, request: ProviderRequest): Provider {
  if (line === undefined) throw new LokiError('config.invalid', { attempted: 'use the provider "command"', found: 'no command is named', hint: 'Set runs.provider: {name: command, command: "node agent.mjs"}' });
  if (!isTrusted(installation)(line)) throw new LokiError('config.untrusted', { attempted: 'start the provider that this project names', found: `nobody has confirmed the command: ${line}` });
  return commandProvider({ ...common(installation, request, 'command'), name: 'command', argv: ['/bin/sh', '-c', line] });
}

function common(installation: Installation, { sessionId, runId }: ProviderRequest, name: string): Pick<CommandOptions, 'cwd' | 'env' | 'timeoutMs' | 'spawn' | 'sessionId' | 'model' | 'region'> {
  const { host, home, surroundings } = installation;
  const { project } = requireProject(installation);
  const hook = [...host.facts.loki, 'hook', 'generic', '--project', project.dir];
  const env = agentEnvironment(surroundings.env, { home: home.home, hook, sessionId, runId, projectDir: project.dir });
  return { cwd: project.dir, timeoutMs: providerTimeoutMs, sessionId, spawn: host.spawn, ...calledBy(installation, name), env: { ...env, ...gateSettings(installation), LOKI_PROVIDER: name } };
}

/** What the configuration says that a provider calls. A project's own word for the region is no assurance to anybody, and does not count. */
function calledBy({ config }: Installation, name: string): { readonly model?: string; readonly region?: string } {
  const chosen = config.runs.provider;
  if (chosen?.name !== name) return {};
  const { model, region } = chosen;
  const isOurs = config.origin('runs.provider').layer !== 'project';
  return { ...(model === undefined ? {} : { model }), ...(region === undefined || !isOurs ? {} : { region }) };
}

/** Commands of the project's own file need a person's confirmation; those of a user or an organisation do not. */
export function isTrusted(installation: Installation): (command: string) => boolean {
  const { confirmed } = trustState(installation);
  const named = new Set(commandsNamedByProject(installation.config).map(({ command: line }) => line));
  return (line) => confirmed || !named.has(line);
}
