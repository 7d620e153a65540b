/**
 * Tokens of an identity provider: which are believed. The rows follow the negative tests of the OpenID Foundation's suite for
 * relying parties, by their names, and our own list of what else could hurt.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { jwsAlgorithms, leftHalfHash } from '../../../lib/base/jws.ts';
import { checkAccessToken, checkIdToken, checkLogoutToken, type CheckedClaims, type IdTokenTerms } from '../../../lib/server/auth/claims.ts';
import { verifySignature } from '../../../lib/server/auth/verify.ts';
import { base64url, clientId, createProvider, issuerName, keyOf, reply, signed, type FakeProvider } from '../../support/issuer-kit.ts';

const nonce = 'n-0S6_WzA2Mj';

/** As the sign-on looks at an id token: signature, then claims. */
async function accept(provider: FakeProvider, token: string, terms: Partial<IdTokenTerms> = {}): Promise<CheckedClaims> {
  const jwt = await verifySignature(token, provider.issuer());
  return checkIdToken(jwt, { issuer: issuerName, clientId, audience: undefined, nonce, nowMs: provider.clock.now(), ...terms });
}

async function refuses(words: RegExp, given: Promise<unknown> | (() => unknown), about: string): Promise<void> {
  const run = typeof given === 'function' ? async () => given() : () => given;
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof LokiError, `${about}: ${String(error)}`);
    assert.ok(error.code === 'auth.token' || error.code === 'auth.issuer', `${about}: ${error.code}`);
    assert.match(error.message, words, about);
    return true;
  });
}

test('every algorithm of the table is accepted with a key of its own', async () => {
  const provider = createProvider();
  provider.keys = [keyOf('P-256'), keyOf('P-384'), keyOf('P-521'), keyOf('Ed25519'), keyOf('RSA')].map(({ jwk }) => jwk);
  for (const alg of jwsAlgorithms) {
    const jwt = await verifySignature(signed({ iss: issuerName }, { alg }), provider.issuer({ algorithms: jwsAlgorithms }));
    assert.equal(jwt.alg, alg);
  }
});

