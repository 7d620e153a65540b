/** Secrets do not print. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { Secret } from '../../lib/base/secret.ts';

test('a secret prints as *** and is given out by reveal() alone', () => {
  const secret = new Secret('sesame');
  assert.equal(secret.reveal(), 'sesame');
  assert.deepEqual([String(secret), `${secret}`, JSON.stringify({ secret })], ['***', '***', '{"secret":"***"}']);
  assert.doesNotMatch(inspect(secret, { showHidden: true, depth: 9 }), /sesame/);
  assert.deepEqual([Object.keys(secret), Reflect.ownKeys(secret), { ...secret }], [[], [], {}]);
  assert.throws(() => structuredClone(new Map([[secret, 1]])).keys().next().value?.reveal());
});
