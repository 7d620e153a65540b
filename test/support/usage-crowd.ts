/** Runs processes on one ledger, killed at random while they report, and looks whether every report was counted once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openAccount } from '../../lib/budgets/account.ts';
import { Ledger } from '../../lib/budgets/ledger.ts';
import { embeddedStores } from './embedded-stores.ts';
import { policyOf } from './policy.ts';
import { random } from '../../lib/host/time.ts';
import { realTimers } from './fakes.ts';
import { noon, projectId, sessionId } from './usage.ts';

const program = fileURLToPath(new URL(`./usage-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

/** How many processes, reports of each, and lives that each loses. */
export interface Crowd {
  readonly processes: number;
  readonly reports: number;
  readonly kills: number;
}

interface Life { readonly lines: readonly string[]; readonly killed: boolean }

/** One life of a worker; killed `afterMs` after its first line where that is given. */
async function live(home: string, { name, first, last }: { readonly name: number; readonly first: number; readonly last: number }, afterMs: number | undefined): Promise<Life> {
  const child = spawn(process.execPath, [...process.execArgv, program, home, String(name), String(first), String(last)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    if (output === '' && afterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), afterMs);
    output += bytes.toString();
  });
  const [exit, signal] = await once(child, 'close');
  assert.ok(exit === 0 || signal === 'SIGKILL', `worker ${name} ended with ${exit} ${signal}`);
  return { lines: output.split('\n').slice(0, -1), killed: signal === 'SIGKILL' };
}

/** Lives until everything is reported. After a kill it begins with the last report it knows of, which may be counted already. */
async function workThrough(home: string, name: number, crowd: Crowd): Promise<{ readonly told: readonly string[]; readonly kills: number }> {
  const told: string[] = [];
  let [done, kills] = [1, 0];
  for (;;) {
    const { lines, killed } = await live(home, { name, first: done, last: crowd.reports }, kills < crowd.kills ? 20 + Math.random() * 5 * crowd.reports : undefined);
    told.push(...lines.filter((line) => line.startsWith('told ')));
    done = Math.max(done, ...lines.filter((line) => /^\d+$/.test(line)).map(Number));
    if (!killed) return { told, kills };
    kills += 1;
  }
}

/** Throws unless every report was counted, and counted once, and what was to be told was told once. */
export async function assertCounted(crowd: Crowd): Promise<void> {
  const { home, open } = await embeddedStores();
  const workers = await Promise.all(Array.from({ length: crowd.processes }, (_, name) => workThrough(home, name, crowd)));
  assert.ok(workers.some(({ kills }) => kills > 0), 'nobody was killed');
  const store = await open();
  const ledger = new Ledger({ store, clock: { now: () => noon }, timers: realTimers, random, prices: new Map() });
  const rules = policyOf(`version: 1\npolicies:\n  resource:\n${['session', 'day', 'month', 'total'].map((period) => `    - { name: ${period}, max_tokens: 9999, period: ${period}, on_exceed: warn }\n`).join('')}    - { name: agent, max_tokens: 9999, per: agent, on_exceed: warn }\n`).rules;
  const account = await openAccount(ledger, { projectId, sessionId, agent: 'a-3' });
  const found = Object.fromEntries(rules.flatMap((rule) => (rule.is === 'budget' ? [[rule.name, account.spent(rule).tokens]] : [])));
  const all = crowd.processes * crowd.reports;
  assert.deepEqual(found, { session: all, day: all, month: all, total: all, agent: crowd.reports });
  // The workers' clock stands still: nobody is taken for dead, and nothing is told in place of a dead one.
  const told = workers.flatMap((worker) => worker.told);
  assert.deepEqual(told, [...new Set(told)], 'told twice');
  await store.close();
}
