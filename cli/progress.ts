/** How far long work has come, on stderr, for a person only: one line that is drawn over itself and taken away at the end. */
import type { Clock } from '../lib/ports.ts';
import type { TextSink } from '../lib/host/terminal.ts';

/** Drawing more often than this only costs time. */
const drawEveryMs = 100;
const barWidth = 24;

/** A line of progress. */
export interface Progress {
  /** `total` of 0 means: unknown. */
  update(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Silent unless `sink` is a terminal and messages are wanted. */
export function createProgress(sink: TextSink, label: string, clock: Clock, quiet: boolean): Progress {
  if (quiet || !sink.isTerminal) return { update: () => undefined, end: () => undefined };
  let drawn: number | undefined;
  return {
    update(done, total) {
      const now = clock.monotonic();
      if (drawn !== undefined && now - drawn < drawEveryMs) return;
      drawn = now;
      sink.write(`\r${progressLine(label, done, total).slice(0, sink.columns - 1)}\u001b[K`);
    },
    end() {
      if (drawn !== undefined) sink.write('\r\u001b[K');
    },
  };
}

/** `verify [########                ] 33%`. */
export function progressLine(label: string, done: number, total: number): string {
  if (total <= 0) return `${label} ${done}`;
  const share = Math.min(1, Math.max(0, done / total));
  const filled = Math.floor(share * barWidth);
  return `${label} [${'#'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${Math.floor(share * 100)}%`;
}
