import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lock } from '../../lib/ports.ts';
import { createGroupCommit, type GroupCommit, type GroupCommitOptions } from '../../lib/journal/group-commit.ts';
import { createTestClock, realTimers } from '../support/fakes.ts';

interface Bench {
  readonly commits: GroupCommit<string, string>;
  /** Batches as they were written. */
  readonly batches: string[][];
  /** What happened, in order: acquire, commit, release. */
  readonly steps: string[];
  readonly clock: ReturnType<typeof createTestClock>;
}

function bench(changes: Partial<GroupCommitOptions<string, string>> = {}, lockChanges: Partial<Lock> = {}): Bench {
  const batches: string[][] = [];
  const steps: string[] = [];
  const clock = createTestClock();
  const lock: Lock = {
    async acquire() { steps.push('acquire'); },
    contended: () => false,
    release() { steps.push('release'); },
    ...lockChanges,
  };
  const commits = createGroupCommit<string, string>({
    lock, clock, timers: realTimers, lockTimeoutMs: 1000, batchItems: 100, batchBytes: 1000, weigh: (item) => item.length,
    commit(items) {
      steps.push(`commit ${items.join('')}`);
      batches.push([...items]);
      return items.map((item) => `${item}!`);
    },
    ...changes,
  });
  return { commits, batches, steps, clock };
}

test('what is asked for at once goes out in one batch, each caller with its own receipt', async () => {
  const { commits, batches, steps } = bench();
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((item) => commits.add(item))), ['a!', 'b!', 'c!']);
  assert.deepEqual(batches, [['a', 'b', 'c']]);
  await commits.idle();
  assert.deepEqual(steps, ['acquire', 'commit abc', 'release']);
});

test('what is asked for by a caller who was just answered is written before the lock is given back', async () => {
  const { commits, steps } = bench();
  await Promise.all(['a', 'b'].map(async (item) => { for (const round of [1, 2, 3]) await commits.add(`${item}${round}`); }));
  await commits.idle();
  assert.deepEqual(steps, ['acquire', 'commit a1b1', 'commit a2b2', 'commit a3b3', 'release']);
});

test('a batch has so many items and so many bytes at most; a single item of any weight goes alone', async () => {
  const few = bench({ batchItems: 2 });
  await Promise.all([...'abcde'].map((item) => few.commits.add(item)));
  assert.deepEqual(few.batches.map((batch) => batch.join('')), ['ab', 'cd', 'e']);
  const light = bench({ batchBytes: 10 });
  await Promise.all(['xxxx', 'xxxxxx', 'y'.repeat(50), 'z'].map((item) => light.commits.add(item)));
  assert.deepEqual(light.batches.map((batch) => batch.join('')), ['xxxxxxxxxx', 'y'.repeat(50), 'z']);
});

test('the order is the order of asking', async () => {
  const { commits, batches } = bench({ batchItems: 3 });
  const items = Array.from({ length: 50 }, (_, at) => String(at));
  await Promise.all(items.map((item) => commits.add(item)));
  assert.deepEqual(batches.flat(), items);
});

test('a batch that cannot be written fails its own callers, and the next one goes out', async () => {
  let full = true;
  const { commits, steps } = bench({
    batchItems: 2,
    commit(items) {
      if (!full) return items;
      full = false;
      throw new Error('no space');
    },
  });
  const results = await Promise.allSettled([...'abcd'].map((item) => commits.add(item)));
  assert.deepEqual(results.map(({ status }) => status), ['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  await commits.idle();
  assert.deepEqual(steps, ['acquire', 'release'], 'the lock is given back all the same');
});

test('a lock that is not to be had fails everybody who waits, once; whoever asks later tries again', async () => {
  let busy = true;
  const { commits, steps } = bench({}, { acquire: () => (busy ? Promise.reject(new Error('process 7 holds it')) : Promise.resolve()) });
  const results = await Promise.allSettled([...'ab'].map((item) => commits.add(item)));
  assert.deepEqual(results.map((result) => (result.status === 'rejected' ? String(result.reason) : '')), ['Error: process 7 holds it', 'Error: process 7 holds it']);
  assert.deepEqual(steps, [], 'what was never taken is not given back');
  busy = false;
  assert.equal(await commits.add('c'), 'c!');
});

test('the lock is given back after a few milliseconds when others wait, and after fifty when nobody is known to', async () => {
  for (const [contended, most] of [[true, 4], [false, 50]] as const) {
    const made: { clock?: Bench['clock'] } = {};
    const { commits, steps, clock } = bench({
      batchItems: 1,
      commit(items) {
        made.clock?.advance(1.5);
        return items;
      },
    }, { contended: () => contended });
    made.clock = clock;
    const since: number[] = [];
    const holds: number[] = [];
    const push = steps.push.bind(steps);
    steps.push = (step) => {
      if (step === 'acquire') since.push(clock.monotonic());
      else holds.push(clock.monotonic() - (since.at(-1) ?? 0));
      return push(step);
    };
    await Promise.all(Array.from({ length: 80 }, (_, at) => commits.add(String(at))));
    await commits.idle();
    assert.ok(holds.length > 1, 'everything went out under one hold');
    assert.ok(holds.every((hold) => hold <= most + 1.5), holds.join(' '));
  }
});

test('an item that cannot be weighed fails alone', async () => {
  const { commits, batches } = bench({ weigh(item) { if (item === 'bad') throw new TypeError('it is circular'); return 1; } });
  const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => commits.add(item)));
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(batches.flat(), ['a', 'b']);
});

