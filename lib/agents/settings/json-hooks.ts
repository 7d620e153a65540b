/**
 * Hooks in an agent's JSON settings: found, put in, taken out. Two shapes are in use: an event holds handlers (Cursor, Copilot), or
 * groups that hold handlers (Claude, Codex, Gemini). Everything that is not ours stays as it is, to the byte.
 */
import { LokiError } from '../../errors.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { addItem, addMember, removeAt, replaceValue } from '../../formats/jsonc/edit.ts';
import { nodeAt, parseJsonc, valueOf, type JsonNode } from '../../formats/jsonc/parse.ts';
import type { AgentName } from '../hook.ts';
import { readOwnHttp, type OwnHttp } from './http-hooks.ts';
import { isOwnCommand } from './own-command.ts';

/** How an agent writes hooks down. */
export interface HookShape {
  readonly agent: AgentName;
  readonly isGrouped: boolean;
  /** The member of a handler that holds the command line. */
  readonly commandMember: string;
  /** What a new file holds beside `hooks`. */
  readonly scaffold: JsonObject;
}

/** A handler in the settings, ours or not. */
export interface FoundHook {
  readonly event: string;
  /** Place in the event's list, and within the group. */
  readonly index: number;
  readonly place: number;
  readonly handler: JsonObject;
  /** The group around it; the handler itself where there are no groups. */
  readonly group: JsonObject;
  /** The command line; of a hook over HTTP, its URL. */
  readonly command: string;
  readonly isOurs: boolean;
  /** One of ours that asks over HTTP. */
  readonly http?: OwnHttp;
}

/** What is to stand under an event: the whole item of its list. */
export interface WantedHook {
  readonly event: string;
  readonly item: JsonObject;
}

/** Every handler with a command, and those of ours that ask over HTTP. Throws `json.invalid` for what is no JSON. What has another shape is passed over: see `shapeProblems`. */
export function findHooks(text: string, shape: HookShape, file: string): readonly FoundHook[] {
  const hooks = nodeAt(parseJsonc(text, `"${file}"`).root, ['hooks']);
  if (hooks?.kind !== 'object') return [];
  return hooks.items.flatMap(({ name: event, value }) => (value.kind === 'array' ? value.items.flatMap((item, index) => handlersIn(item, shape).map(({ handler, group, command, place }) => ({
    event, index, place, handler, group, command, ...ownership(handler, command, shape.agent),
  }))) : []));
}

function ownership(handler: JsonObject, command: string, agent: AgentName): Pick<FoundHook, 'isOurs' | 'http'> {
  const http = agent === 'claude' ? readOwnHttp(handler) : undefined;
  return http === undefined ? { isOurs: isOwnCommand(command, agent) } : { isOurs: true, http };
}

type Handler = Pick<FoundHook, 'handler' | 'group' | 'command' | 'place'>;

function handlersIn(item: JsonNode, { isGrouped, commandMember }: HookShape): readonly Handler[] {
  const group = objectOf(valueOf(item));
  if (group === undefined) return [];
  const handlers: readonly (JsonObject | undefined)[] = isGrouped ? listOf(group['hooks']).map(objectOf) : [group];
  return handlers.flatMap((handler, place) => {
    const command = handler?.[commandMember] ?? handler?.['command'] ?? handler?.['url'];
    return handler === undefined || typeof command !== 'string' ? [] : [{ handler, group, command, place }];
  });
}

/** The text with exactly these hooks of ours. Throws `config.invalid` where `hooks` has a shape that nothing can be put into. */
export function withHooks(text: string | undefined, shape: HookShape, wanted: readonly WantedHook[], file: string): string {
  const events = new Set(wanted.map(({ event }) => event));
  let now = text === undefined || text.trim() === '' ? `${JSON.stringify(shape.scaffold, null, 2)}\n` : text;
  assertShape(now, shape, file);
  for (const [name, value] of Object.entries(shape.scaffold)) now = withMember(now, name, value, file);
  now = withoutOurs(now, shape, file, ({ event }) => !events.has(event));
  for (const { event, item } of wanted) now = withOne(now, shape, event, item, file);
  return now;
}

function withMember(text: string, name: string, value: JsonValue, file: string): string {
  return nodeAt(parseJsonc(text, `"${file}"`).root, [name]) === undefined ? addMember(text, [], name, value) : text;
}

/** Ours of an event in its first place, and nowhere else. */
function withOne(before: string, shape: HookShape, event: string, item: JsonObject, file: string): string {
  const text = withMember(before, 'hooks', {}, file);
  const first = findHooks(text, shape, file).find((found) => found.event === event && found.isOurs);
  if (first === undefined) {
    const list = nodeAt(parseJsonc(text, `"${file}"`).root, ['hooks', event]);
    return list === undefined ? addMember(text, ['hooks'], event, [item]) : addItem(text, ['hooks', event], item);
  }
  const alone = !shape.isGrouped || listOf(first.group['hooks']).length === 1;
  const handler = shape.isGrouped ? listOf(item['hooks'])[0] ?? null : item;
  const [path, value]: readonly [readonly (string | number)[], JsonValue] = alone ? [['hooks', event, first.index], item] : [['hooks', event, first.index, 'hooks', first.place], handler];
  const same = canonicalJson(alone ? first.group : first.handler) === canonicalJson(value);
  return withoutOurs(same ? text : replaceValue(text, path, value), shape, file, (found) => found.event === event && !(found.index === first.index && found.place === first.place));
}

