/**
 * Calls of tools as canonical actions: the shapes that tools of all agents share, and what is made of a tool that nobody knows. Such a
 * tool is judged by what its input says, as the strictest thing that it could be; nothing passes for want of a name.
 */
import type { Action } from '../base/action.ts';
import type { JsonValue } from '../base/json.ts';
import { isAbsolute, resolveFrom } from '../base/paths.ts';
import type { ToolOutput } from './hook.ts';
import { invalid, Payload } from './payload.ts';
import { patchChanges } from './patch.ts';

/** One call before it is an action. */
export interface Call {
  readonly tool: string;
  readonly input: Payload;
  /** Where relative paths start. */
  readonly cwd: string | undefined;
}

/** Makes the action of one tool. */
export type ToolReader = (call: Call) => Action;

/** An agent's tools by their names. */
export type ToolTable = Readonly<Record<string, ToolReader>>;

/** The action of a call by the table; `name` is the tool's there, where it is not as the call has it. */
export function actionBy(tools: ToolTable, call: Call, name: string = call.tool): Action {
  const reader = Object.hasOwn(tools, name) ? tools[name] : undefined;
  return (reader ?? unknownTool)(call);
}

/** A command line. `cwdName`: the member with the directory it runs in. */
export function command(name: string, cwdName?: string): ToolReader {
  return ({ tool, input, cwd }) => {
    const line = input.text(name);
    if (line.includes('\0')) throw invalid(`"${name}" holds a NUL character`);
    const given = cwdName === undefined ? undefined : input.maybeName(cwdName);
    const at = given === undefined || isAbsolute(given) ? given ?? cwd : resolveFrom(cwd ?? '/', given);
    return { kind: 'exec', tool, command: line, ...(at === undefined ? {} : { cwd: at }) };
  };
}

/** A file that is written. `contents`: the members whose texts come into it. */
export function write(pathName: string, ...contents: readonly string[]): ToolReader {
  return (call) => ({ ...at(call, 'fs.write', call.input.name(pathName)), content: contents.map((name) => call.input.maybe(name) ?? '').join('\n') });
}

/** A file or folder that is read; the working directory where none is named and that is allowed. */
export function read(pathName: string, fallback?: 'cwd'): ToolReader {
  return (call) => at(call, 'fs.read', fallback === undefined ? call.input.name(pathName) : call.input.maybeName(pathName) ?? call.cwd ?? '.');
}

/** Files below a folder that are looked for or through; `patternName`: the member that says which, seen from the folder. */
export function search(pathName: string, patternName: string): ToolReader {
  return (call) => {
    const folder = read(pathName, 'cwd')(call);
    const pattern = call.input.maybeName(patternName);
    return pattern === undefined ? folder : together(call.tool, [folder, at(call, 'fs.read', resolveFrom(resolveFrom(call.cwd ?? '/', folder.file_path ?? '.'), pattern))]);
  };
}

/** Files that are read, by several members with one path or several. */
export function readAll(...names: readonly string[]): ToolReader {
  return (call) => together(call.tool, names.flatMap((name) => call.input.texts(name)).map((path) => at(call, 'fs.read', path)));
}

/** An address that is fetched. */
export function url(name: string): ToolReader {
  return (call) => netAction(call, call.input.name(name));
}

