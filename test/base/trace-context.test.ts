import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childTraceparent } from '../../lib/base/trace-context.ts';

const random = Uint8Array.from({ length: 24 }, (_, n) => n + 1);
const fresh = '00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01';

test('childTraceparent() stays in the trace that was handed down, under a parent of its own', () => {
  assert.equal(childTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00', random), '00-4bf92f3577b34da6a3ce929d0e0e4736-1112131415161718-00');
});

for (const given of [undefined, '', 'x', '00-00000000000000000000000000000000-00f067aa0ba902b7-01', '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n']) {
  test(`childTraceparent() begins a trace where ${JSON.stringify(given)} was handed down`, () => {
    assert.equal(childTraceparent(given, random), fresh);
  });
}
