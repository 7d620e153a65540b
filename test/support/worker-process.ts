/** A worker as a process with leases of its own length: `worker-process HOME PROJECT RUN LEASE_MS`. Looks at the run until it has ended, and prints how. */
import { openInstallation } from '../../lib/app/installation.ts';
import { openWorker } from '../../lib/app/worker.ts';
import { timers } from '../../lib/host/time.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [, , home = '', project = '', run = '', lease = '0'] = process.argv;
const installation = openInstallation({ env: { ...process.env, LOKI_HOME: home }, cwd: project, homeDirectory: project }, { project });
const worker = await openWorker(installation, { signal: new AbortController().signal, leaseMs: Number(lease) });
for (let over = false; !over;) {
  const seen = await worker.see(run);
  process.stdout.write(`${seen?.as ?? 'nothing'}\n`);
  over = seen === undefined || seen.as === 'ended' || seen.as === 'gone';
  if (!over) await timers.sleep(50);
}
await worker.close();
