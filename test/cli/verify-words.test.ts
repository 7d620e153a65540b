/** What `loki audit verify` says that its verdict shows, and that it does not show. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRecord } from '../../lib/app/audit/record.ts';
import { makeGround, type Ground } from '../support/ground.ts';

async function record(ground: Ground, count: number): Promise<void> {
  const log = openRecord(ground.installation());
  for (let n = 0; n < count; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:x', details: { n } });
  await log.close();
}

async function said(ground: Ground, ...args: readonly string[]): Promise<string> {
  const { exit, stdout, stderr } = await ground.loki(['audit', 'verify', ...args]);
  assert.equal(exit, 0, stderr);
  return stdout;
}

test('a verdict says how far it goes: of nothing, of a chain alone, of our own checkpoint, of one that was kept elsewhere', async (t) => {
  const ground = makeGround(t);
  assert.equal(await said(ground), 'record  ok  nothing recorded\n\nNothing is recorded yet.\n');
  await record(ground, 3);
  assert.match(await said(ground), /\n {2}no checkpoint: its chain alone holds it\n\nNo change was found \(4 entries\)\.\nA chain has no secret: who can write these files could have written all of them anew/);
  const { stdout: note } = await ground.loki(['audit', 'checkpoint']);
  const own = await said(ground);
  assert.match(own, /\n {2}the checkpoint over 5 entries holds; 1 entry after it is not signed yet\n/);
  assert.match(own, /\nThat holds against whoever has not got the signing key, .*--against: .*\.\n$/);
  assert.doesNotMatch(own, /no checkpoint|no secret/);
  writeFileSync(join(ground.project, 'kept'), note);
  assert.match(await said(ground, '--against', 'kept'), /\n {2}since the checkpoint in kept nothing of the first 5 entries was cut or rewritten\n[^]*\nWhat the checkpoints given with --against cover is as it was when they were signed, whoever had the key since\.\n$/);
});
