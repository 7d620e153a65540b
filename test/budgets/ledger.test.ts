/** The ledger of budgets: stretches of time, alerts once, what people allow, and what has no price or no meter. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openAccount, type Account, type BudgetNotice } from '../../lib/budgets/account.ts';
import { Ledger } from '../../lib/budgets/ledger.ts';
import type { Price } from '../../lib/budgets/price.ts';
import type { UsageReport } from '../../lib/budgets/usage.ts';
import { newId } from '../../lib/base/ids.ts';
import type { BudgetRule } from '../../lib/policy/rules.ts';
import type { Store } from '../../lib/store/store.ts';
import { random } from '../../lib/host/time.ts';
import { createTestClock, realTimers, type TestClock } from '../support/fakes.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { policyOf } from '../support/policy.ts';
import { noon, projectId, sessionId, usage } from '../support/usage.ts';

const price: Price = { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 };

interface Kit { readonly store: Store; readonly clock: TestClock; readonly ledger: Ledger }

function kit(prices: ReadonlyMap<string, Price> = new Map([['m-1', price]]), store: Store = createMemoryStore(), clock: TestClock = createTestClock()): Kit {
  return { store, clock, ledger: new Ledger({ store, clock, timers: realTimers, random, prices }) };
}

function budget(text: string): BudgetRule {
  const policy = policyOf(`version: 1\npolicies:\n  resource:\n    - { name: b, on_exceed: require_approval, ${text} }\n`);
  assert.deepEqual(policy.problems, []);
  const [rule] = policy.rules;
  assert.ok(rule?.is === 'budget');
  return rule;
}

/** The account of a caller, asked about one rule. */
async function asked({ ledger }: Kit, rule: BudgetRule, caller: { readonly agent?: string; readonly sessionId?: string; readonly model?: string } = {}): Promise<{ readonly account: Account; readonly spent: ReturnType<Account['spent']> }> {
  const account = await openAccount(ledger, { projectId, sessionId, agent: 'agent', ...caller });
  return { account, spent: account.spent(rule) };
}

async function tokens(here: Kit, rule: BudgetRule, caller: { readonly agent?: string; readonly sessionId?: string } = {}): Promise<number> {
  return (await asked(here, rule, caller)).spent.tokens;
}

const whats = (notices: readonly BudgetNotice[]): readonly string[] => notices.map(({ what, percent }) => (what === 'alert' ? String(percent) : what));

describe('counting', () => {
  test('adds all four kinds of tokens, and their money', async () => {
    const here = kit();
    await here.ledger.count(usage({ input: 1200, output: 300, cache_read: 100_000, cache_write: 7 }));
    await here.ledger.count(usage({ output: 1 }));
    const { spent } = await asked(here, budget('max_tokens: 5, max_usd: 5'));
    assert.deepEqual([spent.tokens, spent.microUsd, spent.unpriced], [101_508, 38_142, []]);
  });

  test('counts a report with the same id once, whoever makes it again', async () => {
    const here = kit();
    const report = usage({ input: 10 });
    await here.ledger.count(report);
    await here.ledger.count(report);
    await Promise.all([kit(undefined, here.store).ledger.count(report), kit(undefined, here.store).ledger.count(report)]);
    assert.equal(await tokens(here, budget('max_tokens: 5')), 10);
  });

  test('of two ledgers at once loses nothing', async () => {
    const here = kit();
    const other = kit(undefined, here.store);
    await Promise.all(Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? here : other).ledger.count(usage({ input: 1 }))));
    assert.equal(await tokens(here, budget('max_tokens: 5, period: total')), 100);
  });

  test('keeps project, session and agent apart', async () => {
    const here = kit();
    const elsewhere = newId('session', 3, new Uint8Array(10));
    await here.ledger.count(usage({ input: 1 }));
    await here.ledger.count(usage({ input: 10 }, { agent: 'quality' }));
    await here.ledger.count(usage({ input: 100 }, { sessionId: elsewhere }));
    await here.ledger.count(usage({ input: 1000 }, { projectId: newId('project', 9, new Uint8Array(10)) }));
    assert.deepEqual([
      await tokens(here, budget('max_tokens: 5')), await tokens(here, budget('max_tokens: 5, per: session')), await tokens(here, budget('max_tokens: 5, per: agent')),
      await tokens(here, budget('max_tokens: 5, per: agent'), { agent: 'quality' }), await tokens(here, budget('max_tokens: 5, per: agent, period: day')), await tokens(here, budget('max_tokens: 5, period: day')),
      await tokens(here, budget('max_tokens: 5'), { sessionId: elsewhere }),
    ], [11, 11, 1, 10, 101, 111, 100]);
  });

  test('counts for the providers that a budget names', async () => {
    const here = kit();
    await here.ledger.count(usage({ input: 1 }));
    await here.ledger.count(usage({ input: 10 }, { provider: 'codex' }));
    assert.deepEqual([await tokens(here, budget('max_tokens: 5, providers: [codex]')), await tokens(here, budget('max_tokens: 5, providers: [claude, codex]'))], [10, 11]);
  });

  test('an agent whose name is no key, or is somebody else\'s, is counted as itself', async () => {
    const here = kit();
    for (const agent of ['../../total/all', 'a/b', '', '\u0000', 'ü'.repeat(5000)]) {
      await here.ledger.count(usage({ input: 7 }, { agent }));
      assert.equal(await tokens(here, budget('max_tokens: 5, per: agent'), { agent }), 7, agent.slice(0, 20));
    }
  });

  test('refuses a count that is none', async () => {
    const here = kit();
    await here.store.transact([], [{ key: `budgets/${projectId}/total/all`, value: { cells: [{ tokens: -1 }], budgets: {} } }]);
    await assert.rejects(here.ledger.count(usage({ input: 1 })), { code: 'store.corrupt', message: `Cannot read what budgets have been used: the object "budgets/${projectId}/total/all" is no count` });
  });
});

