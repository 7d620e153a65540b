/** The real world in one object. Making it opens nothing: every driver acts only when called. */
import type { Disk, Host } from '../ports.ts';
import { LokiError } from '../errors.ts';
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
    secret ??= readOrMakeSecret(disk, home());
    return secret;
  };
  return { clock, timers, random, disk, get spawn() { return childProcesses(); }, facts, lock: (path) => createLock(path, lockSecret) };
}

function readOrMakeSecret(disk: Disk, home: string): Uint8Array {
  const path = `${home}/run/lock.key`;
  const read = (): Uint8Array | undefined => disk.readRecord(home, path, lockSecretBytes);
  const known = read();
  if (known !== undefined) return known;
  disk.ensureDirectory(home, `${home}/run`, 0o700);
  try {
    disk.create(home, path, random.bytes(lockSecretBytes), 0o600);
  } catch (error) {
    // Another process may have made it first; what counts is what stands there now.
    if (!(error instanceof LokiError) || error.code !== 'conflict') throw error;
  }
  const made = read();
  if (made === undefined) throw new LokiError('io.failed', { attempted: 'make the secret of the locks', found: `"${path}" is gone again` });
  return made;
}
