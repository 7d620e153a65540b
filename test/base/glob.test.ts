/** Globs: what they match, what they refuse, and that hostile ones stay linear. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileGlob } from '../../lib/base/glob.ts';
import { linear } from '../support/growth.ts';

function matches(pattern: string, text: string, kind: 'text' | 'path'): boolean {
  const glob = compileGlob(pattern, kind);
  assert.ok(typeof glob === 'function', `"${pattern}" does not compile`);
  return glob(text);
}

describe('text globs', () => {
  for (const [pattern, text, expected] of [
    ['git push * --force*', 'git push origin --force', true], ['git push * --force*', 'git push origin main --force-with-lease', true], ['git push * --force*', 'git push origin', false],
    ['*', '', true], ['*', 'any/thing at all\nwith lines', true], ['a*b*c', 'aXbXc', true], ['a*b*c', 'acb', false], ['a*a', 'a', false], ['a*a', 'aa', true],
    ['?', 'x', true], ['?', '', false], ['[a-c]x', 'bx', true], ['[!a-c]x', 'bx', false], ['[^a-c]x', 'dx', true], ['[]x]', ']', true], ['[a-]', '-', true],
    ['{foo,bar}-*', 'bar-1', true], ['{a,b{c,d}}', 'bd', true], ['{a,}x', 'x', true], ['\\*', '*', true], ['\\*', 'x', false], ['[{]', '{', true], ['a', 'A', false],
  ] as const) {
    test(`${pattern} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => assert.equal(matches(pattern, text, 'text'), expected));
  }
});

describe('path globs', () => {
  for (const [pattern, path, expected] of [
    ['src/*.ts', 'src/a.ts', true], ['src/*.ts', 'src/deep/a.ts', false], ['src/**', 'src/deep/a.ts', true], ['src/**', 'src', true], ['src/**/a.ts', 'src/a.ts', true],
    ['**/a.ts', '/x/y/a.ts', true], ['**/x/**/z', 'a/x/b/c/z', true], ['**/x/**/z', 'a/b/c/z', false], ['a**b', 'a/b', false], ['a**b', 'axxb', true], ['/p/**', '/p', true], ['/p/**', '/pq', false],
  ] as const) {
    test(`${pattern} ${expected ? 'matches' : 'does not match'} ${path}`, () => assert.equal(matches(pattern, path, 'path'), expected));
  }
});

describe('globs that are refused', () => {
  for (const [pattern, mistake, at] of [
    ['', 'the pattern is empty', 0], ['a[b', '"[" without "]"', 1], ['a{b', '"{" without "}"', 1], ['ab}', '"}" without "{"', 2], ['a\\', 'nothing follows the last "\\"', 1],
    ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', 'the braces stand for more than 64 patterns', 0], ['x'.repeat(2000), 'the pattern is longer than 1024 characters', 1024],
  ] as const) {
    test(pattern.slice(0, 40), () => assert.deepEqual(compileGlob(pattern, 'text'), { mistake, at }));
  }
});

test('time grows with the text, not with its square', () => {
  const glob = compileGlob('*a*a*a*a*a*a*a*a*b', 'text');
  assert.ok(typeof glob === 'function');
  linear((length) => assert.equal(glob(`${'a'.repeat(length)}c`), false), 100_000);
  const path = compileGlob('**/[ab]/**/[ab]/**/[ab]/**/c', 'path');
  assert.ok(typeof path === 'function');
  linear((length) => assert.equal(path('a/'.repeat(length)), false), 20_000);
});
