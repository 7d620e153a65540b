/** An audit log on a disk of the test's choice. */
import { openAuditLog, type AuditLog, type AuditLogOptions } from '../../lib/audit/log.ts';
import { logFiles } from '../../lib/audit/files.ts';
import { verifyChain, type ChainReport } from '../../lib/audit/verify.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock, createTestLock, createTestRandom, realTimers } from '../support/fakes.ts';

export const home = '/home';
export const directory = '/home/dashboard/audit';

export function logOn(disk: Disk, changes: Partial<AuditLogOptions> = {}): AuditLog {
  return openAuditLog({
    disk, clock: createTestClock(), timers: realTimers, random: createTestRandom(), lock: createTestLock(), base: home, directory,
    blobDirectory: '/home/dashboard/blobs', tornDirectory: '/home/dashboard/torn', legacyDirectory: '/home/dashboard/legacy',
    metadata: { hostname: 'h', pid: 1, version: '0' }, level: 'info', exclude: new Set(), maxFileBytes: 1e8,
    fileMode: 0o600, directoryMode: 0o700, lockTimeoutMs: 1000, ...changes,
  });
}

export function verifyOn(disk: Disk, where: string = directory): Promise<ChainReport> {
  return verifyChain({ chain: 'record', directory: where, names: logFiles(disk.list(where)).map((file) => file.name) }, { disk, timers: realTimers });
}

export function linesIn(disk: Disk, name: string, where: string = directory): readonly string[] {
  return Buffer.from(disk.read(`${where}/${name}`, 1e9) ?? []).toString('utf8').split('\n').filter(Boolean);
}
