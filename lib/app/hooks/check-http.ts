/** Checks of hooks that ask over HTTP: that somebody answers them, knows their token, and that nothing leads them elsewhere. */
import { isPlainObject } from '../../base/json.ts';
import { hookTokenHash, projectOfHookToken } from '../../base/hook-token.ts';
import { keyOfToken, readHookKey } from '../hook/tokens.ts';
import { fail, ok, warn, type Outcome } from '../doctor/check.ts';
import { repairOf } from './check-commands.ts';
import { allowedUrls, proxyOf } from './over-http.ts';
import type { AgentScene } from './scene.ts';

export function httpCheck(scene: AgentScene): Outcome | undefined {
  const { agent, installed, controlPlane } = scene;
  const place = installed.find(({ hooks }) => hooks.some(({ http }) => http !== undefined));
  if (place === undefined || controlPlane === undefined) return undefined;
  const hooks = place.hooks.flatMap(({ http }) => http ?? []);
  const { address, problem } = controlPlane;
  if (problem !== undefined) return fail(`${problem}: every call is refused`, 'loki dashboard');
  const elsewhere = hooks.find((hook) => hook.address !== address);
  if (elsewhere !== undefined) return fail(`the hooks ask ${elsewhere.address}, and the control plane listens on ${address ?? ''}`, repairOf(agent, place));
  return tokenOutcome(scene, hooks.map(({ token }) => token), repairOf(agent, place)) ?? wayOutcome(scene, hooks.map(({ url }) => url)) ?? ok(`they ask ${address ?? ''}, which answers`);
}

function tokenOutcome({ ground: { installation, project } }: AgentScene, tokens: readonly string[], repair: string): Outcome | undefined {
  const unknown = tokens.find((token) => keyOfToken(installation, token) === undefined);
  if (unknown !== undefined) {
    const id = projectOfHookToken(unknown);
    const isOld = id !== undefined && readHookKey(installation, id)?.sha256 !== hookTokenHash(unknown);
    return fail(`the control plane does not know the token of the hooks${isOld ? ': it was taken back, or another was given out since' : ''}; every call is refused`, repair);
  }
  return tokens.every((token) => projectOfHookToken(token) === project?.id) ? undefined : fail('the token of the hooks is another project\'s: calls are judged for that one', repair);
}

/** What Claude Code does before a hook is sent: it may keep it, or send it to a proxy, which could answer in our place. */
function wayOutcome({ files, ground: { installation: { surroundings: { env } } } }: AgentScene, urls: readonly string[]): Outcome | undefined {
  for (const { path, members } of files) {
    const patterns = allowedUrls(members);
    const kept = patterns === undefined ? undefined : urls.find((url) => !patterns.some((pattern) => fits(url, pattern)));
    if (kept !== undefined) return fail(`allowedHttpHookUrls in ${path} lets Claude Code ask no such address`, `Add "${new URL(kept).origin}/*" to allowedHttpHookUrls in ${path}`);
    const through = isPlainObject(members['env']) ? proxyOf(members['env']) : undefined;
    if (through !== undefined) return fail(`${path} sets ${through}: the hooks go to that proxy, which can answer in our place`, `Add 127.0.0.1 to NO_PROXY in "env" in ${path}`);
  }
  const through = proxyOf(env);
  return through === undefined ? undefined : warn(`${through} is set here: an agent started from this shell sends its hooks to that proxy, which can answer in our place`, 'Add 127.0.0.1 to NO_PROXY');
}

function fits(url: string, pattern: string): boolean {
  return new RegExp(`^${pattern.split('*').map((part) => part.replaceAll(/[.?+^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(url);
}
