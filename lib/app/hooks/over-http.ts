/**
 * Hooks over HTTP for Claude Code: whether they can be relied on here, what they show, and what of it is kept. Only an agent that takes every
 * failure of such a hook for a no may have them: otherwise ending the control plane would be a yes to everything.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { AgentName } from '../../agents/hook.ts';
import { installedHooks } from '../../agents/settings/changes.ts';
import { clientTable, isOlder } from '../../agents/settings/client-versions.ts';
import type { HttpFacts } from '../../agents/settings/http-hooks.ts';
import { agentSigns, type Scope } from '../../agents/settings/places.ts';
import { hookToken, hookTokenHash } from '../../base/hook-token.ts';
import { isPlainObject, type JsonValue } from '../../base/json.ts';
import { readEnrolment } from '../../gate/enrolment.ts';
import { httpGet } from '../../host/http-client.ts';
import { approvalModes } from '../hook/answer.ts';
import { readHookKey, sameKey, type HookKey } from '../hook/tokens.ts';
import { runningAddress } from '../control-plane-address.ts';
import type { Installation } from '../installation.ts';
import { clientOf } from './client.ts';
import { targetOf, type HookChoices, type HookGround } from './ground.ts';

/** What hooks over HTTP are installed with. */
export interface HttpPlan {
  readonly facts: HttpFacts;
  readonly projectId: string;
  readonly key: HookKey;
}

const attempted = 'install hooks over HTTP';
/** A control plane that lives answers this at once. */
const patienceMs = 2000;

/** Throws where they could not be relied on, and says why. */
export async function planHttp(ground: HookGround, scope: Scope, named: readonly AgentName[], choices: HookChoices): Promise<HttpPlan> {
  const { installation, project } = ground;
  const other = named.find((agent) => agent !== 'claude');
  if (other !== undefined) throw refused(`${agentSigns[other].title} ${other === 'copilot' ? 'lets the tool run when its HTTP hook fails, and asks https addresses only' : 'has none'}`, 'Leave --http out: its hooks then start a command');
  if (named.length === 0) throw refused('only Claude Code has them, and no agent was named', 'Run: loki hooks install claude --http');
  if (scope !== 'project' || project === undefined) throw refused(`their token is for one project, and the settings of the scope "${scope}" are for all`, 'Choose --scope project, or leave --http out');
  if (readEnrolment(installation.host.disk, installation.home.home, installation.home.project(project.id)) === undefined) throw refused('the project is not enrolled, so that its settings could lead them elsewhere unseen', 'Run: loki init');
  await assertVersion(installation);
  const through = proxyOf(installation.surroundings.env);
  if (through !== undefined) throw refused(`${through} is set, and Claude Code would send them to that proxy`, 'Add 127.0.0.1 to NO_PROXY, for Claude Code too');
  const address = await addressOf(installation);
  const approval = approvalModes.find((mode) => mode === choices.approval) ?? 'auto';
  const kept = (sha256: string): HookKey => ({ sha256, project: project.dir, approval, ...(choices.waitMs === undefined ? {} : { waitMs: choices.waitMs }) });
  const token = tokenInPlace(ground, project.id, kept) ?? hookToken(project.id, installation.host.random.bytes(32));
  return { facts: { address, token }, projectId: project.id, key: kept(hookTokenHash(token)) };
}

function refused(found: string, hint: string): LokiError {
  return new LokiError('usage', { attempted, found, hint });
}

/** The version from which Claude Code refuses what such a hook cannot answer. */
export const leastForHttp: string = clientTable.claude.better?.[0] ?? '';

async function assertVersion(installation: Installation): Promise<void> {
  const client = await clientOf(installation, 'claude');
  const update = `Install Claude Code ${leastForHttp} or newer, or leave --http out`;
  if (client === undefined) throw refused('no claude is on the PATH, so that its version cannot be told', update);
  if (client.version === undefined) throw refused(`the version of ${client.program} cannot be told`, update);
  if (isOlder(client.version, leastForHttp)) throw refused(`Claude Code ${client.version} lets a tool run when an HTTP hook fails`, update);
}

async function addressOf(installation: Installation): Promise<string> {
  const { address, problem } = await controlPlaneNow(installation);
  if (problem !== undefined) throw new LokiError('net.unreachable', { attempted, found: problem, hint: 'Start it with: loki dashboard' });
  return address ?? '';
}

/** The control plane as hooks would find it. */
export interface ControlPlaneNow {
  /** Where hooks ask. */
  readonly address?: string;
  /** Why they could not. */
  readonly problem?: string;
}

export async function controlPlaneNow(installation: Installation): Promise<ControlPlaneNow> {
  const written = runningAddress(installation);
  const address = written === undefined ? undefined : loopbackOf(written);
  if (written === undefined) return { problem: 'the control plane does not run' };
  if (written.startsWith('https:')) return { problem: `the control plane at ${written} speaks TLS only, and hooks ask an address of this machine, which no certificate is for` };
  if (address === undefined) return { problem: `the control plane listens on ${written}, and hooks ask addresses of this machine only` };
  try {
    const { status } = await httpGet(`${address}/health`, patienceMs);
    return status === 200 ? { address } : { address, problem: `the control plane at ${address} is not ready (status ${status})` };
  } catch (error) {
    return { address, problem: `the control plane does not answer at ${address} (${messageOf(error)})` };
  }
}

/** The address by numbers: a name could be led elsewhere. */
function loopbackOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  if (hostname === 'localhost' || hostname === '0.0.0.0') return `http://127.0.0.1:${port || '80'}`;
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || hostname === '[::1]' ? `http://${hostname}:${port || '80'}` : undefined;
}

/** The token that stands in the settings, as long as it counts for just what is wanted. */
function tokenInPlace(ground: HookGround, projectId: string, wanted: (sha256: string) => HookKey): string | undefined {
  const token = installedHooks(targetOf(ground, 'claude', 'project')).find(({ http }) => http !== undefined)?.http?.token;
  const key = token === undefined ? undefined : readHookKey(ground.installation, projectId);
  return token !== undefined && key !== undefined && sameKey(key, wanted(hookTokenHash(token))) ? token : undefined;
}

const proxies = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** The variable that leads requests of this machine's own address to a proxy; undefined when none does. */
export function proxyOf(env: Readonly<Record<string, JsonValue | undefined>>): string | undefined {
  const spared = [env['NO_PROXY'], env['no_proxy']].flatMap((list) => (typeof list === 'string' ? list.split(/[\s,]+/) : []));
  if (spared.includes('127.0.0.1') || spared.includes('*')) return undefined;
  return proxies.find((name) => typeof env[name] === 'string' && env[name] !== '');
}

/** The patterns that Claude Code sends HTTP hooks to, where a settings file has a list of them. */
export function allowedUrls(members: Readonly<Record<string, JsonValue>>): readonly string[] | undefined {
  const list = members['allowedHttpHookUrls'];
  return Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : isPlainObject(list) ? [] : undefined;
}
