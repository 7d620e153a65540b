/**
 * Attributes as they are kept until they leave: each name once, as many as the limits allow, and values as they were when they were given.
 * Takes anything from anybody and never throws; what cannot be an attribute is left out, what is too much is counted.
 */
import type { KeptAttributes, KeptValue } from '../base/telemetry-data.ts';
import type { Attributes } from '../base/trace.ts';
import { writeValue } from '../formats/otlp/any-value.ts';
import { cut, longestName, valueBounds } from '../formats/otlp/value.ts';
import type { LimitSettings } from './settings.ts';

/** Of one thing that has attributes: how many, and how many characters of a text, wherever it stands in a value. */
export interface BagLimits {
  readonly count: number;
  readonly valueLength: number;
}

/** What a span and a log record may hold. */
export interface Limits {
  readonly span: BagLimits;
  readonly event: BagLimits;
  readonly link: BagLimits;
  readonly log: BagLimits;
  /** Of a span. */
  readonly events: number;
  readonly links: number;
}

/** Those of the specification (common/README.md, "Attribute Limits"; trace/sdk.md, "Span Limits"). */
const usual: LimitSettings = { span: { count: 128, valueLength: undefined }, logRecord: { count: 128, valueLength: undefined }, eventCount: 128, linkCount: 128, attributesPerEvent: 128, attributesPerLink: 128 };

/** What is set, as it is asked for. */
export function limitsOf({ span, logRecord, eventCount, linkCount, attributesPerEvent, attributesPerLink }: LimitSettings = usual): Limits {
  const valueLength = span.valueLength ?? Infinity;
  return {
    span: { count: span.count, valueLength }, event: { count: attributesPerEvent, valueLength }, link: { count: attributesPerLink, valueLength },
    log: { count: logRecord.count, valueLength: logRecord.valueLength ?? Infinity }, events: eventCount, links: linkCount,
  };
}

/** Characters that anything takes beside its texts: what is kept is bounded by these as well. */
const sizeOfOne = 32;

/** What was set last under a name is what it is. */
export class AttributeBag implements KeptAttributes {
  readonly entries: KeptValue[] = [];
  dropped = 0;
  /** About how much memory it holds, in characters. */
  size = 0;

  set(name: string, value: unknown, limits: BagLimits): void {
    if (value === undefined || typeof name !== 'string' || name === '') return;
    const key = name.length > longestName ? cut(name, longestName) : name;
    const at = this.#find(key);
    if (at >= 2 * limits.count) {
      this.dropped += 1;
      return;
    }
    const kept = keep(value, limits.valueLength);
    if (kept === undefined) return;
    this.size += sizeOf(kept);
    if (at < this.entries.length) this.entries[at + 1] = kept;
    else this.entries.push(key, kept);
  }

  /** Where it stands, or will. */
  #find(name: string): number {
    let at = 0;
    while (at < this.entries.length && this.entries[at] !== name) at += 2;
    return at;
  }

  /** What throws when it is looked at ends the list. */
  setAll(attributes: Attributes, limits: BagLimits): void {
    try {
      for (const name in attributes) if (Object.hasOwn(attributes, name)) this.set(name, attributes[name], limits);
    } catch {
      return;
    }
  }
}

/** Those of what is told at once and never changed. */
export function keepAttributes(attributes: Attributes | undefined, limits: BagLimits): AttributeBag {
  if (typeof attributes !== 'object' || attributes === null) return noAttributes;
  const bag = new AttributeBag();
  bag.setAll(attributes, limits);
  return bag;
}

/** Nobody adds to it. */
export const noAttributes: AttributeBag = new AttributeBag();

function keep(value: unknown, longest: number): KeptValue | undefined {
  switch (typeof value) {
    case 'string': return value.length > longest || value.length > valueBounds.characters ? cut(value, Math.min(longest, valueBounds.characters)) : value;
    case 'number': case 'boolean': case 'bigint': return value;
    default: return keepWritten(value, longest);
  }
}

function keepWritten(value: unknown, longest: number): KeptValue | undefined {
  const json = writeValue(value, longest);
  return json === undefined ? undefined : { json };
}

function sizeOf(kept: KeptValue): number {
  return typeof kept === 'string' ? sizeOfOne + kept.length : typeof kept === 'object' ? sizeOfOne + kept.json.length : sizeOfOne;
}
