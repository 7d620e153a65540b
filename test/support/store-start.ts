/**
 * A process that starts on a store and tells what that took: `store-start WHAT HOME`. WHAT is `fill` (writes a store of COUNT
 * runs of 50 tenants first), `open` (opens it and reads one object), `list` (the same, then lists by indexes), `parse` (the floor: reads the snapshot and parses its lines).
 */
import { existsSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../../lib/base/ids.ts';
import { createHost } from '../../lib/host/host.ts';
import { encodeBegin, firstSum } from '../../lib/store/frame.ts';
import { runTerms } from '../../lib/store/indexes.ts';
import { layoutBelow } from '../../lib/store/layout.ts';
import { Objects } from '../../lib/store/objects.ts';
import { SnapshotWriter } from '../../lib/store/snapshot.ts';
import { openStoreAt } from './embedded-stores.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [what = '', home = '', count = '1000000'] = process.argv.slice(2);
const layout = layoutBelow(home);
const begun = performance.now();
const tenants = Array.from({ length: 50 }, (_, n) => newId('tenant', 1_700_000_000_000 + n, new Uint8Array(10)));

/** The id of run `n`, with other random bits for each. */
function idOfRun(n: number): string {
  return newId('run', 1_700_000_000_000 + n, new Uint8Array([n, n >>> 8, n >>> 16, 1, 2, 3, 4, 5, 6, 7]));
}

function keyOfRun(n: number): string {
  return `t/${tenants[n % tenants.length] ?? ''}/runs/${idOfRun(n)}`;
}

function fill(): void {
  const { disk } = createHost(() => home);
  disk.ensureDirectory(home, layout.directory, 0o700);
  const objects = new Objects([]);
  for (let n = 0; n < Number(count); n += 1) {
    const status = ['completed', 'failed', 'running', 'pending'][n % 4] ?? '';
    const run = {
      id: idOfRun(n), project_id: `prj_01JABCDEFGHJKMNPQRSTVWXY${n % 7}0`, tenant_id: tenants[n % tenants.length] ?? null, status, trigger: 'api', config: { provider: 'claude', budget: 5 },
      result_summary: { phases: 4 }, parent_run_id: null, started_at: '2026-11-29T13:39:51.000Z', ended_at: '2026-11-29T13:39:51.000Z', created_at: '2026-11-29T13:39:51.000Z',
    };
    const text = Buffer.from(JSON.stringify(run));
    objects.rest(keyOfRun(n), n + 1, text, 0, text.length);
  }
  const begin = { schema: 1, generation: 2, revision: Number(count), after: firstSum };
  const writer = new SnapshotWriter({ file: disk.openRecord(home, layout.snapshot(2), 0o600), begin, objects, stepBytes: 4 << 20 });
  while (!writer.step(Number(count)));
  const journal = disk.openRecord(home, layout.journal(2), 0o600);
  journal.append(encodeBegin(begin).bytes);
  journal.close();
}

async function open(): Promise<Record<string, number>> {
  const store = await openStoreAt(home);
  const found = await store.get(keyOfRun(12_345));
  const [openMs, cpu] = [performance.now() - begun, process.cpuUsage()];
  if (found === undefined) throw new Error('the object is not there');
  const rss = process.memoryUsage.rss();
  if (what === 'open') {
    await store.close();
    return { openMs, openCpuMs: (cpu.user + cpu.system) / 1000, rssMiB: rss / 2 ** 20 };
  }
  const took = async (ask: () => Promise<{ readonly length: number }>): Promise<number> => {
    const since = performance.now();
    if ((await ask()).length !== 50) throw new Error('fewer than there are');
    return performance.now() - since;
  };
  const failed = (): Promise<{ readonly length: number }> => store.listBy(...runTerms.tenantStatus(tenants[3] ?? '', 'failed'), { limit: 50, reverse: true });
  const firstListMs = await took(failed);
  const secondListMs = await took(failed);
  const allMs = await took(() => store.listBy(...runTerms.all, { limit: 50, reverse: true }));
  const rssIndexed = process.memoryUsage.rss();
  await store.close();
  return { openMs, openCpuMs: (cpu.user + cpu.system) / 1000, rssMiB: rss / 2 ** 20, firstListMs, secondListMs, firstOfAllMs: allMs, rssIndexedMiB: rssIndexed / 2 ** 20 };
}

function parse(): Record<string, number> {
  let objects = 0;
  for (const name of readdirSync(layout.directory).filter((file) => file.startsWith('snapshot'))) {
    const bytes = readFileSync(join(layout.directory, name));
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(10, start);
      const line: { readonly values?: readonly unknown[] } = JSON.parse(bytes.toString('utf8', start, end));
      objects += line.values?.length ?? 0;
      start = end + 1;
    }
  }
  const cpu = process.cpuUsage();
  return { parseMs: performance.now() - begun, parseCpuMs: (cpu.user + cpu.system) / 1000, objects };
}

if (what === 'fill' && !existsSync(layout.directory)) fill();
const told = what === 'open' || what === 'list' ? await open() : what === 'parse' ? parse() : {};
writeSync(1, `${JSON.stringify(told, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value))}\n`);
