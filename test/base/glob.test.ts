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

/** The same notation, tried one way after the other: braces first, then character by character. */
function fits(pattern: string, text: string, kind: 'text' | 'path'): boolean {
  const brace = /^(.*)\{([^{}]*)\}(.*)$/s.exec(pattern);
  if (brace !== null) return (brace[2] ?? '').split(',').some((part) => fits(`${brace[1]}${part}${brace[3]}`, text, kind));
  return kind === 'text' ? fitsText(pattern, text) : fitsParts(pattern.split('/'), text.split('/'));
}

function fitsText(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) return fitsText(pattern.slice(1), text) || (text !== '' && fitsText(pattern, text.slice(1)));
  return text !== '' && (pattern.startsWith('?') || pattern.charAt(0) === text.charAt(0)) && fitsText(pattern.slice(1), text.slice(1));
}

function fitsParts(patterns: readonly string[], parts: readonly string[]): boolean {
  const [first, ...rest] = patterns;
  if (first === undefined) return parts.length === 0;
  if (first === '**') return fitsParts(rest, parts) || (parts.length > 0 && fitsParts(patterns, parts.slice(1)));
  return parts.length > 0 && fitsText(first, parts[0] ?? '') && fitsParts(rest, parts.slice(1));
}

test('whatever a pattern is made of, it matches what its notation says', () => {
  let state = 7;
  const pick = (from: readonly string[], most: number): string => {
    let text = '';
    for (let left = next() % (most + 1); left > 0; left -= 1) text += from[next() % from.length] ?? '';
    return text;
  };
  const next = (): number => {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    return state >>> 9;
  };
  let matched = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const kind = round % 2 === 0 ? 'text' as const : 'path' as const;
    const pattern = pick(['a', 'b', '/', '/', '*', '**', '?', '{a,b}', '{a/,}', '{*,b/b}', '{a,{b,/}}', ',', '/**/'], 6);
    const text = pick(['a', 'b', '/', ','], 6);
    if (pattern === '') continue;
    const glob = compileGlob(pattern, kind);
    if (typeof glob !== 'function') {
      assert.match(glob.mistake, /more than 64/, pattern);
      continue;
    }
    const expected = fits(pattern, text, kind);
    matched += expected ? 1 : 0;
    assert.equal(glob(text), expected, `${kind} ${pattern} ${text}`);
    assert.equal(glob(text), expected);
  }
  assert.ok(matched > 1000, `${matched}`);
});

test('time grows with the text, not with its square', () => {
  const glob = compileGlob('*a*a*a*a*a*a*a*a*b', 'text');
  assert.ok(typeof glob === 'function');
  linear((length) => assert.equal(glob(`${'a'.repeat(length)}c`), false), 100_000);
  const path = compileGlob('**/[ab]/**/[ab]/**/[ab]/**/c', 'path');
  assert.ok(typeof path === 'function');
  linear((length) => assert.equal(path('a/'.repeat(length)), false), 20_000);
});
