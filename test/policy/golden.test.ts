/**
 * Golden decisions: fixtures/policy/contexts.json judged by fixtures/policy/decisions.yaml must come out as recorded in
 * decisions.jsonl. LOKI_UPDATE_GOLDEN=1 writes the record anew; read the difference before keeping it.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isPlainObject } from '../../lib/base/json.ts';
import { fixture } from '../support/root.ts';
import { policyOf } from '../support/policy.ts';

const recorded = fixture('policy', 'decisions.jsonl');

test('decisions come out as recorded, with rules, reasons and explanations', () => {
  const policy = policyOf(readFileSync(fixture('policy', 'decisions.yaml'), 'utf8'));
  assert.deepEqual(policy.problems, []);
  const contexts: unknown = JSON.parse(readFileSync(fixture('policy', 'contexts.json'), 'utf8'));
  assert.ok(Array.isArray(contexts));
  const lines = contexts.map((entry: unknown) => {
    assert.ok(Array.isArray(entry) && typeof entry[0] === 'string' && isPlainObject(entry[1]));
    const { decision, reason, violations, explain } = policy.evaluate(entry[0], entry[1], { explain: true });
    return JSON.stringify({ point: entry[0], context: entry[1], decision, reason, violations, explain: explain?.rules });
  });
  if (process.env['LOKI_UPDATE_GOLDEN'] === '1') writeFileSync(recorded, `${lines.join('\n')}\n`);
  assert.ok(existsSync(recorded), 'there is no record: run once with LOKI_UPDATE_GOLDEN=1');
  assert.deepEqual(lines, readFileSync(recorded, 'utf8').trimEnd().split('\n'));
});
