import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excerptAt } from '../../lib/formats/excerpt.ts';

test('the caret stands below the column, with tabs kept', () => {
  assert.equal(excerptAt('a\n\tb:\tc\nd', 2, 5), '\tb:\tc\n\t  \t^');
  assert.equal(excerptAt('abc', 1, 1), 'abc\n^');
  assert.equal(excerptAt('abc', 1, 4), 'abc\n   ^');
});

test('lines end with LF, CR LF or CR, and a byte order mark is not counted', () => {
  assert.equal(excerptAt('a\r\nb\rc\nd', 2, 1), 'b\n^');
  assert.equal(excerptAt('a\r\nb\rc\nd', 3, 1), 'c\n^');
  assert.equal(excerptAt('a\r\nb\rc\nd', 4, 1), 'd\n^');
  assert.equal(excerptAt('\ufeffabc', 1, 2), 'abc\n ^');
});

test('a place outside the text is shown as the nearest there is', () => {
  assert.equal(excerptAt('abc', 1, 99), 'abc\n   ^');
  assert.equal(excerptAt('abc', 1, 0), 'abc\n^');
  assert.equal(excerptAt('abc', 7, 3), '\n^');
  assert.equal(excerptAt('', 1, 1), '\n^');
});

test('a long line is cut to a window around the column', () => {
  const line = 'x'.repeat(500) + 'Y' + 'x'.repeat(500);
  const [shown = '', caret = ''] = excerptAt(line, 1, 501).split('\n');
  assert.equal(shown.length, 102);
  assert.equal(shown.at(caret.length - 1), 'Y');
  assert.match(shown, /^…x+Yx+…$/);
  assert.equal(excerptAt('y'.repeat(300), 1, 1).split('\n')[0], `${'y'.repeat(100)}…`);
});

test('what could move the cursor of a terminal or reorder its text is replaced, one for one', () => {
  assert.equal(excerptAt('a\u001b[2Jb\u009bc\u202ed\ud800e', 1, 6), 'a\ufffd[2Jb\ufffdc\ufffdd\ufffde\n     ^');
});
