/**
 * Our reading of signed tokens beside that of `jose`: the same token to both, several hundred of them, right ones, edited ones
 * and broken ones. We never accept what jose refuses; where we refuse what jose accepts, it is for a rule that is written down
 * here. Needs the build (dist/).
 */
import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createLocalJWKSet, jwtVerify } from 'jose';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const ours = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { verifySignature } = await ours('lib/server/auth/verify.js');
const { checkIdToken } = await ours('lib/server/auth/claims.js');
const { createProvider, keyOf, signed, clientId, issuerName } = await ours('test/support/issuer-kit.js');
const { jwsAlgorithms } = await ours('lib/base/jws.js');

const provider = createProvider();
const curves = ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA'];
provider.keys = curves.map((curve) => keyOf(curve).jwk);
const issuer = provider.issuer({ algorithms: jwsAlgorithms });
const set = createLocalJWKSet({ keys: provider.keys });
const nonce = 'the-nonce';

/** Ours, then jose's: undefined for yes, else why not. */
async function verdicts(token) {
  const [mine, theirs] = await Promise.allSettled([
    verifySignature(token, issuer).then((jwt) => checkIdToken(jwt, { issuer: issuerName, clientId, audience: undefined, nonce, nowMs: provider.clock.now() })),
    jwtVerify(token, set, { issuer: issuerName, audience: clientId, algorithms: [...jwsAlgorithms], clockTolerance: 30, currentDate: new Date(provider.clock.now()), requiredClaims: ['exp', 'iat', 'sub'] })
      .then(({ payload }) => assert.equal(payload.nonce, nonce)),
  ]);
  return [mine, theirs].map(({ status, reason }) => (status === 'fulfilled' ? undefined : String(reason?.message ?? reason)));
}

/** What we refuse and a general library has no reason to: rules of OpenID Connect Core, or a second reading that is possible. */
const stricter = [
  /member is there twice/, /nests deeper/, /characters long/, /"exp" is no time/, /"nbf" is no time/, /"iat" is no time/, /"sub" is no text/, /"sid" is no text/, /"auth_time"/, /"azp"/, /not ours \("aud"\)/,
  /more than 10 minutes ago/, /future/, /another sort/, /not base64url/, /half a surrogate/, /at_hash|c_hash|s_hash/, /its header has "crit"/, /which is never accepted/, /byte order mark/,
];

