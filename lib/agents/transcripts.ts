/**
 * Tokens from the files in which agents keep a session's messages. The agent wrote them, and whoever works as its user can change them: what
 * stands there is its word. A line that is nothing of the kind is passed over.
 */
import { isPlainObject, objectIn, type JsonObject } from '../base/json.ts';
import type { AgentName, ReportedUsage } from './hook.ts';

/** What is remembered of a file between two looks. */
export type TranscriptMemory = JsonObject;

/** What the lines since the last look tell. */
export interface TranscriptLook {
  readonly usage: readonly ReportedUsage[];
  readonly memory: TranscriptMemory;
}

/** Reads the lines after those of the last look. `whole`: the file is a subagent's own. */
export type TranscriptReader = (lines: Iterable<string>, memory: TranscriptMemory, whole: boolean) => TranscriptLook;

/** Agents whose files tell of tokens. */
export const transcriptReaders: { readonly [name in AgentName]?: TranscriptReader } = { claude, codex, gemini };

/** One line for each block of a message, each with the message's usage as it stood then: the last one counts. */
function claude(lines: Iterable<string>, memory: TranscriptMemory, whole: boolean): TranscriptLook {
  const messages = new Map<string, ReportedUsage>();
  let last = memory['last'] ?? null;
  for (const line of lines) {
    const entry = line.includes('"usage"') ? objectIn(line) : undefined;
    if (entry === undefined || entry['type'] !== 'assistant' || (!whole && entry['isSidechain'] === true)) continue;
    const message = objectAt(entry, 'message');
    const id = message['id'];
    const used = message['usage'];
    if (typeof id !== 'string' || !isPlainObject(used) || id === memory['last']) continue;
    messages.set(id, {
      ...modelOf(message['model']), input: count(used['input_tokens']), output: count(used['output_tokens']),
      cacheRead: count(used['cache_read_input_tokens']), cacheWrite: count(used['cache_creation_input_tokens']),
    });
    last = id;
  }
  return { usage: byModel([...messages.values()]), memory: last === null ? {} : { last } };
}

/** Sums of the session so far; what came out of the cache is among the input. */
function codex(lines: Iterable<string>, memory: TranscriptMemory): TranscriptLook {
  let [input, cached, output] = [count(memory['input']), count(memory['cached']), count(memory['output'])];
  let model = textIn(memory['model']);
  for (const line of lines) {
    const entry = line.includes('"token_count"') || line.includes('"turn_context"') ? objectIn(line) : undefined;
    const payload = objectAt(entry, 'payload');
    if (entry?.['type'] === 'turn_context') model = textIn(payload['model']) ?? model;
    const total = objectAt(objectAt(payload, 'info'), 'total_token_usage');
    if (payload['type'] !== 'token_count' || total['total_tokens'] === undefined) continue;
    [input, cached, output] = [count(total['input_tokens']), count(total['cached_input_tokens']), count(total['output_tokens'])];
  }
  const since = (now: number, name: string): number => (now >= count(memory[name]) ? now - count(memory[name]) : now);
  const cacheRead = since(cached, 'cached');
  const used: ReportedUsage = { ...modelOf(model), input: Math.max(0, since(input, 'input') - cacheRead), output: since(output, 'output'), cacheRead, cacheWrite: 0 };
  return { usage: byModel([used]), memory: { input, cached, output, ...(model === undefined ? {} : { model }) } };
}

/** One line a message, written again when it changes; the prompt's tokens hold those out of the cache. Thoughts are output. */
function gemini(lines: Iterable<string>, memory: TranscriptMemory): TranscriptLook {
  const messages = new Map<string, ReportedUsage>();
  let last = memory['last'] ?? null;
  for (const line of lines) {
    const entry = line.includes('"tokens"') ? objectIn(line) : undefined;
    const [id, tokens] = [entry?.['id'], entry?.['tokens']];
    if (typeof id !== 'string' || !isPlainObject(tokens) || id === memory['last']) continue;
    const cacheRead = count(tokens['cached']);
    messages.set(id, { ...modelOf(entry?.['model']), input: Math.max(0, count(tokens['input']) - cacheRead), output: count(tokens['output']) + count(tokens['thoughts']), cacheRead, cacheWrite: 0 });
    last = id;
  }
  return { usage: byModel([...messages.values()]), memory: last === null ? {} : { last } };
}

/** Added up by model, those that used nothing left out. */
export function byModel(list: readonly ReportedUsage[]): readonly ReportedUsage[] {
  const sums = new Map<string, ReportedUsage>();
  for (const one of list) {
    const known = sums.get(one.model ?? '');
    sums.set(one.model ?? '', known === undefined ? one : {
      ...known, input: known.input + one.input, output: known.output + one.output, cacheRead: known.cacheRead + one.cacheRead, cacheWrite: known.cacheWrite + one.cacheWrite,
    });
  }
  return [...sums.values()].filter(({ input, output, cacheRead, cacheWrite }) => input + output + cacheRead + cacheWrite > 0);
}

const mostTokens = 1e12;

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= mostTokens ? value : 0;
}

/** A name that could be anything else than one counts as none. */
function modelOf(value: unknown): { readonly model?: string } {
  return typeof value === 'string' && /^[!-~]{1,200}$/.test(value) ? { model: value } : {};
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function objectAt(from: unknown, name: string): Readonly<Record<string, unknown>> {
  const value = isPlainObject(from) ? from[name] : undefined;
  return isPlainObject(value) ? value : {};
}
