/** Clock, timers and randomness of the real machine. */
import type * as crypto from 'node:crypto';
import type { Cancel, Clock, Random, Timers } from '../ports.ts';

/** Taken once: `process` is a getter of the global object, which costs as much as reading the clock. */
const { bigint: nanoseconds } = process.hrtime;

export const clock: Clock = {
  now: () => Date.now(),
  // `performance` would load a module of its own at the first use.
  monotonic: () => Number(nanoseconds()) / 1e6,
};

export const timers: Timers = {
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
  sleep: (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); }),
  yield: () => new Promise((resolve) => { setImmediate(resolve); }),
};

/** Runs something when the time is up, and keeps the process alive until then: what waits for it must not end because nothing else is left to do. */
export function atDeadline(milliseconds: number, run: () => void): Cancel {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** node:crypto takes 2 ms to load, and who only reads needs none of it. */
export const random: Random = {
  bytes(length) {
    const { randomBytes }: typeof crypto = process.getBuiltinModule('node:crypto');
    return randomBytes(length);
  },
};