/** Name -> the claims or the signing that are wrong, and what is said; no words: it must pass. */
const idTokens: Readonly<Record<string, readonly [build: (provider: FakeProvider) => string, words?: RegExp | undefined, terms?: Partial<IdTokenTerms>]>> = {
  'a right one': [(p) => p.idToken({ nonce })],
  'aud as a list of one': [(p) => p.idToken({ nonce, aud: [clientId] })],
  'type in other spelling': [(p) => p.idToken({ nonce }, { header: { typ: 'jwt' } })],
  'the second audience is ours too': [(p) => p.idToken({ nonce, aud: [clientId, 'loki-api'], azp: clientId }), undefined, { audience: 'loki-api' }],
  'sig none': [(p) => `${base64url({ alg: 'none' })}.${p.idToken({ nonce }).split('.')[1]}.`, /algorithm is "none"/],
  'sig none, with a signature': [(p) => p.idToken({ nonce }, { rawHeader: '{"alg":"none"}' }), /algorithm is "none"/],
  'alg None': [(p) => p.idToken({ nonce }, { rawHeader: '{"alg":"None"}' }), /algorithm/],
  'no alg': [(p) => p.idToken({ nonce }, { rawHeader: '{"kid":"P-256-1"}' }), /algorithm is not named/],
  'invalid sig ES256': [(p) => p.idToken({ nonce }, { key: keyOf('P-256', '2'), header: { kid: 'P-256-1' } }), /signature is wrong/],
  'HS256 with the public key as secret': [(p) => p.idToken({ nonce }, { alg: 'HS256', key: keyOf('P-256') }), /algorithm is "HS256"/],
  'an algorithm the provider does not name': [(p) => { p.metadata['id_token_signing_alg_values_supported'] = ['RS256']; return p.idToken({ nonce }); }, /algorithm is "ES256"; of this issuer RS256 is accepted/],
  'the provider names no algorithm, and it is not RS256': [(p) => { delete p.metadata['id_token_signing_alg_values_supported']; return p.idToken({ nonce }); }, /RS256 is accepted/],
  'invalid iss': [(p) => p.idToken({ nonce, iss: 'https://evil.example.com' }), /another issuer/],
  'missing iss': [(p) => p.idToken({ nonce, iss: undefined }), /who issued it/],
  'iss with a slash at the end': [(p) => p.idToken({ nonce, iss: `${issuerName}/` }), /another issuer/],
  'iss as a list': [(p) => p.idToken({ nonce, iss: [issuerName] }), /another issuer/],
  'invalid aud': [(p) => p.idToken({ nonce, aud: 'another' }), /another audience/],
  'missing aud': [(p) => p.idToken({ nonce, aud: undefined }), /who it is for/],
  'secondary untrusted aud': [(p) => p.idToken({ nonce, aud: [clientId, 'another'], azp: clientId }), /also for an audience that is not ours/],
  'several aud without azp': [(p) => p.idToken({ nonce, aud: [clientId, 'loki-api'] }), /another client/, { audience: 'loki-api' }],
  'azp of another': [(p) => p.idToken({ nonce, azp: 'another' }), /another client/],
  'aud empty list': [(p) => p.idToken({ nonce, aud: [] }), /neither a text/],
  'aud nested': [(p) => p.idToken({ nonce, aud: [[clientId]] }), /neither a text/],
  'aud an object': [(p) => p.idToken({ nonce, aud: { 0: clientId } }), /neither a text/],
  'missing sub': [(p) => p.idToken({ nonce, sub: undefined }), /who it is about/],
  'empty sub': [(p) => p.idToken({ nonce, sub: '' }), /"sub" is no text/],
  'sub a number': [(p) => p.idToken({ nonce, sub: 7 }), /"sub" is no text/],
  'sub very long': [(p) => p.idToken({ nonce, sub: 'a'.repeat(256) }), /"sub" is no text/],
  'missing iat': [(p) => p.idToken({ nonce, iat: undefined }), /has no "iat"/],
  'iat a week in the past': [(p) => p.idToken({ nonce, iat: p.at(-7 * 86_400) }), /more than 10 minutes ago/],
  'iat in the future': [(p) => p.idToken({ nonce, iat: p.at(31) }), /future/],
  'missing exp': [(p) => p.idToken({ nonce, exp: undefined }), /has no "exp"/],
  'expired': [(p) => p.idToken({ nonce, exp: p.at(-300) }), /has expired/],
  'exp 29 seconds ago': [(p) => p.idToken({ nonce, exp: p.at(-29) })],
  'exp 31 seconds ago': [(p) => p.idToken({ nonce, exp: p.at(-31) }), /has expired/],
  'nbf in 29 seconds': [(p) => p.idToken({ nonce, nbf: p.at(29) })],
  'nbf in 31 seconds': [(p) => p.idToken({ nonce, nbf: p.at(31) }), /not valid yet/],
  'exp a text': [(p) => p.idToken({ nonce, exp: String(p.at(300)) }), /"exp" is no time/],
  'exp 1e30': [(p) => p.idToken({}, { rawClaims: JSON.stringify({ iss: issuerName, aud: clientId, sub: 'a', iat: p.at(), nonce }).replace(/\}$/, ',"exp":1e30}') }), /"exp" is no time/],
  'exp 1e400': [(p) => p.idToken({}, { rawClaims: JSON.stringify({ iss: issuerName, aud: clientId, sub: 'a', iat: p.at(), nonce }).replace(/\}$/, ',"exp":1e400}') }), /"exp" is no time/],
  'exp NaN': [(p) => p.idToken({}, { rawClaims: '{"exp":NaN}' }), /well-formed JSON/],
  'exp null': [(p) => p.idToken({ nonce, exp: null }), /"exp" is no time/],
  'nonce invalid': [(p) => p.idToken({ nonce: 'another' }), /"nonce"/],
  'nonce missing': [(p) => p.idToken({}), /"nonce"/],
  'nonce though none was sent': [(p) => p.idToken({ nonce }), /"nonce"/, { nonce: undefined }],
  'at_hash right': [(p) => p.idToken({ nonce, at_hash: leftHalfHash('ES256', 'the-token') }), undefined, { accessToken: 'the-token' }],
  'at_hash wrong': [(p) => p.idToken({ nonce, at_hash: leftHalfHash('ES256', 'another') }), /"at_hash"/, { accessToken: 'the-token' }],
  'c_hash wrong': [(p) => p.idToken({ nonce, c_hash: leftHalfHash('ES256', 'another') }), /"c_hash"/, { code: 'the-code' }],
  's_hash wrong': [(p) => p.idToken({ nonce, s_hash: 'x' }), /"s_hash"/, { state: 'the-state' }],
  'max_age without auth_time': [(p) => p.idToken({ nonce }), /"auth_time"/, { maxAgeS: 60 }],
  'max_age and an old auth_time': [(p) => p.idToken({ nonce, auth_time: p.at(-3600) }), /too long ago/, { maxAgeS: 60 }],
  'max_age and a new auth_time': [(p) => p.idToken({ nonce, auth_time: p.at(-5) }), undefined, { maxAgeS: 60 }],
  'auth_time in the future': [(p) => p.idToken({ nonce, auth_time: p.at(3600) }), /"auth_time"/],
  'five parts': [(p) => `${p.idToken({ nonce })}.a.b`, /five parts/],
  'two parts': [(p) => p.idToken({ nonce }).split('.').slice(0, 2).join('.'), /three parts/],
  'four parts': [(p) => `${p.idToken({ nonce })}.a`, /three parts/],
  'empty': [() => '', /three parts/],
  'padding': [(p) => `${p.idToken({ nonce })}=`, /not base64url/],
  'base64 with + and /': [(p) => p.idToken({ nonce }).replace(/\.[^.]*$/, '.++//'), /not base64url/],
  'a line break inside': [(p) => p.idToken({ nonce }).replace('.', '\n.'), /not base64url/],
  'bits left over': [(p) => p.idToken({ nonce }).replace(/\.[^.]*$/, '.AB'), /not base64url/],
  'header not UTF-8': [(p) => [Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url'), ...p.idToken({ nonce }).split('.').slice(1)].join('.'), /not UTF-8/],
  'header a list': [(p) => p.idToken({ nonce }, { rawHeader: '["alg"]' }), /not a JSON object/],
  'claims a text': [(p) => p.idToken({ nonce }, { rawClaims: '"claims"' }), /not a JSON object/],
  'claims null': [(p) => p.idToken({ nonce }, { rawClaims: 'null' }), /not a JSON object/],
  'a claim twice': [(p) => p.idToken({ nonce }, { rawClaims: `{"iss":"${issuerName}","sub":"a","sub":"b"}` }), /member is there twice/],
  'a header member twice': [(p) => p.idToken({ nonce }, { rawHeader: '{"alg":"ES256","alg":"none"}' }), /member is there twice/],
  'nested very deep': [(p) => p.idToken({ nonce }, { rawClaims: `{"a":${'['.repeat(4000)}${']'.repeat(4000)}}` }), /nests deeper/],
  'enormous': [(p) => p.idToken({ nonce, filler: 'a'.repeat(20_000) }), /characters long/],
  'crit': [(p) => p.idToken({ nonce }, { header: { crit: ['exp'] } }), /"crit"/],
  'crit empty': [(p) => p.idToken({ nonce }, { header: { crit: [] } }), /"crit"/],
  'its own key in the header': [(p) => p.idToken({ nonce }, { key: keyOf('P-256', '2'), header: { kid: 'P-256-1', jwk: keyOf('P-256', '2').jwk, jku: 'https://evil.example.com/jwks', x5u: 'https://evil.example.com/x5u' } }), /signature is wrong/],
  'kid as a path': [(p) => p.idToken({ nonce }, { header: { kid: '../../../../dev/null' } }), /no key of that "kid"/],
  'kid enormous': [(p) => p.idToken({ nonce }, { header: { kid: 'k'.repeat(8000) } }), /no key of that "kid"/],
  'kid a number': [(p) => p.idToken({ nonce }, { header: { kid: 1 } }), /"kid"/],
  'kid __proto__': [(p) => p.idToken({ nonce }, { header: { kid: '__proto__' } }), /no key of that "kid"/],
  'DER signature': [(p) => p.idToken({ nonce }, { der: true }), /signature is wrong/],
  'r and s zero': [(p) => p.idToken({ nonce }).replace(/\.[^.]*$/, `.${Buffer.alloc(64).toString('base64url')}`), /signature is wrong/],
  'no signature': [(p) => p.idToken({ nonce }).replace(/\.[^.]*$/, '.'), /signature is wrong/],
  'signature too long': [(p) => p.idToken({ nonce }).replace(/\.([^.]*)$/, (_all, signature: string) => `.${Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)]).toString('base64url')}`), /signature is wrong/],
  'an access token': [(p) => p.idToken({ nonce }, { header: { typ: 'at+jwt' } }), /another sort/],
  'a logout token': [(p) => p.idToken({ nonce }, { header: { typ: 'logout+jwt' } }), /another sort/],
};

test('id tokens pass or are refused, each for its reason', async () => {
  for (const [about, [build, words, terms]] of Object.entries(idTokens)) {
    const provider = createProvider();
    const token = build(provider);
    if (words === undefined) assert.ok((await accept(provider, token, terms)).subject.startsWith('alice'), about);
    else await refuses(words, accept(provider, token, terms), about);
  }
});

test('a refusal repeats nothing of the token', async () => {
  const provider = createProvider();
  const token = provider.idToken({ nonce, sub: 'sesame-subject', aud: 'sesame-audience', iss: 'https://sesame.example.com' }, { header: { kid: 'sesame-kid' } });
  await assert.rejects(accept(provider, token), (error: Error) => !/sesame/.test(error.message));
  provider.keys = [{ ...keyOf('P-256').jwk, kid: 'sesame-kid' }];
  await assert.rejects(accept(createProvider(), token), (error: Error) => !/sesame/.test(error.message));
});

test('exactly one key must fit', async () => {
  const [one, two] = [keyOf('P-256').jwk, keyOf('P-256', '2').jwk];
  const rows: readonly (readonly [about: string, keys: readonly Record<string, unknown>[], header: Readonly<Record<string, unknown>>, words?: RegExp])[] = [
    ['no kid, one key', [one], { kid: undefined }],
    ['no kid, one key that fits among others', [keyOf('Ed25519').jwk, one, keyOf('P-384').jwk], { kid: undefined }],
    ['no kid, several keys', [one, two], { kid: undefined }, /several keys for its algorithm, and it does not say which/],
    ['a kid of two keys', [one, { ...two, kid: 'P-256-1' }], {}, /several keys of that "kid"/],
    ['keys that cannot be read among them', [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'P-256-1' }, { kty: 'new-sort', kid: 'P-256-1' }, { kid: 'P-256-1' }, one], {}],
    ['for encryption', [{ ...one, use: 'enc' }, two], {}, /no key of that "kid"/],
    ['not for checking', [{ ...one, key_ops: ['sign'] }, two], {}, /no key of that "kid"/],
    ['for another algorithm', [{ ...one, alg: 'ES384' }, two], {}, /no key of that "kid"/],
    ['a key without kid', [{ ...one, kid: undefined }], {}, /no key of that "kid"/],
  ];
  for (const [about, keys, header, words] of rows) {
    const provider = createProvider();
    provider.keys = [...keys];
    const token = provider.idToken({ nonce }, { header });
    if (words === undefined) assert.equal((await accept(provider, token)).subject, 'alice-1', about);
    else await refuses(words, accept(provider, token), about);
  }
});

