/** Personal data: every kind finds what it must and passes over what it must not, by the examples in its own row. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { piiKinds } from '../../../lib/policy/scan/pii/kinds.ts';
import { redact, scanPii } from '../../../lib/policy/scan/scanners.ts';

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

describe('how sure a finding is', () => {
  for (const [text, rule, confidence] of [
    ['219-09-9998', 'us-social-security-number', 'high'], ['536 90 4399', 'us-social-security-number', 'medium'], ['customerSsn = "536904399"', 'us-social-security-number', 'high'],
    ['SOCIAL_SECURITY_NO=536904399', 'us-social-security-number', 'high'], ['130 692 544', 'ca-social-insurance-number', 'medium'], ['SIN 130 692 544', 'ca-social-insurance-number', 'high'],
    ['"130692544"', 'ca-social-insurance-number', 'low'], ['numéro d’assurance sociale\n130692544', 'ca-social-insurance-number', 'high'], ['4111111111111111', 'payment-card', 'medium'],
    ['10.0.0.1', 'ip-address', 'low'], ['81.2.69.142', 'ip-address', 'medium'], ['client ip 81.2.69.142', 'ip-address', 'high'], ['127.0.0.1', 'ip-address', 'low'], ['2001:db8::1', 'ip-address', 'low'],
    ['50 00:1A:2B:3C:4D:5E', 'mac-address', 'medium'],
  ] as const) {
    test(`${text} is ${rule}, ${confidence}`, () => assert.deepEqual(scanPii(text).map((finding) => [finding.rule, finding.confidence]), [[rule, confidence]]));
  }
  test('a word is a word: "using" and "casino" say nothing of a SIN', () => assert.deepEqual(scanPii('using casinos 130692544 now'), []));
  test('words further away, or two lines up, say nothing', () => {
    assert.deepEqual(scanPii(`ssn ${'x '.repeat(60)} 536904399 now`), []);
    assert.deepEqual(scanPii('ssn\n\n\nn = 536904399'), []);
  });
});

describe('one number is told once', () => {
  for (const [name, text, rules] of [
    ['a card is no phone and no bank number', 'card 4111 1111 1111 1111', ['payment-card']],
    ['the digits of an IBAN are no numbers of their own', 'DE89 3704 0044 0532 0130 00', ['iban']],
    ['an address with a port, a mail host with an address', 'a@mail.host.de 81.2.69.142:8080', ['email', 'ip-address']],
    ['the word beside it decides between kinds', 'NHS 401 023 2137', ['uk-nhs-number']],
    ['two on one line are two', 'ssn 536-90-4399, 536-90-4398', ['us-social-security-number', 'us-social-security-number']],
  ] as const) {
    test(name, () => assert.deepEqual(scanPii(text).map(({ rule }) => rule), rules));
  }
});

describe('what code is full of is nothing', () => {
  for (const [name, text] of [
    ['moments', '[1732862345, 1732862345678, "1732862345678", 1732862345678901]'], ['hashes', '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'],
    ['UUIDs', '29f63271-dc2f-4734-8221-5b31b5169bac'], ['constants', 'const MAX = 4294967295, B = 9007199254740991n, E = 1e10;'], ['counted digits', '"0123456789" "123456789"'],
    ['round numbers', 'n = 10000000000'], ['versions', 'lodash@4.17.21 v1.2.3-beta.4 1.2.3.4.5'], ['dates', '2024-01-15T10:00:00.000Z 20240115 15.01.2024'],
    ['numbers in names', 'sha256_123456789 x130692544 row_4111111111111111'], ['paths', '/users/130692544/photos /cards/4111111111111111/limits'], ['floats', '3.14159265358979 0.130692544 -536.904399'],
    ['hex', '0x4111111111111111 deadbeef12345678'], ['scopes', 'std::vector<a::b> Foo::bar x?1:2 a[1::2]'], ['decorators', '@Injectable() @media @2x {@link a.b}'],
  ] as const) {
    test(name, () => assert.deepEqual(scanPii(text).filter(({ confidence }) => confidence !== 'low'), []));
  }
});

test('findings never hold the text', () => {
  const text = 'card 4111 1111 1111 1111, jane.doe@firma.de';
  const told = JSON.stringify(scanPii(text));
  for (const part of ['4111', 'jane', 'firma']) assert.ok(!told.includes(part), part);
});

test('what is taken out is named', () => {
  const text = 'mail jane.doe@firma.de, IBAN DE89 3704 0044 0532 0130 00.';
  assert.equal(redact(text, scanPii(text)), 'mail [redacted email], IBAN [redacted iban].');
});

test('hostile characters are only characters', () => {
  for (const text of ['\u0000536-90-4399\u0000', '\ud800a@b.de\udfff', '\u202e536-90-4399', '٣٤٥-٦٧-٨٩٠١', '５３６-９０-４３９９', '+', '@', ':', '::', '-', '1', '+1', '1@', '@1', '1:', ':1', '1.1.1.', '(']) assert.doesNotThrow(() => scanPii(text));
  assert.deepEqual(scanPii('\u0000536-90-4399\u0000').map(({ rule }) => rule), ['us-social-security-number']);
});
