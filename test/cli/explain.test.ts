/** `loki policy explain --seq`: entries of the log that are no judgement of a rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeGround } from '../support/ground.ts';

test('an action that could not be read is explained by what is known of it, and by nothing else', async (t) => {
  const { loki, entries } = makeGround(t);
  assert.equal((await loki(['hook', 'generic'], { input: '{' })).exit, 2);
  const seq = entries().find(({ event }) => event === 'policy.error')?.['seq'];
  const { exit, stdout } = await loki(['policy', 'explain', '--seq', String(seq)]);
  assert.equal(exit, 3);
  assert.match(stdout, /^DENY {2}Cannot read the action: .*\n {2}when .*\n {2}who {3}agent:generic\n {2}rule {2}action\.invalid\n$/);
});
