/** `loki-enterprise/merkle` and the checkpoints of `loki-enterprise/audit`, as a program that embeds them uses them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAuditLog } from '../../lib/entry/audit.ts';
import { leafHash, root, verifyConsistency, verifyInclusion, verifyNote } from '../../lib/entry/merkle.ts';
import { LokiError } from '../../lib/index.ts';
import { fixture } from '../support/root.ts';

interface Tessera { readonly verifier_key: string; readonly leaves: readonly string[]; readonly checkpoints: Readonly<Record<string, string>> }
const tessera: Tessera = JSON.parse(readFileSync(fixture('merkle', 'tessera-log.json'), 'utf8'));

test('the published test log is checked with nothing else', () => {
  const leaves = tessera.leaves.map((leaf) => new TextEncoder().encode(leaf));
  for (const [size, note] of Object.entries(tessera.checkpoints)) {
    assert.equal(verifyNote(note, [tessera.verifier_key]), true, size);
    assert.equal(Buffer.from(root(leaves.slice(0, Number(size)))).toString('base64'), note.split('\n')[2]);
  }
  const note = tessera.checkpoints['3'] ?? '';
  assert.equal(verifyNote(Buffer.from(note), [tessera.verifier_key, 'nonsense']), true);
  assert.equal(verifyNote(note, []), false);
  assert.equal(verifyNote(note, ['nonsense']), false);
  assert.equal(verifyNote(note.replace('\n3\n', '\n4\n'), [tessera.verifier_key]), false);
  assert.equal(verifyNote('', [tessera.verifier_key]), false);
  const [one = new Uint8Array(), two = new Uint8Array()] = leaves;
  assert.equal(verifyInclusion({ leafHash: leafHash(two), index: 1, size: 2, proof: [leafHash(one)], root: root([one, two]) }), true);
  assert.equal(verifyConsistency({ size1: 1, size2: 2, root1: leafHash(one), root2: root([one, two]), proof: [leafHash(two)] }), true);
  assert.equal(verifyInclusion({ leafHash: leafHash(one), index: 1, size: 2, proof: [leafHash(one)], root: root([one, two]) }), false);
});

function folder(t: TestContext): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'loki merkle ')));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a log signs checkpoints when asked, over its lines', async (t) => {
  const place = folder(t);
  const log = openAuditLog({ dir: join(place, 'audit'), origin: 'example.com' });
  assert.equal(await log.checkpoint(), undefined);
  for (let n = 0; n < 5; n += 1) await log.append({ event: 'agent.action', actor: 'agent:x', details: { n } });
  const first = await log.checkpoint() ?? assert.fail();
  assert.deepEqual([first.origin, first.size], ['example.com/loki/audit', 6]);
  assert.equal(verifyNote(first.note, [first.vkey]), true);
  const again = await log.checkpoint();
  assert.deepEqual([again?.note, again?.size], [first.note, 6], 'nothing new but that there is one');
  await log.append({ event: 'agent.action', actor: 'agent:x' });
  const second = await log.checkpoint() ?? assert.fail();
  const [file = ''] = readdirSync(join(place, 'audit'));
  const lines = readFileSync(join(place, 'audit', file), 'utf8').split('\n').map((line) => Buffer.from(line));
  assert.equal(second.size, 8);
  assert.deepEqual(Buffer.from(root(lines.slice(0, 8))), Buffer.from(second.root));
  assert.deepEqual(Buffer.from(root(lines.slice(0, 6))), Buffer.from(first.root));
  assert.equal(statSync(join(place, 'keys/checkpoint.key')).mode & 0o777, 0o600);
  await log.close();
  writeFileSync(join(place, 'audit', file), `${lines.slice(0, 3).map(String).join('\n')}\n`);
  const cut = openAuditLog({ dir: join(place, 'audit') });
  await assert.rejects(cut.checkpoint(), (error: unknown) => error instanceof LokiError && error.code === 'audit.tampered');
  await cut.close();
});
