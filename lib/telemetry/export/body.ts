/**
 * The text of a batch, as far as whoever carries it must know it: whether it is one message of its signal, several put into one, one cut into two. What
 * is carried is not read: a text of the right form whose middle is broken is found out by the receiver.
 */
import { isPlainObject, jsonIn } from '../../base/json.ts';
import { envelopeNames } from '../../formats/otlp/envelope.ts';
import type { Signal } from '../batch.ts';

/** Metrics have their points below one of these. */
const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

const begins = (signal: Signal): string => `{"${envelopeNames[signal].resources}":[`;
const ends = ']}';

/** Whether a text is a message of the signal in the form in which ours are written: no line feed, one member. */
export function isBody(signal: Signal, text: string): boolean {
  return text.startsWith(begins(signal)) && text.endsWith(ends) && text.length >= begins(signal).length + ends.length && !text.includes('\n');
}

/** The message in a spool file, which is one line; undefined when it holds anything else. */
export function bodyInFile(signal: Signal, text: string): string | undefined {
  const body = text.endsWith('\n') ? text.slice(0, -1) : undefined;
  return body !== undefined && isBody(signal, body) ? body : undefined;
}

/** Several messages as the pieces of one. All of them are `isBody`. */
export function joinBodies(signal: Signal, bodies: readonly string[]): readonly string[] {
  if (bodies.length === 1) return bodies;
  const inner = bodies.map((body) => body.slice(begins(signal).length, -ends.length)).filter((text) => text !== '');
  return [begins(signal), ...inner.flatMap((text, at) => (at === 0 ? [text] : [',', text])), ends];
}

/**
 * Of what lies on disk more is not parsed: a file that somebody made for it keeps a process busy for a minute and fills gigabytes of memory. Of ours, what
 * is larger is one item, which cannot be cut.
 */
export const mostParsed: number = 1024 * 1024;

/** Whether a message that was refused cannot be read as JSON. Of one that is too large to be looked at that is not said. */
export function isDamaged(body: string): boolean {
  return body.length <= mostParsed && jsonIn(body) === undefined;
}

/** A part of a message, and how many items it holds. */
export interface Part {
  readonly body: string;
  readonly items: number;
}

/** One message as two, half of its spans, metrics or records each; undefined when it cannot be cut. Costs a parse: only for what a receiver found too large. */
export function halves(signal: Signal, body: string): readonly [Part, Part] | undefined {
  const message = jsonIn(body);
  const total = countOf(signal, message, () => 1);
  if (total < 2) return undefined;
  const middle = total >> 1;
  const part = (from: number, to: number): Part => {
    const cut = between(signal, message, from, to);
    return { body: JSON.stringify(cut), items: countOf(signal, cut, (item) => pointsOf(signal, item)) };
  };
  return [part(0, middle), part(middle, total)];
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const found = isPlainObject(value) ? value[name] : undefined;
  return Array.isArray(found) ? found : [];
}

function countOf(signal: Signal, message: unknown, weigh: (item: unknown) => number): number {
  const { resources, scopes, items } = envelopeNames[signal];
  let count = 0;
  for (const one of listIn(message, resources)) for (const other of listIn(one, scopes)) for (const each of listIn(other, items)) count += weigh(each);
  return count;
}

/** Spans and records count as one; a metric as its points. */
function pointsOf(signal: Signal, item: unknown): number {
  if (signal !== 'metrics' || !isPlainObject(item)) return 1;
  return pointKinds.reduce((sum, kind) => sum + listIn(item[kind], 'dataPoints').length, 0);
}

/** The message with items `from` to before `to` alone; scopes and resources of which nothing is left go. */
function between(signal: Signal, message: unknown, from: number, to: number): object {
  const { resources, scopes, items } = envelopeNames[signal];
  let at = 0;
  const kept = (value: unknown, name: string, keep: (each: unknown) => readonly object[]): readonly object[] => {
    const left = listIn(value, name).flatMap(keep);
    return left.length === 0 || !isPlainObject(value) ? [] : [{ ...value, [name]: left }];
  };
  const inScope = (value: unknown): readonly object[] => kept(value, items, (each) => {
    at += 1;
    return at > from && at <= to && isPlainObject(each) ? [each] : [];
  });
  const [cut] = kept(message, resources, (value) => kept(value, scopes, inScope));
  return cut ?? {};
}
