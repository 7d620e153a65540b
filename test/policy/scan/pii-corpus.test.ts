/** The figures on Presidio's vectors, where they are at hand; the vectors are not part of the repository. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../support/root.ts';
import { piiFigures, supportedKinds } from '../../scorecard/pii.ts';

const corpora = join(dirname(packageRoot), 'shared', 'corpora');
const [tp, fp] = [join(corpora, 'presidio-tp-sample.jsonl'), join(corpora, 'presidio-fp-sample.jsonl')];
const missing = existsSync(tp) && existsSync(fp) ? false : `NOT MEASURED: there is no ${tp}`;

test('personal data is found, and little else, on the vectors of Presidio', { skip: missing }, (t) => {
  const { supported, falseTexts } = piiFigures(tp, fp);
  t.diagnostic(`F2 ${supported.f2.toFixed(3)}, precision ${supported.precision.toFixed(3)}, recall ${supported.recall.toFixed(3)} over ${supportedKinds.length} kinds; ${falseTexts.reported} of ${falseTexts.texts} others reported`);
  assert.ok(supported.f2 >= 0.85, `F2 is ${supported.f2}`);
  assert.ok(falseTexts.share <= 0.05, `${falseTexts.reported} of ${falseTexts.texts} are reported`);
});
