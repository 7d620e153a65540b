/** Checksums that vendors put into their tokens. */
import { base62, crc32 } from '../../base/crc32.ts';

const checkLength = 6;

/** GitHub and npm: the last six characters are the CRC-32, in base62, of the thirty between prefix and checksum. */
export function crcOfBody(token: string): boolean {
  const body = token.slice(token.indexOf('_') + 1, -checkLength);
  return token.endsWith(base62(crc32(body)));
}

/** Loki: the last six characters are the CRC-32, in base62, of all that precedes. */
export function crcOfAll(token: string): boolean {
  return token.endsWith(base62(crc32(token.slice(0, -checkLength))));
}
