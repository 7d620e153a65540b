/**
 * The tokens of contract section 6: `loki_`, 30 random base62 characters (178 bits), and the CRC-32 of what precedes in 6 more,
 * so that a mistyped one is known as such without asking anybody, and scanners know one when they see it.
 */
import { base62, crc32 } from './crc32.ts';
import { sha256Hex } from './digest.ts';
import type { Random } from '../ports.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^loki_[0-9A-Za-z]{36}$/;
const secretLength = 30;

export function newToken(random: Random): string {
  let secret = '';
  while (secret.length < secretLength) {
    // 248 is the largest multiple of 62 in a byte: what is above would favour some characters.
    for (const byte of random.bytes(48)) if (byte < 248 && secret.length < secretLength) secret += alphabet.charAt(byte % 62);
  }
  return withChecksum(`loki_${secret}`);
}

/** Whether text has the form of a token. */
export function isTokenShaped(text: string): boolean {
  return shape.test(text);
}

/** Whether text is a token that was not mistyped. Says nothing about whether it counts anywhere. */
export function isToken(text: string): boolean {
  return shape.test(text) && withChecksum(text.slice(0, -6)) === text;
}

/** What is kept of a token. It is random throughout, so a plain hash cannot be guessed back (and a slow one would only slow us down). */
export function tokenHash(token: string): string {
  return sha256Hex(token);
}

function withChecksum(body: string): string {
  return body + base62(crc32(body));
}
