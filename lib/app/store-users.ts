/**
 * Who has the store open for longer: a small file per process, so that a restore does not pull it away from under a control
 * plane or a run. It is a courtesy among processes of one machine, not a lock; a file whose process is dead says nothing.
 */
import { join } from '../base/paths.ts';
import type { Cancel } from '../ports.ts';
import type { Installation } from './installation.ts';

/** Whoever uses the store for less long does not say so: it reads anew under the lock whatever happens to the files. */
const sayAfterMs = 1000;

const nameShape = /^([1-9][0-9]{0,9})-[0-9a-f]{8}$/;

function usersDirectory({ home }: Installation): string {
  return join(home.run, 'store-users');
}

/** Says, after a moment, that this process uses the store. What it gives takes that back. */
export function announceUse(installation: Installation): Cancel {
  const { host: { disk, facts, random, timers }, home } = installation;
  const path = join(usersDirectory(installation), `${facts.pid}-${Buffer.from(random.bytes(4)).toString('hex')}`);
  let said = false;
  const cancel = timers.after(sayAfterMs, () => {
    try {
      disk.ensureDirectory(home.home, usersDirectory(installation), 0o700);
      disk.replace(home.home, path, Buffer.from(facts.startOf(facts.pid) ?? ''), 0o600);
      said = true;
    } catch {
      // A full disk must not end a process for the sake of a courtesy.
      return;
    }
  });
  return () => {
    cancel();
    if (said) disk.remove(path);
    said = false;
  };
}

/** Process numbers of those who use the store now, this process aside. */
export function usersOfStore(installation: Installation): readonly number[] {
  const { host: { disk, facts }, home } = installation;
  const users = new Set<number>();
  for (const name of disk.list(usersDirectory(installation))) {
    const pid = Number(nameShape.exec(name)?.[1]);
    if (!Number.isInteger(pid) || pid === facts.pid) continue;
    const start = disk.readRecord(home.home, join(usersDirectory(installation), name), 256);
    if (start !== undefined && facts.startOf(pid) === Buffer.from(start).toString('utf8')) users.add(pid);
  }
  return [...users].toSorted((a, b) => a - b);
}
