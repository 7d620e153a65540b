/** Values of anybody's making as OTLP/JSON: what is said, what is left out, and that nothing throws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeValue } from '../../../lib/formats/otlp/any-value.ts';
import { cut, double, quote, valueBounds } from '../../../lib/formats/otlp/value.ts';

const said = (value: unknown, longest?: number): unknown => {
  const json = writeValue(value, longest);
  return json === undefined ? undefined : JSON.parse(json);
};

const cyclic: { self?: unknown; name: string } = { name: 'x' };
cyclic.self = cyclic;
const throwing = { get bad(): never { throw new Error('no'); }, good: 1, toJSON(): never { throw new Error('no'); } };
const hostile = new Proxy({}, { ownKeys() { throw new Error('no'); }, get() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } });

const table: readonly (readonly [what: string, value: unknown, said: unknown])[] = [
  ['a text', 'a"\\\n\u2028', { stringValue: 'a"\\\n\u2028' }],
  ['NUL', 'a\0b', { stringValue: 'a\0b' }],
  ['half a pair first', '\ude00x', { stringValue: '\ufffdx' }],
  ['half a pair last', 'x\ud83d', { stringValue: 'x\ufffd' }],
  ['two halves the wrong way round', '\ude00\ud83d', { stringValue: '\ufffd\ufffd' }],
  ['a whole pair', '\ud83d\ude00', { stringValue: '\ud83d\ude00' }],
  ['what looks like an escape', 'C:\\ud800', { stringValue: 'C:\\ud800' }],
  ['a whole number', 42, { intValue: '42' }],
  ['the largest that is exact', 2 ** 53 - 1, { intValue: '9007199254740991' }],
  ['one that is not', 2 ** 53 + 2, { doubleValue: 2 ** 53 + 2 }],
  ['2^63 as a number', 2 ** 63, { doubleValue: 2 ** 63 }],
  ['a fraction', -0.5, { doubleValue: -0.5 }],
  ['NaN', NaN, { doubleValue: 'NaN' }],
  ['infinity', Infinity, { doubleValue: 'Infinity' }],
  ['minus infinity', -Infinity, { doubleValue: '-Infinity' }],
  ['2^63-1', 2n ** 63n - 1n, { intValue: '9223372036854775807' }],
  ['-2^63', -(2n ** 63n), { intValue: '-9223372036854775808' }],
  ['2^63', 2n ** 63n, { stringValue: '9223372036854775808' }],
  ['a number that nobody reads', 2n ** 100_000n, { stringValue: '[huge]' }],
  ['true', true, { boolValue: true }],
  ['bytes', Buffer.from([0, 255, 1]), { bytesValue: 'AP8B' }],
  ['a time', new Date(0), { stringValue: '1970-01-01T00:00:00.000Z' }],
  ['no time', new Date(NaN), { stringValue: 'Invalid Date' }],
  ['a list with gaps', [1, undefined, null, () => 1, 'x'], { arrayValue: { values: [{ intValue: '1' }, {}, {}, {}, { stringValue: 'x' }] } }],
  ['nothing in a list', [], { arrayValue: { values: [] } }],
  ['a map', { a: 1, b: { c: 'd' }, e: undefined, '': 1 }, { kvlistValue: { values: [{ key: 'a', value: { intValue: '1' } }, { key: 'b', value: { kvlistValue: { values: [{ key: 'c', value: { stringValue: 'd' } }] } } }] } }],
  ['names that become equal', { 'a\ud800': 1, 'a\ud801': 2 }, { kvlistValue: { values: [{ key: 'a\ufffd', value: { intValue: '1' } }] } }],
  ['a cycle', cyclic, { kvlistValue: { values: [{ key: 'name', value: { stringValue: 'x' } }, { key: 'self', value: { stringValue: '[circular]' } }] } }],
  ['the same thing twice is no cycle', [Buffer.from('a'), Buffer.from('a')], { arrayValue: { values: [{ bytesValue: 'YQ==' }, { bytesValue: 'YQ==' }] } }],
  ['a getter that throws', throwing, { kvlistValue: { values: [{ key: 'good', value: { intValue: '1' } }] } }],
  ['a proxy that throws', hostile, undefined],
  ['a proxy that throws, in a list', [hostile, 1], { arrayValue: { values: [{}, { intValue: '1' }] } }],
  ['bytes that are none', Object.create(Uint8Array.prototype), undefined],
  ['nothing', undefined, undefined],
  ['null', null, undefined],
  ['a function', () => 1, undefined],
  ['a symbol', Symbol('x'), undefined],
];

for (const [what, value, expected] of table) test(`writeValue() says ${what}`, () => assert.deepEqual(said(value), expected));

test('minus zero keeps its sign', () => {
  assert.equal(writeValue(-0), '{"doubleValue":-0}');
  assert.equal(double(-0), '-0');
});

test('what throws on the way does not make what stands beside it a cycle', () => {
  const shared = { x: 1 };
  assert.deepEqual(said([{ get bad(): never { throw new Error('no'); }, shared }, shared]), { arrayValue: { values: [
    { kvlistValue: { values: [{ key: 'shared', value: { kvlistValue: { values: [{ key: 'x', value: { intValue: '1' } }] } } }] } },
    { kvlistValue: { values: [{ key: 'x', value: { intValue: '1' } }] } },
  ] } });
});

test('depth, number and size are bounded', () => {
  let deep: unknown = 'bottom';
  for (let n = 0; n < 5000; n += 1) deep = [deep];
  assert.match(writeValue(deep) ?? '', /\[too deep\]/);
  assert.equal((writeValue(deep) ?? '').split('arrayValue').length - 1, valueBounds.depth);
  const wide = writeValue(Array.from({ length: 100_000 }, (_, n) => n)) ?? '';
  assert.equal(wide.split('intValue').length - 1, valueBounds.count);
  const many = writeValue(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]))) ?? '';
  assert.equal(many.split('"key"').length - 1, valueBounds.count);
  const long = writeValue(['x'.repeat(3 << 20), 'y']) ?? '';
  assert.ok(long.length < valueBounds.characters + 200, `${long.length}`);
  assert.ok((writeValue(new Uint8Array(8 << 20)) ?? '').length < 1.4 * valueBounds.characters);
  const sparse: unknown[] = [];
  sparse.length = 2 ** 32 - 1;
  assert.equal((writeValue(sparse) ?? '').split('{}').length - 1, valueBounds.count);
});

test('a limit of characters holds wherever a text stands, and cuts no character in two', () => {
  assert.deepEqual(said('abcdef', 3), { stringValue: 'abc' });
  assert.deepEqual(said(['abcdef', { k: 'xyz1' }], 3), { arrayValue: { values: [{ stringValue: 'abc' }, { kvlistValue: { values: [{ key: 'k', value: { stringValue: 'xyz' } }] } }] } });
  assert.equal(cut('ab\ud83d\ude00', 3), 'ab');
  assert.equal(cut('ab\ud83d\ude00', 4), 'ab\ud83d\ude00');
});

test('whatever a text holds, it is one line of JSON that says it', () => {
  let seed = 7;
  const random = (): number => { seed = (seed * 48_271) % 2_147_483_647; return seed; };
  for (let n = 0; n < 3000; n += 1) {
    const text = String.fromCharCode(...Array.from({ length: random() % 12 }, () => [random() % 128, 0xd800 + (random() % 2048), random() % 65_536, 92, 117, 100][random() % 6] ?? 0));
    const quoted = quote(text);
    assert.equal(JSON.parse(quoted), Buffer.from(text, 'utf8').toString('utf8'));
    assert.doesNotMatch(quoted, /[\n\r]/);
    assert.equal(/(?<!\\)(?:\\\\)*\\ud/.test(quoted), false, quoted);
  }
});
