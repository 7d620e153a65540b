/** Names, bodies and pauses: what a destination carries by. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signals } from '../../../lib/telemetry/batch.ts';
import { bodyInFile, halves, isBody, isDamaged, joinBodies, mostParsed } from '../../../lib/telemetry/export/body.ts';
import { pauseMs, retryAfterMs } from '../../../lib/telemetry/export/pause.ts';
import { createSpoolNames, readSpoolName } from '../../../lib/telemetry/export/spool-name.ts';
import { createTestRandom } from '../../support/fakes.ts';
import { page } from '../../support/page.ts';
import { batch, namesIn, start } from './support.ts';

describe('names of spool files', () => {
  test('say when, how many and of what, and sort in the order they were made in, also while the clock goes back', () => {
    const next = createSpoolNames(createTestRandom());
    const made = [start, start, start - 5000, start + 1, 0, Number.MAX_SAFE_INTEGER, -1].map((now, n) => next(now, signals[n % 3] ?? 'traces', n));
    assert.deepEqual(made.toSorted(), made);
    assert.deepEqual(readSpoolName(made[0] ?? ''), { madeMs: start, items: 0, signal: 'traces' });
    assert.deepEqual(readSpoolName(made[1] ?? ''), { madeMs: start, items: 1, signal: 'metrics' });
    assert.equal(made.every((name) => readSpoolName(name) !== undefined), true);
  });

  test('are of one form, and anything else is none', () => {
    for (const name of ['', 'x', '1771165800000-a-1.traces.json', '177116580000-a-1.traces.jsonl', '1771165800000-A-1.traces.jsonl', '1771165800000-a-1.profiles.jsonl', '1771165800000-a-1.constructor.jsonl',
      '1771165800000-a/../b-1.traces.jsonl', '1771165800000-a-1.traces.jsonl\n', '1771165800000-a--1.traces.jsonl', '1771165800000-a-1e9.traces.jsonl', '.tmp-1771165800000-a-1.traces.jsonl', `1771165800000-${'a'.repeat(41)}-1.traces.jsonl`]) {
      assert.equal(readSpoolName(name), undefined, name);
    }
  });

  test('are as the manual has them', (t) => {
    const text = page(t, 'docs/formats/spool.md');
    const shown = [...(text ?? '').matchAll(/\d{13}-[0-9a-z]+-\d+\.[a-z]+\.jsonl/g)].map(([name]) => name);
    if (text !== undefined) assert.ok(shown.length >= 3 && shown.every((name) => readSpoolName(name) !== undefined), shown.join(' '));
  });
});

describe('bodies', () => {
  test('several of a signal are one, and the same items are in it', () => {
    for (const signal of signals) {
      const all = [['a', 'b'], ['c'], ['d']].map((names) => batch(signal, names).body);
      const joined = joinBodies(signal, all).join('');
      assert.deepEqual([namesIn(joined), JSON.parse(joined)[Object.keys(JSON.parse(joined))[0] ?? ''].length, isBody(signal, joined)], [['a', 'b', 'c', 'd'], 3, true]);
      assert.equal(joinBodies(signal, all.slice(0, 1)).join(''), all[0]);
    }
    assert.equal(joinBodies('traces', ['{"resourceSpans":[]}', '{"resourceSpans":[1]}', '{"resourceSpans":[]}']).join(''), '{"resourceSpans":[1]}');
  });

  test('those of another form are none', () => {
    for (const text of ['', '{}', '{"resourceSpans":[', '{"resourceSpans":]}', '{ "resourceSpans":[]}', '{"resourceSpans":[]} ', '{"resourceSpans":[\n]}', '{"resourceLogs":[]}']) assert.equal(isBody('traces', text), false, text);
    assert.equal(bodyInFile('traces', '{"resourceSpans":[]}\n'), '{"resourceSpans":[]}');
    for (const text of ['{"resourceSpans":[]}', '{"resourceSpans":[]}\n\n', '', '\n']) assert.equal(bodyInFile('traces', text), undefined);
  });

  test('one is cut in two, with everything around the items, and the parts count what they hold', () => {
    const two = { resourceSpans: [
      { resource: { attributes: [1] }, scopeSpans: [{ scope: { name: 'x' }, spans: [{ name: 'a' }, { name: 'b' }] }, { scope: { name: 'y' }, spans: [{ name: 'c' }] }], schemaUrl: 'u' },
      { resource: { attributes: [2] }, scopeSpans: [{ scope: { name: 'z' }, spans: [{ name: 'd', startTimeUnixNano: '1771165800000000001' }, { name: 'e' }] }] },
    ] };
    const parts = halves('traces', JSON.stringify(two));
    assert.deepEqual(parts?.map(({ body, items }) => [JSON.parse(body), items]), [
      [{ resourceSpans: [{ resource: { attributes: [1] }, scopeSpans: [{ scope: { name: 'x' }, spans: [{ name: 'a' }, { name: 'b' }] }], schemaUrl: 'u' }] }, 2],
      [{ resourceSpans: [{ resource: { attributes: [1] }, scopeSpans: [{ scope: { name: 'y' }, spans: [{ name: 'c' }] }], schemaUrl: 'u' }, { resource: { attributes: [2] }, scopeSpans: [{ scope: { name: 'z' }, spans: [{ name: 'd', startTimeUnixNano: '1771165800000000001' }, { name: 'e' }] }] }] }, 3],
    ]);
    assert.ok(parts?.every(({ body }) => isBody('traces', body)));
  });

  test('a metric counts as its points, and is not cut', () => {
    const metric = (points: number, kind: string): object => ({ name: 'm', [kind]: { dataPoints: Array.from({ length: points }, () => ({})) } });
    const body = (...metrics: readonly object[]): string => JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    assert.deepEqual(halves('metrics', body(metric(3, 'sum'), metric(4, 'histogram'), metric(1, 'gauge')))?.map(({ items }) => items), [3, 5]);
    assert.equal(halves('metrics', body(metric(300, 'sum'))), undefined);
  });

  test('what is large, or nests without end, is not parsed to see whether it is damaged', () => {
    assert.deepEqual(['{"a":[', '[]', `[${'{},'.repeat(mostParsed)}`].map(isDamaged), [true, false, false]);
    assert.equal(halves('traces', `{"resourceSpans":[${'['.repeat(mostParsed)}]}`), undefined);
  });

  test('what cannot be cut is left whole', () => {
    for (const text of ['', '{', 'null', '[]', '{"resourceSpans":{}}', '{"resourceSpans":[null,{"scopeSpans":7}]}', batch('traces', ['one']).body]) assert.equal(halves('traces', text), undefined, text);
  });
});

describe('pauses', () => {
  test('begin at a second, double to half a minute, and differ by chance by a fifth', () => {
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => pauseMs(failures, 0.5, undefined)), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    assert.deepEqual([0, 0.999_999].map((lot) => pauseMs(2, lot, undefined)), [1600, 2400]);
  });

  test('that were asked for are kept to, never shorter, at least a second and at most ten minutes', () => {
    assert.deepEqual([5000, 0, 86_400_000].map((asked) => pauseMs(1, 0, asked)), [5000, 1000, 600_000]);
    assert.equal(pauseMs(1, 0.999_999, 5000), 6000);
  });

  const rows: readonly (readonly [header: string | undefined, expected: number | undefined])[] = [
    [undefined, undefined], ['', undefined], ['2', 2000], [' 2 ', 2000], ['0', 0], ['86400', 86_400_000], ['999999999999999', 999_999_999_999_999_000], ['9999999999999999', undefined], ['-1', undefined], ['1.5', undefined], ['abc', undefined], ['abc 1', undefined], ['1e3', undefined], ['2, 3', undefined],
    [new Date(start + 30_000).toUTCString(), 30_000], [new Date(start - 30_000).toUTCString(), 0], ['Sun, 99 Feb 2026 14:30:00 GMT', undefined], ['2026-02-15T14:31:00Z', undefined],
  ];
  for (const [header, expected] of rows) {
    test(`Retry-After: ${header ?? 'none'} is ${expected ?? 'not understood'}`, () => assert.equal(retryAfterMs(header, start), expected));
  }
});
