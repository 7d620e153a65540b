/** Spans -> OTLP/JSON (trace.proto). Ids are hexadecimal and enums numbers, unlike in JSON of other protobufs. */
import type { KeptEvent, KeptLink, Resource, SpanData } from '../../base/telemetry-data.ts';
import type { SpanKind } from '../../base/trace.ts';
import { envelop, type Encoded, type MessageBounds } from './envelope.ts';
import { flags, idsText, Texts } from './texts.ts';
import { quote } from './value.ts';

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const statusCodes = { unset: 0, ok: 1, error: 2 } as const;

/** In as many messages as the bounds require. Spans of one scope stand together. */
export function encodeSpans(resource: Resource, spans: readonly SpanData[], bounds?: MessageBounds): Encoded {
  const texts = new Texts();
  return envelop('traces', resource, spans.map((span) => ({ scope: span.scope, text: spanText(span, texts), items: 1 })), bounds);
}

/** Added up piece by piece, which the engine does several times faster than what reads better here. */
function spanText(span: SpanData, texts: Texts): string {
  const { context, parent, events, links } = span;
  let text = '{';
  text += idsText(context);
  text += traceState(context.traceState);
  if (parent !== undefined) text += `,"parentSpanId":"${parent.spanId}"`;
  text += `,"flags":${flags(context.sampled, parent?.isRemote)},"name":`;
  text += quote(span.name);
  text += `,"kind":${kinds[span.kind]},"startTimeUnixNano":`;
  text += texts.nanos(span.startTime);
  text += ',"endTimeUnixNano":';
  text += texts.nanos(Math.max(span.startTime, span.endTime));
  text += texts.kept(span.attributes);
  if (events.length > 0) text += `,"events":[${events.map((event) => eventText(event, texts)).join(',')}]`;
  if (span.droppedEvents > 0) text += `,"droppedEventsCount":${span.droppedEvents}`;
  if (links.length > 0) text += `,"links":[${links.map((link) => linkText(link, texts)).join(',')}]`;
  if (span.droppedLinks > 0) text += `,"droppedLinksCount":${span.droppedLinks}`;
  if (span.outcome !== 'unset') text += `,"status":${statusText(span)}`;
  return `${text}}`;
}

function traceState(state: string | undefined): string {
  return state === undefined || state === '' ? '' : `,"traceState":${quote(state)}`;
}

function eventText({ name, time, attributes }: KeptEvent, texts: Texts): string {
  return `{"timeUnixNano":${texts.nanos(time)},"name":${quote(name)}${texts.kept(attributes)}}`;
}

function linkText({ context, attributes }: KeptLink, texts: Texts): string {
  return `{${idsText(context)}${traceState(context.traceState)},"flags":${flags(context.sampled, context.isRemote)}${texts.kept(attributes)}}`;
}

function statusText({ outcome, message }: SpanData): string {
  return `{"code":${statusCodes[outcome]}${message === undefined || message === '' ? '' : `,"message":${quote(message)}`}}`;
}