test('short keys, other curves and shared secrets check nothing', async () => {
  const sets: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['RSA of 1024 bits', keyOf('RSA-1024').jwk, signed({ iss: issuerName }, { alg: 'RS256', key: keyOf('RSA-1024') })],
    ['another curve', { ...keyOf('P-384').jwk, kid: 'P-256-1' }, signed({ iss: issuerName })],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0', kid: 'P-256-1' }, signed({ iss: issuerName })],
    ['a curve under a false name', { ...keyOf('P-384').jwk, crv: 'P-256', kid: 'P-256-1' }, signed({ iss: issuerName })],
  ];
  for (const [about, jwk, token] of sets) {
    const provider = createProvider();
    provider.keys = [jwk, keyOf('Ed25519').jwk];
    await refuses(/no key/, verifySignature(token, provider.issuer()), about);
  }
});

test('PSS and PKCS #1 signatures are not taken for each other', async () => {
  const provider = createProvider();
  provider.keys = [keyOf('RSA').jwk];
  for (const [named, made] of [['RS256', 'PS256'], ['PS256', 'RS256']] as const) {
    await refuses(/signature is wrong/, verifySignature(signed({}, { alg: made, header: { alg: named } }), provider.issuer()), named);
  }
});

test('access tokens: what says what it is, or is for an audience that no id token has', async () => {
  const provider = createProvider();
  const access = { iss: issuerName, aud: 'loki-api', sub: 's', iat: provider.at(), exp: provider.at(60), jti: 'j', client_id: 'c' };
  const rows: readonly (readonly [string, object, Readonly<Record<string, unknown>>, string, RegExp?])[] = [
    ['RFC 9068', access, { typ: 'at+jwt' }, 'loki-api'],
    ['with application/ before it', access, { typ: 'application/AT+JWT' }, 'loki-api'],
    ['without jti', { ...access, jti: undefined }, { typ: 'at+jwt' }, 'loki-api', /has no "jti"/],
    ['without client_id', { ...access, client_id: undefined }, { typ: 'at+jwt' }, 'loki-api', /has no "client_id"/],
    ['without sub', { ...access, sub: undefined }, { typ: 'at+jwt' }, 'loki-api', /"sub"/],
    ['without iat', { ...access, iat: undefined }, { typ: 'at+jwt' }, 'loki-api', /"iat"/],
    ['typ JWT, another audience than an id token', { ...access, jti: undefined, client_id: undefined }, { typ: 'JWT' }, 'loki-api'],
    ['typ JWT, the audience of id tokens', { ...access, aud: clientId }, { typ: 'JWT' }, clientId, /could be an id token/],
    ['no typ, with a nonce', { ...access, nonce: 'n' }, {}, 'loki-api', /could be an id token/],
    ['a logout token', access, { typ: 'logout+jwt' }, 'loki-api', /no access token/],
    ['other audience', { ...access, aud: ['a', 'b'] }, { typ: 'at+jwt' }, 'loki-api', /another audience/],
    ['one audience of several', { ...access, aud: ['a', 'loki-api'] }, { typ: 'at+jwt' }, 'loki-api'],
    ['expired', { ...access, exp: provider.at(-31) }, { typ: 'at+jwt' }, 'loki-api', /expired/],
  ];
  for (const [about, claims, header, audience, words] of rows) {
    const jwt = await verifySignature(signed({ ...claims }, { header }), provider.issuer());
    const check = (): CheckedClaims => checkAccessToken(jwt, { issuer: issuerName, audience, clientId, nowMs: provider.clock.now() });
    if (words === undefined) assert.equal(check().subject, 's', about);
    else await refuses(words, check, about);
  }
});

