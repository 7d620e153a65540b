/** docs/formats/erasure.md is executed: its example opens as it says, with nothing but the page and a cipher. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyCheck, unseal } from '../../lib/base/cipher.ts';
import { isEnvelope, kidsOf, openValue, unwrapKey } from '../../lib/audit/protection/envelope.ts';
import { blocks, page } from '../support/page.ts';

const name = 'docs/formats/erasure.md';

test('the example opens with the key that the page names, as the page says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const entry = JSON.parse(blocks(text, 'jsonl')[0] ?? '');
  const file = JSON.parse(blocks(text, 'json')[0] ?? '');
  const [, kek = ''] = /has the key `([^`]+)` \(base64\)/.exec(text) ?? [];
  const [, key = ''] = /^`([0-9a-f]{64})`, and opens/m.exec(text) ?? [];
  const wrapping = Buffer.from(kek, 'base64');
  assert.equal(keyCheck(wrapping), file.kek);
  const unwrapped = unwrapKey(file, file.kid, wrapping);
  assert.equal(Buffer.from(unwrapped ?? []).toString('hex'), key);
  assert.equal(keyCheck(Buffer.from(key, 'hex')), file.check);
  for (const [member, value] of [['actor', 'user:alice'], ['details', { prd: './prd.md', provider: 'claude' }]] as const) {
    assert.ok(isEnvelope(entry[member]));
    assert.deepEqual(kidsOf(entry[member]), [file.kid]);
    assert.deepEqual(openValue(entry[member], Buffer.from(key, 'hex'), entry.seq, `/${member}`), value);
    assert.ok(text.includes(`\`${JSON.stringify(value)}\``));
  }
});

test('the texts that are bound are the ones on the page', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const { actor, seq } = JSON.parse(blocks(text, 'jsonl')[0] ?? '');
  const [, key = ''] = /^`([0-9a-f]{64})`, and opens/m.exec(text) ?? [];
  const lines = /bound to it is this text[\s\S]*?\n\n((?: {4}.*\n){4})/.exec(text)?.[1]?.split('\n').filter(Boolean).map((line) => line.slice(4)) ?? [];
  const bound = lines.join('\n').replace('<kid>', actor.kid).replace('<seq of the entry>', String(seq)).replace(/<JSON pointer.*>/, '/actor');
  const opened = unseal(Buffer.from(key, 'hex'), Buffer.from(actor.n, 'base64'), Buffer.from(actor.c, 'base64'), bound);
  assert.equal(Buffer.from(opened ?? []).toString(), '"user:alice"');
});
