/**
 * The token by which the command line on this machine shows that it may read the owner's files (contract section 6). Made
 * once, kept in a file that only the owner may read; in the format of every token, so that scanners know it.
 */
import { base62, crc32 } from '../base/crc32.ts';
import { dirname } from '../base/paths.ts';
import { LokiError } from '../errors.ts';
import type { Disk, Random } from '../ports.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^loki_[0-9A-Za-z]{36}$/;

/** The token's file, and the real directory above it that the caller owns. */
export interface TokenPlace {
  readonly home: string;
  readonly path: string;
}

/** The token, or undefined when there is none. Throws `record.unsafe` for a file that is not one the owner alone writes. */
export function readLocalToken(disk: Disk, { home, path }: TokenPlace): string | undefined {
  if (disk.stat(path) === undefined) return undefined;
  const bytes = disk.readRecord(home, path, 256);
  const token = new TextDecoder().decode(bytes).trim();
  const attempted = `read ${path}`;
  const hint = 'Remove the file; loki dashboard makes a new one';
  if ((disk.stat(path)?.mode ?? 0) & 0o077) throw new LokiError('record.unsafe', { attempted, found: 'others than its owner may read it', hint });
  if (!shape.test(token)) throw new LokiError('record.unsafe', { attempted, found: 'it holds no token', hint });
  return token;
}

/** The token; made when there is none yet. Two processes that make it at once end up with the same one. */
export function ensureLocalToken(disk: Disk, place: TokenPlace, random: Random): string {
  const known = readLocalToken(disk, place);
  if (known !== undefined) return known;
  disk.ensureDirectory(place.home, dirname(place.path), 0o700);
  try {
    disk.create(place.home, place.path, new TextEncoder().encode(`${newToken(random)}\n`), 0o600);
  } catch (error) {
    // Another process made it first; what counts is what stands there now.
    if (!(error instanceof LokiError) || error.code !== 'conflict') throw error;
  }
  const made = readLocalToken(disk, place);
  if (made === undefined) throw new LokiError('io.failed', { attempted: `make ${place.path}`, found: 'the file is not there after writing it' });
  return made;
}

/** `loki_`, 30 random base62 characters, and the CRC-32 of what precedes in 6 more. */
export function newToken(random: Random): string {
  let secret = '';
  while (secret.length < 30) {
    // 248 is the largest multiple of 62 in a byte: what is above would favour some characters.
    for (const byte of random.bytes(48)) if (byte < 248 && secret.length < 30) secret += alphabet.charAt(byte % 62);
  }
  return `loki_${secret}${base62(crc32(`loki_${secret}`))}`;
}
