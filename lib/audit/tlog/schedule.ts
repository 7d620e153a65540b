/**
 * When a process that lives long makes checkpoints: after so many entries, after a time in which there were new ones, when a
 * file was finished, at its end; and when nothing at all was recorded for ten such times, to show that there was nothing.
 * Making one is the caller's; nobody waits for it, and one at a time is made.
 */
import type { Cancel, Timers } from '../../ports.ts';
import type { Reason } from './tree.ts';

export interface ScheduleOptions {
  readonly timers: Timers;
  /** Entries after which one is due. */
  readonly every: number;
  readonly intervalMs: number;
  /** Milliseconds since the newest checkpoint, whoever made it. */
  readonly age: () => number;
  /** Makes one, and records that it did; whether there was anything to cover. Never rejects. */
  readonly make: (reason: Reason) => Promise<boolean>;
}

export interface Schedule {
  /** So many entries were recorded. Returns at once. */
  appended(count: number): void;
  /** A file was finished. */
  turned(): void;
  /** Makes the last one. To be called before the log is closed. */
  end(): Promise<void>;
}

/** Intervals without a new entry, after which a checkpoint says so. */
const heartbeatIntervals = 10;

export function startSchedule({ timers, every, intervalMs, age, make }: ScheduleOptions): Schedule {
  let uncovered = 0;
  let running: Promise<void> | undefined;
  let ended = false;
  /** A file was finished, and no checkpoint has been begun since. */
  let isTurned = false;

  async function run(reason: Reason): Promise<void> {
    uncovered = 0;
    isTurned = false;
    let made = await make(reason);
    if (!made && reason === 'interval' && age() >= heartbeatIntervals * intervalMs) made = await make('heartbeat');
    // The entry that tells of the checkpoint is no reason for the next one.
    if (made) uncovered = Math.max(0, uncovered - 1);
  }

  function go(reason: Reason): void {
    if (running !== undefined || ended) return;
    running = run(reason).finally(() => {
      running = undefined;
      if (isTurned) go('rotation');
      else if (uncovered >= every) go('entries');
    });
  }

  const cancel: Cancel = timers.every(intervalMs, () => go('interval'));
  return {
    appended(count) {
      uncovered += count;
      if (uncovered >= every) go('entries');
    },
    turned() {
      isTurned = true;
      go('rotation');
    },
    async end() {
      cancel();
      ended = true;
      await running;
      await run('exit');
    },
  };
}
