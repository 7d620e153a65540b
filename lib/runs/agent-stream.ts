/**
 * One call's stream, told to the run: words line by line, calls of tools with what they were about, usage, and in the end whether
 * there was an answer at all. What the agent prints is its own word; nothing of it is a decision.
 */
import type { StreamEvent, StreamReader } from '../agents/headless/headless.ts';
import type { CallFailure, ProviderCall, ToolUse } from './provider.ts';

/** A line of words that has not ended by then is taken as one. */
const longestWords = 65_536;
/** Open calls that are remembered. */
const mostOpen = 10_000;
/** Notes that are passed on; an agent that says more repeats itself. */
const mostNotes = 50;

type Told = Pick<ProviderCall, 'onWords' | 'onMessage' | 'onTool'>;

export class AgentStream {
  readonly #reader: StreamReader;
  readonly #told: Told;
  readonly #model: string | undefined;
  readonly #open = new Map<string, Extract<ToolUse, { state: 'began' }>>();
  #words = '';
  #notes = 0;
  #failure: { readonly message: string; readonly lasting: boolean } | undefined;
  #isDone = false;
  #lines = 0;

  /** `model`: what usage is counted under where the stream names none. */
  constructor(reader: StreamReader, told: Told, model: string | undefined) {
    this.#reader = reader;
    this.#told = told;
    this.#model = model;
  }

  take(line: string): void {
    this.#lines += 1;
    for (const event of this.#reader.read(line)) this.#event(event);
  }

  /** The stream has ended. */
  end(): void {
    this.#flush();
    const { strange } = this.#reader;
    if (strange > 0) this.#told.onMessage({ type: 'log', level: 'warning', message: `${strange} of ${this.#lines} lines were none of this agent's stream and were left` });
  }

  /** What the stream says went wrong; null when it holds a whole answer. */
  get failure(): CallFailure {
    if (this.#failure !== undefined) return { cause: 'exit', message: `it reported: ${this.#failure.message}`, ...(this.#failure.lasting ? { lasting: true } : {}) };
    if (this.#isDone) return null;
    return { cause: 'garbage', message: this.#lines === 0 ? 'it ended without printing anything' : 'it ended in the middle: its stream has no end' };
  }

  #event(event: StreamEvent): void {
    if (event.type !== 'text') this.#flush();
    switch (event.type) {
      case 'text': return this.#hear(event.text, event.partial === true);
      case 'began': return this.#began(event);
      case 'ended': return this.#ended(event);
      case 'usage': return this.#used(event.usage);
      case 'note': return this.#note(event.message);
      case 'failed': this.#failure = event; return undefined;
      // An agent that fails in between and goes on to an end has an answer.
      case 'done': this.#isDone = true; this.#failure = undefined; return undefined;
    }
  }

  #hear(text: string, partial: boolean): void {
    const lines = `${this.#words}${text}`.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) this.#told.onWords(line);
    this.#words = last;
    if (!partial || last.length > longestWords) this.#flush();
  }

  #flush(): void {
    const words = this.#words;
    this.#words = '';
    if (words !== '') this.#told.onWords(words);
  }

  #began({ id, tool, target }: Extract<StreamEvent, { type: 'began' }>): void {
    const use = { state: 'began', id, tool, target } as const;
    if (this.#open.size < mostOpen) this.#open.set(id, use);
    this.#told.onTool(use);
  }

  #ended({ id, ok, acted, error }: Extract<StreamEvent, { type: 'ended' }>): void {
    const { tool, target } = this.#open.get(id) ?? { tool: 'unknown tool', target: '' };
    this.#open.delete(id);
    this.#told.onTool({ state: 'ended', id, tool, target, ok, acted, error: error ?? '' });
  }

  #used({ model = this.#model, input, output, cacheRead, cacheWrite }: Extract<StreamEvent, { type: 'usage' }>['usage']): void {
    this.#told.onMessage({ type: 'usage', input_tokens: input, output_tokens: output, cache_read_tokens: cacheRead, cache_write_tokens: cacheWrite, ...(model === undefined ? {} : { model }) });
  }

  #note(message: string): void {
    this.#notes += 1;
    if (message !== '' && this.#notes <= mostNotes) this.#told.onMessage({ type: 'log', level: 'info', message });
  }
}