test('back-channel logout tokens', async () => {
  const provider = createProvider();
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const right = { iss: issuerName, aud: clientId, iat: provider.at(), exp: provider.at(60), jti: 'j', sub: 'alice-1', sid: 's-1', events };
  const rows: readonly (readonly [string, object, RegExp?, string?])[] = [
    ['right', right], ['only sid', { ...right, sub: undefined }], ['without exp, as older providers', { ...right, exp: undefined }],
    ['wrong iss', { ...right, iss: 'https://evil.example.com' }, /another issuer/],
    ['wrong aud', { ...right, aud: 'x' }, /another audience/],
    ['wrong event', { ...right, events: { other: {} } }, /no logout/],
    ['no event', { ...right, events: undefined }, /no logout/],
    ['event no object', { ...right, events: { 'http://schemas.openid.net/event/backchannel-logout': 1 } }, /no logout/],
    ['contains a nonce', { ...right, nonce: 'n' }, /"nonce"/],
    ['neither sub nor sid', { ...right, sub: undefined, sid: undefined }, /neither whose/],
    ['no jti', { ...right, jti: undefined }, /"jti"/],
    ['no iat', { ...right, iat: undefined }, /"iat"/],
    ['an hour old', { ...right, iat: provider.at(-3600) }, /just now/],
    ['expired', { ...right, exp: provider.at(-60) }, /expired/],
    ['an id token', right, /no logout token/, 'id+jwt'],
  ];
  for (const [about, claims, words, typ = 'logout+jwt'] of rows) {
    const jwt = await verifySignature(signed({ ...claims }, { header: { typ } }), provider.issuer());
    const check = (): unknown => checkLogoutToken(jwt, { issuer: issuerName, clientId, nowMs: provider.clock.now() });
    if (words === undefined) check();
    else await refuses(words, check, about);
  }
  await refuses(/algorithm is "none"/, verifySignature(`${base64url({ alg: 'none', typ: 'logout+jwt' })}.${base64url(right)}.`, provider.issuer()), 'alg none');
});

