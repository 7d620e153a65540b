/** Money for tokens, to the millionth of a dollar. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { charge, type Price } from '../../lib/budgets/price.ts';
import { noTokens, totalTokens } from '../../lib/budgets/usage.ts';
import { usage } from '../support/usage.ts';
import { emptyCount, sumCells, withReport } from '../../lib/budgets/count.ts';

const price: Price = { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 };
const tokens = { input: 1200, output: 300, cache_read: 100_000, cache_write: 7 };

test('a dollar a million tokens is a millionth of a dollar a token', () => {
  assert.deepEqual(charge(tokens, price), { microUsd: 3600 + 4500 + 30_000 + 27, unpriced: undefined });
  assert.deepEqual(charge(noTokens, undefined), { microUsd: 0, unpriced: undefined });
});

test('a part of a millionth is charged as a whole one, once a report', () => {
  assert.equal(charge({ ...noTokens, cache_read: 1 }, price).microUsd, 1);
  assert.equal(charge({ ...noTokens, cache_read: 4 }, price).microUsd, 2);
  assert.equal(charge({ ...noTokens, input: 1, cache_read: 1 }, { input: 0.5, cache_read: 0.5 }).microUsd, 1, 'the sum is rounded, not its parts');
});

test('a price of zero is a price, and a kind without one is unpriced', () => {
  assert.deepEqual(charge(tokens, { input: 0, output: 0, cache_read: 0, cache_write: 0 }), { microUsd: 0, unpriced: undefined });
  assert.deepEqual(charge(tokens, { input: 1, output: 1 }), { microUsd: 1500, unpriced: { input: 0, output: 0, cache_read: 100_000, cache_write: 7 } });
  assert.deepEqual(charge(tokens, undefined), { microUsd: 0, unpriced: tokens });
});

test('amounts beyond exact whole numbers stop there', () => {
  assert.equal(charge({ ...noTokens, output: Number.MAX_SAFE_INTEGER }, { output: 999_999_999 }).microUsd, Number.MAX_SAFE_INTEGER);
  assert.equal(totalTokens({ input: Number.MAX_SAFE_INTEGER, output: 1, cache_read: 1, cache_write: 1 }), Number.MAX_SAFE_INTEGER);
});

test('a hundred thousand reports add up without drifting', () => {
  const prices = new Map([['m-1', { input: 0.1, output: 0.2 }]]);
  let count = emptyCount;
  for (let at = 0; at < 100_000; at += 1) count = withReport(count, usage({ input: 10, output: 10 }), prices);
  const { microUsd, tokens: sum, calls } = sumCells(count.cells, prices);
  assert.deepEqual([microUsd, sum, calls], [300_000, 2_000_000, 100_000]);
});

test('what had no price when it was used is priced once there is one', () => {
  const count = withReport(emptyCount, usage(tokens), new Map());
  assert.deepEqual(sumCells(count.cells, new Map()).unpriced, [{ model: 'm-1', tokens }]);
  const { microUsd, unpriced } = sumCells(count.cells, new Map([['m-1', price]]));
  assert.deepEqual([microUsd, unpriced], [38_127, []]);
});

test('what had a price keeps it when the price changes', () => {
  const count = withReport(emptyCount, usage({ input: 1000 }), new Map([['m-1', { input: 1 }]]));
  assert.equal(sumCells(count.cells, new Map([['m-1', { input: 100 }]])).microUsd, 1000);
});

test('agents and models beyond the bound are counted, and no longer told apart', () => {
  let count = emptyCount;
  for (let at = 0; at < 2000; at += 1) count = withReport(count, usage({ input: 1 }, { model: `m-${at}`, agent: `a-${at}` }), new Map());
  assert.ok(count.cells.length <= 401, String(count.cells.length));
  const { tokens: sum, calls } = sumCells(count.cells, new Map());
  assert.deepEqual([sum, calls], [2000, 2000]);
});
