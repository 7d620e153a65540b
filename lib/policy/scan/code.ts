/** Credentials of places where code lives: hosting, package registries, container registries. */
import { alphanumeric, characters, tokenMatcher, word, wordDash } from './matcher.ts';
import type { Matcher, TokenRule } from './matcher.ts';

const wordDashDot = characters('A-Za-z0-9_.-');

const github = ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((prefix): TokenRule =>
  ({ rule: 'github-token', prefix, run: alphanumeric, least: 36, most: 255, confidence: 'high' }));

const gitlab = ['glpat-', 'gldt-', 'glptt-', 'glrt-', 'glcbt-', 'glsoat-', 'glft-', 'glimt-', 'glagent-'].map((prefix): TokenRule =>
  ({ rule: 'gitlab-token', prefix, run: wordDashDot, least: 20, most: 300, confidence: 'high' }));

const tokens: readonly TokenRule[] = [
  ...github,
  { rule: 'github-fine-grained-token', prefix: 'github_pat_', run: word, least: 60, most: 255, confidence: 'high' },
  ...gitlab,
  { rule: 'npm-token', prefix: 'npm_', run: alphanumeric, least: 36, most: 36, confidence: 'high' },
  { rule: 'pypi-token', prefix: 'pypi-AgE', run: wordDash, least: 50, most: 1000, confidence: 'high' },
  { rule: 'docker-token', prefix: 'dckr_pat_', run: wordDash, least: 27, most: 60, confidence: 'high' },
];

export const codeMatchers: readonly Matcher[] = tokens.map(tokenMatcher);
