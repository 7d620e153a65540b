/**
 * OTLP/JSON payloads held against the protocol, for tests of ours: every message and member of opentelemetry-proto 1.x that the three signals
 * use, as tables. Stricter than any receiver, so that what passes here is taken by all. What members have to do with each other is in otlp-rules.ts.
 */
import * as crypto from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, Signal } from '../../lib/telemetry/batch.ts';
import * as rules from './otlp-rules.ts';
import { bits, bool, bytes, double, filledList, filledText, finite, from, id, int32, int64, later, list, message, moment, text, uint32, uint64, type Rule, type Shape } from './otlp-shapes.ts';

// common.proto, resource.proto. `stringValueStrindex` and `keyStrindex` belong to profiles alone, so they are not known here.

const anyValue: Shape = message({
  stringValue: text, boolValue: bool, intValue: int64, doubleValue: double, bytesValue: bytes,
  arrayValue: message({ values: list(later(() => anyValue)) }),
  kvlistValue: message({ values: list(later(() => keyValue)) }, rules.uniqueKeys('values')),
}, rules.atMostOne('stringValue', 'boolValue', 'intValue', 'doubleValue', 'bytesValue', 'arrayValue', 'kvlistValue'));

const keyValue: Shape = message({ 'key!': filledText, 'value!': anyValue });
const attributes: Shape = list(keyValue);
const ownKeys = rules.uniqueKeys('attributes');

const entityRef: Shape = message({ schemaUrl: text, 'type!': filledText, 'idKeys!': filledList(filledText), descriptionKeys: list(filledText) });
const resource: Shape = message({ 'attributes!': attributes, droppedAttributesCount: uint32, entityRefs: list(entityRef) }, ownKeys, rules.namesItsService, rules.entitiesAreDescribed);
const scope: Shape = message({ 'name!': filledText, version: text, attributes, droppedAttributesCount: uint32 }, ownKeys);

const traceId = id(16);
const spanId = id(8);
/** Empty at the root of a trace. */
const parentSpanId: Shape = (value, at, say) => { if (value !== '') spanId(value, at, say); };

// trace.proto

const spanFlags = bits(0x3ff);
const event: Shape = message({ 'timeUnixNano!': moment, 'name!': filledText, attributes, droppedAttributesCount: uint32 }, ownKeys);
const link: Shape = message({ 'traceId!': traceId, 'spanId!': spanId, traceState: text, attributes, droppedAttributesCount: uint32, flags: spanFlags }, ownKeys, rules.remoteIsKnown);
const status: Shape = message({ message: text, code: from(0, 2) }, rules.onlyErrorsHaveMessages);

const span: Shape = message({
  'traceId!': traceId, 'spanId!': spanId, traceState: text, parentSpanId, flags: spanFlags, 'name!': filledText, 'kind!': from(1, 5), 'startTimeUnixNano!': moment, 'endTimeUnixNano!': moment,
  attributes, droppedAttributesCount: uint32, events: list(event), droppedEventsCount: uint32, links: list(link), droppedLinksCount: uint32, status,
}, ownKeys, rules.inOrder('startTimeUnixNano', 'endTimeUnixNano'), rules.isNotItsOwnParent, rules.remoteIsKnown);

// metrics.proto

const temporality = from(1, 2);
const pointFlags = bits(1);
const exemplar: Shape = message({ filteredAttributes: attributes, 'timeUnixNano!': moment, asDouble: double, asInt: int64, spanId, traceId }, rules.uniqueKeys('filteredAttributes'), rules.exactlyOne('asDouble', 'asInt'), rules.together('spanId', 'traceId'));
const point = { attributes, 'timeUnixNano!': moment, flags: pointFlags } as const;
const spanOfTime = rules.inOrder('startTimeUnixNano', 'timeUnixNano');
const exemplars = list(exemplar);
const ofPoint = [ownKeys, spanOfTime, rules.exemplarsAddAttributes] as const;

const gaugePoint: Shape = message({ ...point, startTimeUnixNano: moment, asDouble: double, asInt: int64, exemplars }, ...ofPoint, rules.hasValue);
const sumPoint: Shape = message({ ...point, 'startTimeUnixNano!': moment, asDouble: double, asInt: int64, exemplars }, ...ofPoint, rules.hasValue);
const histogramPoint: Shape = message({
  ...point, 'startTimeUnixNano!': moment, 'count!': uint64, sum: double, bucketCounts: list(uint64), explicitBounds: list(finite), exemplars, min: double, max: double,
}, ...ofPoint, rules.countIsSumOfBuckets, rules.boundsFitBuckets, rules.extremesFit);
const exponentialBuckets: Shape = message({ offset: int32, bucketCounts: list(uint64) });
const exponentialPoint: Shape = message({
  ...point, 'startTimeUnixNano!': moment, 'count!': uint64, sum: double, 'scale!': int32, zeroCount: uint64, positive: exponentialBuckets, negative: exponentialBuckets, exemplars, min: double, max: double, zeroThreshold: double,
}, ...ofPoint, rules.countIsSumOfExponentialBuckets, rules.extremesFit);
const quantileValue: Shape = message({ 'quantile!': finite, 'value!': double });
const summaryPoint: Shape = message({ ...point, 'startTimeUnixNano!': moment, 'count!': uint64, 'sum!': double, quantileValues: list(quantileValue) }, ownKeys, spanOfTime, rules.quantilesRise);

