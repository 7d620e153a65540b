/** Takes a folder away, even while what a command has left behind is still writing there. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Tries for five seconds, and waits in between as whoever writes may be this very process. */
export async function removeFolder(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (tries >= 100) throw error;
      await delay(50);
    }
  }
}