test('mutated tokens are never accepted, whichever character is changed', async () => {
  const provider = createProvider();
  const issuer = provider.issuer();
  const token = provider.idToken({ nonce });
  for (let at = 0; at < token.length; at += 3) {
    const changed = `${token.slice(0, at)}${token.charAt(at) === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    await refuses(/./, verifySignature(changed, issuer), `at ${at}`);
  }
});

test('documents that are none: another issuer, no TLS, a page, a redirect, an error, too much, nothing', async () => {
  const good = createProvider().metadata;
  const rows: readonly (readonly [string, (p: FakeProvider) => void, RegExp])[] = [
    ['issuer mismatch', (p) => { p.metadata['issuer'] = 'https://evil.example.com'; }, /calls itself "https:\/\/evil\.example\.com"/],
    ['Entra common', (p) => { p.metadata['issuer'] = 'https://login.microsoftonline.com/{tenantid}/v2.0'; }, /calls itself/],
    ['no issuer', (p) => { delete p.metadata['issuer']; }, /calls itself no text/],
    ['keys without TLS', (p) => { p.metadata['jwks_uri'] = 'http://op.example.com/jwks'; }, /no https address/],
    ['keys on this machine', (p) => { p.metadata['jwks_uri'] = 'http://127.0.0.1/jwks'; }, /no https address/],
    ['keys in a file', (p) => { p.metadata['jwks_uri'] = 'file:///etc/passwd'; }, /no https address/],
    ['no keys named', (p) => { delete p.metadata['jwks_uri']; }, /names no jwks_uri/],
    ['a page', (p) => p.answers.set('/.well-known/openid-configuration', () => reply(200, '<html>', 'text/html')), /not JSON/],
    ['a redirect', (p) => p.answers.set('/.well-known/openid-configuration', () => reply(302, '', 'application/json', { location: 'https://evil.example.com' })), /redirects \(status 302\)/],
    ['an error', (p) => p.answers.set('/.well-known/openid-configuration', () => reply(500, good)), /status 500/],
    ['a member twice', (p) => p.answers.set('/.well-known/openid-configuration', () => reply(200, `{"issuer":"${issuerName}","issuer":"x"}`)), /member is there twice/],
    ['keys: 10 MB', (p) => p.answers.set('/jwks', () => reply(200, `{"keys":[],"filler":"${'a'.repeat(10_000_000)}"}`)), /more than 524288 bytes/],
    ['keys: a redirect', (p) => p.answers.set('/jwks', () => reply(301, '')), /redirects/],
    ['keys: a page', (p) => p.answers.set('/jwks', () => reply(200, '<html>', 'text/html')), /not JSON/],
    ['keys: an error', (p) => p.answers.set('/jwks', () => reply(500, { keys: p.keys })), /status 500/],
    ['keys: no list', (p) => p.answers.set('/jwks', () => reply(200, { keys: {} })), /no key set/],
    ['keys: none that can be used', (p) => { p.keys = [{ kty: 'oct', k: 'x' }]; }, /none of its keys/],
    ['keys: very many', (p) => { p.keys = Array.from({ length: 201 }, () => ({ ...keyOf('P-256').jwk })); }, /201 keys/],
    ['keys: no answer', (p) => p.answers.set('/jwks', () => { throw new LokiError('net.unreachable', { attempted: 'ask', found: 'it does not answer within 5000 ms' }); }), /does not answer within/],
    ['signs with nothing we know', (p) => { p.metadata['id_token_signing_alg_values_supported'] = ['none', 'HS256']; }, /signs with none of/],
  ];
  for (const [about, change, words] of rows) {
    const provider = createProvider();
    change(provider);
    await refuses(words, verifySignature(provider.idToken({ nonce }), provider.issuer()), about);
  }
});

test('an issuer on this machine may do without TLS, and its name may end in a slash', async () => {
  const provider = createProvider('http://127.0.0.1:9999');
  assert.equal((await provider.issuer().metadata()).jwksUri, 'http://127.0.0.1:9999/jwks');
  const slash = createProvider();
  slash.metadata['issuer'] = `${issuerName}/`;
  assert.equal((await slash.issuer().metadata()).issuer, `${issuerName}/`);
});

test('keys are fetched once for many, again when one is missing, and then once in a cooldown', async () => {
  const provider = createProvider();
  const issuer = provider.issuer();
  await Promise.all(Array.from({ length: 20 }, () => verifySignature(provider.idToken(), issuer)));
  assert.equal(provider.count('/jwks'), 1, 'single flight');
  const flood = (): Promise<unknown> => Promise.allSettled(Array.from({ length: 50 }, (_, at) => verifySignature(provider.idToken({}, { header: { kid: `made-up-${at}` } }), issuer)));
  await flood();
  assert.equal(provider.count('/jwks'), 1, 'just fetched');
  provider.clock.advance(30_001);
  await flood();
  await flood();
  assert.equal(provider.count('/jwks'), 2, 'once more');
  provider.keys = [keyOf('P-256', '2').jwk];
  const rotated = provider.idToken({}, { key: keyOf('P-256', '2') });
  await refuses(/no key of that "kid"/, verifySignature(rotated, issuer), 'within the cooldown');
  provider.clock.advance(30_001);
  await verifySignature(rotated, issuer);
  assert.equal(provider.count('/jwks'), 3, 'a rotation is seen');
  await refuses(/no key of that "kid"/, verifySignature(provider.idToken(), issuer), 'the key that was taken out');
  provider.clock.advance(600_001);
  await verifySignature(rotated, issuer);
  assert.equal(provider.count('/jwks'), 4, 'a set grows old');
});

test('a key that changed under the same kid, or without one, is fetched again', async () => {
  const provider = createProvider();
  const issuer = provider.issuer();
  await verifySignature(provider.idToken(), issuer);
  provider.keys = [{ ...keyOf('P-256', '2').jwk, kid: 'P-256-1' }];
  provider.clock.advance(30_001);
  await verifySignature(provider.idToken({}, { key: keyOf('P-256', '2'), header: { kid: undefined } }), issuer);
});

test('while the provider is down, old keys are used for a day, and each time is told', async () => {
  const provider = createProvider();
  const issuer = provider.issuer();
  await verifySignature(provider.idToken(), issuer);
  provider.down = true;
  provider.clock.advance(3_700_000);
  await verifySignature(provider.idToken(), issuer);
  assert.match(provider.stale.join('\n'), /the keys of https:\/\/op\.example\.com could not be fetched \(.*ECONNREFUSED\); those of 3700 seconds ago are used, for at most 24 hours/);
  const told = provider.stale.length;
  await verifySignature(provider.idToken(), issuer);
  assert.equal(provider.stale.length, told, 'once for each try');
  provider.clock.advance(86_400_000);
  await refuses(/ECONNREFUSED/, verifySignature(provider.idToken(), issuer), 'a day later');
  provider.down = false;
  provider.clock.advance(5_001);
  await verifySignature(provider.idToken(), issuer);
});

test('documents outlive the process, for as long as they may be used', async () => {
  const provider = createProvider();
  const kept = new Map<string, { fetchedMs: number; document: never }>();
  const memory = (name: string): { read(): never; write(value: unknown): void } => ({ read: () => kept.get(name) as never, write: (value) => { kept.set(name, value as never); } });
  await verifySignature(provider.idToken(), provider.issuer({ memory }));
  provider.down = true;
  provider.clock.advance(1_000_000);
  await verifySignature(provider.idToken(), provider.issuer({ memory }));
  assert.match(provider.stale.join(), /1000 seconds ago/);
  provider.clock.advance(86_400_000);
  await refuses(/ECONNREFUSED/, verifySignature(provider.idToken(), provider.issuer({ memory })), 'too old');
  for (const wrong of [{ fetchedMs: provider.clock.now() + 1e9, document: { keys: provider.keys } }, { fetchedMs: provider.clock.now(), document: { keys: 'x' } }, 7]) {
    kept.set('keys', wrong as never);
    await refuses(/ECONNREFUSED/, verifySignature(provider.idToken(), provider.issuer({ memory })), 'not one of ours');
  }
});
