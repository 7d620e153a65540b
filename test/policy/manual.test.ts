/** docs/policy.md is executed: its policies load, its fields and built-in rules are those of the program. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fieldsOfPoint, enforcementPoints } from '../../lib/policy/fields.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { runPolicyTests } from '../../lib/policy/self-test.ts';
import { policyOf } from '../support/policy.ts';
import { packageRoot } from '../support/root.ts';

const path = join(packageRoot, 'docs', 'policy.md');
const manual = existsSync(path) ? readFileSync(path, 'utf8') : undefined;

/** The rules of a block that is only a part of a file, put where their keys belong. */
function whole(block: string): string {
  if (block.startsWith('version:')) return block;
  const section = /approval_gates:/.test(block) ? '' : /gates:/.test(block) ? '  pre_deployment:\n' : /max_(?:tokens|usd):/.test(block) ? '  resource:\n' : '  data:\n';
  return `version: 1\npolicies:\n${section}${block}`;
}

describe('the manual of policies', () => {
  const text = manual ?? readFileSync(join(packageRoot, 'fixtures', 'policy', 'decisions.yaml'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '');
  for (const block of blocks) {
    test(`this policy loads: ${block.trim().split('\n')[0] ?? ''}`, () => {
      assert.deepEqual(loadPolicyFile({ text: whole(block), filename: 'policy.md', layer: 'project' }).problems, []);
      assert.deepEqual(runPolicyTests(policyOf(whole(block))).filter(({ passed }) => !passed), []);
    });
  }
  test('it names every field of every enforcement point', () => {
    if (manual === undefined) return;
    for (const point of enforcementPoints) {
      const row = manual.split('\n').find((line) => line.startsWith(`| \`${point}\` |`)) ?? '';
      for (const name of fieldsOfPoint[point].keys()) assert.match(row, new RegExp(`[\`( ]${name}[\` )]`), `${point} ${name}`);
    }
  });
});