/** Addresses that stand in a text for the model: each is fetched. */
export function fetchAllIn(name: string): ToolReader {
  return (call) => {
    const text = call.input.text(name);
    const urls = [...new Set(text.match(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>`]+/gi) ?? [])];
    return urls.length === 0 ? { ...other(call), content: text } : together(call.tool, urls.map((address) => netAction(call, address)));
  };
}

/** An agent that is started. `typeName`: the member with its type; `taskName`: what it is told. */
export function agent(typeName: string, taskName: string, usualType: string): ToolReader {
  return ({ tool, input, cwd }) => ({
    kind: 'agent', tool, agent: input.maybeName(typeName) ?? usualType, ...(input.has(taskName) ? { content: input.text(taskName) } : {}), ...(cwd === undefined ? {} : { cwd }),
  });
}

/** A patch in the format of apply_patch: each file is judged by itself. */
export function patch(name: string): ToolReader {
  return (call) => {
    const changes = patchChanges(call.input.text(name));
    if (changes.length === 0) throw invalid(`"${name}" holds no patch that can be read`);
    return together(call.tool, changes.map(({ kind, path, content }) => ({ ...at(call, kind, path), ...(content === undefined ? {} : { content }) })));
  };
}

/** A tool of an MCP server; what its arguments name is judged as the thing that it could be, as for a tool that nobody knows. */
export function mcp(call: Call, server: string, tool: string): Action {
  const action: Action = { kind: 'mcp', tool: call.tool, mcp_server: server, mcp_tool: tool, content: call.input.json(), ...(call.cwd === undefined ? {} : { cwd: call.cwd }) };
  return together(call.tool, [action, ...guessed(call)]);
}

/** A tool that reaches nothing of what policies name; what it is told is looked through. */
export const other = (call: Call): Action => ({ kind: 'other', tool: call.tool, content: call.input.json(), ...(call.cwd === undefined ? {} : { cwd: call.cwd }) });

/** A tool that nobody knows, by what its input says. A path is taken for one that is written. */
export function unknownTool(call: Call): Action {
  return together(call.tool, [...guessed(call), other(call)]);
}

/** What the members of an input could stand for. */
function guessed(call: Call): readonly Action[] {
  const { input } = call;
  return guesses.flatMap(([names, guess]) => names.filter((name) => typeof input.raw(name) === 'string' && input.raw(name) !== '').map((name) => guess(call, name)));
}

const guesses: readonly (readonly [names: readonly string[], (call: Call, name: string) => Action])[] = [
  [['command', 'cmd', 'script', 'shell_command'], (call, name) => command(name)(call)],
  [['file_path', 'filePath', 'path', 'notebook_path', 'absolute_path', 'target_file', 'file'], (call, name) => at(call, 'fs.write', call.input.name(name))],
  [['url', 'uri'], (call, name) => netAction(call, call.input.name(name))],
];

function at({ tool, cwd }: Call, kind: 'fs.read' | 'fs.write' | 'fs.delete', path: string): Action {
  return { kind, tool, file_path: path, ...(cwd === undefined ? {} : { cwd }) };
}

function netAction({ tool, cwd }: Call, url: string): Action {
  if (!URL.canParse(url) && !URL.canParse(`http://${url}`)) throw invalid('"url" is no address that can be read');
  return { kind: 'net', tool, url, ...(cwd === undefined ? {} : { cwd }) };
}

/** More things at once than this are refused. */
const mostTogether = 500;

/** Several things that one call does, as one action. */
export function together(tool: string, actions: readonly Action[]): Action {
  const [first, ...also] = actions;
  if (first === undefined) throw invalid(`the input of ${tool} names nothing`);
  if (actions.length > mostTogether) throw invalid(`the call of ${tool} touches ${actions.length} things at once; at most ${mostTogether} can be judged together`);
  return also.length === 0 ? first : { ...first, also };
}

/** All texts in a value, and the value with each of them changed. What a tool gave has many shapes; secrets stand in its texts. */
export function textsOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return '';
  return Object.values(value).map(textsOf).filter((text) => text !== '').join('\n');
}

export function withTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => withTexts(item, change));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, saysKind(name, member) ? member : withTexts(member, change)]));
}

/** A word that says which shape an object has stays: in another shape Claude Code passes the change over, and the model gets all of it. */
function saysKind(name: string, member: JsonValue): boolean {
  return (name === 'type' || name === 'mode') && typeof member === 'string' && /^[a-z_]{1,24}$/.test(member);
}

/** What a tool gave, and its length. `replaceable`: the agent can be given it changed, in the same shape. */
export function outputOf(value: JsonValue | undefined, replaceable: boolean): { readonly bytes?: number; readonly output?: ToolOutput } {
  if (value === undefined) return {};
  const text = textsOf(value);
  return { bytes: Buffer.byteLength(text), output: { text, ...(replaceable ? { rewritten: (change) => withTexts(value, change) } : {}) } };
}
