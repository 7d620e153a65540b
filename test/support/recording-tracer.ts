/** A tracer and a logger that keep what they are given, for tests of those who use them. */
import { unkeptSpan, type AttributeValue, type Attributes, type EventLogger, type LogEvent, type Span, type SpanContext, type SpanLink, type SpanOptions, type Tracer } from '../../lib/base/trace.ts';

export interface RecordedSpan {
  name: string;
  readonly context: SpanContext;
  readonly options: SpanOptions;
  readonly attributes: Record<string, AttributeValue>;
  readonly events: { readonly name: string; readonly attributes: Attributes }[];
  readonly links: SpanLink[];
  status: 'unset' | 'ok' | 'error';
  message: string | undefined;
  ended: boolean;
}

export interface RecordingTracer extends Tracer, EventLogger {
  readonly spans: RecordedSpan[];
  readonly logs: LogEvent[];
  /** The only span of that name. */
  span(name: string): RecordedSpan;
}

/** Ids count up from 1. */
export function recordingTracer(): RecordingTracer {
  const spans: RecordedSpan[] = [];
  const logs: LogEvent[] = [];
  return {
    spans, logs,
    emit: (event) => { logs.push(event); },
    span(name) {
      const found = spans.filter((one) => one.name === name);
      if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} spans named "${name}" among: ${spans.map((one) => one.name).join(', ')}`);
      return found[0];
    },
    startSpan(name, options = {}) {
      const { parent, ids } = options;
      const number = (spans.length + 1).toString(16);
      const context: SpanContext = { traceId: parent?.traceId ?? ids?.traceId ?? number.padStart(32, '0'), spanId: ids?.spanId ?? number.padStart(16, '0'), sampled: parent?.sampled ?? true };
      if (!context.sampled) return unkeptSpan(context);
      const kept: RecordedSpan = { name, context, options, attributes: {}, events: [], links: [...(options.links ?? [])], status: 'unset', message: undefined, ended: false };
      spans.push(kept);
      return new RecordingSpan(kept).setAttributes(options.attributes ?? {});
    },
  };
}

class RecordingSpan implements Span {
  readonly #kept: RecordedSpan;
  readonly isRecording: boolean = true;
  readonly context: SpanContext;
  constructor(kept: RecordedSpan) { this.#kept = kept; this.context = kept.context; }
  setAttribute(name: string, value: AttributeValue | undefined): this {
    if (value !== undefined && !this.#kept.ended) this.#kept.attributes[name] = value;
    return this;
  }
  setAttributes(attributes: Attributes): this {
    for (const [name, value] of Object.entries(attributes)) this.setAttribute(name, value);
    return this;
  }
  addEvent(name: string, attributes: Attributes = {}): this { this.#kept.events.push({ name, attributes }); return this; }
  addLink(context: SpanContext, attributes?: Attributes): this { this.#kept.links.push({ context, ...(attributes === undefined ? {} : { attributes }) }); return this; }
  setStatus(status: 'ok' | 'error', message?: string): this { this.#kept.status = status; this.#kept.message = message; return this; }
  recordException(error: unknown): this { return this.addEvent('exception', { 'exception.message': String(error) }).setStatus('error', String(error)); }
  updateName(name: string): this { this.#kept.name = name; return this; }
  end(): void { this.#kept.ended = true; }
}