/** The text without our hooks; undefined when nothing but what a new file has would be left. */
export function withoutHooks(text: string, shape: HookShape, file: string): string | undefined {
  if (!findHooks(text, shape, file).some(({ isOurs }) => isOurs)) return text;
  const left = withoutOurs(text, shape, file, () => true);
  const root = objectOf(valueOf(parseJsonc(left, `"${file}"`).root)) ?? {};
  const isScaffold = canonicalJson(root) === canonicalJson(shape.scaffold);
  return isScaffold && !/\/[/*]/.test(left) ? undefined : left;
}

/** Takes ours out, and the lists and objects that are left empty by it. */
function withoutOurs(text: string, shape: HookShape, file: string, which: (found: FoundHook) => boolean): string {
  let now = text;
  for (;;) {
    // From the end, so that the places before stay what they are.
    const found = findHooks(now, shape, file).findLast((each) => each.isOurs && which(each));
    if (found === undefined) return now;
    const inGroup = shape.isGrouped && listOf(found.group['hooks']).length > 1;
    now = removeAt(now, inGroup ? ['hooks', found.event, found.index, 'hooks', found.place] : ['hooks', found.event, found.index]);
    now = withoutEmpty(withoutEmpty(now, ['hooks', found.event], file), ['hooks'], file);
  }
}

function withoutEmpty(text: string, path: readonly string[], file: string): string {
  const node = nodeAt(parseJsonc(text, `"${file}"`).root, path);
  return node !== undefined && node.kind !== 'scalar' && node.items.length === 0 && text.slice(node.from + 1, node.to - 1).trim() === '' ? removeAt(text, path) : text;
}

function assertShape(text: string, shape: HookShape, file: string): void {
  const { root } = parseJsonc(text, `"${file}"`);
  const [problem] = shapeProblems(valueOf(root), shape).filter(({ stops }) => stops);
  if (problem !== undefined) throw new LokiError('config.invalid', { attempted: `put hooks into "${file}"`, found: problem.message, hint: 'Correct the file, then run it again' });
}

/** A place where the settings are not what the agent reads. */
export interface ShapeProblem {
  readonly message: string;
  /** Nothing can be put in beside it. */
  readonly stops: boolean;
}

const handlerTypes: readonly string[] = ['command', 'http', 'mcp_tool', 'prompt', 'agent'];

/** What of `hooks` an agent does not understand. Claude and Codex then leave out every hook of the file, without a word. */
export function shapeProblems(root: JsonValue, shape: HookShape): readonly ShapeProblem[] {
  const settings = objectOf(root);
  if (settings === undefined) return [{ message: 'it holds no object', stops: true }];
  const hooks = settings['hooks'];
  if (hooks === undefined) return [];
  const events = objectOf(hooks);
  if (events === undefined) return [{ message: '"hooks" is no object', stops: true }];
  return Object.entries(events).flatMap(([event, list]) => (Array.isArray(list) ? listOf(list).flatMap((item, at) => itemProblems(item, shape, `hooks.${event}[${at}]`)) : [{ message: `hooks.${event} is no list`, stops: true }]));
}

function itemProblems(item: JsonValue, { isGrouped }: HookShape, where: string): readonly ShapeProblem[] {
  const told = (message: string): ShapeProblem => ({ message: `${where} ${message}`, stops: false });
  const group = objectOf(item);
  if (group === undefined) return [told('is no object')];
  if (!isGrouped) return [];
  if (!Array.isArray(group['hooks'])) return [told('has no list "hooks"')];
  if (group['matcher'] !== undefined && typeof group['matcher'] !== 'string') return [told('has a matcher that is no text')];
  return listOf(group['hooks']).flatMap((each) => {
    const handler = objectOf(each);
    if (handler === undefined) return [told('holds a hook that is no object')];
    const { type, command, timeout, onFailure } = handler;
    if (typeof type !== 'string' || !handlerTypes.includes(type)) return [told(`holds a hook of the unknown type ${JSON.stringify(type ?? null)}`)];
    if (type === 'command' && typeof command !== 'string') return [told('holds a hook without a command')];
    if (type === 'http' && (typeof handler['url'] !== 'string' || !URL.canParse(handler['url']))) return [told('holds a hook without an address')];
    if (timeout !== undefined && typeof timeout !== 'number') return [told('holds a hook whose timeout is no number')];
    return onFailure === undefined || onFailure === 'block' || onFailure === 'continue' ? [] : [told(`holds a hook whose onFailure is ${JSON.stringify(onFailure)}`)];
  });
}

function objectOf(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !isList(value) ? value : undefined;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isList(value) ? value : [];
}
