/** Appends entries to a real log and prints the hash of each once it is acknowledged. Arguments: LOKI_HOME, count, callers, bytes a file. */
import { createHost } from '../../lib/host/host.ts';
import { openAuditLog } from '../../lib/audit/log.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [home = '', count = '0', callers = '1', fileBytes = '400000'] = process.argv.slice(2);
const { disk, clock, timers, random, lock } = createHost(() => home);
disk.ensureDirectory(home, `${home}/run`, 0o700);
const log = openAuditLog({
  disk, clock, timers, random, lock: lock(`${home}/run/audit`), lockTimeoutMs: 30_000, base: home, directory: `${home}/dashboard/audit`,
  blobDirectory: `${home}/dashboard/blobs`, tornDirectory: `${home}/dashboard/torn`, legacyDirectory: `${home}/dashboard/legacy`,
  metadata: { hostname: 'h', pid: process.pid, version: '0' }, level: 'info', exclude: new Set(), maxFileBytes: Number(fileBytes), fileMode: 0o600, directoryMode: 0o700,
});
let left = Number(count);

async function caller(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const receipt = await log.append({ event: 'policy.allow', actor: 'agent:worker', details: { left } });
    process.stdout.write(`${receipt.seq} ${receipt.chain_hash}\n`);
  }
}

await Promise.all(Array.from({ length: Number(callers) }, caller));
await log.close();
