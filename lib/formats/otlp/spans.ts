/** Spans -> OTLP/JSON (trace.proto). Ids are hexadecimal and enums numbers, unlike in JSON of other protobufs. */
import type { KeptEvent, KeptLink, Resource, SpanData } from '../../base/telemetry-data.ts';
import type { SpanKind } from '../../base/trace.ts';
import { envelop, flags, idsText, keptText, nanos, type Encoded, type MessageBounds } from './envelope.ts';
import { quote } from './value.ts';

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const statusCodes = { unset: 0, ok: 1, error: 2 } as const;

/** In as many messages as the bounds require. Spans of one scope stand together. */
export function encodeSpans(resource: Resource, spans: readonly SpanData[], bounds?: MessageBounds): Encoded {
  return envelop('traces', resource, spans.map((span) => ({ scope: span.scope, text: spanText(span), items: 1 })), bounds);
}

function spanText(span: SpanData): string {
  const { context, parent, events, links } = span;
  return `{${idsText(context)}${traceState(context.traceState)}${parent === undefined ? '' : `,"parentSpanId":"${parent.spanId}"`},"flags":${flags(context.sampled, parent?.isRemote)}`
    + `,"name":${quote(span.name)},"kind":${kinds[span.kind]},"startTimeUnixNano":${nanos(span.startTime)},"endTimeUnixNano":${nanos(Math.max(span.startTime, span.endTime))}${keptText(span.attributes)}`
    + `${events.length === 0 ? '' : `,"events":[${events.map(eventText).join(',')}]`}${count('droppedEventsCount', span.droppedEvents)}`
    + `${links.length === 0 ? '' : `,"links":[${links.map(linkText).join(',')}]`}${count('droppedLinksCount', span.droppedLinks)}${statusText(span)}}`;
}

function traceState(state: string | undefined): string {
  return state === undefined || state === '' ? '' : `,"traceState":${quote(state)}`;
}

function count(name: string, number: number): string {
  return number === 0 ? '' : `,"${name}":${number}`;
}

function eventText({ name, time, attributes }: KeptEvent): string {
  return `{"timeUnixNano":${nanos(time)},"name":${quote(name)}${keptText(attributes)}}`;
}

function linkText({ context, attributes }: KeptLink): string {
  return `{${idsText(context)}${traceState(context.traceState)},"flags":${flags(context.sampled, context.isRemote)}${keptText(attributes)}}`;
}

/** Left out where nobody set it: that is what its absence means. */
function statusText({ outcome, message }: SpanData): string {
  if (outcome === 'unset') return '';
  return `,"status":{"code":${statusCodes[outcome]}${message === undefined || message === '' ? '' : `,"message":${quote(message)}`}}`;
}
