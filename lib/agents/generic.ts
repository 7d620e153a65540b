/**
 * The hook interface of our own (contract section 10): one JSON action in, one JSON verdict line out. What is not exactly an
 * action is refused whole, with every mistake named; an agent that writes something else must not get a yes by accident.
 */
import { LokiError, exitCode, type Problem } from '../errors.ts';
import { actionKinds, fieldsOfKind, type Action, type ActionKind, type Decision, type SpecificField } from '../base/action.ts';
import { isCount, isPlainObject } from '../base/json.ts';
import { isAbsolute } from '../base/paths.ts';
import { didYouMean } from '../base/suggest.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

/** Longest input, in bytes. */
export const largestAction: number = 16 * 1024 * 1024;

/** What an agent told us: what it wants to do, or what became of what it did. */
export type GenericEvent =
  | { readonly phase: 'pre'; readonly action: Action }
  | { readonly phase: 'post'; readonly action: Action; readonly ref?: number; readonly outcome: GenericOutcome };

/** How an action ended. `exit` is a process's exit code, `bytes` the length of what it gave. */
export interface GenericOutcome {
  readonly ok: boolean;
  readonly exit?: number;
  readonly bytes?: number;
}

/** The verdict, in the members that are printed. */
export interface GenericVerdict {
  readonly decision: Decision;
  readonly allowed: boolean;
  readonly reason: string;
  readonly rule?: string;
  readonly approval_id?: string;
  readonly audit_seq: number | null;
}

/** Kinds an agent may send. A prompt is judged by the runner, not by this door. */
const kinds: readonly ActionKind[] = actionKinds.filter((kind) => kind !== 'prompt');

const specificFields: readonly SpecificField[] = ['command', 'file_path', 'url', 'mcp_server', 'mcp_tool', 'agent'];

/** Longest text of each member, in UTF-16 code units. `content` is bounded by the input. */
const longest = {
  tool: 256, command: 1_048_576, file_path: 4096, content: largestAction, url: 65_536,
  mcp_server: 256, mcp_tool: 256, agent: 256, session_id: 256, cwd: 4096,
} as const;

type TextMember = keyof typeof longest;

const textMembers = Object.keys(longest).filter((name): name is TextMember => Object.hasOwn(longest, name));
const members: readonly string[] = ['phase', 'kind', ...textMembers, 'ref', 'outcome'];

/** Reads one action or outcome. Throws `action.invalid` with every mistake found. */
export function parseGenericAction(text: string): GenericEvent {
  const value = parseStrictJson(text, 'the action');
  if (!isPlainObject(value)) throw refused([`the action is a JSON object, and this is ${nameOf(value)}`]);
  const problems = [...unknownMembers(value, members, 'the action'), ...textProblems(value), ...kindProblems(value)];
  const post = value['phase'] === 'post';
  if (value['phase'] !== undefined && value['phase'] !== 'pre' && !post) problems.push('"phase" is "pre" or "post"');
  problems.push(...(post ? outcomeProblems(value) : preProblems(value)));
  if (problems.length > 0) throw refused(problems);
  return post ? postEvent(value) : { phase: 'pre', action: actionOf(value) };
}

/** The line to print (without its end) and the exit code. Only a clear yes is 0. */
export function renderGenericVerdict(verdict: GenericVerdict): { readonly line: string; readonly exit: number } {
  const { decision, allowed, reason, rule, approval_id, audit_seq } = verdict;
  const line = JSON.stringify({ decision, allowed, reason, rule, approval_id, audit_seq });
  if (allowed && decision === 'ALLOW') return { line, exit: exitCode.done };
  return { line, exit: decision === 'REQUIRE_APPROVAL' ? exitCode.approval : exitCode.denied };
}

function refused(messages: readonly string[]): LokiError {
  const problems: readonly Problem[] = messages.map((message) => ({ message }));
  return new LokiError('action.invalid', { attempted: 'read the action', found: messages.join('; '), problems });
}

