/** Proof files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signCheckpoint } from '../../../lib/base/merkle/checkpoint.ts';
import { root } from '../../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import { noteSigner } from '../../../lib/base/merkle/note.ts';
import { verifyInclusion } from '../../../lib/base/merkle/proof.ts';
import { checkTlogProof, formatTlogProof, parseTlogProof } from '../../../lib/base/merkle/tlog-proof.ts';

const signer = noteSigner('example.com/log', new Uint8Array(32).fill(7));
const leaves = ['a', 'b', 'c'].map((data) => leafHash(Buffer.from(data)));
const [a = new Uint8Array(), b = new Uint8Array(), c = new Uint8Array()] = leaves;
const checkpoint = signCheckpoint({ size: 3, root: root(leaves) }, signer);
const file = formatTlogProof({ index: 2, hashes: [root([a, b])], extra: Buffer.from('c'), checkpoint });

test('a proof file has the lines of its format, and is read as it was written', () => {
  assert.match(file, /^c2sp\.org\/tlog-proof@v1\nextra Yw==\nindex 2\n[A-Za-z0-9+/]{43}=\n\nexample\.com\/log\n3\n/);
  const read = parseTlogProof(file) ?? assert.fail();
  assert.equal(formatTlogProof(read), file);
  const checked = checkTlogProof(read, c, [signer.key]);
  assert.deepEqual(checked.ok && [checked.index, checked.checkpoint.origin, checked.checkpoint.size, checked.signedBy], [2, 'example.com/log', 3, [signer.key.vkey]]);
  assert.equal(verifyInclusion({ leafHash: c, index: 2, size: 3, proof: read.hashes, root: root(leaves) }), true);
  const single = signCheckpoint({ size: 1, root: a }, signer);
  const alone = parseTlogProof(formatTlogProof({ index: 0, hashes: [], extra: undefined, checkpoint: single })) ?? assert.fail();
  assert.equal(checkTlogProof(alone, a, [signer.key]).ok, true);
});

test('another leaf, another key, another index: not proven, and it says why', () => {
  const read = parseTlogProof(file) ?? assert.fail();
  const leaf = checkTlogProof(read, a, [signer.key]);
  assert.match(leaf.ok ? '' : leaf.found, /not at index 2/);
  const key = checkTlogProof(read, c, [noteSigner('example.com/log', new Uint8Array(32)).key]);
  assert.match(key.ok ? '' : key.found, /known key/);
  assert.equal(checkTlogProof({ ...read, index: 1 }, c, [signer.key]).ok, false);
  assert.equal(checkTlogProof({ ...read, index: 2 ** 52 }, c, [signer.key]).ok, false);
});

test('what is no proof file is not read', () => {
  const wrong = ['', 'x', file.slice(1), file.replace('@v1', '@v2'), file.replace('index 2', 'index 02'), file.replace('index 2', 'index -1'), file.replace('index 2\n', ''), file.replace('extra Yw==', 'extra Yw='), file.replace('\n\n', '\n'),
    file.replaceAll('\n', '\r\n'), file.replace('index 2\n', `index 2\n${`${Buffer.from(a).toString('base64')}\n`.repeat(64)}`), file.replace('index 2\n', 'index 2\nAAAA\n'), 'y'.repeat(3 << 20)];
  for (const each of wrong) assert.equal(parseTlogProof(each), undefined, JSON.stringify(each.slice(0, 80)));
});
