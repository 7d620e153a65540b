/** Whether one pattern covers another: what is said must be certain, so each yes and no is held against texts as well. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileGlob, type GlobKind } from '../../lib/base/glob.ts';
import { globCovers, globShape, globsExclude } from '../../lib/base/glob-cover.ts';
import { Draw } from '../support/property.ts';

const covers = (wide: string, narrow: string, kind: GlobKind): boolean => globCovers(globShape(wide, kind), globShape(narrow, kind), { left: 1e6 });

describe('globCovers() of texts', () => {
  for (const [wide, narrow, yes] of [
    ['*', 'git push', true], ['git *', 'git push *', true], ['git push *', 'git *', false], ['git push *--force*', 'git push origin --force', true],
    ['*a*', '*b*a*', true], ['a?c', 'abc', true], ['a?c', 'a[xy]c', true], ['a?c', 'a*c', false], ['[a-z]x', 'bx', true], ['[a-z]x', '[a-c]x', false],
    ['{a,b}*', 'b*', true], ['a*', '{ab,ac}*', true], ['a*', '{ab,c}*', false], ['a\\*', 'a*', false], ['a*', 'a\\*', true], ['x', 'x', true], ['a*b*', 'a*', false],
    ['', 'a', false], ['[', 'a', false],
  ] as const) {
    test(`${wide} ${yes ? 'covers' : 'does not cover'} ${narrow}`, () => assert.equal(covers(wide, narrow, 'text'), yes));
  }
});

describe('globCovers() of paths', () => {
  for (const [wide, narrow, yes] of [
    ['**/*.pem', '/etc/keys/*.pem', true], ['**/*.pem', '**/a.pem', true], ['/a/*', '/a/**', false], ['/a/**', '/a/*', true], ['/a/**', '/a', true], ['**', '/a/**/b', true],
    ['**/.ssh/**', '/home/*/.ssh/id', true], ['/a/*/c', '/a/**/c', false], ['/a/**/c', '/a/*/c', true], ['*', 'a/b', false],
  ] as const) {
    test(`${wide} ${yes ? 'covers' : 'does not cover'} ${narrow}`, () => assert.equal(covers(wide, narrow, 'path'), yes));
  }
});

test('a yes is true of every text, over random patterns', () => {
  const random = new Draw(20261129);
  const pick = (from: string, most: number): string => Array.from({ length: random.integer(1, most) }, () => from.charAt(random.integer(0, from.length - 1))).join('');
  let yes = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const kind = round % 2 === 0 ? 'text' : 'path';
    const [wide, narrow] = [pick('ab*?/', 6), pick('ab*?/', 6)];
    const [wideTest, narrowTest] = [compileGlob(wide, kind), compileGlob(narrow, kind)];
    if (typeof wideTest !== 'function' || typeof narrowTest !== 'function' || !covers(wide, narrow, kind)) continue;
    yes += 1;
    for (let tries = 0; tries < 10; tries += 1) {
      const text = pick('ab/', 7);
      assert.ok(!narrowTest(text) || wideTest(text), `${kind} ${wide} does not cover ${narrow}: ${text}`);
    }
  }
  assert.ok(yes > 500, `${yes} pairs`);
});

test('long patterns are not compared, so that a hostile one costs nothing', () => {
  const long = `${'a*'.repeat(500)}b`;
  assert.equal(covers(long, `${'a'.repeat(1000)}b`, 'text'), false);
});

test('with no effort left nothing is certain but that a pattern covers itself', () => {
  const [wide, narrow] = [globShape('git *', 'text'), globShape('git push *', 'text')];
  assert.deepEqual([globCovers(wide, narrow, { left: 10 }), globCovers(wide, wide, { left: 0 })], [false, true]);
});

test('patterns with different beginnings exclude each other', () => {
  assert.deepEqual([['release/*', 'main*'], ['release/*', 'rel*'], ['*x', 'y*'], ['{a,b}*', 'c*'], ['{a,b}*', 'bc*']].map(([one = '', other = '']) => globsExclude(globShape(one, 'text'), globShape(other, 'text'))), [true, false, false, true, false]);
});
