/**
 * Reads what an agent prints. A line that is a JSON object with a known `type` is a message to us; everything else is the
 * answer's text. Agents are not trusted: lines and text are bounded and counted, a message with a wrong member is text,
 * and a verdict counts only with the review id that its reviewer alone was told.
 */
import { isPlainObject } from '../base/json.ts';
import { taskPriorities, type TaskPriority } from './task.ts';

/** Tokens of one provider call. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Read from and written into the provider's cache; not among the input again. */
  readonly cache_read_tokens?: number;
  readonly cache_write_tokens?: number;
  readonly model?: string;
}

/** One message of an agent (docs/runs.md, "What an agent may print"). */
export type AgentMessage =
  | { readonly type: 'usage' } & Usage
  | { readonly type: 'task'; readonly title: string; readonly description: string; readonly priority: TaskPriority }
  | { readonly type: 'verdict'; readonly review: string; readonly verdict: 'approve' | 'reject'; readonly reason: string }
  | { readonly type: 'action'; readonly kind: string; readonly target: string; readonly decision: string; readonly reason: string; readonly ok: boolean | null; readonly audit_seq: number | null }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warning' | 'error'; readonly message: string };

/** Bounds of one provider call. Text beyond is counted and dropped. */
export const answerLimits: Readonly<Record<'messages' | 'tasks' | 'title' | 'text' | 'member' | 'tokens', number>> =
  { messages: 500, tasks: 50, title: 300, text: 256 * 1024, member: 2000, tokens: 1e12 };

/** Collects one call's output, line by line. */
export class Answer {
  readonly #onMessage: (message: AgentMessage) => void;
  readonly #text: string[] = [];
  #textLength = 0;
  #messages = 0;
  lines = 0;
  droppedMessages = 0;
  droppedText = 0;
  usageReports = 0;

  constructor(onMessage: (message: AgentMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** The lines that were no messages. */
  get text(): string {
    return this.#text.join('\n');
  }

  accept(line: string): void {
    this.lines += 1;
    const message = readMessage(line);
    if (message === undefined) this.#keepText(line);
    else this.take(message);
  }

  /** A line that a model said: of our messages it may print those that report nothing. */
  hear(line: string): void {
    this.lines += 1;
    const message = readMessage(line.trim());
    if (message === undefined || message.type === 'usage' || message.type === 'action') this.#keepText(line);
    else this.take(message);
  }

  /** A message from whoever knows. */
  take(message: AgentMessage): void {
    if (message.type === 'usage') this.#count(message);
    else if (this.#messages >= answerLimits.messages) this.droppedMessages += 1;
    else this.#pass(message);
  }

  /** Usage is never dropped: a flood of other lines must not hide what was spent. */
  #count(message: AgentMessage): void {
    this.usageReports += 1;
    this.#onMessage(message);
  }

  #pass(message: AgentMessage): void {
    this.#messages += 1;
    this.#onMessage(message);
  }

  #keepText(line: string): void {
    if (this.#textLength + line.length + 1 > answerLimits.text) {
      this.droppedText += line.length + 1;
      return;
    }
    this.#text.push(line);
    this.#textLength += line.length + 1;
  }
}

/** The message a line is, or undefined when it is text. */
export function readMessage(line: string): AgentMessage | undefined {
  if (!line.startsWith('{') || !line.includes('"type"')) return undefined;
  const value = parsed(line);
  if (!isPlainObject(value)) return undefined;
  switch (value['type']) {
    case 'usage': return readUsage(value);
    case 'task': return readTask(value);
    case 'verdict': return readVerdict(value);
    case 'action': return readAction(value);
    case 'log': return readLog(value);
    default: return undefined;
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readUsage(value: Record<string, unknown>): AgentMessage | undefined {
  const input = tokens(value['input_tokens']);
  const output = tokens(value['output_tokens']);
  const cacheRead = tokens(value['cache_read_tokens']);
  const cacheWrite = tokens(value['cache_write_tokens']);
  if (input === undefined || output === undefined || cacheRead === undefined || cacheWrite === undefined) return undefined;
  const model = value['model'];
  return { type: 'usage', input_tokens: input, output_tokens: output, ...(cacheRead === 0 ? {} : { cache_read_tokens: cacheRead }), ...(cacheWrite === 0 ? {} : { cache_write_tokens: cacheWrite }), ...(typeof model === 'string' ? { model: short(model) } : {}) };
}

/** A missing count is 0; one that is no count makes the line text. */
function tokens(value: unknown): number | undefined {
  if (value === undefined) return 0;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= answerLimits.tokens ? value : undefined;
}

function readTask(value: Record<string, unknown>): AgentMessage | undefined {
  const title = oneLine(value['title']).slice(0, answerLimits.title);
  if (title === '') return undefined;
  const priority = taskPriorities.find((one) => one === value['priority']) ?? 'medium';
  return { type: 'task', title, description: textOf(value['description']), priority };
}

function readVerdict(value: Record<string, unknown>): AgentMessage | undefined {
  const verdict = value['verdict'];
  if (verdict !== 'approve' && verdict !== 'reject') return undefined;
  return { type: 'verdict', review: textOf(value['review']), verdict, reason: textOf(value['reason']) };
}

function readAction(value: Record<string, unknown>): AgentMessage | undefined {
  const kind = oneLine(value['kind']);
  if (kind === '') return undefined;
  const ok = value['ok'];
  const seq = value['audit_seq'];
  return {
    type: 'action', kind, target: oneLine(value['target']), decision: oneLine(value['decision']), reason: textOf(value['reason']),
    ok: typeof ok === 'boolean' ? ok : null, audit_seq: typeof seq === 'number' && Number.isSafeInteger(seq) ? seq : null,
  };
}

function readLog(value: Record<string, unknown>): AgentMessage | undefined {
  const message = textOf(value['message']);
  if (message === '') return undefined;
  const level = (['debug', 'info', 'warning', 'error'] as const).find((one) => one === value['level']) ?? 'info';
  return { type: 'log', level, message };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? short(value) : '';
}

function oneLine(value: unknown): string {
  return textOf(value).replace(/\s+/g, ' ').trim();
}

/** Text from outside, as long as one member of a timeline event may be: a step must fit into one transaction. */
export function short(text: string): string {
  return text.length <= answerLimits.member ? text : `${text.slice(0, answerLimits.member)}…`;
}