function unknownMembers(value: Record<string, unknown>, known: readonly string[], where: string): string[] {
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  const told = unknown.slice(0, 10).map((name) => `${where} has no member ${JSON.stringify(name.slice(0, 64))}${didYouMean(name, known)}`);
  return unknown.length > told.length ? [...told, `and ${unknown.length - told.length} more unknown members`] : told;
}

function textProblems(value: Record<string, unknown>): string[] {
  return textMembers.flatMap((name) => {
    const text = value[name];
    if (text === undefined) return [];
    if (typeof text !== 'string') return [`"${name}" is a text, and this is ${nameOf(text)}`];
    if (text.length > longest[name]) return [`"${name}" has at most ${longest[name]} characters, and this has ${text.length}`];
    if (name === 'content') return [];
    if (text === '') return [`"${name}" is empty`];
    if (text.includes('\0')) return [`"${name}" holds a NUL character`];
    if (name === 'url' && !isAddress(text)) return ['"url" is no address that can be read'];
    return name === 'cwd' && !isAbsolute(text.replaceAll('\\', '/')) ? ['"cwd" is an absolute path'] : [];
  });
}

/** With a scheme, or as people type it: what no reader of addresses understands cannot be judged. */
function isAddress(text: string): boolean {
  return URL.canParse(text) || URL.canParse(`http://${text}`);
}

/** The kind is known, and the members that belong to kinds are the ones of this kind, all of them and no other. */
function kindProblems(value: Record<string, unknown>): string[] {
  const given = value['kind'];
  const kind = kinds.find((known) => known === given);
  if (kind === undefined) {
    const near = typeof given === 'string' ? didYouMean(given, kinds) : '';
    return [`"kind" is ${given === undefined ? 'missing' : 'unknown'}${near}; it is one of ${kinds.join(', ')}`];
  }
  const own = fieldsOfKind[kind];
  return specificFields.flatMap((name) => {
    if (own.includes(name)) return value[name] === undefined ? [`"${name}" is missing: an action of kind ${kind} carries it`] : [];
    return value[name] === undefined ? [] : [`"${name}" does not belong to an action of kind ${kind}`];
  });
}

function preProblems(value: Record<string, unknown>): string[] {
  return ['ref', 'outcome'].filter((name) => value[name] !== undefined).map((name) => `"${name}" belongs to phase "post"`);
}

function outcomeProblems(value: Record<string, unknown>): string[] {
  const { ref, outcome } = value;
  const problems = ref === undefined || isCount(ref) ? [] : ['"ref" is the audit_seq of the decision, a whole number'];
  if (!isPlainObject(outcome)) return [...problems, outcome === undefined ? '"outcome" is missing: a post carries it' : '"outcome" is an object'];
  problems.push(...unknownMembers(outcome, ['ok', 'exit', 'bytes'], '"outcome"'));
  if (typeof outcome['ok'] !== 'boolean') problems.push('"outcome.ok" is true or false');
  if (outcome['exit'] !== undefined && !Number.isSafeInteger(outcome['exit'])) problems.push('"outcome.exit" is a whole number');
  if (outcome['bytes'] !== undefined && !isCount(outcome['bytes'])) problems.push('"outcome.bytes" is a whole number');
  return problems;
}

/** A new object with the checked members only. */
function actionOf(value: Record<string, unknown>): Action {
  const kind = kinds.find((known) => known === value['kind']) ?? 'other';
  const texts: Partial<Record<TextMember, string>> = {};
  for (const name of textMembers) {
    const text = value[name];
    if (typeof text === 'string') texts[name] = text;
  }
  return { kind, ...texts };
}

function postEvent(value: Record<string, unknown>): GenericEvent {
  const outcome = isPlainObject(value['outcome']) ? value['outcome'] : {};
  const { exit, bytes } = outcome;
  const { ref } = value;
  return {
    phase: 'post',
    action: actionOf(value),
    ...(isCount(ref) ? { ref } : {}),
    outcome: { ok: outcome['ok'] === true, ...(typeof exit === 'number' ? { exit } : {}), ...(isCount(bytes) ? { bytes } : {}) },
  };
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[String(typeof value)] ?? 'an object';
}
