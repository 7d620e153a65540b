/** Log records and events -> OTLP/JSON (logs.proto). */
import type { LogData, Resource } from '../../base/telemetry-data.ts';
import { envelop, type Encoded, type MessageBounds } from './envelope.ts';
import { idsText, Texts } from './texts.ts';
import { quote } from './value.ts';

/** In as many messages as the bounds require. Records of one scope stand together. */
export function encodeLogs(resource: Resource, records: readonly LogData[], bounds?: MessageBounds): Encoded {
  const texts = new Texts();
  return envelop('logs', resource, records.map((record) => ({ scope: record.scope, text: recordText(record, texts), items: 1 })), bounds);
}

function recordText({ name, time, observedTime, severityNumber, severityText, body, attributes, context }: LogData, texts: Texts): string {
  return `{"timeUnixNano":${texts.nanos(time)},"observedTimeUnixNano":${texts.nanos(observedTime)}${severityNumber === 0 ? '' : `,"severityNumber":${severityNumber}`}`
    + `${severityText === '' ? '' : `,"severityText":${quote(severityText)}`}${name === undefined ? '' : `,"eventName":${quote(name)}`}`
    + `${body === undefined ? '' : `,"body":{"stringValue":${quote(body)}}`}${texts.kept(attributes)}`
    + `${context === undefined ? '' : `,"flags":${context.sampled ? 1 : 0},${idsText(context)}`}}`;
}
