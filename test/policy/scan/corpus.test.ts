/** The figures of the secrets scanner on the public vectors beside the package, where those are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { secretFigures } from '../../scorecard/secrets.ts';
import type { SecretVector } from '../../scorecard/secrets.ts';
import { packageRoot } from '../../support/root.ts';

const corpora = join(packageRoot, '..', 'shared', 'corpora');
const skip = existsSync(corpora) ? false : `the vectors are not there: ${corpora}`;

function vectors(name: string): readonly SecretVector[] {
  return readFileSync(join(corpora, name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as SecretVector);
}

test('the vectors of gitleaks: what must be found, what must not', { skip }, () => {
  const figures = secretFigures(vectors('gitleaks-tp-sample.jsonl'), vectors('gitleaks-fp-sample.jsonl'));
  const missed = [...figures.byRule].filter(([, { found, of }]) => found < of).map(([rule, { found, of }]) => `${rule} ${found}/${of}`);
  assert.ok(figures.recall >= 0.95, `recall ${figures.recall.toFixed(4)}: ${missed.join(', ')}`);
  assert.ok(figures.falseReportsUncontested <= 0.03, figures.reported.map(({ rule, by, text, contested }) => `${contested ? 'contested ' : ''}${rule} by ${by.rule}: ${text.slice(0, 80)}`).join('\n'));
  assert.ok(figures.findingsPerMegabyte < 1, figures.clean.map(({ file, finding }) => `${file}:${finding.line} ${finding.rule}`).join('\n'));
});
