/**
 * Encryption and keys of subjects, put together from the configuration: where the key that wraps all others comes from, the
 * ring of data keys in LOKI_HOME/keys/ring, and the two directions of an entry. Loaded only where something is protected.
 */
import { LokiError } from '../../errors.ts';
import { keyBytes, keyCheck } from '../../base/cipher.ts';
import { join } from '../../base/paths.ts';
import type { EntryProtection } from '../../audit/entry.ts';
import { openKeyring, wrongKey, type Keyring, type WrappingKeys } from '../../audit/protection/keyring.ts';
import { createOpener, type EntryOpener } from '../../audit/protection/opener.ts';
import { createProtection } from '../../audit/protection/protect.ts';
import { encrypts } from './record.ts';
import type { Installation } from '../installation.ts';

/** Larger than a key in any writing. */
const largestKeyFile = 1024;

/** The key made on first use, and the one that takes its place while keys are being wrapped anew. */
export function ownKeyFiles({ home }: Installation): { readonly own: string; readonly next: string } {
  return { own: join(home.keys, 'audit.key'), next: join(home.keys, 'audit.next') };
}

/** What the writer does to entries. No key is read or made before the first of them. */
export function openProtection(installation: Installation): EntryProtection {
  const { config: { audit }, host: { random } } = installation;
  return createProtection({ ring: openRing(installation), random, encrypt: encrypts(installation), gdpr: audit.gdprCompliance });
}

/** What a reader does to entries: one a query. No key is read before the first envelope, and none at all when it stays `closed`. */
export function openEntries(installation: Installation, closed = false): EntryOpener {
  return createOpener(closed ? noKeys : openRing(installation));
}

const noKeys: Pick<Keyring, 'find' | 'kidOf'> = { find: () => ({ kind: 'gone' }), kidOf: () => undefined };

/** The ring; `wrapping` in place of the keys that are configured. */
export function openRing(installation: Installation, wrapping: WrappingKeys = wrappingKeys(installation)): Keyring {
  const { host: { disk, random }, home } = installation;
  return openKeyring({ disk, random, base: home.home, directory: home.ring, wrapping, wraps: encrypts(installation) });
}

/** The configured key, else our own; and the one that is coming, while keys are wrapped anew. */
function wrappingKeys(installation: Installation): WrappingKeys {
  const { host: { disk, random }, home } = installation;
  const { own, next } = ownKeyFiles(installation);
  return {
    // Read each time: another process may be wrapping the ring anew.
    list: () => [configuredKey(installation) ?? recordKey(installation, own), recordKey(installation, next)].filter((key) => key !== undefined),
    make() {
      const key = random.bytes(keyBytes);
      disk.ensureDirectory(home.home, home.keys, 0o700);
      // Under the log's lock, so nobody else makes one; `create` would leave a second link where the power goes.
      disk.replace(home.home, own, keyText(key), 0o600);
      return key;
    },
  };
}

/**
 * Why nothing can be recorded and nothing opened: the key that wraps all others is not here, or is another one. Undefined
 * when it is here, or none is needed. Makes nothing.
 */
export function keyTrouble(installation: Installation): LokiError | undefined {
  const { config: { audit }, host: { disk }, home } = installation;
  const mayBeWrapped = audit.gdprCompliance && disk.stat(join(home.ring, 'kek.json')) !== undefined;
  if (!encrypts(installation) && !mayBeWrapped) return undefined;
  try {
    const state = openRing(installation).state();
    const at = wrappingKeys(installation).list();
    const wanted = state?.next ?? state?.check;
    return wanted === undefined || at.some((key) => keyCheck(key) === wanted) ? undefined : wrongKey(wanted, at);
  } catch (error) {
    if (error instanceof LokiError) return error;
    throw error;
  }
}

/** The key that the environment gives or names; undefined when it does neither. Throws `config.invalid` when it cannot be had. */
export function configuredKey({ config: { audit }, host: { disk } }: Installation): Uint8Array | undefined {
  const given = audit.key?.reveal();
  if (given !== undefined) return parseKey(given, 'LOKI_AUDIT_KEY');
  if (audit.keyFile === undefined) return undefined;
  return keyInFile(disk.read(audit.keyFile, largestKeyFile), audit.keyFile);
}

/** A key of ours below LOKI_HOME; undefined when there is none. */
export function recordKey({ host: { disk }, home }: Installation, path: string): Uint8Array | undefined {
  const bytes = disk.readRecord(home.home, path, largestKeyFile);
  return bytes === undefined ? undefined : keyInFile(bytes, path);
}

/** The key that a file holds: 32 bytes as text, base64 or hex, white space around it. Throws `config.invalid` for anything else. */
export function keyInFile(bytes: Uint8Array | undefined, path: string): Uint8Array {
  if (bytes === undefined) throw new LokiError('config.invalid', { attempted: `read the key in "${path}"`, found: 'there is no such file', hint: 'Restore it, or name another with LOKI_AUDIT_KEY_FILE' });
  return parseKey(Buffer.from(bytes).toString('latin1').trim(), `"${path}"`);
}

export function keyText(key: Uint8Array): Uint8Array {
  return Buffer.from(`${Buffer.from(key).toString('base64')}\n`);
}

/** What stands there is not shown, whatever it is. */
function parseKey(text: string, where: string): Uint8Array {
  const key = /^[0-9A-Fa-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
  if (key?.length === keyBytes) return key;
  throw new LokiError('config.invalid', { attempted: `use the key in ${where}`, found: 'it is not 32 bytes in base64 or hex', hint: 'Make one with: openssl rand -base64 32' });
}
