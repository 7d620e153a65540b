/**
 * The pieces that items of all signals are written from: attributes, times, ids, flags. What comes again and again within one message is written once:
 * names of attributes, and the seconds of times, because writing large numbers is most of what writing a small span costs.
 */
import type { KeptAttributes, KeptValue } from '../../base/telemetry-data.ts';
import type { SpanContext } from '../../base/trace.ts';
import { keptValue, quote } from './value.ts';

const msPerSecond = 1000;
const nanosPerMs = 1_000_000;
const nanosPerSecond = 1_000_000_000;
/** Names that are remembered. */
const mostNames = 1000;

/** For the items of one message. */
export class Texts {
  readonly #keys = new Map<string, string>();
  #second = -1;
  #secondText = '';

  /** `,"attributes":[…]`, or nothing. Added up piece by piece, which the engine does faster than what reads better. */
  list({ entries }: KeptAttributes): string {
    let list = '';
    for (let at = 0; at + 1 < entries.length; at += 2) {
      list += at === 0 ? ',"attributes":[' : ',';
      list += this.#key(entries[at]);
      const value = entries[at + 1];
      if (typeof value === 'string') {
        list += '{"stringValue":';
        list += quote(value);
        list += '}}';
      } else if (value !== undefined) {
        list += keptValue(value);
        list += '}';
      }
    }
    return list === '' ? '' : `${list}]`;
  }

  /** Beside it how many there were more, where there were. */
  kept(attributes: KeptAttributes): string {
    return attributes.dropped === 0 ? this.list(attributes) : `${this.list(attributes)},"droppedAttributesCount":${attributes.dropped}`;
  }

  /** Milliseconds since 1970 as a string of nanoseconds: more than a double can hold exactly. */
  nanos(ms: number): string {
    const second = Math.floor(ms / msPerSecond);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = second === 0 ? '' : String(second);
    }
    const rest = Math.min(nanosPerSecond - 1, Math.floor((ms - second * msPerSecond) * nanosPerMs));
    // Its digits with the zeros before them, of which JSON wants none at the very beginning.
    return this.#secondText === '' ? `"${rest}"` : `"${this.#secondText}${String(nanosPerSecond + rest).slice(1)}"`;
  }

  #key(name: KeptValue | undefined): string {
    if (typeof name !== 'string') return '{"key":"unknown","value":';
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const text = `{"key":${quote(name)},"value":`;
    if (this.#keys.size < mostNames) this.#keys.set(name, text);
    return text;
  }
}

/** Bits of `flags` (trace.proto, SpanFlags): those of W3C in the lowest byte, then whether it is known that the context came from elsewhere, and whether it did. */
const [sampledFlag, knowsRemote, isRemoteFlag] = [1, 0x100, 0x200];

export function flags(sampled: boolean, remote: boolean | undefined): number {
  return (sampled ? sampledFlag : 0) | knowsRemote | (remote === true ? isRemoteFlag : 0);
}

/** `"traceId":…,"spanId":…` */
export function idsText({ traceId, spanId }: SpanContext): string {
  return `"traceId":"${traceId}","spanId":"${spanId}"`;
}
