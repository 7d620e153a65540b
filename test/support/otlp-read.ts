/** What is in a payload that is right, as tests like to look at it: attributes by name, numbers as numbers. */

export type Plain = string | number | boolean | bigint | null | readonly Plain[] | { readonly [name: string]: Plain };

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: Readonly<Record<string, Plain>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, Plain>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Readonly<Record<string, Plain>> }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly flags: number;
  readonly resource: Readonly<Record<string, Plain>>;
  readonly scope: string;
}

export interface ReceivedLog {
  readonly eventName: string | undefined;
  readonly severityNumber: number | undefined;
  readonly body: Plain;
  readonly attributes: Readonly<Record<string, Plain>>;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly resource: Readonly<Record<string, Plain>>;
}

export interface ReceivedPoint {
  readonly attributes: Readonly<Record<string, Plain>>;
  /** Of gauges and sums. */
  readonly value: number | undefined;
  /** Of histograms. */
  readonly count: number | undefined;
  readonly sum: number | undefined;
  readonly buckets: readonly number[];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: string;
  /** 1 delta, 2 cumulative; undefined for a gauge. */
  readonly temporality: number | undefined;
  readonly bounds: readonly number[];
  readonly points: readonly ReceivedPoint[];
  readonly resource: Readonly<Record<string, Plain>>;
}

/** A member of a payload; the checker has seen that it has this form. */
interface Wire { readonly [name: string]: Wire | undefined }

const listOf = (value: Wire | undefined): readonly Wire[] => (value ?? []) as unknown as readonly Wire[];
const textOf = (value: Wire | undefined): string | undefined => value as unknown as string | undefined;
const numberOf = (value: Wire | undefined): number | undefined => (value === undefined ? undefined : Number(value));
const bigOf = (value: Wire | undefined): bigint => BigInt((value ?? 0) as unknown as string | number);

/** The value of an AnyValue. Whole numbers beyond 2^53 are bigints, bytes are base64. */
function plain(value: Wire | undefined): Plain {
  const [[kind, inside] = []] = Object.entries(value ?? {});
  if (kind === undefined) return null;
  if (kind === 'intValue') return Number.isSafeInteger(Number(inside)) ? Number(inside) : bigOf(inside);
  if (kind === 'arrayValue') return listOf(inside?.['values']).map(plain);
  if (kind === 'kvlistValue') return attributesOf(inside?.['values']);
  return inside as unknown as Plain;
}

function attributesOf(list: Wire | undefined): Readonly<Record<string, Plain>> {
  return Object.fromEntries(listOf(list).map(({ key, value }) => [textOf(key), plain(value)]));
}

interface Found {
  readonly item: Wire;
  readonly resource: Readonly<Record<string, Plain>>;
  readonly scope: string;
}

function itemsIn(payload: string, resources: string, scopes: string, items: string): readonly Found[] {
  return listOf((JSON.parse(payload) as Wire)[resources]).flatMap((inResource) => listOf(inResource[scopes]).flatMap((inScope) => listOf(inScope[items]).map((item) => ({
    item, resource: attributesOf(inResource['resource']?.['attributes']), scope: textOf(inScope['scope']?.['name']) ?? '',
  }))));
}

export function spansIn(payload: string): readonly ReceivedSpan[] {
  return itemsIn(payload, 'resourceSpans', 'scopeSpans', 'spans').map(({ item, resource, scope }) => ({
    name: textOf(item['name']) ?? '', traceId: textOf(item['traceId']) ?? '', spanId: textOf(item['spanId']) ?? '', parentSpanId: textOf(item['parentSpanId']) || undefined,
    kind: numberOf(item['kind']) ?? 0, startTimeUnixNano: bigOf(item['startTimeUnixNano']), endTimeUnixNano: bigOf(item['endTimeUnixNano']), attributes: attributesOf(item['attributes']),
    events: listOf(item['events']).map((event) => ({ name: textOf(event['name']) ?? '', attributes: attributesOf(event['attributes']) })),
    links: listOf(item['links']).map((link) => ({ traceId: textOf(link['traceId']) ?? '', spanId: textOf(link['spanId']) ?? '', attributes: attributesOf(link['attributes']) })),
    status: { code: numberOf(item['status']?.['code']) ?? 0, message: textOf(item['status']?.['message']) ?? '' }, flags: numberOf(item['flags']) ?? 0, resource, scope,
  }));
}

export function logsIn(payload: string): readonly ReceivedLog[] {
  return itemsIn(payload, 'resourceLogs', 'scopeLogs', 'logRecords').map(({ item, resource }) => ({
    eventName: textOf(item['eventName']), severityNumber: numberOf(item['severityNumber']), body: plain(item['body']), attributes: attributesOf(item['attributes']),
    traceId: textOf(item['traceId']), spanId: textOf(item['spanId']), resource,
  }));
}

const kinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

export function metricsIn(payload: string): readonly ReceivedMetric[] {
  return itemsIn(payload, 'resourceMetrics', 'scopeMetrics', 'metrics').map(({ item, resource }) => {
    const kind = kinds.find((one) => item[one] !== undefined) ?? 'none';
    const data = item[kind];
    const points = listOf(data?.['dataPoints']);
    return {
      name: textOf(item['name']) ?? '', unit: textOf(item['unit']) ?? '', kind, temporality: numberOf(data?.['aggregationTemporality']),
      bounds: listOf(points[0]?.['explicitBounds']).map(Number), points: points.map(pointOf), resource,
    };
  });
}

function pointOf(point: Wire): ReceivedPoint {
  return {
    attributes: attributesOf(point['attributes']), value: numberOf(point['asInt'] ?? point['asDouble']), count: numberOf(point['count']), sum: numberOf(point['sum']),
    buckets: listOf(point['bucketCounts']).map(Number), startTimeUnixNano: bigOf(point['startTimeUnixNano']), timeUnixNano: bigOf(point['timeUnixNano']),
  };
}
