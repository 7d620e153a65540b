/** Clock, timers and randomness of the real machine. */
import { randomBytes } from 'node:crypto';
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

export const random: Random = {
  bytes: (length) => randomBytes(length),
};
