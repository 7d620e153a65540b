/** Personal data: every kind finds what it must and passes over what it must not, by the examples in its own row. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { walletExamples } from '../../../lib/policy/scan/pii/crypto-wallet.ts';
import { emailExamples } from '../../../lib/policy/scan/pii/email.ts';
import { ibanExamples } from '../../../lib/policy/scan/pii/iban.ts';
import type { Examples } from '../../../lib/policy/scan/pii/identifier.ts';
import { ipExamples } from '../../../lib/policy/scan/pii/ip-address.ts';
import { macExamples } from '../../../lib/policy/scan/pii/mac-address.ts';
import { internationalExamples } from '../../../lib/policy/scan/pii/phone.ts';
import { identifiers } from '../../../lib/policy/scan/pii/pii.ts';
import { scanPii } from '../../../lib/policy/scan/scanners.ts';

const kinds: readonly (Examples & { readonly rule: string })[] = [
  { rule: 'email', ...emailExamples }, { rule: 'iban', ...ibanExamples }, { rule: 'ip-address', ...ipExamples }, { rule: 'mac-address', ...macExamples },
  { rule: 'crypto-wallet', ...walletExamples }, { rule: 'phone', ...internationalExamples }, ...identifiers,
];

const rulesIn = (text: string): readonly string[] => scanPii(text).map(({ rule }) => rule);

/** Several kinds may fit one number; the text must be covered, and by this kind when it is the surer. */
describe('what each kind must find', () => {
  for (const { rule, match } of kinds) {
    for (const text of match) test(`${rule}: ${text}`, () => assert.ok(rulesIn(text).length > 0));
  }
});

describe('what each kind must pass over', () => {
  for (const { rule, ignore } of kinds) {
    for (const text of ignore) test(`${rule}: ${text}`, () => assert.ok(!rulesIn(text).includes(rule), rulesIn(text).join()));
  }
});
