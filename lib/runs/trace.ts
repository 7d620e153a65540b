/**
 * The spans of one process's work on a run, one inside the other. It follows the work and decides nothing; what stands on a span are ids,
 * kinds, names out of the configuration and numbers, never a word of an agent or a person. A process that dies leaves those spans out that
 * had not ended; whoever takes the run up goes on in the same trace.
 */
import type { Attributes, Span, SpanContext, SpanLink, Tracer } from '../base/trace.ts';
import { spanIdOf, traceIdOf } from '../base/trace-ids.ts';
import { LokiError } from '../errors.ts';
import { attribute } from '../telemetry/names.ts';
import { endKinds, RunEnd } from './run-end.ts';

/** Which run, whose work on it, and who asked. */
export interface RunRoot {
  readonly name: string;
  readonly runId: string;
  /** Processes that have worked on the run, this one among them. */
  readonly attempt: number;
  /** The span of whoever asked for the run in the first place. */
  readonly parent: SpanContext | undefined;
  /** Of whoever asked this process to take the run up. */
  readonly askedBy?: SpanContext | undefined;
  readonly attributes: Attributes;
}

/** What is open now, from the root to the innermost. */
export class RunTrace {
  readonly #tracer: Tracer;
  readonly #root: Span;
  #innermost: Span;

  constructor(tracer: Tracer, root: RunRoot) {
    this.#tracer = tracer;
    this.#root = this.#innermost = startRoot(tracer, root);
  }

  /** What whoever is started now works in. */
  get context(): SpanContext {
    return this.#innermost.context;
  }

  /** Something that happens at this moment. */
  event(name: string): void {
    this.#innermost.addEvent(name);
  }

  /** A span around work, within what is open. An error that passes through is its status too. */
  async within<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
    const outer = this.#innermost;
    const span = this.#tracer.startSpan(name, { parent: outer.context, attributes });
    this.#innermost = span;
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      this.#innermost = outer;
      span.end();
    }
  }

  /** A span of something that is over: it took `durationMs` until `endedAt`. */
  past(name: string, attributes: Attributes, endedAt: number, durationMs: number): void {
    this.#tracer.startSpan(name, { parent: this.context, attributes, startTime: endedAt - durationMs }).end(endedAt);
  }

  /** The end of this process's work. `error`: what kept the run from completing. */
  end(attributes: Attributes, error?: unknown): void {
    this.#root.setAttributes(attributes);
    if (error !== undefined) fail(this.#root, error);
    this.#root.end();
  }
}

/**
 * All processes of a run are in one trace: that of whoever asked for it, or one that follows from the run's id. The ids of their spans follow
 * from their number, so that one can name the span of the one before it, whether that was ever told or not.
 */
function startRoot(tracer: Tracer, { name, runId, attempt, parent, askedBy, attributes }: RunRoot): Span {
  const traceId = parent?.traceId ?? traceIdOf(`run:${runId}`);
  const idOf = (number: number): string => spanIdOf(traceId, `run:${runId}:${number}`);
  const links: SpanLink[] = [
    ...(attempt > 1 ? [{ context: { traceId, spanId: idOf(attempt - 1), sampled: parent?.sampled ?? true } }] : []),
    ...(askedBy === undefined || askedBy.spanId === parent?.spanId ? [] : [{ context: askedBy }]),
  ];
  return tracer.startSpan(name, { parent, ids: { traceId, spanId: idOf(attempt) }, links, attributes });
}

/** The words are ours: those of an error may quote an agent. */
function fail(span: Span, error: unknown): void {
  const type = error instanceof RunEnd ? error.kind : error instanceof LokiError ? error.code : 'internal';
  span.setAttribute(attribute.errorType, type).setStatus('error', error instanceof RunEnd ? endKinds[error.kind] : undefined);
}
