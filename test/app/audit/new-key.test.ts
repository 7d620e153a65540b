/** Keys that were lost: the log itself says with which key it goes on. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isPlainObject } from '../../../lib/base/json.ts';
import { makeGround } from '../../support/ground.ts';

test('the first checkpoint of a new key tells of it, also when an attempt before was refused', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  const path = join(ground.home, 'keys/checkpoint.vkey');
  const old = readFileSync(path, 'utf8');
  rmSync(join(ground.home, 'keys'), { recursive: true });
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 6);
  const made = readFileSync(path, 'utf8');
  writeFileSync(path, `${old}${made}`);
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  const told = ground.entries().filter(({ event }) => event === 'audit.checkpoint').map(({ details }) => (isPlainObject(details) ? details : {}));
  assert.equal(told.findLast(({ root }) => root !== undefined)?.['vkey'], made.trim());
});
