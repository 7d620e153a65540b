/** A log and its tree on a disk of the test's choice. */
import assert from 'node:assert/strict';
import { root } from '../../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import type { Checkpoint } from '../../../lib/base/merkle/checkpoint.ts';
import { recordFiles } from '../../../lib/audit/tlog/chain-files.ts';
import { keysOf, openKeys, readKnownKeys, type ChainName, type Origin } from '../../../lib/audit/tlog/key.ts';
import { newestCheckpoint } from '../../../lib/audit/tlog/reader.ts';
import { openTree, type Tree, type TreeOptions } from '../../../lib/audit/tlog/tree.ts';
import type { AuditLog, AuditLogOptions } from '../../../lib/audit/log.ts';
import type { Disk } from '../../../lib/ports.ts';
import { readableFiles, openLogFile } from '../../../lib/audit/log-file.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../../support/fault-files.ts';
import { createTestClock, createTestLock, createTestRandom, realTimers } from '../../support/fakes.ts';
import { directory, home, logOn } from '../support.ts';

export const tlog = '/home/dashboard/tlog';
export const keyPlace = (disk: Disk): { disk: Disk; base: string; directory: string } => ({ disk, base: home, directory: '/home/keys' });
export const someOrigin: Origin = { name: 'example.com', chosen: true };

/** A disk with an empty LOKI_HOME. */
export function newDisk(): { files: FaultFiles; disk: Disk } {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return { files, disk: faultDisk(files) };
}

export function treeOn(disk: Disk, changes: Partial<TreeOptions> = {}): Tree {
  return openTree({
    disk, clock: createTestClock(), timers: realTimers, lock: createTestLock(), writers: createTestLock(), lockTimeoutMs: 1000, base: home, directory: tlog, chain: 'record',
    files: recordFiles({ disk, base: home, directory, fileMode: 0o600 }), keys: () => openKeys(keyPlace(disk), someOrigin, createTestRandom()),
    fileMode: 0o600, directoryMode: 0o700, ...changes,
  });
}

/** A log with so many entries, the opening of its file among them. */
export async function logWith(disk: Disk, entries: number, changes: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const log = logOn(disk, changes);
  await append(log, entries - 1);
  return log;
}

export async function append(log: AuditLog, entries: number): Promise<void> {
  for (let n = 0; n < entries; n += 1) await log.append({ event: 'policy.allow', actor: 'agent:x', details: { n } });
}

/** The log's lines, whatever files they are in. */
export function allLines(disk: Disk): readonly string[] {
  return readableFiles(disk, directory).flatMap(({ name }) => {
    const file = openLogFile(disk, directory, name) ?? assert.fail(name);
    const text = Buffer.from(file.read(0, file.stat().size)).toString('utf8');
    file.close();
    return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
  });
}

/** The root over the first lines of the log, by definition. */
export function rootOfLines(lines: readonly string[], size: number = lines.length): string {
  return Buffer.from(root(lines.slice(0, size).map((line) => leafHash(Buffer.from(line))))).toString('hex');
}

export function checkpointOn(disk: Disk, chain: ChainName = 'record', where: string = tlog): Checkpoint {
  const newest = newestCheckpoint({ disk, base: home, directory: where, keys: keysOf(readKnownKeys(keyPlace(disk)), chain) });
  return newest.kind === 'good' ? newest.checkpoint : assert.fail(newest.kind === 'bad' ? newest.found : 'there is no checkpoint');
}

/** The newest checkpoint is over the first lines of the log as they stand. */
export function assertCovers(disk: Disk, size?: number): void {
  const { size: covered, root: got } = checkpointOn(disk);
  if (size !== undefined) assert.equal(covered, size);
  assert.equal(Buffer.from(got).toString('hex'), rootOfLines(allLines(disk), covered));
}

/** Puts bytes in place of a file, past all care. */
export function overwrite(disk: Disk, path: string, bytes: string | Uint8Array): void {
  disk.replace(home, path, Buffer.from(bytes), 0o600);
}

export function text(disk: Disk, path: string): string {
  return Buffer.from(disk.read(path, 1e8) ?? assert.fail(path)).toString('utf8');
}
