/**
 * What Codex has of its own: hooks that it runs only when their hash stands in its configuration, and hooks for the whole machine in
 * `requirements.toml`. Trust is written for exactly the hooks that a person was shown; a folder is never trusted here.
 */
import { sha256Hex } from '../../base/digest.ts';
import { canonicalJson, type JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import { addPair, appendTables, readToml, removeTables, tomlText, tomlValue } from '../../formats/toml.ts';
import { dirname } from '../../base/paths.ts';
import { isOwnCommand } from './own-command.ts';
import { findHooks, type FoundHook, type WantedHook } from './json-hooks.ts';
import { hookShapes } from './wanted.ts';

/** A hook as Codex's configuration names it, and the hash that says that its owner has seen it. */
export interface CodexTrust {
  readonly key: string;
  readonly hash: string;
}

/** `PreToolUse` -> `pre_tool_use`. */
export function snakeCase(event: string): string {
  return event.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Key and hash of one hook in the file at `path`. */
export function trustOf(path: string, { event, index, place, handler, group }: Pick<FoundHook, 'event' | 'index' | 'place' | 'handler' | 'group'>): CodexTrust {
  const name = snakeCase(event);
  const { matcher } = group;
  const seen: JsonObject = {
    event_name: name, ...(typeof matcher === 'string' ? { matcher } : {}),
    hooks: [{ type: 'command', command: handler['command'] ?? '', timeout: handler['timeout'] ?? 600, async: handler['async'] ?? false, ...(handler['statusMessage'] === undefined ? {} : { statusMessage: handler['statusMessage'] }) }],
  };
  return { key: `${path}:${name}:${index}:${place}`, hash: `sha256:${sha256Hex(canonicalJson(seen))}` };
}

/** What must stand in `config.toml` for our hooks in the file at `path` to run. */
export function wantedTrust(path: string, hooks: string): readonly CodexTrust[] {
  return findHooks(hooks, hookShapes.codex, path).filter(({ isOurs }) => isOurs).map((found) => trustOf(path, found));
}

/**
 * What of `config.toml` follows from a change of the file at `path`: the trust of our hooks, and that of other people's hooks which
 * got another place in their list, and with it another key. Nothing becomes trusted that was not.
 */
export function trustAfter(path: string, before: string | undefined, after: string | undefined, config: string | undefined): { readonly wanted: readonly CodexTrust[]; readonly stale: readonly string[] } {
  const hooksIn = (text: string | undefined): readonly FoundHook[] => (text === undefined ? [] : findHooks(text, hookShapes.codex, path));
  const others = (text: string | undefined): readonly CodexTrust[] => hooksIn(text).filter(({ isOurs }) => !isOurs).map((found) => trustOf(path, found));
  const now = others(after);
  const moved = others(before).flatMap((trust, at) => {
    const next = now[at];
    return next === undefined || next.key === trust.key || trustedHash(config ?? '', path, trust.key) !== trust.hash ? [] : [{ from: trust.key, to: next }];
  });
  return {
    wanted: [...(after === undefined ? [] : wantedTrust(path, after)), ...moved.map(({ to }) => to)],
    stale: [...(before === undefined ? [] : wantedTrust(path, before).map(({ key }) => key)), ...moved.map(({ from }) => from)],
  };
}

/** The hash that the configuration holds for a hook; undefined when there is none. */
export function trustedHash(config: string, file: string, key: string): string | undefined {
  const value = tomlValue(readToml(config, `"${file}"`), ['hooks', 'state', key, 'trusted_hash']);
  return typeof value === 'string' ? value : undefined;
}

/** `config.toml` with the trust of these hooks in place of all there was for `stale` and them. */
export function withTrust(config: string | undefined, file: string, wanted: readonly CodexTrust[], stale: readonly string[]): string {
  const text = config ?? '';
  if (wanted.every(({ key, hash }) => trustedHash(text, file, key) === hash) && stale.every((key) => wanted.some((each) => each.key === key) || trustedHash(text, file, key) === undefined)) return text;
  const keys = new Set([...wanted.map(({ key }) => key), ...stale]);
  const bare = withoutTrust(text, file, keys);
  return wanted.length === 0 ? bare : appendTables(bare, wanted.map(({ key, hash }) => `[hooks.state.${tomlText(key)}]\ntrusted_hash = ${tomlText(hash)}\n`).join('\n'));
}

/** Throws `config.invalid` where the trust is written in another form than tables: what cannot be taken out must not be doubled. */
function withoutTrust(text: string, file: string, keys: ReadonlySet<string>): string {
  const bare = removeTables(text, `"${file}"`, ([first, second, key, ...rest]) => first === 'hooks' && second === 'state' && key !== undefined && rest.length === 0 && keys.has(key));
  const left = readToml(bare, `"${file}"`);
  const inline = left.some((statement) => statement.kind === 'pair' && statement.path[0] === 'hooks' && (statement.path.length === 1 || statement.path[1] === 'state'))
    && [...keys].some((key) => tomlValue(left, ['hooks', 'state', key]) !== undefined || tomlValue(left, ['hooks', 'state']) !== undefined);
  if (!inline) return bare;
  throw new LokiError('config.invalid', { attempted: `change "${file}"`, found: 'hooks.state is written as an inline table or with dotted keys, which this program does not change', hint: 'Write it as tables: [hooks.state."…"], or trust the hooks in Codex with /hooks' });
}

/** `requirements.toml` with our hooks for everybody on this machine. */
export function withManagedHooks(text: string | undefined, file: string, wanted: readonly WantedHook[]): string {
  const bare = withoutManagedHooks(text ?? '', file);
  const tables = wanted.map(({ event, item }) => {
    const handler: JsonObject = Object(Object(item)['hooks'])[0];
    return `[[hooks.${event}]]\n[[hooks.${event}.hooks]]\ntype = "command"\ncommand = ${tomlText(String(handler['command']))}\ntimeout = ${String(handler['timeout'])}\n`;
  }).join('\n');
  return appendTables(withSetting(withSetting(bare, file, ['features', 'hooks'], 'true'), file, ['hooks', 'managed_dir'], tomlText(dirname(file))), tables);
}

/** Without our hooks. What switches hooks on stays: other hooks may need it. */
export function withoutManagedHooks(text: string, file: string): string {
  const statements = readToml(text, `"${file}"`);
  const events = new Set(statements.flatMap((statement) => (statement.kind === 'pair' && statement.path[0] === 'hooks' && statement.path[2] === 'hooks' && statement.path[3] === 'command' && typeof statement.value === 'string' && isOwnCommand(statement.value, 'codex') ? [statement.path[1] ?? ''] : [])));
  if (events.size === 0) return text;
  for (const event of events) {
    const count = statements.filter(({ kind, path }) => kind === 'table' && path.length === 2 && path[0] === 'hooks' && path[1] === event).length;
    if (count > 1) throw new LokiError('config.invalid', { attempted: `change "${file}"`, found: `hooks.${event} holds other hooks beside ours`, hint: `Take [[hooks.${event}]] with "hook codex" out by hand` });
  }
  return removeTables(text, `"${file}"`, ([first, event, below]) => first === 'hooks' && event !== undefined && events.has(event) && (below === undefined || below === 'hooks'));
}

/** Whether our hooks stand in `requirements.toml`, by event. */
export function managedCommands(text: string, file: string): ReadonlyMap<string, string> {
  return new Map(readToml(text, `"${file}"`).flatMap((statement) => (statement.kind === 'pair' && statement.path[0] === 'hooks' && statement.path[3] === 'command' && typeof statement.value === 'string' && isOwnCommand(statement.value, 'codex') ? [[statement.path[1] ?? '', statement.value] as const] : [])));
}

/** A setting that must have this value. Throws `config.invalid` when somebody gave it another. */
function withSetting(text: string, file: string, [table, key]: readonly [string, string], value: string): string {
  const statements = readToml(text, `"${file}"`);
  const now = tomlValue(statements, [table, key]);
  if (now === true || (key === 'managed_dir' && typeof now === 'string')) return text;
  if (now !== undefined) throw new LokiError('config.invalid', { attempted: `put hooks into "${file}"`, found: `${table}.${key} is ${JSON.stringify(now)}`, hint: `Set it to ${value}: as it is, Codex runs none of these hooks` });
  const header = statements.find(({ kind, path }) => kind === 'table' && path.length === 1 && path[0] === table);
  return header === undefined ? appendTables(text, `[${table}]\n${key} = ${value}\n`) : addPair(text, header, `${key} = ${value}`);
}
