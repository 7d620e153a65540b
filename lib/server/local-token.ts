/**
 * The token by which the command line on this machine shows that it may read the owner's files (contract section 6). Made
 * once, kept in a file that only the owner may read; in the format of every token, so that scanners know it.
 */
import { madeOnce } from '../base/made-once.ts';
import { isTokenShaped, newToken } from '../base/token.ts';
import { LokiError } from '../errors.ts';
import type { Disk, Random } from '../ports.ts';

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
  if (!isTokenShaped(token)) throw new LokiError('record.unsafe', { attempted, found: 'it holds no token', hint });
  return token;
}

/** The token; made when there is none yet. */
export function ensureLocalToken(disk: Disk, place: TokenPlace, random: Random): string {
  const known = readLocalToken(disk, place);
  if (known !== undefined) return known;
  madeOnce(disk, { base: place.home, path: place.path }, () => new TextEncoder().encode(`${newToken(random)}\n`));
  const made = readLocalToken(disk, place);
  if (made === undefined) throw new LokiError('io.failed', { attempted: `make ${place.path}`, found: 'the file is not there after writing it' });
  return made;
}
