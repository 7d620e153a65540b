/** Appends until a file named `stop` appears, whatever is refused, and prints each receipt and each refusal. Arguments: LOKI_HOME, folder of `stop`. */
import { createHost } from '../../lib/host/host.ts';
import { LokiError } from '../../lib/errors.ts';
import { openAuditLog } from '../../lib/audit/log.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [home = '', folder = ''] = process.argv.slice(2);
const { disk, clock, timers, random, lock } = createHost(() => home);
const log = openAuditLog({
  disk, clock, timers, random, lock: lock(`${home}/run/audit`), lockTimeoutMs: 30_000, base: home, directory: `${home}/dashboard/audit`,
  blobDirectory: `${home}/dashboard/blobs`, tornDirectory: `${home}/dashboard/torn`, legacyDirectory: `${home}/dashboard/legacy`,
  metadata: { hostname: 'h', pid: process.pid, version: '0' }, level: 'info', exclude: new Set(), maxFileBytes: 400_000, fileMode: 0o600, directoryMode: 0o700,
  reservePath: `${home}/dashboard/reserve`,
});

for (let n = 0; disk.stat(`${folder}/stop`) === undefined; n += 1) {
  try {
    const receipt = await log.append({ event: 'policy.allow', actor: 'agent:worker', details: { n, pad: 'p'.repeat(2000) } });
    process.stdout.write(`${receipt.seq} ${receipt.chain_hash}\n`);
  } catch (error) {
    process.stdout.write(`refused ${error instanceof LokiError ? `${error.code}: ${error.hint}` : String(error)}\n`);
    await timers.sleep(20);
  }
}
await log.close();
