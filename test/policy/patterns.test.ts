/** Expressions of users: which are refused because hostile content could make them slow, and where the others match. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileUserPattern, matchUserPattern, patternWindow } from '../../lib/policy/patterns.ts';
import type { UserPattern } from '../../lib/policy/rules.ts';
import { linear } from '../support/growth.ts';

const exponential = 'repeats a group that itself repeats or branches, which can take exponential time';
const trading = 'has repeats that can trade characters with each other; bound them, for example {1,20}';

describe('expressions that hostile content could make slow are refused', () => {
  for (const [pattern, why] of [
    ['(a+)+$', exponential], ['(a*)*b', exponential], ['(a|a)+b', exponential], ['(a|aa)+b', exponential], ['(?:a|a?)+b', exponential], ['(.*)*x', exponential], ['(x+x+)+y', exponential], ['([a-z]+)*\\d', exponential],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', exponential], ['(a{1,10}){1,10}b', exponential], ['(?:a{0,20}){20}b', exponential], ['(?:a?){30}a{30}', exponential], ['(?:(?:a|b)|[ab]){20}c', exponential], ['(?<n>a+)+b', exponential],
    ['\\d+\\d+x', trading], ['a.*b.*c.*d', trading], ['a+a+b', trading], ['.*.*=.*', trading], ['a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaa', trading], ['[a-z]{1,30}[a-z]{1,30}[a-z]{1,30}x', trading], ['.{0,500}.{0,500}x', trading], ['[Aa]+a+A+b', trading], ['a+?a+?b', trading],
    ['ab*(?:c|b)b*d', trading], ['(?:b*|c)b*d', trading], ['a*(?:b)?a*c', trading], ['a*(?:b|ca)*d', exponential], ['a*b?a*c', trading], ['(?:ab)+(?:ab)+x', trading], ['ß+ß+x', trading], ['\\p{L}+\\p{L}+x', trading], ['\\u{df}+ß+x', trading], [`${'(?:a|a)'.repeat(12)}b`, trading],
    ['(?=(a+))b', 'looks around, which is not supported'], ['(?<=a+)b', 'looks around, which is not supported'], ['(?<!a)b', 'looks around, which is not supported'], ['(?!a)b', 'looks around, which is not supported'],
    ['(a+)\\1', 'refers back to a group, which is not supported'], ['(?<n>a+)\\k<n>', 'refers back to a group, which is not supported'], ['x|', 'matches empty text'], ['x'.repeat(501), 'is longer than 500 characters'],
  ] as const) test(pattern.slice(0, 60), () => assert.equal(compileUserPattern(pattern), why));
});

function compiled(pattern: string): UserPattern {
  const result = compileUserPattern(pattern);
  if (typeof result === 'string') throw new Error(`${pattern} ${result}`);
  return result;
}

describe('expressions that are accepted cost no more than the length of the content', () => {
  for (const [pattern, unit] of [
    ['ACME-[0-9]{6}', 'ACME-'], ['a+b?c[a-z]{1,3}x', 'a'], ['(?:foo|bar)-\\d+', 'foo-1'], ['(?:https?|ftp)://[a-z]+', 'ftp://a'], ['[a-z]+@[a-z]+\\.com', 'a'], ['[\\s\\S]*x', 'a'], ['(?:foo|bar)-[0-9a-f]{8}', 'foo-'], ['(?:[0-9a-f]{2}:){5}[0-9a-f]{2}', '00:'], ['[a-z]{1,20}[a-z]{1,20}x', 'a'], ['(?:AKIA|ASIA|ABIA)[A-Z2-7]{16}', 'AKIA'],
    ['\\b[A-Z]{2}\\d{6}\\b', 'AB1'], ['(?:abc){3,5}x', 'abc'], ['sk_[a-z0-9]{20,40}', 'sk_a'],
  ] as const) test(pattern, () => linear((size) => matchUserPattern(compiled(pattern), unit.repeat(size / unit.length), 10), 6_000));
});

describe('matches', () => {
  const places = (pattern: string, text: string): readonly (readonly [number, number])[] => matchUserPattern(compiled(pattern), text, 100).map(({ offset, length }) => [offset, length]);
  test('are anchored to lines and not to windows', () => {
    const line = `${'x'.repeat(patternWindow / 2)}ACME${'x'.repeat(patternWindow)}`;
    assert.deepEqual(places('^ACME', line), []);
    assert.deepEqual(places('ACME$', `${'x'.repeat(patternWindow - 4)}ACME${'x'.repeat(10)}`), []);
    assert.deepEqual(places('^ACME$', `a\nACME\nb`), [[2, 4]]);
    assert.deepEqual(places('\\bACME', line), []);
  });
  test('are whole where the edge of a window lies in them', () => {
    for (const at of [200, 250, 256, 480, 500, 511, 512]) assert.deepEqual(places('k[0-9]{20,40}', `${'x'.repeat(at)}k${'1'.repeat(30)}${'y'.repeat(600)}`), [[at, 31]], String(at));
  });
  test('of nothing are none', () => assert.deepEqual(places('\\b', 'some words'), []));
  test('are bounded in number', () => assert.equal(places('a', 'a'.repeat(5000)).length, 100));
});
