/** LokiError, and docs/errors.md beside the table of codes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorMeanings, exitCode, LokiError, messageOf, systemCode } from '../lib/errors.ts';
import { packageRoot } from './support/root.ts';

const path = join(packageRoot, 'docs/errors.md');
/** A vendored copy of dist/ and fixtures/ comes without the manual. */
const manual = { skip: existsSync(path) ? false : 'this copy has no docs/' };

/** Rows of the first table whose head begins with the given cell, as cells. */
function rowsUnder(head: string): readonly (readonly string[])[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const from = lines.findIndex((line) => line.startsWith(`| ${head} |`)) + 2;
  const rows: string[][] = [];
  for (const line of lines.slice(from)) {
    if (!line.startsWith('|')) break;
    rows.push(line.slice(1, -1).split('|').map((cell) => cell.trim()));
  }
  return rows;
}

test('docs/errors.md lists every code once, in the order of the table, and no other', manual, () => {
  assert.deepEqual(rowsUnder('code').map(([code]) => code), Object.keys(errorMeanings).map((code) => `\`${code}\``));
});

test('docs/errors.md gives each code its status, exit code and hint, and a meaning', manual, () => {
  for (const [code, meaning] of Object.entries(errorMeanings)) {
    const row = rowsUnder('code').find(([cell]) => cell === `\`${code}\``);
    assert.deepEqual([row?.[1], row?.[2], row?.[4]], [String(meaning.status), String(meaning.exit), meaning.hint], code);
    assert.ok((row?.[3] ?? '').length > 10, code);
  }
});

test('docs/errors.md lists every exit code', manual, () => {
  assert.deepEqual(rowsUnder('exit').map(([exit]) => Number(exit)), Object.values(exitCode));
  for (const [code, { exit }] of Object.entries(errorMeanings)) assert.ok(Object.values<number>(exitCode).includes(exit), code);
});

test('LokiError says what was attempted and found, with the code\'s own hint', () => {
  const error = new LokiError('not_found', { attempted: 'show run "x"', found: 'there is none' });
  assert.equal(error.message, 'Cannot show run "x": there is none');
  assert.equal(error.name, 'LokiError');
  assert.equal(error.hint, errorMeanings.not_found.hint);
  assert.deepEqual([error.line, error.column, error.problems.length, error.cause], [undefined, undefined, 0, undefined]);
});

test('LokiError takes place and hint from its first problem, unless it is given a hint', () => {
  const problems = [{ message: 'a', line: 3, column: 5, hint: 'fix a' }, { message: 'b', line: 9 }];
  const error = new LokiError('policy.invalid', { attempted: 'read', found: 'a', problems });
  assert.deepEqual([error.line, error.column, error.hint], [3, 5, 'fix a']);
  assert.equal(new LokiError('policy.invalid', { attempted: 'read', found: 'a', problems, hint: 'mine' }).hint, 'mine');
});

test('messageOf and systemCode take any thrown value', () => {
  const cause = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  assert.equal(new LokiError('io.failed', { attempted: 'write', found: 'x', cause }).cause, cause);
  assert.deepEqual([messageOf(cause), messageOf('text'), messageOf(undefined)], ['no space', 'text', 'undefined']);
  assert.deepEqual([systemCode(cause), systemCode(new Error('x')), systemCode({ code: 'E' })], ['ENOSPC', undefined, undefined]);
  assert.equal(systemCode(Object.assign(new Error('x'), { code: 5 })), undefined);
});
