/** Room for so many at once, and a line before it that is not endless either. */
import type { Timers } from '../../ports.ts';

export interface Room {
  /** Waits for room, at most so long. Gives the way out; undefined when the line is too long or moves too slowly. */
  enter(patienceMs: number): Promise<(() => void) | undefined>;
}

export function createRoom({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }, timers: Pick<Timers, 'after'>): Room {
  const line = new Set<() => void>();
  let inside = 0;
  const leaving = (): (() => void) => {
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      inside -= 1;
      for (const next of line) return next();
    };
  };
  return {
    enter(patienceMs) {
      if (inside < atOnce) {
        inside += 1;
        return Promise.resolve(leaving());
      }
      if (line.size >= waiting) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const cancel = timers.after(patienceMs, () => { line.delete(next); resolve(undefined); });
        const next = (): void => {
          line.delete(next);
          cancel();
          inside += 1;
          resolve(leaving());
        };
        line.add(next);
      });
    },
  };
}
