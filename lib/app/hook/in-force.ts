/** Whether Claude Code, with its settings as they stand now on the disk, would still ask us about everything that decides. */
import { messageOf } from '../../errors.ts';
import { hookEvents } from '../../agents/hook-events.ts';
import { doubtfulMember } from '../../agents/settings/claude-shape.ts';
import { findHooks, type FoundHook } from '../../agents/settings/json-hooks.ts';
import { readOwnCommand } from '../../agents/settings/own-command.ts';
import { hookFile, scopes } from '../../agents/settings/places.ts';
import { hookShapes } from '../../agents/settings/wanted.ts';
import { objectIn } from '../../base/json.ts';
import { hookGround, settingsReader } from '../hooks/ground.ts';
import type { Installation } from '../installation.ts';

/** Why no settings file holds all our hooks any more, in a form that Claude takes; undefined when one does. `changed`: a file that may be one of them. */
export function hooksLost(installation: Installation, changed: string | undefined): string | undefined {
  const { places } = hookGround(installation);
  const files = [...new Set([changed, ...scopes.map((scope) => hookFile('claude', scope, places))])].filter((path) => path !== undefined);
  const problems = files.map((path) => problemOf(installation, path));
  if (problems.includes(undefined)) return undefined;
  return problems.find((problem) => problem !== '') ?? 'no settings file holds the hooks of loki any more';
}

/** What is wrong with a file's hooks; nothing is said of one that has none of ours. */
function problemOf(installation: Installation, path: string): string | undefined {
  try {
    const text = settingsReader(installation)(path);
    const settings = text === undefined ? undefined : objectIn(text);
    const ours = text === undefined || settings === undefined ? [] : findHooks(text, hookShapes.claude, path).filter(({ isOurs }) => isOurs);
    if (settings === undefined || ours.length === 0) return '';
    const missing = hookEvents.claude.find(({ event, guard }) => guard === 'closed' && !ours.some((hook) => hook.event === event && asks(installation, hook)));
    if (missing !== undefined) return `${path} does not ask about every ${missing.event} any more`;
    const member = doubtfulMember(settings);
    return member === undefined ? undefined : `Claude Code may leave out all of ${path} for its ${JSON.stringify(member.slice(0, 64))}, hooks too`;
  } catch (error) {
    return `${path} cannot be read (${messageOf(error)})`;
  }
}

/** Whether a hook is asked always, and starts this program as we write it, or asks the control plane of this machine. */
function asks({ host: { facts }, home }: Installation, { group, handler, command, http }: FoundHook): boolean {
  if (![undefined, '', '*', '.*'].some((every) => every === group['matcher']) || handler['onFailure'] !== 'block') return false;
  // Over HTTP only enrolled projects ask, whose settings are pinned: where it leads was compared before.
  if (http !== undefined) return isLoopback(new URL(http.url).hostname);
  const own = readOwnCommand(command, 'claude');
  return handler['type'] === 'command' && own?.isAsWritten === true && own.guard === 'closed' && own.program.join('\0') === facts.loki.join('\0') && (own.env['LOKI_HOME'] ?? home.home) === home.home;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
