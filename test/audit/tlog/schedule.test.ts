/** When checkpoints are due, on time that the test owns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSchedule, type Schedule } from '../../../lib/audit/tlog/schedule.ts';
import { realTimers } from '../../support/fakes.ts';

interface Play {
  readonly schedule: Schedule;
  readonly reasons: string[];
  /** One interval passes. */
  tick(): Promise<void>;
  settle(): Promise<void>;
}

function play(options: { readonly every?: number; readonly age?: () => number; readonly made?: (reason: string) => boolean | Promise<boolean> } = {}): Play {
  const reasons: string[] = [];
  let tick: () => void = () => assert.fail('no timer was started');
  const schedule = startSchedule({
    timers: { ...realTimers, every: (_, run) => { tick = run; return () => { tick = () => undefined; }; } },
    every: options.every ?? 10, intervalMs: 100, age: options.age ?? (() => 0),
    make: async (reason) => {
      reasons.push(reason);
      const made = await options.made?.(reason) ?? true;
      // The entry that tells of it.
      if (made) schedule.appended(1);
      return made;
    },
  });
  const settle = async (): Promise<void> => { for (let n = 0; n < 5; n += 1) await realTimers.yield(); };
  return { schedule, reasons, settle, tick: async () => { tick(); await settle(); } };
}

test('after so many entries, counted anew each time, the telling of it not among them', async () => {
  const { schedule, reasons, settle } = play();
  schedule.appended(9);
  await settle();
  assert.deepEqual(reasons, []);
  schedule.appended(1);
  await settle();
  assert.deepEqual(reasons, ['entries']);
  schedule.appended(9);
  await settle();
  assert.deepEqual(reasons, ['entries']);
  schedule.appended(1);
  await settle();
  assert.deepEqual(reasons, ['entries', 'entries']);
});

test('with every entry, it does not go on by itself', async () => {
  const { schedule, reasons, settle } = play({ every: 2 });
  schedule.appended(2);
  for (let n = 0; n < 10; n += 1) await settle();
  assert.deepEqual(reasons, ['entries']);
});

test('what comes while one is made is covered by the next one', async () => {
  let finish: (made: boolean) => void = () => undefined;
  const { schedule, reasons, settle } = play({ made: (reason) => (reason === 'exit' ? true : new Promise((resolve) => { finish = resolve; })) });
  schedule.appended(10);
  await settle();
  schedule.appended(25);
  schedule.turned();
  await settle();
  assert.deepEqual(reasons, ['entries'], 'one at a time');
  finish(true);
  await settle();
  assert.deepEqual(reasons, ['entries', 'rotation'], 'one covers both');
  schedule.appended(25);
  finish(true);
  await settle();
  assert.deepEqual(reasons, ['entries', 'rotation', 'entries']);
  finish(true);
  await schedule.end();
  assert.deepEqual(reasons, ['entries', 'rotation', 'entries', 'exit']);
});

test('a file that is finished while a checkpoint is made, and nothing else new, gets the next one', async () => {
  let finish: (made: boolean) => void = () => undefined;
  const { schedule, reasons, settle } = play({ made: (reason) => (reason === 'interval' || reason === 'entries' ? new Promise((resolve) => { finish = resolve; }) : true) });
  schedule.appended(10);
  await settle();
  schedule.turned();
  finish(true);
  await settle();
  assert.deepEqual(reasons, ['entries', 'rotation']);
  await settle();
  assert.deepEqual(reasons, ['entries', 'rotation'], 'once');
});

test('at each interval, when a file was finished, and at the end, and never after it', async () => {
  const { schedule, reasons, settle, tick } = play();
  await tick();
  schedule.turned();
  await settle();
  assert.deepEqual(reasons, ['interval', 'rotation']);
  await schedule.end();
  await tick();
  schedule.turned();
  schedule.appended(100);
  await settle();
  assert.deepEqual(reasons, ['interval', 'rotation', 'exit']);
});

test('a heartbeat when nothing was new for ten intervals', async () => {
  let age = 0;
  const { reasons, tick } = play({ age: () => age, made: (reason) => reason === 'heartbeat' });
  for (age = 100; age < 1000; age += 100) await tick();
  assert.deepEqual([...new Set(reasons)], ['interval']);
  await tick();
  assert.deepEqual(reasons.slice(-2), ['interval', 'heartbeat']);
});
