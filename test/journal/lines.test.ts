import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfLastLine, linesOf, pieces, type Readable } from '../../lib/journal/lines.ts';
import { forAll } from '../support/property.ts';

const pieceBytes = 1 << 18;

/** Reads into the memory that is handed over, as the real driver does. */
function fileOf(text: string): Readable & { readonly size: number } {
  const bytes = Buffer.from(text);
  return {
    size: bytes.length,
    read(position: number, length: number, into?: Uint8Array) {
      const part = bytes.subarray(position, position + length);
      if (into === undefined || into.length < length) return Buffer.from(part);
      into.set(part);
      return into.subarray(0, part.length);
    },
  };
}

function texts(file: Readable, from: number, to: number): readonly string[] {
  const found: string[] = [];
  // Told one by one: the next piece takes the memory of this one.
  for (const { bytes, offset, complete } of pieces(file, from, to)) found.push(`${offset} ${complete ? '' : 'torn '}${Buffer.from(bytes).toString()}`);
  return found;
}

test('pieces begin at a line and end after a line feed, but for a tail without one', () => {
  assert.deepEqual(texts(fileOf(''), 0, 0), []);
  assert.deepEqual(texts(fileOf('a\nb\n'), 0, 4), ['0 a\nb\n']);
  assert.deepEqual(texts(fileOf('a\nb\ntorn'), 0, 8), ['0 a\nb\n', '4 torn torn']);
  assert.deepEqual(texts(fileOf('a\nb\nc\n'), 2, 4), ['2 b\n'], 'only what was asked for');
  assert.deepEqual(texts(fileOf('torn'), 0, 4), ['0 torn torn']);
});

test('a file that became shorter ends early', () => {
  assert.deepEqual(texts(fileOf('a\n'), 0, 100), ['0 a\n']);
});

test('all pieces together are the file, whatever its lines', () => {
  forAll<string[]>({ runs: 40, show: (lines) => JSON.stringify(lines.map((line) => line.length)) }, (draw) => {
    const longest = draw.pick([20, 70_000, pieceBytes + 10, 3 * pieceBytes]);
    return draw.list(0, 8, () => 'x'.repeat(draw.integer(0, longest)));
  }, (lines) => {
    const text = lines.map((line) => `${line}\n`).join('');
    const file = fileOf(text);
    let all = '';
    for (const { bytes, offset, complete } of pieces(file, 0, file.size)) {
      assert.equal(offset, all.length);
      assert.ok(complete && bytes.at(-1) === 10);
      all += Buffer.from(bytes).toString();
    }
    assert.equal(all, text);
  });
});

test('lines of bytes, the last one with or without its line feed', () => {
  const of = (text: string): readonly string[] => [...linesOf(Buffer.from(text))].map(([start, end]) => text.slice(start, end));
  assert.deepEqual(of(''), []);
  assert.deepEqual(of('\n'), ['']);
  assert.deepEqual(of('a\n\nb'), ['a', '', 'b']);
  assert.deepEqual(of('a\nb\n'), ['a', 'b']);
});

test('the end of the last line is looked for in the window and no further', () => {
  assert.equal(endOfLastLine(fileOf(''), 0, 10), 0);
  assert.equal(endOfLastLine(fileOf('abc'), 3, 10), 0, 'a file without lines ends at its beginning');
  assert.equal(endOfLastLine(fileOf('a\nbc'), 4, 10), 2);
  assert.equal(endOfLastLine(fileOf('a\nbc'), 4, 3), 2);
  assert.equal(endOfLastLine(fileOf('a\nbc'), 4, 2), -1);
  assert.equal(endOfLastLine(fileOf('a\nb\ncd'), 4, 10), 4, 'only the first bytes count');
});