describe('periods', () => {
  const at = (report: number): Partial<UsageReport> => ({ at: report });

  test('a day ends at midnight UTC', async () => {
    const here = kit();
    const rule = budget('max_tokens: 5, period: day');
    await here.ledger.count(usage({ input: 1 }, at(Date.UTC(2026, 1, 15, 23, 59, 59, 999))));
    await here.ledger.count(usage({ input: 10 }, at(Date.UTC(2026, 1, 16))));
    here.clock.set(Date.UTC(2026, 1, 15, 23, 59, 59, 999));
    const { spent } = await asked(here, rule);
    assert.deepEqual([spent.tokens, spent.within, spent.until], [1, 'by the project on 2026-02-15 (UTC)', 'until 2026-02-16T00:00:00.000Z']);
    here.clock.set(Date.UTC(2026, 1, 16));
    assert.equal(await tokens(here, rule), 10);
  });

  test('a month ends with its last day, also that of a leap year and of a year', async () => {
    const rule = budget('max_usd: 5, period: month');
    for (const [last, name, until] of [
      [Date.UTC(2028, 1, 29, 23, 59, 59, 999), '2028-02', '2028-03-01'], [Date.UTC(2026, 11, 31, 23, 59, 59, 999), '2026-12', '2027-01-01'],
    ] as const) {
      const here = kit();
      here.clock.set(last);
      await here.ledger.count(usage({ input: 1 }, at(last)));
      await here.ledger.count(usage({ input: 10 }, at(last + 1)));
      const { spent } = await asked(here, rule);
      assert.deepEqual([spent.tokens, spent.within, spent.until], [1, `by the project in ${name} (UTC)`, `until ${until}T00:00:00.000Z`]);
      here.clock.set(last + 1);
      assert.equal(await tokens(here, rule), 10);
    }
  });

  test('a session and the total go on over midnight', async () => {
    const here = kit();
    await here.ledger.count(usage({ input: 1 }));
    await here.ledger.count(usage({ input: 10 }, at(noon + 40 * 86_400_000)));
    here.clock.set(noon + 40 * 86_400_000);
    assert.deepEqual([await tokens(here, budget('max_tokens: 5')), await tokens(here, budget('max_tokens: 5, period: total'))], [11, 11]);
  });

  test('a report that is made again after midnight counts for the day it was made on, once', async () => {
    const here = kit();
    const report = usage({ input: 5 }, at(Date.UTC(2026, 1, 15, 23, 59)));
    await here.ledger.count(report);
    here.clock.set(Date.UTC(2026, 1, 16, 0, 1));
    await here.ledger.count(usage({ input: 1 }, at(Date.UTC(2026, 1, 16, 0, 1))));
    await here.ledger.count(report);
    assert.deepEqual([await tokens(here, budget('max_tokens: 5, period: day')), await tokens(here, budget('max_tokens: 5, period: total'))], [1, 6]);
  });

  test('a clock that is set back gives nothing twice, and tells nothing twice', async () => {
    const here = kit();
    const rule = budget('max_tokens: 10, period: day, alerts: [50]');
    await here.ledger.count(usage({ input: 9 }));
    const first = (await asked(here, rule)).account;
    await first.told(await first.claim());
    here.clock.set(noon + 86_400_000);
    await here.ledger.count(usage({ input: 1 }, at(noon + 86_400_000)));
    here.clock.set(noon);
    await here.ledger.count(usage({ input: 2 }));
    const again = await asked(here, rule);
    assert.deepEqual([again.spent.tokens, whats(await again.account.claim())], [11, ['exceeded']]);
  });

  test('old stretches are removed as new days begin, and a clock far ahead removes nothing in use', async () => {
    const here = kit();
    const day = 86_400_000;
    for (let n = 0; n < 130; n += 1) await here.ledger.count(usage({ input: 1 }, { at: noon + n * day, sessionId: newId('session', noon + n * day, new Uint8Array(10)) }));
    const keys = async (prefix: string): Promise<number> => (await here.store.list(prefix, { limit: 10_000 })).length;
    const found = { day: await keys(`budgets/${projectId}/day/`), session: await keys(`budgets/${projectId}/session/`), reports: await keys('budget-reports/') };
    assert.ok(found.day <= 63 && found.session <= 101 && found.reports <= 3, JSON.stringify(found));
    await here.ledger.count(usage({ input: 1 }, { at: Date.UTC(2199, 0, 1) }));
    here.clock.set(noon + 129 * day);
    assert.deepEqual([await tokens(here, budget('max_tokens: 5, period: day')), await tokens(here, budget('max_tokens: 5, period: total'))], [1, 131]);
  });
});

