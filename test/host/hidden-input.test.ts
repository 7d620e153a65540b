import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHiddenLine, type HiddenState } from '../../lib/host/hidden-input.ts';

/** Types it in one piece and byte by byte: both must come to the same. */
function typed(keys: string | Uint8Array, longest: number = 100): { readonly state: HiddenState; readonly text: string | undefined } {
  const bytes = Buffer.from(keys as string);
  const whole = createHiddenLine(longest);
  const state = whole.take(bytes);
  const slow = createHiddenLine(longest);
  let last: HiddenState = 'typing';
  for (const byte of bytes) if (last === 'typing') last = slow.take(Uint8Array.of(byte));
  assert.deepEqual([last, slow.text()], [state, whole.text()]);
  return { state, text: whole.text() };
}

test('a line ends with Enter, and what follows is no part of it', () => {
  assert.deepEqual(typed('four words\rmore\r'), { state: 'done', text: 'four words' });
  assert.deepEqual(typed('four words\n'), { state: 'done', text: 'four words' });
  assert.deepEqual(typed('four'), { state: 'typing', text: 'four' });
  assert.deepEqual(typed('\r'), { state: 'done', text: '' });
});

test('a character is erased whole, however many bytes it has; Ctrl-U erases all', () => {
  assert.deepEqual(typed('aé\u{1F600}\u007f\u007fb\r'), { state: 'done', text: 'ab' });
  assert.deepEqual(typed('a\b\b\bb\r'), { state: 'done', text: 'b' });
  assert.deepEqual(typed('wrong\u0015right\r'), { state: 'done', text: 'right' });
});

test('keys that send a sequence, and other control characters, become no part of it', () => {
  assert.deepEqual(typed('\u001b[Aa\u001b[1;5Cb\u001bOPc\u001bxd\u0001\u001a\te\r'), { state: 'done', text: 'abcde' });
});

test('Ctrl-C interrupts; Ctrl-D ends an empty line and nothing else', () => {
  assert.equal(typed('abc\u0003\r').state, 'interrupt');
  assert.equal(typed('\u0004').state, 'end');
  assert.deepEqual(typed('ab\u0004c\r'), { state: 'done', text: 'abc' });
});

test('what is too long or no UTF-8 is no passphrase, and is not cut to be one', () => {
  assert.equal(typed('x'.repeat(100) + '\r').text, 'x'.repeat(100));
  assert.deepEqual(typed('x'.repeat(101) + '\r'), { state: 'done', text: undefined });
  assert.deepEqual(typed('x'.repeat(5000) + '\r'), { state: 'done', text: undefined });
  assert.deepEqual(typed(Uint8Array.of(0x61, 0xff, 0x0d)), { state: 'done', text: undefined });
});

test('forgetting leaves nothing', () => {
  const line = createHiddenLine(10);
  line.take(Buffer.from('secret'));
  line.forget();
  assert.equal(line.text(), '');
});
