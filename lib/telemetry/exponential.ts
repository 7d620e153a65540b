/**
 * Counts in buckets whose bounds are powers of one base, 2 to the power of 2 to the power of -scale: as fine as 160 buckets allow for what was
 * measured, from the smallest number to the largest, with nobody naming bounds (OpenTelemetry metrics/data-model.md, "ExponentialHistogram";
 * metrics/sdk.md, "Base2 Exponential Bucket Histogram Aggregation"). Where a value does not fit, two buckets become one, and so on for all.
 */
import type { ExponentialBuckets, ExponentialCounts } from '../base/telemetry-data.ts';

const largestScale = 20;
/** Of either sign. */
const mostBuckets = 160;

/** Buckets of one sign. */
class Side {
  offset = 0;
  counts: number[] = [];

  /** By how much the scale must fall before this bucket is among them. */
  excess(index: number): number {
    if (this.counts.length === 0) return 0;
    let [low, high] = [Math.min(index, this.offset), Math.max(index, this.offset + this.counts.length - 1)];
    let excess = 0;
    for (; high - low >= mostBuckets; excess += 1) [low, high] = [low >> 1, high >> 1];
    return excess;
  }

  add(index: number): void {
    if (this.counts.length === 0) this.offset = index;
    while (index < this.offset) {
      this.counts.unshift(0);
      this.offset -= 1;
    }
    while (index >= this.offset + this.counts.length) this.counts.push(0);
    const at = index - this.offset;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}

/** What was measured into one series. */
export class ExponentialStore {
  #scale = largestScale;
  #zeroCount = 0;
  readonly #positive = new Side();
  readonly #negative = new Side();

  /** Of a number that is finite. Gives the bucket that it fell into. */
  record(value: number): number {
    if (value === 0) {
      this.#zeroCount += 1;
      return 0;
    }
    const side = value > 0 ? this.#positive : this.#negative;
    const fine = bucketOf(Math.abs(value), this.#scale);
    const excess = side.excess(fine);
    if (excess > 0) this.#coarsen(excess);
    side.add(fine >> excess);
    return fine >> excess;
  }

  /** As it stands. Nothing in it changes afterwards. */
  counts(): ExponentialCounts {
    return { scale: this.#scale, zeroCount: this.#zeroCount, positive: copyOf(this.#positive), negative: copyOf(this.#negative) };
  }

  #coarsen(by: number): void {
    this.#scale -= by;
    for (const side of [this.#positive, this.#negative]) Object.assign(side, coarser(side, by));
  }
}

function copyOf({ offset, counts }: ExponentialBuckets): ExponentialBuckets {
  return { offset, counts: [...counts] };
}

/** 2 to the power of `by` buckets as one. */
function coarser({ offset, counts }: ExponentialBuckets, by: number): ExponentialBuckets {
  const merged: number[] = [];
  const first = offset >> by;
  for (const [at, count] of counts.entries()) {
    const to = ((offset + at) >> by) - first;
    merged[to] = (merged[to] ?? 0) + count;
  }
  return { offset: first, counts: merged };
}

/** What came between two readings of one series. */
export function countsSince(now: ExponentialCounts, before: ExponentialCounts): ExponentialCounts {
  const by = before.scale - now.scale;
  return { scale: now.scale, zeroCount: now.zeroCount - before.zeroCount, positive: without(now.positive, coarser(before.positive, by)), negative: without(now.negative, coarser(before.negative, by)) };
}

/** Without the empty ones at both ends. */
function without(now: ExponentialBuckets, before: ExponentialBuckets): ExponentialBuckets {
  const left = now.counts.map((count, at) => count - (before.counts[now.offset + at - before.offset] ?? 0));
  const first = left.findIndex((count) => count > 0);
  return first < 0 ? { offset: 0, counts: [] } : { offset: now.offset + first, counts: left.slice(first, left.findLastIndex((count) => count > 0) + 1) };
}

/** Numbers below the first have fewer bits; times the second they have all of them. */
const smallestNormal = 2 ** -1022;
const missingBits = 52;
const exponentBias = 1023;
const bits = new DataView(new ArrayBuffer(8));

/**
 * The bucket of a number above 0: its lower bound does not belong to it, its upper one does. Powers of two are in the right one exactly; another number
 * may be in the one beside, where it is as near to a bound as a logarithm is exact.
 */
function bucketOf(value: number, scale: number): number {
  const isTiny = value < smallestNormal;
  bits.setFloat64(0, isTiny ? value * 2 ** missingBits : value);
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)];
  const exponent = (high >>> 20) - exponentBias - (isTiny ? missingBits : 0);
  const isPower = low === 0 && (high & 0xfffff) === 0;
  if (scale <= 0) return (isPower ? exponent - 1 : exponent) >> -scale;
  const first = exponent * 2 ** scale;
  return isPower ? first - 1 : Math.min(Math.max(Math.floor(Math.log2(value) * 2 ** scale), first), first + 2 ** scale - 1);
}