describe('what is told', () => {
  test('comes once a period, whichever process finds it', async () => {
    const here = kit();
    const other = kit(undefined, here.store);
    const rule = budget('max_tokens: 100, period: day, alerts: [50, 80, 100]');
    await here.ledger.count(usage({ input: 85 }));
    const accounts = await Promise.all(Array.from({ length: 10 }, (_, at) => asked(at % 2 === 0 ? here : other, rule)));
    const claimed = await Promise.all(accounts.map(({ account }) => account.claim()));
    assert.deepEqual(claimed.flat().map(({ percent }) => percent).sort(), [50, 80]);
    await Promise.all(accounts.map(({ account }, at) => account.told(claimed[at] ?? [])));
    await here.ledger.count(usage({ input: 20 }));
    const later = await asked(other, rule);
    const notices = await later.account.claim();
    assert.deepEqual(whats(notices), ['100', 'exceeded']);
    assert.deepEqual(notices[1]?.used, { tokens: 105, microUsd: 315 });
    await later.account.told(notices);
    assert.deepEqual(await (await asked(here, rule)).account.claim(), []);
    here.clock.set(noon + 86_400_000);
    await here.ledger.count(usage({ input: 60 }, { at: noon + 86_400_000 }));
    assert.deepEqual(whats(await (await asked(here, rule)).account.claim()), ['50']);
  });

  test('is told again by somebody else when its teller died before it was recorded', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100, alerts: [50]');
    await here.ledger.count(usage({ input: 60 }));
    assert.deepEqual(whats(await (await asked(here, rule)).account.claim()), ['50']);
    here.clock.advance(29_000);
    assert.deepEqual(await (await asked(here, rule)).account.claim(), []);
    here.clock.advance(2_000);
    const { account } = await asked(here, rule);
    const notices = await account.claim();
    assert.deepEqual(whats(notices), ['50']);
    await account.told(notices);
    here.clock.advance(60_000);
    assert.deepEqual(await (await asked(here, rule)).account.claim(), []);
  });

  test('is about each agent where a budget counts agents', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100, per: agent, alerts: [50]');
    for (const agent of ['agent', 'quality']) await here.ledger.count(usage({ input: 60 }, { agent }));
    for (const agent of ['agent', 'quality']) assert.deepEqual(whats(await (await asked(here, rule, { agent })).account.claim()), ['50'], agent);
  });

  test('begins anew for a budget whose limit was changed', async () => {
    const here = kit();
    await here.ledger.count(usage({ input: 60 }));
    for (const limit of [100, 110]) {
      const { account } = await asked(here, budget(`max_tokens: ${limit}, alerts: [50]`));
      const notices = await account.claim();
      assert.deepEqual(whats(notices), ['50']);
      await account.told(notices);
    }
  });

  test('says once that calls reported no usage, and counts them as calls and not as zero tokens', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100');
    await here.ledger.count(usage({}, { usage: [], unmetered: 1 }));
    const { account } = await asked(here, rule);
    const notices = await account.claim();
    assert.deepEqual([whats(notices), notices[0]?.unmeteredCalls], [['unmetered'], 1]);
    await account.told(notices);
    await here.ledger.count(usage({}, { usage: [], unmetered: 1 }));
    assert.deepEqual(await (await asked(here, rule)).account.claim(), []);
  });
});

