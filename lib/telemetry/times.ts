/**
 * What time it is, for spans: the monotonic clock on a wall-clock base, so that a span never ends before it began and its length is right
 * though the wall clock is set meanwhile. The base follows the wall clock where the two have parted, and a span keeps the one it began with.
 */
import type { Clock } from '../ports.ts';

const checkEveryMs = 1000;
/** What the wall clock may be off before it is followed; being slewed it drifts less than a millisecond a second. */
const toleratedMs = 10;
/** Between two readings of the clocks; where it took longer the process was stopped in between, and they say nothing of each other. */
const sharpMs = 2;
const mostTries = 3;

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
    const measured = this.#measure();
    if (measured !== undefined && Math.abs(measured - this.base) > toleratedMs) this.base = measured;
  }

  /** The base as the clocks have it now; undefined where that cannot be told, unless there is none yet. */
  #measure(): number | undefined {
    let base = 0;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const before = this.#clock.monotonic();
      base = this.#clock.now() - before;
      if (this.#clock.monotonic() - before <= sharpMs) return base;
    }
    return this.base === 0 ? base : undefined;
  }
}
