/**
 * A span that is kept: what is set, within its limits, until it ends; then it is handed on once and is changed no more. Nothing it is given
 * makes it throw. Status, events and links follow the OpenTelemetry specification (trace/api.md, trace/sdk.md).
 */
import type { KeptAttributes, KeptEvent, KeptLink, Scope, SpanData } from '../base/telemetry-data.ts';
import { isValidContext, type Attributes, type AttributeValue, type Span, type SpanContext, type SpanKind, type SpanOptions } from '../base/trace.ts';
import { cut, longestName } from '../formats/otlp/value.ts';
import { AttributeBag, keepAttributes, type Limits } from './attributes.ts';
import type { Times } from './times.ts';

/** What the spans of one tracer have in common. */
export interface SpanMaking {
  readonly scope: Scope;
  readonly times: Times;
  readonly limits: Limits;
  /** Whether exceptions are told with their stack, which has the paths of the program's files in it. */
  readonly stacks: boolean;
  /** Called once for each, when it ended. */
  readonly ended: (span: SpanData) => void;
}

const kinds: ReadonlySet<string> = new Set<SpanKind>(['internal', 'server', 'client', 'producer', 'consumer']);
const nameless = 'unknown';
const longestMessage = 4096;
const longestStack = 16_384;
const noEvents: KeptEvent[] = [];
const noLinks: KeptLink[] = [];
/** About what a span, an event and a link take beside their attributes. */
const sizeOfOne = 128;

/** Is its own list of attributes: of an object less in each span, making one takes a tenth less. */
export class KeptSpan extends AttributeBag implements Span, SpanData {
  readonly #making: SpanMaking;
  /** The base of the clock as it was at the beginning. */
  readonly #base: number;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly kind: SpanKind;
  readonly startTime: number;
  isRecording = true;
  name: string;
  endTime = 0;
  events: KeptEvent[] = noEvents;
  droppedEvents = 0;
  links: KeptLink[] = noLinks;
  droppedLinks = 0;
  outcome: SpanData['outcome'] = 'unset';
  message: string | undefined = undefined;

  constructor(making: SpanMaking, name: string, context: SpanContext, parent: SpanContext | undefined, options: SpanOptions | undefined) {
    super();
    this.size = sizeOfOne;
    this.#making = making;
    this.name = nameOf(name);
    this.context = context;
    this.parent = parent;
    this.startTime = making.times.now();
    this.#base = making.times.base;
    this.kind = 'internal';
    if (options === undefined) return;
    this.startTime = timeOr(options.startTime, this.startTime);
    this.kind = kindOf(options.kind);
    if (options.attributes !== undefined) this.setAll(options.attributes, making.limits.span);
    if (options.links !== undefined) this.#addLinks(options.links);
  }

  get scope(): Scope {
    return this.#making.scope;
  }

  get attributes(): KeptAttributes {
    return this;
  }

