/**
 * What time it is, for spans: the monotonic clock on a wall-clock base, so that a span never ends before it began and its length is right
 * though the wall clock is set meanwhile. The base follows the wall clock where the two have parted, and a span keeps the one it began with.
 */
import type { Clock } from '../ports.ts';

const checkEveryMs = 1000;
/** What the wall clock may be off before it is followed; being slewed it drifts less than a millisecond a second. */
const toleratedMs = 10;

export class Times {
  readonly #clock: Clock;
  #checkAt = -Infinity;
  /** Milliseconds since 1970 at which the monotonic clock showed 0. */
  base = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970, with fractions. */
  now(): number {
    const elapsed = this.#clock.monotonic();
    if (elapsed >= this.#checkAt) this.#check(elapsed);
    return this.base + elapsed;
  }

  /** Now, on a base that was right before. */
  since(base: number): number {
    return base + this.#clock.monotonic();
  }

  #check(elapsed: number): void {
    this.#checkAt = elapsed + checkEveryMs;
    const off = this.#clock.now() - elapsed - this.base;
    if (Math.abs(off) > toleratedMs) this.base += off;
  }
}
