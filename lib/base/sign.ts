/**
 * Ed25519 (RFC 8032) over raw 32-byte keys. Node takes keys as DER only, so the fixed beginnings of an Ed25519 key in
 * SubjectPublicKeyInfo and PKCS #8 (RFC 8410) are put before them.
 */
import * as crypto from 'node:crypto';

/** Bytes of a seed, and of a public key. */
export const ed25519KeyLength = 32;
/** Bytes of a signature. */
const ed25519SignatureLength = 64;

const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(seed: Uint8Array): crypto.KeyObject {
  return crypto.createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
}

/** A key pair. */
export interface Ed25519Pair {
  readonly publicKey: Uint8Array;
  /** The signature of a message: the same one every time. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The pair of a seed. Making it takes longer than signing. */
export function ed25519Pair(seed: Uint8Array): Ed25519Pair {
  const key = privateKey(seed);
  const der = crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(der.subarray(publicPrefix.length)),
    sign: (message) => new Uint8Array(crypto.sign(null, message, key)),
  };
}

/** Whether the signature is one of the message by that key; false for a key or a signature that is none. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ed25519KeyLength || signature.length !== ed25519SignatureLength) return false;
  try {
    const key = crypto.createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: 'der', type: 'spki' });
    return crypto.verify(null, message, key, signature);
  } catch {
    return false;
  }
}
