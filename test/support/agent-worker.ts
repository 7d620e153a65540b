/** Appends to a project's agent chain and prints the number of each entry once it is acknowledged. Arguments: project, LOKI_HOME, count. */
import { openAgentChain } from '../../lib/audit/agent-chain.ts';
import { createHost } from '../../lib/host/host.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [project = '', home = '', count = '0'] = process.argv.slice(2);
const { disk, clock, timers, lock } = createHost(() => home);
const chain = openAgentChain({
  disk, clock, timers, lock: lock(`${home}/run/agent-chain`), lockTimeoutMs: 30_000, base: project,
  path: `${project}/.loki/logs/agent-audit.jsonl`, tornDirectory: `${project}/.loki/logs/torn`, onTorn: () => undefined,
});
let left = Number(count);

async function caller(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const own = left;
    const seq = await chain.append({ action: 'cli_invoke', agent: 'worker', branch: null, details: { pid: process.pid, own } });
    process.stdout.write(`${seq} ${process.pid}/${own}\n`);
  }
}

await Promise.all([caller(), caller(), caller()]);
await chain.close();
