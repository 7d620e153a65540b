/** Clock, timers and randomness of the real machine. */
import type * as crypto from 'node:crypto';
import type { Clock, Random, Timers } from '../ports.ts';

export const clock: Clock = {
  now: () => Date.now(),
  // `performance` would load a module of its own at the first use.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
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

/** node:crypto takes 2 ms to load, and who only reads needs none of it. */
export const random: Random = {
  bytes(length) {
    const { randomBytes }: typeof crypto = process.getBuiltinModule('node:crypto');
    return randomBytes(length);
  },
};
