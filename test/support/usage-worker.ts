/**
 * A process that reports usage of 1 token each until all its reports are counted: `usage-worker HOME NAME FIRST LAST`. Report N
 * has the same id in every life of the worker; each that is counted is a line `N` on standard output.
 */
import { writeSync } from 'node:fs';
import { newId } from '../../lib/base/ids.ts';
import { openAccount } from '../../lib/budgets/account.ts';
import { Ledger } from '../../lib/budgets/ledger.ts';
import { random, timers } from '../../lib/host/time.ts';
import { openStoreAt } from './embedded-stores.ts';
import { policyOf } from './policy.ts';
import { endWithoutArguments } from './program.ts';
import { noon, projectId, sessionId, usage } from './usage.ts';

endWithoutArguments();
const [home = '', name = '0', first = '0', last = '0'] = process.argv.slice(2);
const store = await openStoreAt(home, { journalBytes: 200_000, lockTimeoutMs: 60_000 });
const ledger = new Ledger({ store, clock: { now: () => noon }, timers, random, prices: new Map([['m-1', { input: 0.5 }]]) });
const [rule] = policyOf('version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 800, per: project, period: day, alerts: [25, 50, 75], on_exceed: warn }\n').rules;

for (let n = Number(first); n <= Number(last); n += 1) {
  const id = newId('event', Number(name) * 10_000 + n, new Uint8Array(10));
  await ledger.count(usage({ input: 1 }, { id, agent: `a-${name}` }));
  writeSync(1, `${n}\n`);
  if (n % 20 !== 0 || rule?.is !== 'budget') continue;
  const account = await openAccount(ledger, { projectId, sessionId, agent: 'agent' });
  account.spent(rule);
  const notices = await account.claim();
  for (const { what, percent } of notices) writeSync(1, `told ${what === 'alert' ? percent : what}\n`);
  await account.told(notices);
}
await store.close();