/** The same numbers each time. */
function lots(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

function* tokens() {
  const right = { nonce };
  const at = provider.at;
  for (const alg of jwsAlgorithms) {
    yield provider.idToken(right, { alg });
    for (const other of curves) yield provider.idToken(right, { alg, header: { kid: `${other}-1` } });
    yield provider.idToken(right, { alg, header: { kid: undefined } });
  }
  for (const claims of [
    { aud: [clientId] }, { aud: [clientId, 'x'] }, { aud: [] }, { aud: 'x' }, { aud: null }, { aud: {} }, { aud: [[clientId]] }, { iss: undefined }, { iss: `${issuerName}/` }, { iss: [issuerName] }, { sub: undefined },
    { sub: 7 }, { sub: '' }, { exp: at(-29) }, { exp: at(-30) }, { exp: at(-31) }, { exp: '1' }, { exp: null }, { exp: 1.5 }, { exp: 1e30 }, { exp: -1 }, { nbf: at(29) }, { nbf: at(31) }, { nbf: 'x' }, { nbf: null },
    { iat: undefined }, { iat: at(60) }, { iat: at(-86_400) }, { iat: 'x' }, { azp: 'x' }, { azp: clientId }, { nonce: 'x' }, { nonce: undefined }, { auth_time: 'x' }, { sid: 7 }, { extra: { deep: [1, 2, { a: 'b' }] } }, { extra: 'ä\u0000😀' },
  ]) yield provider.idToken({ ...right, ...claims });
  for (const header of [
    { typ: 'JWT' }, { typ: 'at+jwt' }, { typ: 7 }, { crit: ['b64'], b64: true }, { crit: ['x'], x: 1 }, { crit: [] }, { b64: false }, { kid: 7 }, { kid: '' }, { kid: '../x' }, { jku: 'https://evil.example.com' }, { jwk: keyOf('P-256', '2').jwk },
    { x5c: ['AA'] }, { zip: 'DEF' }, { alg: 'none' }, { alg: 'HS256' }, { alg: 'es256' }, { alg: 'ES256K' }, { alg: undefined }, { enc: 'A128GCM' },
  ]) yield provider.idToken(right, { header });
  for (const alg of ['HS256', 'HS512']) yield provider.idToken(right, { alg, key: keyOf('RSA') });
  yield provider.idToken(right, { der: true });
  for (const raw of ['{"alg":"ES256","kid":"P-256-1","alg":"ES256"}', ' {"alg":"ES256","kid":"P-256-1"} ', '\ufeff{"alg":"ES256","kid":"P-256-1"}', '[]', 'null', '""', '{', '']) yield provider.idToken(right, { rawHeader: raw });
  const base = JSON.stringify({ iss: issuerName, aud: clientId, sub: 'a', iat: at(), exp: at(60), nonce });
  for (const raw of [base, `${base} `, `\n${base}`, `${base}x`, base.replace('"sub":"a"', '"sub":"a","sub":"b"'), base.replace('"a"', '"\\ud800"'), '[]', 'null', '1', '{', '']) yield provider.idToken({}, { rawClaims: raw });
  yield* broken(provider.idToken(right), lots(20_260_215), 300);
  yield* broken(provider.idToken(right, { alg: 'RS256' }), lots(7), 100);
}

/** One character changed, left out, doubled or moved; parts cut, doubled and swapped. */
function* broken(token, lot, count) {
  const parts = token.split('.');
  yield* [parts.slice(0, 2).join('.'), `${token}.`, `.${token}`, `${token}.x.y`, parts.toReversed().join('.'), token.replaceAll('.', ' '), `${token} `, ` ${token}`, `${token}=`, `${token}\n`, token.toUpperCase(), parts[0], '', '..', '...'];
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
  for (let n = 0; n < count; n += 1) {
    const where = lot(token.length);
    const letter = letters.charAt(lot(letters.length));
    const ways = [token.slice(0, where) + letter + token.slice(where + 1), token.slice(0, where) + token.slice(where + 1), token.slice(0, where) + letter + token.slice(where), token.slice(0, where), token.slice(where)];
    yield ways[lot(ways.length)];
  }
}

test('jose and we say the same of every token, or we say why not', async (t) => {
  const counts = { both: 0, neither: 0, stricter: 0 };
  for (const token of tokens()) {
    const [mine, theirs] = await verdicts(token);
    assert.ok(mine !== undefined || theirs === undefined, `we accept what jose refuses (${theirs}): ${token}`);
    if (mine === undefined) counts.both += 1;
    else if (theirs !== undefined) counts.neither += 1;
    else {
      assert.ok(stricter.some((words) => words.test(mine)), `jose accepts it, and we refuse it for no written reason (${mine}): ${token}`);
      counts.stricter += 1;
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.both >= 20 && counts.neither >= 300 && counts.stricter >= 5, JSON.stringify(counts));
});

test('what node signs with a key that jose knows, in every algorithm, both verify; a byte more and neither does', async () => {
  for (const alg of jwsAlgorithms) {
    const token = signed({ iss: issuerName, aud: clientId, sub: crypto.randomUUID(), iat: provider.at(), exp: provider.at(60), nonce }, { alg });
    assert.deepEqual(await verdicts(token), [undefined, undefined], alg);
    assert.ok((await verdicts(`${token}AAAA`)).every((why) => why !== undefined), alg);
  }
});
