/** What the scanner does beside the vendors' tables: names, forms, fillers, encodings, and hostile input. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { base62, crc32 } from '../../../lib/base/crc32.ts';
import { sha256Hex } from '../../../lib/base/digest.ts';
import { scanSecrets, scanners } from '../../../lib/policy/scan/scanners.ts';
import { linear } from '../../support/growth.ts';
import { assignments, expand } from '../../support/secret-texts.ts';

const found = (text: string): readonly string[] => scanSecrets(text).map(({ rule }) => rule);
const confidences = (text: string): readonly string[] => scanSecrets(text).map(({ confidence }) => confidence);
const random = expand('{base62:32}');

describe('a value beside a name that says secret', () => {
  for (const form of assignments.filter((each) => !each.includes('<n> api') && !each.startsWith('ENV'))) {
    test(`is found in ${JSON.stringify(form)}`, () => {
      const text = form.replaceAll('<n>', 'service').replaceAll('<v>', random);
      assert.ok(scanSecrets(text).some(({ offset, length }) => text.slice(offset, offset + length) === random), text);
    });
  }
  for (const name of ['api_key', 'apiKey', 'API_KEY', 'clientSecret', 'db.password', 'DB_PASSWORD_PROD', 'auth-token', 'private_key', 'SUPABASE_SERVICE_ROLE_KEY', 'accessToken2', 'spring.datasource.password', 'passphrase', 'creds']) {
    test(`is found behind ${name}`, () => assert.equal(found(`${name} = "${random}"`).length, 1));
  }
  for (const name of ['token_id', 'keyFile', 'password_length', 'publicKey', 'primaryKey', 'nextPageToken', 'csrfToken', 'authenticity_token', 'keySelector', 'monkey', 'tokenizer', 'author', 'secretName', 'access_id', 'foreign_key', 'commit', 'revision']) {
    test(`is not looked at behind ${name}`, () => assert.deepEqual(found(`${name} = "${random}"`), []));
  }
  test('is surer in quotes than without, unless it is long', () => {
    const short = expand('{base62:18}');
    assert.deepEqual([`token = "${short}"`, `token = ${short}`, `token = ${random}`].map(confidences), [['medium'], ['low'], ['medium']]);
  });
  test('of a flag is found behind a blank', () => assert.deepEqual(found(`deploy --auth-token ${random} --force`), ['generic-secret']));
  test('is found in a password that a person made up', () => {
    for (const password of ['Tr0ub4dor&3xQ', 'correct-Horse7-staple!', 'P@ssw0rd-2024!']) assert.deepEqual(found(`password: "${password}"`), ['generic-password'], password);
  });
});

describe('values that are no secret', () => {
  for (const value of [
    'process.env.API_TOKEN', '${API_TOKEN}', '{{ token }}', '<your-token>', '%API_TOKEN%', '$(cat token)', 'your-api-token-goes-here', 'changeme-please-1234', 'xxxxxxxxxxxxxxxxxxxxxxxx', '************************', '00000000000000000000000000000000',
    'abcdefghijklmnopqrstuvwxyz0123456789', 'getTokenFromStore2', 'com.example.auth.TokenProvider1', '/etc/secrets/token-2024', './keys/server2.pem', 'https://auth.example.com/oauth2/token', 'eu-west-1.compute.internal:8443', 'admin@example.com', '1234567890123456', '2024-01-15T10:00:00Z',
    'v1.2.3-beta.4', 'arn:aws:iam::123456789012:role/Deploy1', 'SomeVeryLongCamelCaseIdentifier2', 'some-kebab-case-identifier-3', 'SOME_CONSTANT_NAME_4', 'The token is required', 'MessageFieldV2alpha1ApiKey', 'undefined', 'required',
  ]) test(value, () => assert.deepEqual(found(`api_token = "${value}"\nsecret: ${value}\n`), []));
  test('digests, identifiers and versions behind other names', () => {
    assert.deepEqual(found(`sha256: ${expand('{hex:64}')}\ncommit = "${expand('{hex:40}')}"\nid: "${expand('{uuid}')}"\nintegrity: "sha512-${expand('{base64:86}')}=="`), []);
  });
  test('what vendors print in their manuals', () => {
    // Put together, since other scanners would stop here.
    assert.deepEqual(found(`aws_secret_access_key = ${'wJalrXUtnFEMI/K7MDENG/'}${'bPxRfiCYEXAMPLEKEY'}`), []);
    assert.deepEqual(found(`AccountKey=${'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2'}${'UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='}`), []);
  });
});

describe('credentials known by their form', () => {
  const pem = expand('{base64:64}');
  for (const [rule, text] of [
    ['private-key', `-----BEGIN OPENSSH PRIVATE KEY-----\n${pem}\n${pem}\n-----END OPENSSH PRIVATE KEY-----`], ['private-key', `"-----BEGIN EC PRIVATE KEY-----\\n${pem}\\n-----END EC PRIVATE KEY-----\\n"`], ['private-key', `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${pem}\n-----END PGP PRIVATE KEY BLOCK-----`],
    ['putty-private-key', `PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 2\n${pem}\n${pem}\nPrivate-MAC: 00`],
    ['json-web-token', expand('eyJ{base62:30}.eyJ{base64url:40}.{base64url:43}')], ['json-web-token', Buffer.from(expand('eyJ{base62:30}.eyJ{base64url:40}.{base64url:43}')).toString('base64')],
    ...['postgres', 'postgresql+asyncpg', 'mysql', 'mongodb+srv', 'redis', 'rediss', 'amqp', 'https', 'ftp', 'ldap'].map((scheme): [string, string] => ['password-in-url', `${scheme}://app:${expand('{base62:14}')}@db.internal:5432/x`]),
    ['password-in-url', `redis://:${expand('{base62:14}')}@cache:6379/0`], ['password-in-connection-string', `Server=db;Database=x;User Id=app;Password=${expand('{base62:14}')};Encrypt=true`], ['password-in-connection-string', `jdbc:mysql://db/x?user=app&password=${expand('{base62:14}')}`],
    ['authorization-header', `Authorization: Bearer ${expand('{base62:32}')}`], ['authorization-header', `authorization: Basic ${Buffer.from(`app:${expand('{base62:14}')}`).toString('base64')}`],
    ['curl-user', `curl -s -u app:${expand('{base62:14}')} https://api.internal/`], ['curl-user', `curl --user "app:${expand('{base62:14}')}" https://api.internal/`], ['curl-user', `curl -u app:'${expand('{base62:14}')}' https://api.internal/`],
    ['authorization-header', `curl -H 'X-Api-Key: ${expand('{hex:20}')}' https://api.internal/`],
    ['kubernetes-secret', `apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  key: ${expand('{base64:20}')}\n`], ['kubernetes-secret', `apiVersion: v1\ndata:\n  key: "${expand('{base64:20}')}"\nkind: "Secret"\n`], ['kubernetes-secret', `kind: Secret\ndata:\n  .dockercfg: |\n    ${expand('{base64:60}')}\n`],
    ['generic-secret', `{"auths":{"r.example":{"auth":"${Buffer.from(`app:${expand('{base62:14}')}`).toString('base64')}"}}}`], ['npm-auth-token', `//registry.example/:_authToken=${expand('{uuid}')}`],
  ] as const) test(`${rule}: ${text.slice(0, 24).replace(/\s+/g, ' ')}…`, () => assert.ok(found(text).includes(rule), JSON.stringify(scanSecrets(text))));
  for (const text of [
    '-----BEGIN PRIVATE KEY-----\nanything\n-----END PRIVATE KEY-----', `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----`, 'postgres://user:password@localhost/db', 'https://user:${PASSWORD}@host/x', 'mongodb://<user>:<password>@host', 'https://abc:123@example.com', 'redis://cache:6379/0',
    'Authorization: Bearer <token>', 'Authorization: Bearer ${TOKEN}', 'Basic understanding of this is assumed', 'curl -u "$USER:$PASS" https://x', "curl -u 'test:test' https://x", 'curl --user user:pass https://x', 'curl -u "${{ secrets.A }}:${{ secrets.B }}"', 'curl -X POST --user "$(cat a):$(cat b)"', 'docker run -u 1000:1000 x',
    'kind: ConfigMap\ndata:\n  key: c29tZXRoaW5nIG9yZGluYXJ5\n', 'kind: Secret\ndata:\n  key: ""\n', 'kind: Secret\n---\nkind: ConfigMap\ndata:\n  key: c29tZXRoaW5nIG9yZGluYXJ5\n', 'https://host/path?user=a&password=', 'eyJhbGciOiJub25lIn0 is the header',
  ]) test(`not in ${JSON.stringify(text.slice(0, 50))}`, () => assert.deepEqual(found(text), []));
});

describe('checksums', () => {
  const body = expand('{base62:30}');
  test('raise confidence', () => {
    assert.deepEqual(confidences(`ghp_${body}${base62(crc32(body))}`), ['high']);
    assert.deepEqual(confidences(`npm_${body}${base62(crc32(body))}`), ['high']);
    assert.deepEqual(confidences(`loki_${body}${base62(crc32(`loki_${body}`))}`), ['high']);
  });
  test('that do not agree drop nothing', () => assert.deepEqual(confidences(`ghp_${body}aaaaaa`), ['medium']));
});

describe('what is encoded is read once', () => {
  const token = `ghp_${expand('{base62:36}')}`;
  const text = `{"token": "${token}"}`;
  for (const [name, encoded] of [
    ['base64', Buffer.from(text).toString('base64')], ['base64 for URLs', Buffer.from(text).toString('base64url')], ['hexadecimal digits', Buffer.from(text).toString('hex')], ['base64 of UTF-16', Buffer.from(text, 'utf16le').toString('base64')],
    ['percent escapes', text.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)],
  ] as const) {
    test(name, () => {
      const around = `x = '${encoded}';`;
      const [finding] = scanSecrets(around);
      assert.equal(finding?.rule, 'github-token');
      assert.ok(finding.offset >= 5 && around.slice(finding.offset, finding.offset + finding.length).length >= encoded.length - 2);
      assert.deepEqual(scanSecrets(around, { decode: false }).filter(({ rule }) => rule === 'github-token'), []);
    });
  }
  test('twice is not', () => assert.deepEqual(found(`x = '${Buffer.from(Buffer.from(`a ${text}`).toString('base64')).toString('base64')}'`), []));
  test('and takes nothing from what stands there plainly', () => assert.deepEqual(found(`https://h.example/?a=%20%20&t=${token}`), ['github-token']));
  test('and costs no more than the length', () => {
    for (const unit of ['%41', 'QUFB', '4141', `${Buffer.from(text).toString('base64')} `, '%', 'QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB%41-']) linear((size) => scanSecrets(unit.repeat(Math.ceil(size / unit.length))), 10_000);
  });
});

describe('findings', () => {
  test('never hold the secret', () => {
    const json = JSON.stringify(scanSecrets(`token = "${random}"`));
    assert.ok(!json.includes(random.slice(0, 8)));
    assert.match(json, new RegExp(sha256Hex(random).slice(0, 16)));
  });
  test('can be asked for by confidence', () => {
    const text = `token = ${expand('{base62:18}')}\nkey: ghp_${expand('{base62:30}')}aaaaaa\nAKIA${expand('{base32:16}')}\n`;
    assert.deepEqual(['low', 'medium', 'high'].map((minConfidence) => scanSecrets(text, { minConfidence: minConfidence as 'low' }).length), [3, 2, 1]);
  });
  test('of a vendor and of a name are one', () => assert.deepEqual(found(`github_token = "ghp_${expand('{base62:36}')}"`), ['github-token']));
});

describe('hostile input', () => {
  const token = `ghp_${expand('{base62:36}')}`;
  for (const [name, text] of [
    ['lone surrogates', `\ud800${token}\udc00 \ud800`], ['NUL', `\0${token}\0`], ['right-to-left marks', `\u202e${token}\u202c \u200f`], ['a byte order mark', `\ufeff${token}`], ['wide characters', `密码：${token}。`], ['carriage returns', `\r\r${token}\r`],
    ['invalid UTF-8 that was decoded', `${new TextDecoder().decode(Uint8Array.of(0xff, 0xc0, 0x80, 0x20))}${token}`],
  ] as const) {
    test(`${name}: the token is found at its place`, () => {
      const [finding] = scanSecrets(text);
      assert.equal(text.slice(finding?.offset, (finding?.offset ?? 0) + (finding?.length ?? 0)), token);
    });
  }
  test('characters beyond ASCII that look like ours are not ours', () => assert.deepEqual(found(token.replace('ghp', 'ｇｈｐ')), []));
  test('ten megabytes of one line, with a token at its end', () => assert.deepEqual(found(`${'const a = b; '.repeat(800_000)}${token}`), ['github-token']));
  test('ten megabytes of tokens are bounded in findings', () => assert.equal(scanSecrets(`${token}\n`.repeat(250_000)).length, 1000));
  for (const unit of ['=', '"', ' ', '\n', '-', 'key=', 'token:', 'password="', 'secret=>', '-----BEGIN PRIVATE KEY-----\n', 'Private-Lines: 9\nA\n', 'eyA.eyB.', 'ey', 'x://a:b', '://', 'Bearer ', 'Basic YTpi', 'curl -u a:b ', 'curl --user "', 'kind: Secret\ndata:\n a: YWFhYWFhYWE=\n', 'data:\n', 'kind: Secret\n', '\n---', ';Password=', 'value="', 'name: a\n value: ', 'key key key = ']) {
    test(`${JSON.stringify(unit)} over and over costs no more than its length`, () => linear((size) => scanSecrets(unit.repeat(Math.ceil(size / unit.length))), 10_000));
  }
  test('redaction takes out what was found and nothing else', () => {
    assert.equal(scanners.redact(`deploy --token ${random} --to prod`), 'deploy --token [redacted generic-secret] --to prod');
    assert.equal(scanners.redact('git commit -m "password handling: token is now checked"'), 'git commit -m "password handling: token is now checked"');
  });
});