  setAttribute(name: string, value: AttributeValue | undefined): this {
    if (this.isRecording) this.set(name, value, this.#making.limits.span);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (this.isRecording) this.setAll(attributes, this.#making.limits.span);
    return this;
  }

  addEvent(name: string, attributes?: Attributes, time?: number): this {
    if (!this.isRecording) return this;
    const { limits } = this.#making;
    if (this.events.length >= limits.events) {
      this.droppedEvents += 1;
      return this;
    }
    const kept = keepAttributes(attributes, limits.event);
    this.size += sizeOfOne + kept.size;
    if (this.events === noEvents) this.events = [];
    this.events.push({ name: nameOf(name), time: timeOr(time, this.#now()), attributes: kept });
    return this;
  }

  addLink(given: SpanContext, attributes?: Attributes): this {
    const context = contextOf(given);
    if (!this.isRecording || context === undefined) return this;
    const { limits } = this.#making;
    if (this.links.length >= limits.links) {
      this.droppedLinks += 1;
      return this;
    }
    const kept = keepAttributes(attributes, limits.link);
    this.size += sizeOfOne + kept.size;
    if (this.links === noLinks) this.links = [];
    this.links.push({ context, attributes: kept });
    return this;
  }

  /** `ok` is final, and wins over `error` (trace/api.md, "Set Status"). */
  setStatus(status: 'ok' | 'error', message?: string): this {
    if (!this.isRecording || this.outcome === 'ok' || (status !== 'ok' && status !== 'error')) return this;
    this.outcome = status;
    this.message = status === 'error' && typeof message === 'string' ? cut(message, longestMessage) : undefined;
    return this;
  }

  recordException(error: unknown): this {
    if (!this.isRecording) return this;
    const { type, message, stack } = describeError(error);
    return this.addEvent('exception', { 'exception.type': type, 'exception.message': message, ...(this.#making.stacks ? { 'exception.stacktrace': stack } : {}) }).setStatus('error', message);
  }

  updateName(name: string): this {
    if (this.isRecording) this.name = nameOf(name);
    return this;
  }

  end(time?: number): void {
    if (!this.isRecording) return;
    this.isRecording = false;
    const end = time === undefined ? this.#now() : timeOr(time, this.#now());
    this.endTime = end > this.startTime ? end : this.startTime;
    this.#making.ended(this);
  }

  #now(): number {
    return this.#making.times.since(this.#base);
  }

  #addLinks(links: NonNullable<SpanOptions['links']>): void {
    try {
      for (const { context, attributes } of links) this.addLink(context, attributes);
    } catch {
      return;
    }
  }
}

/** A span must have a name (trace.proto). */
function nameOf(name: unknown): string {
  return typeof name === 'string' && name !== '' ? cut(name, longestName) : nameless;
}

function kindOf(kind: SpanKind | undefined): SpanKind {
  return kind !== undefined && kinds.has(kind) ? kind : 'internal';
}

function timeOr(time: number | undefined, otherwise: number): number {
  return typeof time === 'number' && time >= 0 && time < latest ? time : otherwise;
}

/** Beyond it no time fits 64 bits of nanoseconds. */
const latest = 18e12;

/** A context that was made here, or looked at, and is right. */
export class OwnContext implements SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  declare readonly traceState?: string;
  declare readonly isRemote?: boolean;

  constructor(traceId: string, spanId: string, sampled: boolean, traceState: string | undefined) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.sampled = sampled;
    if (traceState !== undefined) this.traceState = traceState;
  }
}

const longestTraceState = 8192;

/** Somebody's object as the context that it is; undefined when it names no span. */
export function contextOf(given: SpanContext | undefined): SpanContext | undefined {
  try {
    if (given === undefined || given === null) return undefined;
    return given instanceof OwnContext ? given : readContext(given);
  } catch {
    return undefined;
  }
}

function readContext({ traceId, spanId, sampled, traceState, isRemote }: SpanContext): SpanContext | undefined {
  if (!isId(traceId, 32) || !isId(spanId, 16) || !isValidContext({ traceId, spanId, sampled })) return undefined;
  const context = new OwnContext(traceId, spanId, sampled === true, typeof traceState === 'string' && traceState.length <= longestTraceState ? traceState : undefined);
  return isRemote === true ? Object.assign(context, { isRemote }) : context;
}

function isId(id: unknown, length: number): boolean {
  return typeof id === 'string' && id.length === length && /^[0-9a-f]+$/.test(id);
}

interface SaidError {
  readonly type: string | undefined;
  readonly message: string | undefined;
  readonly stack: string | undefined;
}

/** What is thrown may be anything, and may throw when it is asked. */
function describeError(error: unknown): SaidError {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: typeof error === 'string' ? cut(error, longestMessage) : undefined, stack: undefined };
  const read = (name: string, most: number): string | undefined => {
    try {
      const text: unknown = Reflect.get(error, name);
      return typeof text === 'string' && text !== '' ? cut(text, most) : undefined;
    } catch {
      return undefined;
    }
  };
  return { type: read('code', longestName) ?? read('name', longestName), message: read('message', longestMessage), stack: read('stack', longestStack) };
}
