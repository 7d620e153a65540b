/** Scanners: what each rule must and must not report. Example secrets are put together here so that none stands in a file. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redact, scanPii, scanSecrets, scanners } from '../../lib/policy/scan/scanners.ts';
import { sha256Hex } from '../../lib/base/digest.ts';

const mixed = 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3dE5fG7hJ9kL0mN2pQ4rS6tU8vW0xY1zA3bC5dE7fG9hJ1kL3mN5pQ7rS9tU1vW';
const hexes = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const must: readonly (readonly [string, string])[] = [
  ['aws-access-key-id', `AKIA${'QYLPMN5HHHFPZAM2'}`], ['aws-secret-access-key', `aws_secret_access_key = ${mixed.slice(0, 40)}`],
  ['google-api-key', `AIza${mixed.slice(0, 35)}`], ['google-oauth-secret', `GOCSPX-${mixed.slice(0, 28)}`], ['digitalocean-token', `dop_v1_${hexes}`],
  ['azure-storage-key', `AccountKey=${mixed.slice(0, 86)}==`],
  ['github-token', `ghp_${mixed.slice(0, 36)}`], ['github-token', `ghs_${mixed.slice(0, 36)}`], ['github-fine-grained-token', `github_pat_${mixed.slice(0, 82)}`],
  ['gitlab-token', `glpat-${mixed.slice(0, 20)}`], ['npm-token', `npm_${mixed.slice(0, 36)}`], ['pypi-token', `pypi-AgE${mixed.slice(0, 80)}`],
  ['anthropic-api-key', `sk-ant-api03-${mixed.slice(0, 93)}AA`], ['openai-key', `sk-proj-${mixed.slice(0, 48)}`], ['openai-key', `sk-${mixed.slice(0, 48)}`], ['huggingface-token', `hf_${mixed.slice(0, 34)}`],
  ['slack-bot-token', `xoxb-${'730191371696'}-${'1413868247813'}-${mixed.slice(0, 24)}`], ['slack-webhook', `https://hooks.slack.com/services/T${'0A1B2C3D4'}/B${'5E6F7G8H9'}/${mixed.slice(0, 24)}`],
  ['stripe-key', `sk_live_${mixed.slice(0, 24)}`], ['sendgrid-key', `SG.${mixed.slice(0, 22)}.${mixed.slice(0, 43)}`],
  ['json-web-token', `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiI0MiIsIm5hbWUiOiJqIn0'}.${mixed.slice(0, 43)}`],
  ['private-key', `-----BEGIN RSA PRIVATE KEY-----\n${mixed}\n-----END RSA PRIVATE KEY-----`], ['private-key', `"-----BEGIN PRIVATE KEY-----\\n${mixed}\\n-----END PRIVATE KEY-----\\n"`],
  ['password-in-url', `postgres://admin:${'hunter2Zq'}@db.internal/app`], ['authorization-header', `Authorization: Bearer ${mixed.slice(0, 32)}`],
  ['generic-secret', `client_secret: "${mixed.slice(0, 24)}"`], ['generic-password', `DB_PASSWORD='${'xK9#mQ2$vL5p'}'`.replace('#', '!')],
];

const mustNot: readonly (readonly [string, string])[] = [
  ['the documentation key of AWS', 'AKIAIOSFODNN7EXAMPLE'], ['a prefix inside a word', `TAKIA${'QYLPMN5HHHFPZAM2'}`], ['one character too many', `AKIA${'QYLPMN5HHHFPZAM2X'}`],
  ['one character too few', `npm_${mixed.slice(0, 35)}`], ['a row of x', `ghp_${'x'.repeat(36)}`], ['a reference to the environment', 'password = process.env.DB_PASSWORD'],
  ['a call', 'const token = getTokenFromStore2(request)'], ['a placeholder', 'api_key: "your-api-key-here-1234"'], ['a variable in a URL', 'postgres://user:${DB_PASSWORD}@host/db'],
  ['a public key', `-----BEGIN PUBLIC KEY-----\n${mixed}\n-----END PUBLIC KEY-----`], ['a heading about keys', '-----BEGIN PRIVATE KEY-----'], ['a UUID', 'token_id: "29f63271-dc2f-4734-8221-5b31b5169bac"'],
  ['prose', 'The secret of good tokens is that the password is never written down, key: value.'], ['a digest', `sha256: ${hexes}`], ['a user name in a URL', 'https://user@example.com/path'],
  ['Basic as a word', 'Basic understanding of the system is assumed'],
];

describe('secrets that must be found', () => {
  for (const [rule, text] of must) {
    test(`${rule}: ${text.slice(0, 12)}…`, () => {
      const [finding] = scanSecrets(`line one\n  ${text}\n`);
      assert.equal(finding?.rule, rule);
      assert.equal(finding.line, 2);
      assert.match(finding.fingerprint, /^[0-9a-f]{16}$/);
      assert.ok(finding.column >= 3);
    });
  }
});

describe('texts that must not be reported', () => {
  for (const [name, text] of mustNot) test(name, () => assert.deepEqual(scanSecrets(text), []));
});

describe('findings', () => {
  const secret = `ghp_${mixed.slice(0, 36)}`;
  test('say where and what, and give the same fingerprint to the same secret', () => {
    const findings = scanSecrets(`a ${secret}\n${secret} b`);
    assert.deepEqual(findings.map(({ line, column, offset, length }) => [line, column, offset, length]), [[1, 3, 2, 40], [2, 1, 43, 40]]);
    assert.deepEqual(findings.map(({ fingerprint }) => fingerprint), [sha256Hex(secret).slice(0, 16), sha256Hex(secret).slice(0, 16)]);
    assert.ok(!JSON.stringify(findings).includes(secret.slice(0, 12)));
  });
  test('that overlap become one', () => assert.deepEqual(scanSecrets(`api_key = "${secret}"`).map(({ rule }) => rule), ['github-token']));
  test('are bounded in number', () => assert.ok(scanSecrets(`${secret}\n`.repeat(3000)).length <= 1000));
  test('can be taken out of the text', () => {
    const text = `curl -H "token: ${secret}" x`;
    assert.equal(redact(text, scanSecrets(text)), 'curl -H "token: [redacted github-token]" x');
    assert.equal(scanners.redact('nothing here'), 'nothing here');
  });
});

describe('personal data', () => {
  for (const [rule, text] of [
    ['email', 'write to jane.doe+x@mail.example.org.'], ['payment-card', 'card 4111 1111 1111 1111'], ['payment-card', '5555555555554444'], ['payment-card', '3782-822463-10005'],
    ['us-social-security-number', 'SSN 219-09-9999'], ['iban', 'DE89 3704 0044 0532 0130 00'], ['iban', 'GB82WEST12345698765432'],
  ] as const) {
    test(`${rule}: ${text}`, () => assert.deepEqual(scanPii(text).map((finding) => finding.rule), [rule]));
  }
  for (const [name, text] of [
    ['a card with a wrong check digit', '4111 1111 1111 1112'], ['a card inside a longer number', '94111111111111111123'], ['a card after a decimal point', '0.4111111111111111'], ['zeros', '0000 0000 0000 0000'],
    ['an unused area number', '666-12-3456'], ['an unused group', '219-00-9999'], ['an unused serial', '219-09-0000'], ['area numbers from 900', '912-12-3456'], ['a date', '2024-01-15'], ['a phone number', '+1-202-555-0143'],
    ['an IBAN with a wrong checksum', 'DE88 3704 0044 0532 0130 00'], ['an IBAN of no country', 'ZZ89370400440532013000'], ['an at sign alone', 'a @ b and @decorator'], ['a package name', '@scope/name@1.2.3'],
  ] as const) {
    test(`not ${name}`, () => assert.deepEqual(scanPii(text), []));
  }
});