describe('what people allow', () => {
  test('is the amount once more, from where the budget stands, for this period', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100, period: day');
    await here.ledger.count(usage({ input: 250 }));
    const { account, spent } = await asked(here, rule);
    assert.deepEqual(spent.limit, { tokens: 100 });
    const notices = await account.claim();
    await account.told(notices);
    await account.allow(['b']);
    assert.deepEqual((await asked(here, rule)).spent.limit, { tokens: 350 });
    await here.ledger.count(usage({ input: 101 }));
    assert.deepEqual(whats(await (await asked(here, rule)).account.claim()), ['exceeded'], 'a limit that was raised can be exceeded again');
    here.clock.set(noon + 86_400_000);
    assert.deepEqual((await asked(here, rule)).spent.limit, { tokens: 100 });
  });

  test('counts once when two processes were allowed the same', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100');
    await here.ledger.count(usage({ input: 150 }));
    const both = await Promise.all([asked(here, rule), asked(kit(undefined, here.store), rule)]);
    await Promise.all(both.map(({ account }) => account.allow(['b'])));
    assert.deepEqual((await asked(here, rule)).spent.limit, { tokens: 250 });
  });

  test('changes nothing for budgets that were not asked about, and no limit that is not exceeded', async () => {
    const here = kit();
    const rule = budget('max_tokens: 100, max_usd: 5');
    await here.ledger.count(usage({ input: 150 }));
    const { account } = await asked(here, rule);
    await account.allow(['other']);
    assert.deepEqual((await asked(here, rule)).spent.limit, { tokens: 100, microUsd: 5_000_000 });
    await account.allow(['b']);
    assert.deepEqual((await asked(here, rule)).spent.limit, { tokens: 250, microUsd: 5_000_000 });
  });
});

describe('what has no price', () => {
  const rule = budget('max_usd: 1');

  test('is named with the setting that is missing', async () => {
    const here = kit(new Map([['half', { input: 1 }]]));
    await here.ledger.count(usage({ input: 1, output: 2, cache_read: 3 }, { model: 'half' }));
    await here.ledger.count(usage({ input: 1 }, { model: 'unknown' }));
    await here.ledger.count(usage({ input: 1 }, { model: null }));
    assert.deepEqual((await asked(here, rule)).spent.unpriced, ['prices.half.output', 'prices.half.cache_read', 'prices.unknown', 'a model that was not named']);
  });

  test('is said before the first call where the model is known', async () => {
    const here = kit();
    assert.deepEqual((await asked(here, rule, { model: 'm-9' })).spent.unpriced, ['prices.m-9']);
    assert.deepEqual((await asked(here, rule, { model: 'm-1' })).spent.unpriced, []);
  });

  test('is settled by adding the price', async () => {
    const here = kit(new Map());
    await here.ledger.count(usage({ output: 1000 }));
    assert.equal((await asked(here, rule)).account.sessionCost, undefined);
    const priced = await asked(kit(new Map([['m-1', price]]), here.store), rule);
    assert.deepEqual([priced.spent.unpriced, priced.spent.microUsd, priced.account.sessionCost], [[], 15_000, 15_000]);
  });

  test('passes when a person lets it, for that model and this period', async () => {
    const here = kit(new Map());
    await here.ledger.count(usage({ output: 1000 }));
    await (await asked(here, rule)).account.allow(['b']);
    assert.deepEqual((await asked(here, rule)).spent.unpriced, []);
    await here.ledger.count(usage({ output: 1000 }, { model: 'm-2' }));
    assert.deepEqual((await asked(here, rule)).spent.unpriced, ['prices.m-2']);
    assert.deepEqual((await asked(here, rule, { sessionId: newId('session', 8, new Uint8Array(10)) })).spent.unpriced, []);
  });

  test('is not let pass by an approval that was about the limit', async () => {
    const here = kit();
    await here.ledger.count(usage({ output: 100_000 }));
    await here.ledger.count(usage({ output: 1 }, { model: 'm-2' }));
    await (await asked(here, rule)).account.allow(['b']);
    const { spent } = await asked(here, rule);
    assert.deepEqual([spent.limit, spent.unpriced], [{ microUsd: 2_500_000 }, ['prices.m-2']]);
  });
});
