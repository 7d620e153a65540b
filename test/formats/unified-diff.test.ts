import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { unifiedDiff } from '../../lib/formats/unified-diff.ts';

test('a change is shown with the lines around it', () => {
  assert.deepEqual(unifiedDiff('a\nb\nc\nd\ne\n', 'a\nb\nc\nd\nx\n', 'f'), ['--- f', '+++ f', '@@ -2,4 +2,4 @@', ' b', ' c', ' d', '-e', '+x']);
  assert.deepEqual(unifiedDiff('a\n', 'a\n', 'f'), []);
  assert.deepEqual(unifiedDiff(undefined, 'a', 'f'), ['--- /dev/null', '+++ f', '@@ -0,0 +1,1 @@', '+a', '\\ No newline at end of file']);
  assert.deepEqual(unifiedDiff('a\n', undefined, 'f'), ['--- f', '+++ /dev/null', '@@ -1,1 +0,0 @@', '-a']);
});

test('patch(1) makes the second text of the first', (t) => {
  if (spawnSync('patch', ['--version']).error !== undefined) return t.skip('there is no patch(1) here');
  const folder = mkdtempSync(join(tmpdir(), 'loki-diff-'));
  t.after(() => rmSync(folder, { recursive: true }));
  let seed = 7;
  const lot = (most: number): number => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % most; };
  for (let round = 0; round < 12; round += 1) {
    const before = Array.from({ length: 10 + lot(40) }, () => `line ${lot(9)}\n`);
    const after = before.flatMap((line) => (lot(8) === 0 ? [] : lot(8) === 0 ? [line, `new ${lot(9)}\n`] : [line]));
    const file = join(folder, 'f');
    writeFileSync(file, before.join(''));
    const diff = unifiedDiff(before.join(''), after.join(''), 'f');
    if (diff.length === 0) continue;
    const { status, stdout } = spawnSync('patch', ['-o', '-', file], { input: `${diff.join('\n')}\n`, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
    assert.equal(stdout.replace(/^patching file.*\n/, ''), after.join(''));
  }
});
