/** Makes checkpoints of a real log one after the other until it is killed, and prints size and root of each. Argument: LOKI_HOME. */
import { createHost } from '../../lib/host/host.ts';
import { recordFiles } from '../../lib/audit/tlog/chain-files.ts';
import { openKeys } from '../../lib/audit/tlog/key.ts';
import { openTree } from '../../lib/audit/tlog/tree.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [home = ''] = process.argv.slice(2);
const { disk, clock, timers, random, lock } = createHost(() => home);
disk.ensureDirectory(home, `${home}/run`, 0o700);
const tree = openTree({
  disk, clock, timers, lock: lock(`${home}/run/tlog`), writers: lock(`${home}/run/audit`), lockTimeoutMs: 30_000, base: home, directory: `${home}/dashboard/tlog`, chain: 'record',
  files: recordFiles({ disk, base: home, directory: `${home}/dashboard/audit`, fileMode: 0o600 }),
  keys: () => openKeys({ disk, base: home, directory: `${home}/keys` }, { name: 'example.com', chosen: true }, random), fileMode: 0o600, directoryMode: 0o700,
});
for (;;) {
  const { made, checkpoint } = await tree.advance();
  if (made && checkpoint !== undefined) process.stdout.write(`${checkpoint.size} ${Buffer.from(checkpoint.root).toString('hex')}\n`);
  await timers.sleep(2);
}
