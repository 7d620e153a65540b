/** XAES-256-GCM against the published vectors (c2sp.org/XAES-256-GCM), and what does not open. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { hmacSha256Hex, keyCheck, seal, unseal } from '../../lib/base/cipher.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
const published: readonly (readonly [keyByte: number, bound: string, sealed: string])[] = [
  [1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
  [3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
];

test('the published vectors, both ways', () => {
  for (const [keyByte, bound, sealed] of published) {
    const key = Buffer.alloc(32, keyByte);
    assert.equal(hex(seal(key, nonce, 'XAES-256-GCM', bound)), sealed);
    assert.equal(Buffer.from(unseal(key, nonce, Buffer.from(sealed, 'hex'), bound) ?? []).toString(), 'XAES-256-GCM');
  }
});

test('ten thousand accumulated messages give the published hash', () => {
  // A SHAKE-128 instance with empty input gives key, nonce, content and bound of each; another one takes the sealed messages.
  const stream = createHash('shake128', { outputLength: 6_000_000 }).digest();
  let at = 0;
  const take = (length: number): Buffer => { at += length; return stream.subarray(at - length, at); };
  const takeShort = (): Buffer => take(take(1)[0] ?? 0);
  const all = createHash('shake128', { outputLength: 32 });
  for (let round = 0; round < 10_000; round += 1) {
    const [key, nonceOfRound, content, bound] = [take(32), take(24), takeShort(), takeShort()];
    const sealed = seal(key, nonceOfRound, content, bound);
    all.update(sealed);
    assert.deepEqual(Buffer.from(unseal(key, nonceOfRound, sealed, bound) ?? []), content);
  }
  assert.ok(at <= stream.length);
  assert.equal(all.digest('hex'), 'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939');
});

test('another key, nonce, bound or byte opens nothing', () => {
  const key = Buffer.alloc(32, 7);
  const sealed = seal(key, nonce, 'content', 'bound');
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(unseal(key, nonce, changed, 'bound'), undefined, `bit ${bit}`);
  }
  assert.equal(unseal(Buffer.alloc(32, 8), nonce, sealed, 'bound'), undefined);
  assert.equal(unseal(key, Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWY'), sealed, 'bound'), undefined);
  assert.equal(unseal(key, nonce, sealed, 'bounds'), undefined);
  assert.equal(unseal(key, nonce, sealed.subarray(0, -1), 'bound'), undefined);
  assert.equal(unseal(key, nonce.subarray(1), sealed, 'bound'), undefined);
  assert.equal(unseal(key.subarray(1), nonce, sealed, 'bound'), undefined);
  assert.equal(unseal(key, nonce, new Uint8Array(15), 'bound'), undefined);
});

test('a key check tells keys apart and is SHA-256("commit" key), cut', () => {
  const key = Buffer.alloc(32, 1);
  assert.equal(keyCheck(key), createHash('sha256').update(Buffer.concat([Buffer.from('commit'), key])).digest('hex').slice(0, 32));
  assert.notEqual(keyCheck(key), keyCheck(Buffer.alloc(32, 2)));
});

test('HMAC-SHA-256, the second vector of RFC 4231', () => {
  assert.equal(hmacSha256Hex(Buffer.from('Jefe'), 'what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});
