/**
 * Files half made by a process that died: `.tmp-…`, which nobody ever reads or goes on with. They may hold what was pruned
 * since, so they do not stay. One that is young may belong to somebody at work.
 */
import type { Clock, Disk } from '../../ports.ts';
import { join } from '../../base/paths.ts';

const youngMs = 24 * 3600_000;

/** Removes them from these folders, not from those below. Best effort; gives the paths of what went. */
export function removeLeftovers(disk: Disk, clock: Clock, directories: readonly string[]): readonly string[] {
  const old = directories.flatMap((directory) => namesIn(disk, directory).filter((name) => name.startsWith('.tmp-')).map((name) => join(directory, name)));
  return old.filter((path) => removeOld(disk, path, clock.now() - youngMs));
}

function namesIn(disk: Disk, directory: string): readonly string[] {
  try {
    return disk.list(directory);
  } catch {
    return [];
  }
}

function removeOld(disk: Disk, path: string, time: number): boolean {
  try {
    const stat = disk.stat(path);
    if (stat?.kind !== 'file' || stat.modifiedMs > time) return false;
    disk.remove(path);
    return true;
  } catch {
    return false;
  }
}