test('too few receipts are no success for those who got none', async () => {
  const { commits } = bench({ commit: (items) => items.slice(1) });
  const results = await Promise.allSettled(['a', 'b'].map((item) => commits.add(item)));
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected']);
  assert.match(String((results[1] as PromiseRejectedResult).reason), /1 receipts for 2 items/);
});

test('idle() waits for what is under way, and for what was added meanwhile', async () => {
  const { commits, batches } = bench({ batchItems: 1 });
  await commits.idle();
  void commits.add('a').then(() => commits.add('b'));
  await commits.idle();
  assert.deepEqual(batches, [['a'], ['b']]);
});

test('what is late goes out beside what is urgent, before it, as far as there is room', async () => {
  const { commits, batches } = bench({ batchItems: 4 });
  const late = [...'abcde'].map((item) => commits.add(item, 'late'));
  assert.deepEqual(batches, []);
  await Promise.all([commits.add('1'), commits.add('2')]);
  assert.deepEqual(batches, [['a', 'b', '1', '2']]);
  await commits.idle();
  assert.deepEqual((await Promise.all(late)).join(' '), 'a! b! c! d! e!');
  assert.deepEqual(batches.slice(1), [['c', 'd', 'e']]);
});

test('what is late goes out by itself after a while, without keeping the process; at once when enough of it waits', async () => {
  const timers: { run: () => void; cancelled: boolean }[] = [];
  const after = (_: number, run: () => void): (() => void) => { const timer = { run, cancelled: false }; timers.push(timer); return () => { timer.cancelled = true; }; };
  const { commits, batches } = bench({ timers: { ...realTimers, after } });
  const first = commits.add('a', 'late');
  const second = commits.add('b', 'late');
  assert.equal(timers.length, 1, 'one timer for all');
  timers[0]?.run();
  assert.deepEqual(await Promise.all([first, second]), ['a!', 'b!']);
  assert.deepEqual(batches, [['a', 'b']]);
  await Promise.all(Array.from({ length: 512 }, (_, n) => commits.add(String(n), 'late')));
  assert.equal(batches.flat().length, 514);
});

test('what is late never stands in the way of what is urgent, however much of it there is', async () => {
  const { commits, batches } = bench({ batchItems: 10 });
  for (let n = 0; n < 60; n += 1) void commits.add('x', 'late');
  await commits.add('now');
  assert.equal(batches.length, 1);
  assert.equal(batches[0]?.at(-1), 'now');
});

test('what may be soon waits a few milliseconds after a batch, and goes with what is urgent', async () => {
  const { commits, batches, clock } = bench();
  await commits.add('a', 'soon');
  await commits.idle();
  clock.advance(1);
  const waiting = commits.add('b', 'soon');
  await realTimers.yield();
  assert.equal(batches.length, 1, 'a batch has just been written');
  await commits.add('c');
  assert.deepEqual(batches, [['a'], ['b', 'c']]);
  await waiting;
  await commits.idle();
  clock.advance(100);
  await commits.add('d', 'soon');
  assert.equal(batches.length, 3);
});

test('a lock that is not had fails what is late too', async () => {
  const { commits } = bench({}, { acquire: () => Promise.reject(new Error('held')) });
  const late = commits.add('a', 'late');
  await assert.rejects(commits.add('b'), /held/);
  await assert.rejects(late, /held/);
  await commits.idle();
});

test('who listens is told after the callers; what it throws is lost', async () => {
  const told: string[] = [];
  const { commits } = bench({ committed() { told.push('committed'); throw new Error('listener'); } });
  await commits.add('a').then(() => told.push('caller'));
  await commits.idle();
  assert.deepEqual(told, ['caller', 'committed']);
});
