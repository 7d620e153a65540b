/** docs/formats/checkpoint.md is executed: its example is what the program signs, proves and checks over the lines of audit.md. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { signCheckpoint } from '../../lib/base/merkle/checkpoint.ts';
import { root } from '../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../lib/base/merkle/hash.ts';
import { noteSigner, parseVkey } from '../../lib/base/merkle/note.ts';
import { checkTlogProof, formatTlogProof, parseTlogProof } from '../../lib/base/merkle/tlog-proof.ts';
import { blocks, page } from '../support/page.ts';

interface Example { readonly text: string; readonly lines: readonly string[]; readonly checkpoint: string; readonly proof: string; readonly vkey: string }

function example(t: TestContext): Example | undefined {
  const text = page(t, 'docs/formats/checkpoint.md');
  const audit = page(t, 'docs/formats/audit.md');
  if (text === undefined || audit === undefined) return undefined;
  const vkey = /^ {4}(\S+\+[0-9a-f]{8}\+\S+)$/m.exec(text)?.[1] ?? assert.fail('the page has no vkey');
  return { text, lines: (blocks(audit, 'jsonl')[0] ?? '').trimEnd().split('\n'), checkpoint: blocks(text, 'checkpoint')[0] ?? '', proof: blocks(text, 'tlog-proof')[0] ?? '', vkey };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the checkpoint, its key and its proof are what the program makes of the lines of audit.md', (t) => {
  const found = example(t);
  if (found === undefined) return;
  const leaves = found.lines.map((line) => leafHash(Buffer.from(line)));
  const signer = noteSigner('example.com/loki/audit', Uint8Array.from({ length: 32 }, (_, at) => at));
  assert.equal(signer.key.vkey, found.vkey);
  const checkpoint = signCheckpoint({ size: 3, root: root(leaves) }, signer);
  assert.equal(found.checkpoint, checkpoint);
  const [first = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array()] = leaves;
  assert.equal(found.proof, formatTlogProof({ index: 1, hashes: [first, third], extra: undefined, checkpoint }));
  const key = parseVkey(found.vkey) ?? assert.fail();
  assert.equal(checkTlogProof(parseTlogProof(found.proof) ?? assert.fail(), second, [key]).ok, true);
});

test('the hashes of the page come out of the rules of the page', (t) => {
  const found = example(t);
  if (found === undefined) return;
  // By hand, as somebody would who has only the page.
  const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  const leaves = found.lines.map((line) => sha256(Uint8Array.of(0), Buffer.from(line)));
  const [one = Buffer.alloc(0), two = Buffer.alloc(0), three = Buffer.alloc(0)] = leaves;
  const left = sha256(Uint8Array.of(1), one, two);
  const all = sha256(Uint8Array.of(1), left, three);
  const given = [...found.text.matchAll(/^\| [^|]+ \| `([0-9a-f]{64})` \|$/gm)].map(([, value]) => value);
  assert.deepEqual(given, [one, two, three, left, all].map(hex));
  assert.equal(found.checkpoint.split('\n')[2], all.toString('base64'));
  const [name = '', id = '', ...base64] = found.vkey.split('+');
  assert.equal(sha256(Buffer.from(`${name}\n`), Buffer.from(base64.join('+'), 'base64')).toString('hex', 0, 4), id);
});
