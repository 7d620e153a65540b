/** Every vendor's table: what it must find, in every way a value is written, and what it must leave alone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scanSecrets } from '../../../lib/policy/scan/scanners.ts';
import type { SecretRule } from '../../../lib/policy/scan/rule.ts';
import { parseShape } from '../../../lib/policy/scan/shape.ts';
import { vendors } from '../../../lib/policy/scan/vendors.ts';
import { linear } from '../../support/growth.ts';
import { assignments, expand } from '../../support/secret-texts.ts';

const rules = vendors.flatMap((vendor) => vendor.rules);

test('there are more than a hundred vendors and two hundred kinds of credential, each with a name of its own', () => {
  assert.ok(vendors.length >= 110 && rules.length >= 180, `${vendors.length} vendors, ${rules.length} rules`);
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
  assert.equal(new Set(vendors.map(({ vendor }) => vendor)).size, vendors.length);
  for (const { id } of rules) assert.match(id, /^[a-z0-9]+(?:-[a-z0-9]+)+$/);
});

/** Places where a token stands alone, the last two behind an escape. */
const places = ['<v>', ' <v>\n', '"<v>"', "'<v>',", '(<v>)', '[link](https://a.example/?k=<v>&x=1)', 'curl -H "X-Key: <v>" https://a.example', 'x\\n<v>\\ny', 'a%3D<v>'];

function textsOf(rule: SecretRule): readonly (readonly [text: string, value: string])[] {
  const name = rule.names?.[0] ?? '';
  return rule.shapes.flatMap((shape) => [1, 2].flatMap((seed) => {
    const value = expand(shape, seed);
    // A prefix of two characters is not looked for behind a letter, where words end in it: the letter of an escape is one, too.
    const contexts = rule.names !== undefined ? assignments : /^..\{/.test(shape) ? places.slice(0, -2) : places;
    return contexts.map((context): readonly [string, string] => [context.replaceAll('<n>', () => name).replaceAll('<v>', () => value), value]);
  }));
}

function covers(text: string, value: string): boolean {
  const at = text.indexOf(value);
  return scanSecrets(text).some(({ offset, length }) => offset <= at + 2 && offset + length >= at + value.length - 2);
}

for (const { vendor, rules: own } of vendors) {
  describe(vendor, () => {
    for (const rule of own) {
      test(`${rule.id} is found wherever it stands`, () => {
        const missed = textsOf(rule).filter(([text, value]) => !covers(text, value));
        assert.deepEqual(missed.map(([text]) => text), []);
      });
      for (const template of rule.catches ?? []) {
        test(`${rule.id} is found in ${template}`, () => {
          assert.ok(scanSecrets(expand(template)).some((finding) => finding.rule === rule.id));
        });
      }
      for (const template of rule.ignores ?? []) {
        test(`${rule.id} is not found in ${template}`, () => {
          assert.deepEqual(scanSecrets(expand(template)).filter((finding) => finding.rule === rule.id), []);
        });
      }
    }

    test('hostile text costs no more than its length', () => {
      for (const rule of own) {
        for (const text of hostile(rule)) linear((size) => scanSecrets(text.repeat(Math.ceil(size / text.length))), 2_000);
      }
    });
  });
}

/** What the rule begins with, over and over: alone, with its characters behind it, and between signs. */
function hostile(rule: SecretRule): readonly string[] {
  const shape = rule.shapes[0] ?? '';
  const literal = parseShape(shape).find((segment) => typeof segment === 'string') ?? '';
  const name = rule.names?.[0];
  const whole = expand(shape);
  return name === undefined ? [literal, `${literal} `, whole, whole.slice(0, -1)] : [name, `${name}=`, `${name} `, `${name}="${literal}`, `${name}_${whole.slice(0, -1)}`];
}
