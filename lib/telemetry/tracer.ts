/**
 * Makes spans and log records of one scope, and hands on what ended. Decides their ids and whether they are kept; trusts no context that it is
 * given before it has looked at it.
 */
import type { LogData, Scope, SpanData } from '../base/telemetry-data.ts';
import { noSpan, severities, unkeptSpan, type EventLogger, type LogEvent, type Span, type SpanOptions, type Tracer } from '../base/trace.ts';
import { cut } from '../formats/otlp/value.ts';
import type { Random } from '../ports.ts';
import { keepAttributes, type Limits } from './attributes.ts';
import type { Sampler } from './sampler.ts';
import { contextOf, KeptSpan, OwnContext, type SpanMaking } from './span.ts';
import type { Times } from './times.ts';

export interface Making {
  readonly scope: Scope;
  readonly times: Times;
  readonly random: Random;
  readonly sampler: Sampler;
  readonly limits: Limits;
  readonly stacks: boolean;
  readonly isPrivate?: boolean;
}

const traceIdLength = 32;
const spanIdLength = 16;

/** `ended` is called once for each span that is kept. */
export function createTracer(making: Making, ended: (span: SpanData) => void): Tracer {
  const { sampler } = making;
  const spans: SpanMaking = { ...making, ended };
  const ids = createIds(making.random);
  return {
    isPrivate: making.isPrivate === true,
    startSpan(name, options) {
      try {
        return begin(name, options ?? undefined);
      } catch {
        // Options that throw when they are looked at.
        return noSpan;
      }
    },
  };

  function begin(name: string, options: SpanOptions | undefined): Span {
    const parent = contextOf(options?.parent);
    const given = options?.ids;
    const traceId = parent?.traceId ?? givenId(given?.traceId, traceIdLength) ?? ids(traceIdLength);
    const spanId = givenId(given?.spanId, spanIdLength) ?? ids(spanIdLength);
    const sampled = sampler(traceId, parent);
    const context = new OwnContext(traceId, spanId, sampled, parent?.traceState);
    return sampled ? new KeptSpan(spans, name, context, parent, options) : unkeptSpan(context);
  }
}

function givenId(id: string | undefined, length: number): string | undefined {
  return id !== undefined && typeof id === 'string' && id.length === length && /^(?!0+$)[0-9a-f]+$/.test(id) ? id : undefined;
}

/** A process that lives for a moment needs a few; of many, drawing costs hardly more than of a tenth of them. */
const [firstPoolBytes, largestPoolBytes] = [256, 16_384];
/** A longer text is one that V8 allocates apart, and slower. */
const textBytes = 2048;
const zero = 48;

/** Draws hexadecimal digits from a pool, because a call for random bytes costs as much as a hundred ids. */
function createIds(random: Random): (length: number) => string {
  let poolBytes = firstPoolBytes;
  let pool = Buffer.alloc(0);
  let from = 0;
  let text = '';
  let at = 0;
  const refill = (): void => {
    if (from >= pool.length) {
      [pool, from] = [Buffer.from(random.bytes(poolBytes)), 0];
      poolBytes = Math.min(largestPoolBytes, 4 * poolBytes);
    }
    [text, at] = [pool.toString('hex', from, from + textBytes), 0];
    from += textBytes;
  };
  return (length) => {
    if (at + length > text.length) refill();
    const id = text.slice(at, at + length);
    at += length;
    // All zero means none. Nearly always the first digit tells, which costs a tenth of looking at all of them.
    return id.charCodeAt(0) === zero && /^0+$/.test(id) ? '1'.padStart(length, '0') : id;
  };
}

const longestEventName = 256;
const longestBody = 65_536;
const sizeOfRecord = 128;

export function createLogger({ scope, times, limits }: Pick<Making, 'scope' | 'times' | 'limits'>, emitted: (record: LogData) => void): EventLogger {
  return {
    emit(event) {
      try {
        emitted(recordOf(event, scope, limits, times.now()));
      } catch {
        return;
      }
    },
  };
}

function recordOf({ name, severity, body, attributes, context, time }: LogEvent, scope: Scope, limits: Limits, now: number): LogData {
  const kept = keepAttributes(attributes, limits.log);
  const text = typeof body === 'string' ? cut(body, longestBody) : undefined;
  const known = Object.hasOwn(severities, severity);
  return {
    scope, attributes: kept, body: text,
    name: typeof name === 'string' && name !== '' ? cut(name, longestEventName) : undefined,
    time: typeof time === 'number' && time > 0 && time < now + aYear ? time : now, observedTime: now,
    severityNumber: known ? severities[severity] : 0, severityText: known ? severity.toUpperCase() : '',
    context: contextOf(context),
    size: sizeOfRecord + kept.size + (text?.length ?? 0),
  };
}

/** Further ahead no record is. */
const aYear = 366 * 86_400_000;
