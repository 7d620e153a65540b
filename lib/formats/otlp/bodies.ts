/**
 * Finished messages again: which signal a text is of and how many items it holds, and several of one signal joined into one. A text may come
 * from disk or from anywhere: what does not have exactly the shape of a message is none.
 */
import { isPlainObject, objectIn, type JsonValue } from '../../base/json.ts';
import type { Signal } from '../../base/telemetry-data.ts';
import { envelopeNames, type Message } from './envelope.ts';

export interface ReadMessage extends Message {
  readonly signal: Signal;
}

const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** Where the points of a metric are (metrics.proto, Metric.data). */
const pointHolders: readonly string[] = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** Undefined when the text is no message of exactly one signal, or holds nothing. The body is the text, on one line. */
export function readMessage(text: string): ReadMessage | undefined {
  const message = objectIn(text);
  const signal = signals.find((one) => message !== undefined && Object.hasOwn(message, envelopeNames[one].resources));
  if (message === undefined || signal === undefined || Object.keys(message).length !== 1) return undefined;
  const items = countItems(signal, message);
  return items === undefined || items === 0 ? undefined : { signal, items, body: text.trim().replaceAll(/[\r\n]/g, ' ') };
}

/** Undefined when something on the way is not what it must be. */
function countItems(signal: Signal, message: JsonValue): number | undefined {
  const { resources, scopes, items } = envelopeNames[signal];
  let sum = 0;
  for (const resource of members(message, resources)) {
    for (const scope of members(resource, scopes)) {
      for (const item of members(scope, items)) {
        if (!isPlainObject(item)) return undefined;
        sum += signal === 'metrics' ? countPoints(item) : 1;
      }
    }
  }
  return sum;
}

function members(holder: JsonValue | undefined, name: string): readonly JsonValue[] {
  const list = isPlainObject(holder) ? holder[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function countPoints(metric: { readonly [name: string]: JsonValue }): number {
  return pointHolders.reduce((sum, name) => sum + members(metric[name], 'dataPoints').length, 0);
}

/**
 * One message that holds what all of them hold, in their order; undefined where one is not written as `encodeSpans`, `encodeMetrics` and `encodeLogs`
 * write. Only their beginnings and ends are looked at: give it what `readMessage` took, or what was made here.
 */
export function joinBodies(signal: Signal, bodies: readonly string[]): string | undefined {
  const [head, tail] = [`{"${envelopeNames[signal].resources}":[`, ']}'];
  if (!bodies.every((body) => body.startsWith(head) && body.endsWith(tail) && body.length > head.length + tail.length)) return undefined;
  return `${head}${bodies.map((body) => body.slice(head.length, -tail.length)).join(',')}${tail}`;
}
