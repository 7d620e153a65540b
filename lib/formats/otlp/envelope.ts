/**
 * The envelope that the three signals of OTLP have in common (opentelemetry-proto: trace.proto, metrics.proto, logs.proto): who, which part of
 * it, and then the items. Puts finished items into as many messages as are needed to keep each small, and makes none that is empty.
 */
import type { Resource, Scope, Signal } from '../../base/telemetry-data.ts';
import type { Attributes } from '../../base/trace.ts';
import { writeValue } from './any-value.ts';
import { cut, keptValue, longestName, quote, valueBounds } from './value.ts';

/** What one message may hold. A receiver takes 64 MiB; a character is at most three bytes of it. */
export interface MessageBounds {
  readonly items: number;
  readonly characters: number;
}

export const usualBounds: MessageBounds = { items: 512, characters: 4 << 20 };

/**
 * Where a message is ended though it may hold more. V8 allocates what is larger than 128 KiB apart from everything else, which takes up to a hundred
 * times as long a character; messages of this size are encoded in a third of the time.
 */
const aimedCharacters = 96 << 10;

/** One message: `{"resourceSpans":[…]}`, on one line. Items are spans, data points or log records. */
export interface Message {
  readonly body: string;
  readonly items: number;
}

export interface Encoded {
  readonly messages: readonly Message[];
  /** Items that are larger than a message may be, and are in none. */
  readonly tooLarge: number;
}

/** Names that differ between the signals. */
export const envelopeNames: Readonly<Record<Signal, { readonly resources: string; readonly scopes: string; readonly items: string }>> = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
};

/** An item as it is written, and how many it counts for: a metric has several points. */
export interface Written {
  readonly scope: Scope;
  readonly text: string;
  readonly items: number;
  /** Must not stand in the same message as the one before it, of which it is a part. */
  readonly apart?: boolean;
}

/** Items of one scope stand together, in the order in which the scopes came. */
export function envelop(signal: Signal, resource: Resource, written: Iterable<Written>, bounds: MessageBounds = usualBounds): Encoded {
  const aim = Math.min(bounds.characters, aimedCharacters);
  const messages: Message[] = [];
  let tooLarge = 0;
  let open = new Map<Scope, string[]>();
  let [items, characters] = [0, 0];
  const close = (): void => {
    if (items > 0) messages.push({ body: write(signal, resource, open), items });
    open = new Map();
    [items, characters] = [0, 0];
  };
  for (const one of written) {
    if (one.text.length > bounds.characters) {
      tooLarge += one.items;
      continue;
    }
    if (items > 0 && (one.apart === true || items + one.items > bounds.items || characters + one.text.length > aim)) close();
    const texts = open.get(one.scope);
    if (texts === undefined) open.set(one.scope, [one.text]);
    else texts.push(one.text);
    items += one.items;
    characters += one.text.length;
  }
  close();
  return { messages, tooLarge };
}

function write(signal: Signal, resource: Resource, scopes: ReadonlyMap<Scope, readonly string[]>): string {
  const names = envelopeNames[signal];
  const inner = [...scopes].map(([scope, texts]) => `{"scope":${scopeText(scope)},"${names.items}":[${texts.join(',')}]${schema(scope.schemaUrl)}}`);
  return `{"${names.resources}":[{"resource":{${attributesText(resource.attributes)}},"${names.scopes}":[${inner.join(',')}]${schema(resource.schemaUrl)}}]}`;
}

function scopeText({ name, version, attributes }: Scope): string {
  const parts = [`"name":${quote(name)}`, ...(version === undefined ? [] : [`"version":${quote(version)}`]), ...(attributes === undefined ? [] : [attributesText(attributes)])];
  return `{${parts.filter((part) => part !== '').join(',')}}`;
}

function schema(url: string | undefined): string {
  return url === undefined || url === '' ? '' : `,"schemaUrl":${quote(url)}`;
}

/** Nearly all are texts, for which nothing more is loaded. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? keptValue(cut(value, valueBounds.characters)) : writeValue(value);
}

/** `"attributes":[…]` of what nobody has looked at yet; what has no value, or throws when it is looked at, is left out. */
function attributesText(attributes: Attributes): string {
  const texts = new Map<string, string>();
  try {
    for (const name of Object.keys(attributes)) {
      const [key, value] = [quote(cut(name, longestName)), textOf(attributes[name])];
      if (name !== '' && value !== undefined) texts.set(key, `{"key":${key},"value":${value}}`);
    }
  } catch {
    // What was read until then is told.
  }
  return texts.size === 0 ? '' : `"attributes":[${[...texts.values()].join(',')}]`;
}
