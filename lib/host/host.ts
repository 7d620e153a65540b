/** The real world in one object. Making it opens nothing: every driver acts only when called. */
import type { Host } from '../ports.ts';
import { madeOnce } from '../base/made-once.ts';
import { createDisk } from './durable.ts';
import { files } from './files.ts';
import { createLock } from './lock.ts';
import { facts } from './facts.ts';
import { clock, random, timers } from './time.ts';
import { childProcesses } from './spawn.ts';

/** Length of the secret that lock names are derived from. */
const lockSecretBytes = 32;

/** The drivers. `home` is asked for LOKI_HOME's real path when a lock is first made: the secret of lock names lies there. */
export function createHost(home: () => string): Host {
  const disk = createDisk(files, { owner: process.geteuid?.(), uniqueName: () => `${process.pid}-${Buffer.from(random.bytes(6)).toString('hex')}` });
  let secret: Uint8Array | undefined;
  const lockSecret = (): Uint8Array => {
    if (secret === undefined) {
      const base = home();
      secret = madeOnce(disk, { base, path: `${base}/run/lock.key` }, () => random.bytes(lockSecretBytes));
    }
    return secret;
  };
  return { clock, timers, random, disk, get spawn() { return childProcesses(); }, facts, lock: (path) => createLock(path, lockSecret) };
}
