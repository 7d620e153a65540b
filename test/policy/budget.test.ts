/** Budget rules as the policy sees them: their shape, their arithmetic, and what they make of a count that others keep. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { budgetStanding, usdText, type Spent } from '../../lib/policy/budget.ts';
import type { BudgetRule } from '../../lib/policy/rules.ts';
import { policyOf } from '../support/policy.ts';

function resource(...rules: readonly string[]): ReturnType<typeof policyOf> {
  return policyOf(`version: 1\npolicies:\n  resource:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`);
}

const context = { provider: 'claude', tokens_consumed: 5, cost_usd: 0.5 };
const spent = (parts: Partial<Spent> = {}): Spent => ({ tokens: 0, microUsd: 0, limit: { tokens: 100 }, unpriced: [], within: 'on 2026-02-15 (UTC)', until: 'until 2026-02-16T00:00:00.000Z', ...parts });

describe('the shape of a budget', () => {
  test('counts a project over a session unless it says otherwise', () => {
    const [rule] = resource('{ name: b, max_tokens: 5, on_exceed: warn }').rules;
    assert.ok(rule?.is === 'budget');
    assert.deepEqual([rule.per, rule.period, rule.maxTokens, rule.maxMicroUsd, rule.action], ['project', 'session', 5, undefined, 'warn']);
  });
  for (const [per, period] of [['project', 'total'], ['project', 'month'], ['agent', 'day'], ['agent', 'session'], ['session', 'session']] as const) {
    test(`may count per ${per} over a ${period}`, () => {
      const policy = resource(`{ name: b, max_usd: 12.34, per: ${per}, period: ${period}, on_exceed: shutdown }`);
      assert.deepEqual(policy.problems, []);
      const [rule] = policy.rules;
      assert.ok(rule?.is === 'budget');
      assert.deepEqual([rule.per, rule.period, rule.maxMicroUsd, rule.action], [per, period, 12_340_000, 'deny']);
    });
  }
});

describe('the arithmetic of budgets', () => {
  test('reaches an alert at its share and exceeds a limit only above it', () => {
    assert.deepEqual(budgetStanding({ tokens: 499, microUsd: 0 }, { tokens: 1000 }, [50, 100]), { percent: 49, exceeded: false, reached: [] });
    assert.deepEqual(budgetStanding({ tokens: 500, microUsd: 0 }, { tokens: 1000 }, [50, 100]), { percent: 50, exceeded: false, reached: [50] });
    assert.deepEqual(budgetStanding({ tokens: 1000, microUsd: 0 }, { tokens: 1000 }, [50, 100]), { percent: 100, exceeded: false, reached: [50, 100] });
    assert.deepEqual(budgetStanding({ tokens: 1001, microUsd: 0 }, { tokens: 1000 }, [50, 100]), { percent: 100, exceeded: true, reached: [50, 100] });
  });
  test('goes by whichever limit is nearer to its end', () => {
    assert.deepEqual(budgetStanding({ tokens: 10, microUsd: 900_000 }, { tokens: 1000, microUsd: 1_000_000 }, [80]), { percent: 90, exceeded: false, reached: [80] });
  });
  test('stays exact where floating point would not', () => {
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(budgetStanding({ tokens: most - 1, microUsd: 0 }, { tokens: most }, []).percent, 99);
    assert.equal(budgetStanding({ tokens: most, microUsd: 0 }, { tokens: most }, []).percent, 100);
  });
  for (const [micro, text] of [[0, '0 USD'], [1, '0.000001 USD'], [12_400_000, '12.4 USD'], [1_000_000, '1 USD'], [Number.MAX_SAFE_INTEGER, '9007199254.740991 USD']] as const) {
    test(`says ${text}`, () => assert.equal(usdText(micro), text));
  }
});

describe('a budget without a count goes by the context', () => {
  test('and compares money to the millionth', () => {
    const policy = resource('{ name: b, max_usd: 0.3, on_exceed: shutdown }');
    assert.equal(policy.evaluate('resource', { cost_usd: 0.1 + 0.2 }).decision, 'ALLOW');
    assert.equal(policy.evaluate('resource', { cost_usd: 0.300001 }).reason, 'Rule "b" (policies.yaml:4:7): 0.300001 USD consumed of 0.3 USD');
  });
  for (const [name, rule, given, reason] of [
    ['cost_usd', '{ name: b, max_usd: 5, on_exceed: warn }', { tokens_consumed: 1 }, 'cost_usd is missing'],
    ['tokens_consumed', '{ name: b, max_tokens: 5, on_exceed: warn }', { cost_usd: 1 }, 'tokens_consumed is missing'],
    ['a usable cost_usd', '{ name: b, max_usd: 5, on_exceed: warn }', { cost_usd: Number.NaN }, 'cost_usd is not an amount'],
    ['a usable tokens_consumed', '{ name: b, max_tokens: 5, on_exceed: warn }', { tokens_consumed: -1 }, 'tokens_consumed is not a count'],
  ] as const) {
    test(`and denies without ${name}`, () => {
      const { decision, reason: found } = resource(rule).evaluate('resource', given);
      assert.deepEqual([decision, found], ['DENY', `Rule "b" (policies.yaml:4:7) cannot be evaluated: ${reason}`]);
    });
  }
  test('and asks for one unit where only that is limited', () => {
    assert.equal(resource('{ name: b, max_usd: 5, on_exceed: shutdown }').evaluate('resource', { cost_usd: 1 }).decision, 'ALLOW');
    assert.equal(resource('{ name: b, max_usd: 5, max_tokens: 4, on_exceed: shutdown }').evaluate('resource', { ...context, cost_usd: 1 }).reason, 'Rule "b" (policies.yaml:4:7): 5 tokens consumed of 4');
  });
});

describe('a budget with a count goes by that', () => {
  test('and not by the context', () => {
    const policy = resource('{ name: b, max_tokens: 100, on_exceed: shutdown }');
    assert.equal(policy.evaluate('resource', { ...context, tokens_consumed: 1e6 }, { spent: () => spent({ tokens: 100 }) }).decision, 'ALLOW');
    assert.equal(policy.evaluate('resource', context, { spent: () => spent({ tokens: 101 }) }).reason, 'Rule "b" (policies.yaml:4:7): 101 tokens consumed of 100 on 2026-02-15 (UTC)');
  });
  test('says what an approval would allow', () => {
    const { decision, reason } = resource('{ name: b, max_tokens: 100, max_usd: 2.5, on_exceed: require_approval }').evaluate('resource', context, { spent: () => spent({ microUsd: 3_000_000, limit: { tokens: 100, microUsd: 2_500_000 } }) });
    assert.deepEqual([decision, reason], ['REQUIRE_APPROVAL', 'Rule "b" (policies.yaml:4:7): 3 USD consumed of 2.5 USD on 2026-02-15 (UTC); an approval allows 100 tokens and 2.5 USD more until 2026-02-16T00:00:00.000Z']);
  });
  test('asks a person where a price is missing, and warns where it would only warn', () => {
    const by = (onExceed: string): readonly string[] => {
      const { decision, violations } = resource(`{ name: b, max_usd: 1, on_exceed: ${onExceed} }`).evaluate('resource', context, { spent: () => spent({ limit: { microUsd: 1_000_000 }, unpriced: ['prices.m-9.output'] }) });
      return [decision, violations[0]?.action ?? '', violations[0]?.reason ?? ''];
    };
    const reason = 'Rule "b" (policies.yaml:4:7): what was used on 2026-02-15 (UTC) cannot be held against 1 USD: no price for prices.m-9.output; add it where prices are listed, or an approval lets it pass unpriced until 2026-02-16T00:00:00.000Z';
    assert.deepEqual(by('shutdown'), ['REQUIRE_APPROVAL', 'require_approval', reason]);
    assert.deepEqual(by('require_approval'), ['REQUIRE_APPROVAL', 'require_approval', reason]);
    assert.deepEqual(by('warn'), ['ALLOW', 'warn', reason]);
  });
  test('names a few of many missing prices', () => {
    const { reason } = resource('{ name: b, max_usd: 1, on_exceed: warn }').evaluate('resource', context, { spent: () => spent({ limit: { microUsd: 1 }, unpriced: Array.from({ length: 300 }, (_, n) => `prices.m-${n}`) }) }).violations[0] ?? { reason: '' };
    assert.match(reason, /no price for prices\.m-0, prices\.m-1, prices\.m-2, prices\.m-3, prices\.m-4 and 295 more; /);
  });
  test('takes no notice of a missing price where only tokens are limited', () => {
    assert.equal(resource('{ name: b, max_tokens: 100, on_exceed: shutdown }').evaluate('resource', context, { spent: () => spent({ unpriced: ['prices.m'] }) }).decision, 'ALLOW');
  });
  test('is asked only about rules that apply', () => {
    const asked: string[] = [];
    const count = (rule: BudgetRule): Spent => { asked.push(rule.name); return spent(); };
    resource('{ name: theirs, max_tokens: 1, providers: [codex], on_exceed: warn }', `{ name: elsewhere, max_tokens: 1, when: 'agent == "reviewer"', on_exceed: warn }`, '{ name: ours, max_tokens: 1, providers: [claude], on_exceed: warn }')
      .evaluate('resource', { ...context, agent: 'agent' }, { spent: count });
    assert.deepEqual(asked, ['ours']);
  });
  test('that cannot be had denies', () => {
    const { decision, reason } = resource('{ name: b, max_tokens: 1, on_exceed: warn }').evaluate('resource', context, { spent: () => { throw new Error('no store'); } });
    assert.deepEqual([decision, reason], ['DENY', 'Rule "b" (policies.yaml:4:7) cannot be evaluated: an unexpected failure']);
  });
});
