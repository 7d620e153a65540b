/**
 * What installing and taking out come to for each agent: texts before and after, file by file. Pure: what stands in the files is
 * handed in, and nothing is written here.
 */
import { LokiError } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import type { AgentName } from '../hook.ts';
import { managedCommands, trustAfter, withManagedHooks, withoutManagedHooks, withTrust } from './codex.ts';
import type { OwnHttp } from './http-hooks.ts';
import { findHooks, withHooks, withoutHooks } from './json-hooks.ts';
import { isOwnPlugin, opencodePlugin } from './opencode-plugin.ts';
import { agentSigns, hookFile, type Scope, type SettingsPlaces } from './places.ts';
import { hookShapes, shapeIn, wantedHooks, type HookFacts, type JsonAgent } from './wanted.ts';

/** One file. Undefined texts: it does not exist. */
export interface TextChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Reads a settings file; undefined when it is missing. Throws when it cannot be read as text. */
export type ReadText = (path: string) => string | undefined;

/** Whose settings, and how far they reach. */
export interface SettingsTarget {
  readonly agent: AgentName;
  readonly scope: Scope;
  readonly places: SettingsPlaces;
  readonly read: ReadText;
}

/** The file that our hooks of this reach stand in. Throws `usage` where the agent has none. */
export function targetFile({ agent, scope, places }: Omit<SettingsTarget, 'read'>): string {
  const path = hookFile(agent, scope, places);
  if (path !== undefined) return path;
  const found = scope === 'project' ? 'no project is at hand' : `${agentSigns[agent].title} has no place for hooks of the whole machine`;
  throw new LokiError('usage', { attempted: `find the ${scope} settings of ${agentSigns[agent].title}`, found, hint: scope === 'project' ? 'Name the project with --project DIR, or choose --scope user' : 'Choose --scope user for each account' });
}

/** Files that change when our hooks are put in; none when all is in place already. */
export function installChanges(target: SettingsTarget, facts: HookFacts): readonly TextChange[] {
  const { agent, scope, read } = target;
  const path = targetFile(target);
  const before = read(path);
  if (agent === 'opencode') return changed([{ path, before, after: pluginInPlaceOf(before, path, facts) }]);
  if (agent === 'codex' && scope === 'managed') {
    const wanted = wantedHooks('codex', facts);
    const standing = before === undefined ? undefined : managedCommands(before, path);
    const isInPlace = before !== undefined && wanted.every(({ event, item }) => JSON.stringify(item).includes(JSON.stringify(standing?.get(event) ?? ''))) && standing?.size === wanted.length;
    return isInPlace ? [] : changed([{ path, before, after: withManagedHooks(before, path, wanted) }]);
  }
  const after = withHooks(before, shapeIn(agent, scope), wantedHooks(agent, facts), path);
  return changed([{ path, before, after }, ...(agent === 'codex' ? [trustChange(target, path, before, after)] : [])]);
}

/** Files that change when our hooks are taken out; none when there are none. */
export function uninstallChanges(target: SettingsTarget): readonly TextChange[] {
  const { agent, scope, read } = target;
  const path = targetFile(target);
  const before = read(path);
  if (before === undefined) return [];
  if (agent === 'opencode') return isOwnPlugin(before) ? [{ path, before, after: undefined }] : [];
  if (agent === 'codex' && scope === 'managed') return changed([{ path, before, after: withoutManagedHooks(before, path) }]);
  const after = withoutHooks(before, shapeIn(agent, scope), path);
  return changed([{ path, before, after }, ...(agent === 'codex' ? [trustChange(target, path, before, after)] : [])]);
}

/** A hook of ours as it stands in a settings file. For OpenCode the plugin is one, without a command line. */
export interface InstalledHook {
  readonly event: string;
  readonly command: string;
  /** It asks over HTTP. */
  readonly http?: OwnHttp;
}

/** Our hooks in the settings of this reach. Throws what reading the file throws. */
export function installedHooks({ agent, scope, places, read }: SettingsTarget): readonly InstalledHook[] {
  const path = hookFile(agent, scope, places);
  const text = path === undefined ? undefined : read(path);
  if (path === undefined || text === undefined || text.trim() === '') return [];
  if (agent === 'opencode') return isOwnPlugin(text) ? [{ event: 'plugin', command: path }] : [];
  if (agent === 'codex' && scope === 'managed') return [...managedCommands(text, path)].map(([event, command]) => ({ event, command }));
  return findHooks(text, hookShapes[jsonAgent(agent)], path).filter(({ isOurs }) => isOurs).map(({ event, command, http }) => ({ event, command, ...(http === undefined ? {} : { http }) }));
}

function jsonAgent(agent: Exclude<AgentName, 'opencode'>): JsonAgent {
  return agent;
}

function trustChange({ places, read }: SettingsTarget, path: string, before: string | undefined, after: string | undefined): TextChange {
  const config = join(places.codexHome, 'config.toml');
  const text = read(config);
  const { wanted, stale } = trustAfter(path, before, after, text);
  const changedText = withTrust(text, config, wanted, stale);
  return { path: config, before: text, after: changedText.trim() === '' && text !== changedText ? undefined : changedText };
}

function pluginInPlaceOf(before: string | undefined, path: string, facts: HookFacts): string {
  if (before === undefined || isOwnPlugin(before)) return opencodePlugin(facts);
  throw new LokiError('conflict', { attempted: `write the plugin "${path}"`, found: 'a file of that name is there, and it is not ours', hint: 'Move it away, then run it again' });
}

function changed(changes: readonly TextChange[]): readonly TextChange[] {
  return changes.filter(({ before, after }) => before !== after);
}
