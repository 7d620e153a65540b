/** Personal data: every kind finds what it must and passes over what it must not, by the examples in its own row. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { piiKinds } from '../../../lib/policy/scan/pii/kinds.ts';
import { scanPii } from '../../../lib/policy/scan/scanners.ts';

const rulesIn = (text: string): readonly string[] => scanPii(text).map(({ rule }) => rule);

/** Several kinds may fit one number; the text must be covered, and by this kind when it is the surer. */
describe('what each kind must find', () => {
  for (const { rule, match } of piiKinds) {
    for (const text of match) test(`${rule}: ${text}`, () => assert.ok(rulesIn(text).length > 0));
  }
});

describe('what each kind must pass over', () => {
  for (const { rule, ignore } of piiKinds) {
    for (const text of ignore) test(`${rule}: ${text}`, () => assert.ok(!rulesIn(text).includes(rule), rulesIn(text).join()));
  }
});
