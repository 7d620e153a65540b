/** What becomes of what `loki scan` finds: redacted text, baselines, SARIF. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readBaseline, relativeTo, writeBaseline } from '../../../lib/app/scan/baseline.ts';
import { findIn, redactAll } from '../../../lib/app/scan/look.ts';
import { sarifLog } from '../../../lib/app/scan/sarif.ts';
import type { Found } from '../../../lib/app/scan/scan.ts';
import { createHost } from '../../../lib/host/host.ts';
import { addedIn } from '../../../lib/runs/diff.ts';

const { disk } = createHost(() => '/nowhere');
const found = (path: string, fingerprint: string, more: Partial<Found> = {}): Found =>
  ({ path, line: 3, column: 5, endLine: 3, endColumn: 12, type: 'pii', rule: 'email', confidence: 'high', fingerprint, ...more });

describe('redacting', () => {
  test('leaves nothing behind, however much there is', () => {
    const text = Array.from({ length: 3500 }, (_, at) => `user${at}@firma.de`).join('\n');
    const { text: clean, count } = redactAll(text, { type: 'all', least: 'low' });
    assert.equal(count, 3500);
    assert.ok(!clean.includes('firma'));
    assert.equal(clean.split('\n').length, 3500);
  });
  test('finds the same in one piece and in many, with its lines', () => {
    const line = `${'x'.repeat(700)} user@firma.de\n`;
    const text = line.repeat(2000);
    const findings = [...findIn(text, { type: 'all', least: 'high' })];
    assert.equal(findings.length, 2000);
    findings.forEach((finding, at) => assert.deepEqual([finding.line, finding.column, finding.offset], [at + 1, 702, at * line.length + 701]));
  });
  test('a key that lies across the edge of a piece is taken whole', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z\n'.repeat(200)}-----END PRIVATE KEY-----`;
    const text = `${'. '.repeat((256 * 1024 - 1000) / 2)}${key} after`;
    assert.ok(redactAll(text, { type: 'all', least: 'low' }).text.endsWith('. [redacted private-key] after'));
  });
  test('less sure things in between hide nothing', () => {
    const text = '10.0.0.1 10.0.0.2\n'.repeat(1500) + 'jane@firma.de';
    assert.ok(redactAll(text, { type: 'all', least: 'high' }).text.endsWith('[redacted email]'));
  });
  test('takes secrets and personal data that overlap once', () => {
    const text = 'postgres://jane:hunter2Zq@db.firma.de/x and jane@firma.de';
    assert.equal(redactAll(text, { type: 'all', least: 'low' }).text, 'postgres://jane:[redacted password-in-url]@db.firma.de/x and [redacted email]');
  });
  test('what is less sure than wanted stays', () => assert.equal(redactAll('10.0.0.1 a@firma.de', { type: 'pii', least: 'high' }).text, '10.0.0.1 [redacted email]'));
  test('each type can be looked for alone', () => {
    const text = 'a@firma.de postgres://x:hunter2Zq@h/';
    assert.deepEqual((['pii', 'secrets', 'all'] as const).map((type) => [...findIn(text, { type, least: 'low' })].map(({ rule }) => rule)), [['email'], ['password-in-url'], ['email', 'password-in-url']]);
  });
});

describe('a baseline', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'loki-baseline-')));
  test.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'baseline.json');

  test('knows what it was written with, by path and fingerprint', () => {
    mkdirSync(join(dir, 'src'));
    assert.equal(writeBaseline(disk, file, [found(join(dir, 'src/b.txt'), 'ffff'), found(join(dir, 'a.txt'), 'eeee'), found(join(dir, 'a.txt'), 'eeee', { line: 9 })]), 2);
    assert.equal(readFileSync(file, 'utf8'), '{\n  "version": 1,\n  "findings": [\n    {"path":"a.txt","rule":"email","fingerprint":"eeee"},\n    {"path":"src/b.txt","rule":"email","fingerprint":"ffff"}\n  ]\n}\n');
    const baseline = readBaseline(disk, file);
    assert.deepEqual([baseline.has(join(dir, 'a.txt'), 'eeee'), baseline.has(join(dir, 'src/b.txt'), 'eeee'), baseline.has(join(dir, 'a.txt'), 'ffff')], [true, false, false]);
  });
  test('is replaced by the next', () => {
    writeBaseline(disk, file, []);
    assert.equal(readBaseline(disk, file).has(join(dir, 'a.txt'), 'eeee'), false);
  });
  test('is not written over a file that is something else, and nothing of that file is told', () => {
    const other = join(dir, 'settings.json');
    for (const text of ['hunter2 is no JSON', '{"hooks":{}}']) {
      writeFileSync(other, text);
      assert.throws(() => writeBaseline(disk, other, []), (error: unknown) => error instanceof Error && /a file is there, and it is no /.test(error.message) && !error.message.includes('hunter2'));
      assert.equal(readFileSync(other, 'utf8'), text);
    }
    writeFileSync(other, 'hunter2 is no JSON');
    assert.throws(() => readBaseline(disk, other), (error: unknown) => error instanceof Error && !error.message.includes('hunter2'));
    writeFileSync(other, '');
    assert.equal(writeBaseline(disk, other, []), 0, 'an empty file is nobody\'s');
  });
  for (const [name, content, message] of [
    ['no JSON', '{', /it is no JSON$/], ['another version', '{"version":2,"findings":[]}', /it is no baseline of version 1/], ['a list', '[]', /it is no baseline/],
    ['an entry without a path', '{"version":1,"findings":[{"fingerprint":"x"}]}', /entry 1 has no "path" and "fingerprint"/],
  ] as const) {
    test(`that is ${name} is refused`, () => {
      writeFileSync(file, content);
      assert.throws(() => readBaseline(disk, file), (error: unknown) => error instanceof Error && message.test(error.message));
    });
  }
  test('that is missing is refused', () => assert.throws(() => readBaseline(disk, join(dir, 'none.json')), { code: 'usage' }));
  test('names paths from where it lies', () => {
    assert.deepEqual([relativeTo('/a/b', '/a/b/c/d'), relativeTo('/a/b', '/a/x'), relativeTo('/', '/a'), relativeTo('/a/b', '/a/bc')], ['c/d', '../x', 'a', '../bc']);
  });
});

describe('SARIF', () => {
  const log = JSON.parse(JSON.stringify(sarifLog([found('/p/a b/ü.txt', 'ff00'), found('/elsewhere/x', 'ff01', { rule: 'iban', confidence: 'low' }), found('-', 'ff02')], '/p', '1.2.3')));
  const [run] = log.runs;

  test('has the members that the schema requires', () => {
    assert.equal(log.version, '2.1.0');
    assert.deepEqual([run.tool.driver.name, run.tool.driver.version, run.columnKind], ['loki scan', '1.2.3', 'utf16CodeUnits']);
    for (const result of run.results) {
      assert.equal(typeof result.message.text, 'string');
      assert.ok(['none', 'note', 'warning', 'error'].includes(result.level));
      assert.equal(run.tool.driver.rules[result.ruleIndex].id, result.ruleId);
      const { startLine, startColumn, endLine, endColumn } = result.locations[0].physicalLocation.region;
      for (const number of [startLine, startColumn, endLine, endColumn]) assert.ok(Number.isInteger(number) && number >= 1);
    }
  });
  test('places files below its root, percent-encoded', () => {
    assert.deepEqual(run.results.map((result: { locations: { physicalLocation: { artifactLocation: unknown } }[] }) => result.locations[0]?.physicalLocation.artifactLocation), [
      { uri: 'a%20b/%C3%BC.txt', uriBaseId: 'SRCROOT' }, { uri: 'file:///elsewhere/x' }, { uri: '-' },
    ]);
    assert.equal(run.originalUriBaseIds.SRCROOT.uri, 'file:///p/');
  });
  test('carries the fingerprint and how sure it is', () => {
    assert.deepEqual(run.results.map((result: { partialFingerprints: unknown; level: string }) => [result.partialFingerprints, result.level]), [[{ 'lokiFinding/v1': 'ff00' }, 'error'], [{ 'lokiFinding/v1': 'ff01' }, 'note'], [{ 'lokiFinding/v1': 'ff02' }, 'error']]);
  });
});

test('a diff gives each piece of added lines its line', () => {
  const diff = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,0 +2,2 @@\n+two\n+three\n@@ -9 +11 @@\n-nine\n+eleven\n\\ No newline at end of file\ndiff --git "a/t\\tb\\001" "b/t\\tb\\001"\nnew file mode 100644\n--- /dev/null\n+++ "b/t\\tb\\001"\n@@ -0,0 +1 @@\n+one\n';
  assert.deepEqual(addedIn(diff), [
    { path: 'x', hunks: [{ line: 2, lines: ['two', 'three'] }, { line: 11, lines: ['eleven'] }] },
    { path: 't\tb\u0001', hunks: [{ line: 1, lines: ['one'] }] },
  ]);
});
