/**
 * Authenticated encryption and keyed hashes, as pure functions of bytes. XAES-256-GCM (c2sp.org/XAES-256-GCM, v1.0.1): a
 * key and half of a nonce of 24 random bytes give the key of one AES-256-GCM message (NIST SP 800-38D). Random nonces may
 * be used for 2^80 messages a key; a counter may not be used at all where a torn record is written again.
 */
import * as crypto from 'node:crypto';

/** Bytes of a key. */
export const keyBytes = 32;
/** Bytes of a nonce. */
export const nonceBytes = 24;
/** Bytes that a sealed message has more than its content. */
const tagBytes = 16;

/** What is bound to a sealed message without being part of it. */
export type Bound = string | Uint8Array;

/** The content sealed: as many bytes, then the tag. `nonce` is random and never used twice with one key. */
export function seal(key: Uint8Array, nonce: Uint8Array, content: string | Uint8Array, bound: Bound): Uint8Array {
  const cipher = crypto.createCipheriv('aes-256-gcm', messageKey(key, nonce), nonce.subarray(12));
  cipher.setAAD(asBytes(bound));
  return Buffer.concat([cipher.update(asBytes(content)), cipher.final(), cipher.getAuthTag()]);
}

/** The content again; undefined when key, nonce, bound or any byte is not what it was sealed with. */
export function unseal(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, bound: Bound): Uint8Array | undefined {
  if (key.length !== keyBytes || nonce.length !== nonceBytes || sealed.length < tagBytes) return undefined;
  const decipher = crypto.createDecipheriv('aes-256-gcm', messageKey(key, nonce), nonce.subarray(12), { authTagLength: tagBytes });
  decipher.setAAD(asBytes(bound));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const content = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    return Buffer.concat([content, decipher.final()]);
  } catch {
    return undefined;
  }
}

/**
 * Tells keys apart without telling them: 16 bytes of SHA-256("commit" followed by the key), in hex. GCM does not commit to
 * its key, so a message could be made that opens under two; who holds the check knows which key is meant.
 */
export function keyCheck(key: Uint8Array): string {
  return crypto.createHash('sha256').update('commit').update(key).digest('hex').slice(0, 32);
}

/** HMAC-SHA-256 (RFC 2104), in hex. */
export function hmacSha256Hex(key: Uint8Array, text: string): string {
  return crypto.createHmac('sha256', key).update(text).digest('hex');
}

/** The key of one message: NIST SP 800-108r1 in counter mode over AES-CMAC, whose inputs are single blocks here. */
function messageKey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const block = crypto.createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const subkey = doubled(block.update(new Uint8Array(16)));
  const inputs = new Uint8Array(32);
  for (const counter of [1, 2]) {
    const at = (counter - 1) * 16;
    inputs.set([0, counter, 0x58, 0], at);
    inputs.set(nonce.subarray(0, 12), at + 4);
    for (let n = 0; n < 16; n += 1) inputs[at + n] = (inputs[at + n] ?? 0) ^ (subkey[n] ?? 0);
  }
  return block.update(inputs);
}

/** A block times x in GF(2^128), as AES-CMAC makes its subkey (NIST SP 800-38B, 6.1). */
function doubled(block: Uint8Array): Uint8Array {
  const shifted = block.map((byte, at) => (byte << 1) | ((block[at + 1] ?? 0) >> 7));
  if ((block[0] ?? 0) >= 0x80) shifted[15] = (shifted[15] ?? 0) ^ 0x87;
  return shifted;
}

function asBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}
