/** Small stand-ins for ports: a clock that tests own, a lock for one process, timers of the real event loop. */
import type { Clock, Lock, Random, Timers } from '../../lib/ports.ts';

export interface TestClock extends Clock {
  set(milliseconds: number): void;
  advance(milliseconds: number): void;
}

/** 2026-02-15T14:30:00.000Z unless told otherwise. */
export function createTestClock(start: number = Date.UTC(2026, 1, 15, 14, 30)): TestClock {
  let now = start;
  let monotonic = 0;
  return {
    now: () => now,
    monotonic: () => monotonic,
    set(milliseconds) { now = milliseconds; },
    advance(milliseconds) { now += milliseconds; monotonic += milliseconds; },
  };
}

export const realTimers: Timers = {
  after(milliseconds, run) { const timer = setTimeout(run, milliseconds); timer.unref(); return () => clearTimeout(timer); },
  every(milliseconds, run) { const timer = setInterval(run, milliseconds); timer.unref(); return () => clearInterval(timer); },
  sleep: (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); }),
  yield: () => new Promise((resolve) => { setImmediate(resolve); }),
};

/** A lock among the callers of one process. */
export function createTestLock(): Lock {
  let held = false;
  return {
    async acquire() { while (held) await new Promise((resolve) => { setImmediate(resolve); }); held = true; },
    contended: () => false,
    release() { held = false; },
  };
}

/** Bytes that differ from call to call and are the same in every run. */
export function createTestRandom(): Random {
  let count = 0;
  return {
    bytes(length) {
      count += 1;
      return Uint8Array.from({ length }, (_, at) => (count * 31 + at * 7) & 255);
    },
  };
}
