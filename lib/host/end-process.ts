/** Ends one process of this machine, known by its id and its beginning: an id alone may be another process's by now. */
import { facts } from './facts.ts';

/** Asks it to end, or ends it at once. False when no process with this id began at `start` (as `ProcessFacts.startOf` tells it), or it may not be ended. */
export function endProcess(pid: number, start: string, how: 'ask' | 'kill'): boolean {
  if (facts.startOf(pid) !== start) return false;
  try {
    return process.kill(pid, how === 'ask' ? 'SIGTERM' : 'SIGKILL');
  } catch {
    return false;
  }
}
