/** How far long work has come, on stderr, for a person only: one line that is drawn over itself and taken away at the end. */
import type { Clock } from '../lib/ports.ts';
import type { TextSink } from '../lib/host/terminal.ts';

/** Drawing more often than this only costs time. */
const drawEveryMs = 100;
/** A rate measured over less says little. */
const settledAfterMs = 1000;
const barWidth = 24;

/** A line of progress. */
export interface Progress {
  /** Bytes, or whatever is counted. `total` of 0 means: unknown. Going back begins anew. */
  update(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Silent unless `sink` is a terminal and messages are wanted. */
export function createProgress(sink: TextSink, label: string, clock: Clock, quiet: boolean): Progress {
  if (quiet || !sink.isTerminal) return { update: () => undefined, end: () => undefined };
  let drawn: number | undefined;
  let begun = { at: clock.monotonic(), done: 0 };
  let newest = 0;
  return {
    update(done, total) {
      const now = clock.monotonic();
      if (done < newest) begun = { at: now, done };
      newest = done;
      if (drawn !== undefined && now - drawn < drawEveryMs) return;
      drawn = now;
      const elapsed = now - begun.at;
      const rate = elapsed < settledAfterMs ? undefined : (done - begun.done) / (elapsed / 1000);
      sink.write(`\r${progressLine(label, done, total, rate).slice(0, sink.columns - 1)}\u001b[K`);
    },
    end() {
      if (drawn !== undefined) sink.write('\r\u001b[K');
    },
  };
}

/** `verifying [########                ] 33%  251 MB/s  12 s left`; `rate` is bytes a second. */
export function progressLine(label: string, done: number, total: number, rate?: number): string {
  const speed = rate === undefined || rate <= 0 ? '' : `  ${Math.round(rate / 1e6)} MB/s`;
  if (total <= 0) return `${label} ${done}${speed}`;
  const share = Math.min(1, Math.max(0, done / total));
  const filled = Math.floor(share * barWidth);
  const left = rate === undefined || rate <= 0 ? '' : `  ${timeLeft((total - done) / rate)} left`;
  return `${label} [${'#'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${Math.floor(share * 100)}%${speed}${left}`;
}

function timeLeft(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 100 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}