const pointsOf = (shape: Shape): Readonly<Record<string, Shape>> => ({ 'dataPoints!': filledList(shape) });
const metric: Shape = message({
  'name!': filledText, description: text, unit: text, metadata: attributes,
  gauge: message(pointsOf(gaugePoint), rules.uniquePoints),
  sum: message({ ...pointsOf(sumPoint), 'aggregationTemporality!': temporality, 'isMonotonic!': bool }, rules.uniquePoints, rules.monotonicIsNotNegative),
  histogram: message({ ...pointsOf(histogramPoint), 'aggregationTemporality!': temporality }, rules.uniquePoints),
  exponentialHistogram: message({ ...pointsOf(exponentialPoint), 'aggregationTemporality!': temporality }, rules.uniquePoints),
  summary: message(pointsOf(summaryPoint), rules.uniquePoints),
}, rules.exactlyOne('gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'), rules.uniqueKeys('metadata'));

// logs.proto

const logRecord: Shape = message({
  timeUnixNano: moment, 'observedTimeUnixNano!': moment, severityNumber: from(1, 24), severityText: text, body: anyValue, attributes, droppedAttributesCount: uint32,
  flags: bits(0xff), traceId, spanId, eventName: filledText,
}, ownKeys, rules.spanHasTrace, rules.eventNameIsShort);

// trace_service.proto, metrics_service.proto, logs_service.proto: the same members as TracesData, MetricsData, LogsData.

interface Envelope {
  readonly resources: string;
  readonly scopes: string;
  readonly items: string;
  readonly shape: Shape;
}

function envelope(resources: string, scopes: string, items: string, shape: Shape, ...inScope: readonly Rule[]): Envelope {
  const scoped = message({ 'scope!': scope, [`${items}!`]: filledList(shape), schemaUrl: text }, ...inScope);
  const whole = message({ [`${resources}!`]: filledList(message({ 'resource!': resource, [`${scopes}!`]: filledList(scoped), schemaUrl: text })) });
  return { resources, scopes, items, shape: whole };
}

/** What the objects around the items of a signal are called. */
export const envelopes: Readonly<Record<Signal, Envelope>> = {
  traces: envelope('resourceSpans', 'scopeSpans', 'spans', span),
  metrics: envelope('resourceMetrics', 'scopeMetrics', 'metrics', metric, rules.uniqueNames('metrics')),
  logs: envelope('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
};

/** Every mistake in a payload, each with its place; none when it is right. */
export function checkPayload(signal: Signal, payload: string): readonly string[] {
  const mistakes: string[] = [];
  const say = (at: string, words: string): void => { mistakes.push(`${at === '' ? 'the payload' : at} ${words}`); };
  const value = parsed(payload, say);
  if (mistakes.length === 0) envelopes[signal].shape(value, '', say);
  if (mistakes.length === 0) keep(signal, payload);
  return mistakes;
}

/** As `checkPayload`, and that the batch says the truth about itself. */
export function checkBatch({ signal, items, body }: Pick<Batch, 'signal' | 'items' | 'body'>): readonly string[] {
  const mistakes = checkPayload(signal, body);
  if (mistakes.length > 0) return mistakes;
  const found = countItems(signal, body);
  return [...(body.includes('\n') ? ['the batch is more than one line'] : []), ...(found === items ? [] : [`the batch says ${items} items and holds ${found}`])];
}

/** Spans, data points or log records in a payload that is right. */
export function countItems(signal: Signal, payload: string): number {
  const { resources, scopes, items } = envelopes[signal];
  const inside = (values: readonly Json[], name: string): readonly Json[] => values.flatMap((value) => value[name] ?? []);
  const found = inside(inside(inside([JSON.parse(payload) as Json], resources), scopes), items);
  return signal === 'metrics' ? found.flatMap((one) => Object.values(one)).flatMap((data) => (data as unknown as Json)['dataPoints'] ?? []).length : found.length;
}

type Json = { readonly [name: string]: readonly Json[] };

/** As deep as protobuf's own readers go: an object is a message. */
const deepest = 100;

function parsed(payload: string, say: (at: string, words: string) => void): unknown {
  try {
    const value: unknown = JSON.parse(payload);
    sayOfText(payload, say);
    return value;
  } catch (error) {
    say('', `is no JSON: ${(error as Error).message}`);
    return undefined;
  }
}

/** What is gone once it is parsed: members that come twice, and how deep it was. */
function sayOfText(json: string, say: (at: string, words: string) => void): void {
  const open: Set<string>[] = [];
  let depth = 0;
  for (const [token, string, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined && string !== undefined) {
      const name: unknown = JSON.parse(string);
      if (open.at(-1)?.has(String(name)) === true) say('', `has the member ${string} twice in one object`);
      open.at(-1)?.add(String(name));
    }
    depth = Math.max(depth, open.length);
  }
  if (depth > deepest) say('', `is ${depth} messages deep; readers of protobuf stop at ${deepest}`);
}

/** Payloads that are right go to the folder LOKI_TEST_PAYLOADS, where test/interop has protobuf itself read them. */
function keep(signal: Signal, payload: string): void {
  const folder = process.env['LOKI_TEST_PAYLOADS'];
  if (folder === undefined || folder === '') return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${signal}-${crypto.createHash('sha256').update(payload).digest('hex').slice(0, 24)}.json`), payload);
}
