/**
 * What members of an OTLP payload have to do with each other: the rules that stand in the comments of opentelemetry-proto and in the data
 * model, and that no type says. They are asked of messages whose members have their right form.
 */
import { isPlainObject } from '../../lib/base/json.ts';
import type { Members, Rule } from './otlp-shapes.ts';

/** A 64-bit number, where there is one. */
function whole(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objects(value: unknown): readonly Members[] {
  return items(value).filter(isPlainObject);
}

const numbers = (value: unknown): readonly number[] => items(value).filter((one): one is number => typeof one === 'number');
const sumOf = (counts: unknown): bigint => items(counts).reduce<bigint>((sum, count) => sum + (whole(count) ?? 0n), 0n);
const has = (message: Members, name: string): boolean => Object.hasOwn(message, name);

/** At most one of them is there. */
export function atMostOne(...names: readonly string[]): Rule {
  return (message, at, say) => {
    const found = names.filter((name) => has(message, name));
    if (found.length > 1) say(at, `has ${found.join(' and ')}, of which only one may be there`);
  };
}

/** One of them is there, and no other. */
export function exactlyOne(...names: readonly string[]): Rule {
  const unique = atMostOne(...names);
  return (message, at, say) => {
    if (!names.some((name) => has(message, name))) say(at, `has none of ${names.join(', ')}`);
    unique(message, at, say);
  };
}

/** Both or neither. */
export function together(one: string, other: string): Rule {
  return (message, at, say) => { if (has(message, one) !== has(message, other)) say(at, `has only one of ${one} and ${other}`); };
}

/** The first is no later than the second. */
export function inOrder(first: string, second: string): Rule {
  return (message, at, say) => {
    const [earlier, after] = [whole(message[first]), whole(message[second])];
    if (earlier !== undefined && after !== undefined && earlier > after) say(at, `has its ${second} before its ${first}`);
  };
}

/** No key twice: "the behavior of software that receives duplicated keys can be unpredictable" (common.proto). */
export function uniqueKeys(name: string): Rule {
  return unique(name, ({ key }) => JSON.stringify(key));
}

/** Nothing of a list has the same name as another. */
export function uniqueNames(name: string): Rule {
  return unique(name, (one) => JSON.stringify(one['name']));
}

function unique(name: string, keyOf: (one: Members) => string): Rule {
  return (message, at, say) => {
    const seen = new Set<string>();
    for (const one of objects(message[name])) {
      const key = keyOf(one);
      if (seen.has(key)) say(at === '' ? name : `${at}.${name}`, `has ${key} twice`);
      seen.add(key);
    }
  };
}

/** Points of one stream at one moment contradict each other, or are told twice (data model, "Single-Writer"). */
export const uniquePoints: Rule = unique('dataPoints', (point) => `${whole(point['timeUnixNano'])} ${attributesText(point['attributes'])}`);

function attributesText(attributes: unknown): string {
  return objects(attributes).map((one) => JSON.stringify([one['key'], one['value']])).sort().join();
}

/** Who it is that speaks (resource conventions: `service.name` is required). */
export const namesItsService: Rule = ({ attributes }, at, say) => {
  const service = objects(attributes).find(({ key }) => key === 'service.name')?.['value'];
  if (!isPlainObject(service) || typeof service['stringValue'] !== 'string' || service['stringValue'] === '') say(at, 'has no service.name');
};

/** Keys of entities lead to attributes of the resource. */
export const entitiesAreDescribed: Rule = ({ attributes, entityRefs }, at, say) => {
  const known = new Set(objects(attributes).map(({ key }) => key));
  for (const reference of objects(entityRefs)) {
    for (const key of [...items(reference['idKeys']), ...items(reference['descriptionKeys'])]) if (!known.has(key)) say(at, `has an entity that names ${JSON.stringify(key)}, which is no attribute`);
  }
};

export const isNotItsOwnParent: Rule = ({ spanId, parentSpanId }, at, say) => {
  if (typeof spanId === 'string' && typeof parentSpanId === 'string' && spanId.toLowerCase() === parentSpanId.toLowerCase()) say(at, 'is its own parent');
};

const hasIsRemote = 0x100;
const isRemote = 0x200;

/** Bit 9 means something where bit 8 is set (trace.proto, SpanFlags). */
export const remoteIsKnown: Rule = ({ flags }, at, say) => {
  if (typeof flags === 'number' && (flags & isRemote) !== 0 && (flags & hasIsRemote) === 0) say(at, 'has flags that say remote, and not that this is known');
};

/** "Description MUST only be used with the Error StatusCode value" (trace API). */
export const onlyErrorsHaveMessages: Rule = ({ code, message }, at, say) => {
  if (typeof message === 'string' && message !== '' && code !== 2) say(at, 'has a message and is no error');
};

export const monotonicIsNotNegative: Rule = ({ isMonotonic, dataPoints }, at, say) => {
  if (isMonotonic !== true) return;
  for (const point of objects(dataPoints)) if (String(point['asInt'] ?? point['asDouble']).startsWith('-') && Number(point['asInt'] ?? point['asDouble']) !== 0) say(at, 'is monotonic and has a negative point');
};

const noRecordedValue = 1;

/** A value, unless the point says that there is none. */
export const hasValue: Rule = (point, at, say) => {
  const isStale = point['flags'] === noRecordedValue;
  (isStale ? atMostOne : exactlyOne)('asDouble', 'asInt')(point, at, say);
};

export const countIsSumOfBuckets: Rule = ({ count, bucketCounts }, at, say) => {
  if (items(bucketCounts).length > 0 && whole(count) !== undefined && sumOf(bucketCounts) !== whole(count)) say(at, `has the count ${String(count)} and ${sumOf(bucketCounts)} in its buckets`);
};

export const countIsSumOfExponentialBuckets: Rule = ({ count, zeroCount, positive, negative }, at, say) => {
  const inside = [positive, negative].reduce<bigint>((sum, side) => sum + (isPlainObject(side) ? sumOf(side['bucketCounts']) : 0n), whole(zeroCount) ?? 0n);
  if (whole(count) !== undefined && inside !== whole(count)) say(at, `has the count ${String(count)} and ${inside} in its buckets`);
};

/** One bucket more than bounds, or none of either; bounds rise. */
export const boundsFitBuckets: Rule = ({ bucketCounts, explicitBounds }, at, say) => {
  const [buckets, bounds] = [items(bucketCounts).length, items(explicitBounds).length];
  if (buckets === 0 ? bounds !== 0 : buckets !== bounds + 1) say(at, `has ${buckets} buckets and ${bounds} bounds`);
  if (numbers(explicitBounds).some((bound, index, all) => index > 0 && bound <= (all[index - 1] ?? 0))) say(at, 'has bounds that do not rise');
};

/** `sum` is left out where something negative was counted; of nothing there is neither sum nor extreme. */
export const extremesFit: Rule = ({ count, sum, min, max }, at, say) => {
  if (typeof min === 'number' && typeof max === 'number' && min > max) say(at, 'has a min above its max');
  if (typeof min === 'number' && min < 0 && sum !== undefined) say(at, 'has a sum, and counted something negative');
  if (typeof sum === 'number' && sum < 0) say(at, 'has a negative sum');
  if (whole(count) === 0n && ((sum !== undefined && sum !== 0) || min !== undefined || max !== undefined)) say(at, 'counted nothing, and has a sum, min or max');
};

/** "filteredAttributes": those that the point has not. */
export const exemplarsAddAttributes: Rule = ({ attributes, exemplars }, at, say) => {
  const known = new Set(objects(attributes).map(({ key }) => key));
  for (const exemplar of objects(exemplars)) for (const { key } of objects(exemplar['filteredAttributes'])) if (known.has(key)) say(at, `has ${JSON.stringify(key)} on itself and on an exemplar`);
};

export const quantilesRise: Rule = ({ quantileValues }, at, say) => {
  const quantiles = objects(quantileValues).map(({ quantile }) => Number(quantile));
  if (quantiles.some((one, index) => one < 0 || one > 1 || (index > 0 && one <= (quantiles[index - 1] ?? 0)))) say(at, 'has quantiles that do not rise from 0 to 1');
};

/** A record belongs to a span only within a trace. */
export const spanHasTrace: Rule = ({ traceId, spanId }, at, say) => {
  if (spanId !== undefined && traceId === undefined) say(at, 'has a spanId and no traceId');
};

const longestEventName = 256;

export const eventNameIsShort: Rule = ({ eventName }, at, say) => {
  if (typeof eventName === 'string' && eventName.length > longestEventName) say(at, `has an eventName of ${eventName.length} characters; at most ${longestEventName} are allowed`);
};
