/**
 * The disk for who looks at somebody else's installation: a log shipper's group, an auditor. What belongs to another user is
 * read (signatures decide what is believed), and what the system refuses counts as not there, once that was told. Never for
 * a decision, nor for anything that writes.
 */
import type { Disk } from '../ports.ts';
import { systemCode } from '../errors.ts';

/** `onRefused` hears of each path that could not be looked at. */
export function lookingDisk(disk: Disk, onRefused: (path: string) => void = () => undefined): Disk {
  function tryTo<T>(path: string, look: () => T, otherwise: T): T {
    try {
      return look();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      onRefused(path);
      return otherwise;
    }
  }
  return {
    ...disk,
    stat: (path) => tryTo(path, () => disk.stat(path), undefined),
    list: (path) => tryTo(path, () => disk.list(path), []),
    readRecord: (_base, path, limit) => tryTo(path, () => disk.read(path, limit), undefined),
  };
}

/** Whether this user may not, whoever wrapped the system's answer. */
function isRefusal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (['EACCES', 'EPERM'].includes(systemCode(at) ?? '')) return true;
  }
  return false;
}
