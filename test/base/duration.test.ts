/** Durations as text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../lib/base/duration.ts';

test('parseDuration() reads seconds, units and parts put together', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0], ['90', 90_000], ['500ms', 500], ['30s', 30_000], ['2m', 120_000], ['24h', 86_400_000], ['7d', 604_800_000],
    ['1h30m', 5_400_000], ['1d1h1m1s1ms', 90_061_001],
  ];
  for (const [text, milliseconds] of cases) assert.equal(parseDuration(text), milliseconds, text);
});

test('parseDuration() refuses everything else', () => {
  for (const text of ['', ' ', '-1', '1.5h', '1 h', 'h', '1w', '1H', '30m1h', '1m1m', '1e3', '9'.repeat(20), '9'.repeat(17) + 'd', '1s'.repeat(100), '١s']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test('formatDuration() is read back as the same time', () => {
  for (const milliseconds of [0, 1, 999, 1000, 90_000, 120_000, 3_600_000, 5_400_000, 86_400_000, 604_800_000]) {
    assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds);
  }
  assert.deepEqual([formatDuration(90_000), formatDuration(120_000), formatDuration(1500)], ['90s', '2m', '1500ms']);
});
