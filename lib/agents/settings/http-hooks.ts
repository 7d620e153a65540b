/**
 * Claude Code's hooks that ask over HTTP, in its settings. Those for which it waits at each call ask the control plane; the others stay
 * commands. A command starts with an environment of its own, and an HTTP hook goes where the agent's proxy variables send it: what is asked
 * before a prompt and about settings is therefore asked by a command, which denies once a project's settings are not what was enrolled.
 */
import { hookTokenPrefix } from '../../base/hook-token.ts';
import type { JsonObject } from '../../base/json.ts';
import type { EventRow } from '../hook-events.ts';

/** Where they ask, and what they show. */
export interface HttpFacts {
  /** `http://127.0.0.1:57374`. */
  readonly address: string;
  readonly token: string;
}

/** The events that are asked about at each call of a tool. */
export const httpEvents: ReadonlySet<string> = new Set(['PreToolUse', 'PreSkillShellCommand', 'PostToolUse', 'PostToolUseFailure']);

const path = '/hooks/claude';

/** By it the person before the agent can be asked, as by the variable of that name. */
export const entrypointHeader = 'X-Loki-Entrypoint';
const entrypoint = 'CLAUDE_CODE_ENTRYPOINT';

/** The handler for one event. */
export function httpHandler({ event, seconds, guard }: EventRow, { address, token }: HttpFacts): JsonObject {
  return {
    type: 'http', url: `${address}${path}?event=${event}`, headers: { Authorization: `Bearer ${token}`, [entrypointHeader]: `$${entrypoint}` }, allowedEnvVars: [entrypoint], timeout: seconds,
    ...(guard === 'closed' ? { onFailure: 'block' } : {}),
  };
}

/** One of our handlers, read back. */
export interface OwnHttp extends HttpFacts {
  readonly url: string;
}

/** What a handler asks and shows, if it is one of ours, whatever address it asks. */
export function readOwnHttp(handler: JsonObject): OwnHttp | undefined {
  const { type, url, headers } = handler;
  if (type !== 'http' || typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const shown: unknown = Object.entries(Object(headers)).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const token = typeof shown === 'string' ? /^Bearer (\S+)$/.exec(shown)?.[1] : undefined;
  const { origin, pathname } = new URL(url);
  return token?.startsWith(hookTokenPrefix) === true && pathname === path ? { url, address: origin, token } : undefined;
}
