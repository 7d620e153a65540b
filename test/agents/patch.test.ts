/** Patches as Codex and opencode read them: each case was tried on the real programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchChanges } from '../../lib/agents/patch.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';

const patch = (...lines: readonly string[]): string => ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n');
const files = (...lines: readonly string[]): readonly string[] => patchChanges(patch(...lines)).map(({ kind, path, content }) => [kind, path, ...(content === undefined ? [] : [content])].join(' '));

test('a heading counts behind whatever blanks the agents leave out', () => {
  for (const blank of ['', ' ', '\t', ' \t', '\u0085', '\u00a0', '\u2003', '\u3000', '\r', '\u2028']) {
    assert.deepEqual(files('*** Add File: a', '+x', `${blank}*** Add File: b`, '+y').map((file) => file.split(' ')[1]), ['a', 'b'], JSON.stringify(blank));
    const command = `apply_patch <<'EOF'\n${patch('*** Add File: a', '+x', `${blank}*** Add File: b`, '+y')}EOF`;
    assert.ok(analyzeCommand(command, { cwd: '/p' }).actions.some(({ kind, file_path: path }) => kind === 'fs.write' && path === '/p/b'), JSON.stringify(blank));
  }
});

test('a line that may be a heading takes no text away from the file before it', () => {
  assert.deepEqual(files('*** Update File: a', '@@', ' *** Delete File: b', '+secret', ' c'), ['fs.write a secret', 'fs.delete b']);
  assert.deepEqual(files('*** Update File: a', '@@', ' *** Add File: b', '+secret'), ['fs.write a secret', 'fs.write b secret']);
  assert.deepEqual(files('*** Update File: a', '@@', ' *** Move to: b', '+secret'), ['fs.write a secret', 'fs.delete a', 'fs.write b secret']);
});

test('a file that is moved is deleted where it was', () => {
  assert.deepEqual(files('*** Update File: a', '*** Move to: b', '@@', '+x'), ['fs.delete a', 'fs.write b x']);
  assert.throws(() => files('*** Move to: b'), /moves a file that it does not name/);
});

test('white space around a name, which is a part of it to some only, is no patch that can be judged', () => {
  for (const name of [' a', 'a\u0085', '\u0085a', '\u00a0a', 'a\u2003', '']) assert.throws(() => files(`*** Add File: ${name}`, '+x'), /white space around its name|names no file/, JSON.stringify(name));
  assert.deepEqual(files('*** Add File: a b \r', '+x'), ['fs.write a b x']);
});

test('patch(1) takes an indented patch, and each form of a header', () => {
  for (const header of ['+++ b/.x', '  +++ b/.x', 'X+++ b/.x', 'Index: .x', '\t--- .x\t2026-01-01']) {
    assert.ok(analyzeCommand(`patch -p1 <<'EOF'\n${header}\nEOF`, { cwd: '/p' }).actions.some(({ kind, file_path: path }) => kind === 'fs.write' && path === '/p/.x'), header);
  }
});

test('a patch of blanks takes no time', () => {
  const started = Date.now();
  for (const blank of [' ', '\r', '\n', '\u0085', 'X']) {
    analyzeCommand(`apply_patch <<'EOF'\n${blank.repeat(300_000)}\nEOF`);
    patchChanges(blank.repeat(300_000));
  }
  assert.ok(Date.now() - started < 3000);
});
