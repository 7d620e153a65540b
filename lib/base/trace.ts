/**
 * A trace as those who make spans see it: types, and a tracer that makes nothing. Rooms that do work are given a `Tracer`; which one,
 * `lib/app/telemetry/` decides. Nothing here ever throws, and with `noTracer` nothing costs more than the call.
 */

/** Which span, of which trace (W3C Trace Context level 1). Ids are lower-case hexadecimal, 32 and 16 characters, never all zero. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether whoever began the trace wants it kept. */
  readonly sampled: boolean;
  /** The header `tracestate`, handed on as it came. */
  readonly traceState?: string;
  /** It came from another process. */
  readonly isRemote?: boolean;
}

/** What an attribute may be; anything else is left out, or said in words, and never makes a call fail. */
export type AttributeValue = string | number | boolean | bigint | Uint8Array | readonly AttributeValue[] | { readonly [name: string]: AttributeValue | undefined };

/** By name. What is undefined is no attribute. */
export type Attributes = { readonly [name: string]: AttributeValue | undefined };

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** Another span that has to do with this one. */
export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: Attributes;
}

/** How a span begins. Times are milliseconds since 1970, with fractions. */
export interface SpanOptions {
  /** `internal` when left out. */
  readonly kind?: SpanKind;
  /** The span it is part of; left out, it begins a trace. */
  readonly parent?: SpanContext | undefined;
  readonly attributes?: Attributes;
  readonly links?: readonly SpanLink[];
  /** Now, when left out. */
  readonly startTime?: number;
  /** The ids it has, where several processes must agree on them (`lib/base/trace-ids.ts`); chosen by chance when left out. With a parent, only `spanId` counts. */
  readonly ids?: { readonly traceId?: string; readonly spanId?: string };
}

/** Something that takes time. What is set after `end` is not kept. */
export interface Span {
  readonly context: SpanContext;
  /** Whether anything that is set is kept. Attributes that are dear to work out are worth asking for. */
  readonly isRecording: boolean;
  setAttribute(name: string, value: AttributeValue | undefined): this;
  setAttributes(attributes: Attributes): this;
  addEvent(name: string, attributes?: Attributes, time?: number): this;
  addLink(context: SpanContext, attributes?: Attributes): this;
  /** `ok` is final; `error` carries a message for people, without secrets. */
  setStatus(status: 'ok' | 'error', message?: string): this;
  /** The event `exception` of OpenTelemetry, and the status `error`. */
  recordException(error: unknown): this;
  updateName(name: string): this;
  /** Only the first call counts. */
  end(time?: number): void;
}

export interface Tracer {
  startSpan(name: string, options?: SpanOptions): Span;
  /** Others are not told of its spans, and theirs are not taken for parents (OTEL_PROPAGATORS). */
  readonly isPrivate?: boolean;
}

/** How bad a log record is; the numbers are OpenTelemetry's. */
export const severities = { debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

export type Severity = keyof typeof severities;

/** Something that happened at one moment. */
export interface LogEvent {
  /** Makes it an event of OpenTelemetry: `loki.policy.deny`. At most 256 characters. */
  readonly name?: string;
  readonly severity: Severity;
  /** For people. No secret. */
  readonly body?: string;
  readonly attributes?: Attributes;
  /** The span in which it happened. */
  readonly context?: SpanContext | undefined;
  /** Milliseconds since 1970; now, when left out. */
  readonly time?: number;
}

export interface EventLogger {
  emit(event: LogEvent): void;
}

const noContext: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false };

/** A span that keeps nothing, and hands on the context it was given. */
class NoSpan implements Span {
  readonly context: SpanContext;
  readonly isRecording: boolean = false;
  constructor(context: SpanContext) { this.context = context; }
  setAttribute(): this { return this; }
  setAttributes(): this { return this; }
  addEvent(): this { return this; }
  addLink(): this { return this; }
  setStatus(): this { return this; }
  recordException(): this { return this; }
  updateName(): this { return this; }
  end(): void { return; }
}

export const noSpan: Span = new NoSpan(noContext);

/** For a span that is not kept: its children still belong to the trace. */
export function unkeptSpan(context: SpanContext): Span {
  return new NoSpan(context);
}

/** Makes no spans. What came from outside is still handed on. */
export const noTracer: Tracer = { startSpan: (_name, options) => (options?.parent === undefined ? noSpan : unkeptSpan(options.parent)) };

export const noLogger: EventLogger = { emit: () => undefined };

/** What others are told of a span's context: all of it, or that there is none. */
export function toldContext({ isPrivate }: Tracer, context: SpanContext): SpanContext {
  return isPrivate === true ? noContext : context;
}

/** Whether a context names a span at all: that of `noSpan` does not. */
export function isValidContext({ traceId, spanId }: SpanContext): boolean {
  return traceId !== noContext.traceId && spanId !== noContext.spanId;
}
