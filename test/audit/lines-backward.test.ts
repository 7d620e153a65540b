import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesBackward } from '../../lib/audit/lines-backward.ts';
import { forAll } from '../support/property.ts';

const piece = 1 << 18;

function fileOf(text: string): { readonly size: number; read(position: number, length: number): Uint8Array; reads: number } {
  const bytes = Buffer.from(text);
  return {
    size: bytes.length, reads: 0,
    read(position, length) {
      this.reads += length;
      return bytes.subarray(position, position + length);
    },
  };
}

function backward(text: string): string[] {
  const file = fileOf(text);
  return [...linesBackward(file, file.size)].map(String);
}

test('lines come from the last to the first, a tail without a line feed is left out', () => {
  assert.deepEqual(backward(''), []);
  assert.deepEqual(backward('torn'), []);
  assert.deepEqual(backward('a\n'), ['a']);
  assert.deepEqual(backward('a\nb\n\nc\ntorn'), ['c', '', 'b', 'a']);
});

test('lines of every length come whole, wherever the pieces end', () => {
  forAll<string[]>({ runs: 60, show: (lines) => JSON.stringify(lines.map(({ length }) => length)) }, (draw) => {
    const longest = draw.pick([10, 5000, 100_000, piece - 1]);
    return draw.list(0, 12, () => String(draw.integer(0, 9)).repeat(draw.integer(0, longest)));
  }, (lines) => {
    const short = lines.filter(({ length }) => length < piece / 2);
    assert.deepEqual(backward(short.map((line) => `${line}\n`).join('')), short.toReversed());
    assert.deepEqual(backward(`${short.map((line) => `${line}\n`).join('')}torn`), short.toReversed());
    // Longer ones may be left out, but never come in parts, and the others come all the same.
    const all = backward(lines.map((line) => `${line}\n`).join(''));
    for (const line of all) assert.ok(lines.includes(line));
    assert.deepEqual(all.filter(({ length }) => length < piece / 2), short.toReversed());
  });
});

test('a line of many pieces is left out, is read once, and what lies around it comes', () => {
  for (const length of [piece - 1, piece, piece + 1, 3 * piece - 2, 40 * piece]) {
    for (const tail of ['', 'torn', 'x'.repeat(2 * piece)]) {
      const text = `a\n${'x'.repeat(length)}\nb\nc\n${tail}`;
      const file = fileOf(text);
      const lines = [...linesBackward(file, file.size)].map(String).filter((line) => line.length < 3);
      assert.deepEqual(lines, ['c', 'b', 'a'], `${length} ${tail.length}`);
      assert.equal(file.reads, file.size, 'each byte is read once');
    }
  }
});
