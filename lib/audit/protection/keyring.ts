/**
 * The data keys of the log, one small file each (docs/formats/erasure.md): `d<day>.json` the key of a day, `s<kid>.json` the
 * key of a subject, `p<hmac>.json` which key is a subject's, `names.json` the secret of those names. Destroying a key
 * removes its file and touches no other. Keys are made under the log's lock only; anybody may read them at any time.
 */
import type { Disk, Random } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { hmacSha256Hex, keyBytes, keyCheck } from '../../base/cipher.ts';
import { objectIn, type JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { isKid, unwrapKey, wrapKey, type DataKey } from './envelope.ts';

/** The keys that wrap data keys, from wherever they are kept. */
export interface WrappingKeys {
  /** Those at hand, each 32 bytes. */
  list(): readonly Uint8Array[];
  /** Makes the first one, durable, when there is none and none is configured. Throws when one is configured that cannot be had. */
  make(): Uint8Array;
}

export interface KeyringOptions {
  readonly disk: Disk;
  readonly random: Random;
  /** LOKI_HOME. */
  readonly base: string;
  /** `keys/ring` below it. */
  readonly directory: string;
  readonly wrapping: WrappingKeys;
  /** Whether keys that are made are wrapped. Without it they are kept as they are, which protects from nobody, and can be destroyed all the same. */
  readonly wraps: boolean;
}

/** A key; or that it is gone; or the check of the key that would be needed to unwrap it. */
export type FoundKey =
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'gone' }
  | { readonly kind: 'locked'; readonly needs: string };

/** Which key wraps: the one in force, and while it is being changed the one that will be. */
export interface WrappingState {
  readonly check: string;
  readonly next?: string;
}

/** Larger than any file here. */
const largestFile = 4096;
/** Files that are kept in memory. */
const mostKnown = 1000;
const keyFileForm = /^(?:d\d{8}|s[0-9a-f]{32}|names)\.json$/;

export interface Keyring {
  find(kid: string): FoundKey;
  /** The subject's kid; undefined when it has none. */
  kidOf(subject: string): string | undefined;
  /** The key of a day, `YYYY-MM-DD`; made when there is none. Throws `config.invalid` when the key that wraps it is not here. */
  dayKey(day: string): DataKey;
  /** The key of a subject; made when there is none, or when it was destroyed. Throws as `dayKey`. */
  subjectKey(subject: string): DataKey;
  /** The check of a key that exists, whether or not it can be unwrapped. */
  checkOf(kid: string): string | undefined;
  /** The key's file is gone, durable, and so are files that were half-made when a process died. Only under the log's lock. */
  destroy(kid: string): void;
  /** Nothing names the subject's key any more; `kid` is the one that must stand there for it. */
  forget(subject: string, kid: string): void;
  state(): WrappingState | undefined;
  setState(state: WrappingState): void;
  /** File names of all keys. */
  keyFiles(): readonly string[];
  /** Whether the key in a file is wrapped by the key with this check. A file that is gone is. */
  isWrappedBy(fileName: string, check: string): boolean;
  /** Wraps the key in a file by `by`, unless it is already. False when it could not be unwrapped. A file that is gone is done. */
  rewrap(fileName: string, by: Uint8Array): boolean;
}

/** Nothing is read or made before it is asked for. */
export function openKeyring(options: KeyringOptions): Keyring {
  return new KeyFiles(options);
}

class KeyFiles implements Keyring {
  readonly #options: KeyringOptions;
  /** The secret of the names of pointers, once it was read. It is never destroyed, but the whole ring may be moved away. */
  #secret: { readonly key: Uint8Array; readonly check: string | undefined } | undefined;
  /** Files as they were last read. Every use looks whether the file is still that one: what was destroyed is not used on. */
  readonly #known = new Map<string, { readonly version: string; readonly value: JsonObject }>();

  constructor(options: KeyringOptions) {
    this.#options = options;
  }

  find(kid: string): FoundKey {
    const file = isKid(kid) ? this.#read(fileOf(kid)) : undefined;
    return file === undefined || file['kid'] !== kid ? { kind: 'gone' } : this.#keyIn(file, kid);
  }

  kidOf(subject: string): string | undefined {
    return this.#kidIn(this.#pointerOf(subject, false));
  }

  dayKey(day: string): DataKey {
    const digits = day.replaceAll('-', '');
    const fileName = `d${digits}.json`;
    const file = this.#read(fileName);
    if (file === undefined) return this.#make(`d${digits}-${this.#lot(8)}`);
    const { kid } = file;
    const key = isKid(kid) && fileOf(kid) === fileName ? this.#usable(kid) : undefined;
    if (!isKid(kid) || key === undefined) throw this.#damaged(fileName);
    return { kid, key };
  }

  subjectKey(subject: string): DataKey {
    const pointer = this.#pointerOf(subject, true);
    const kid = this.#kidIn(pointer);
    const key = kid === undefined ? undefined : this.#usable(kid);
    if (kid !== undefined && key !== undefined) return { kid, key };
    const made = this.#make(`s${this.#lot(16)}`);
    if (pointer !== undefined) this.#write(pointer, { v: 1, kid: made.kid });
    return made;
  }

  checkOf(kid: string): string | undefined {
    const file = isKid(kid) ? this.#read(fileOf(kid)) : undefined;
    return file !== undefined && file['kid'] === kid && typeof file['check'] === 'string' ? file['check'] : undefined;
  }

  destroy(kid: string): void {
    const { disk, directory } = this.#options;
    if (!isKid(kid)) return;
    this.#known.clear();
    disk.remove(join(directory, fileOf(kid)));
    // Files half-made when the power went hold keys as well. Nobody makes one while the lock is held here.
    for (const name of disk.list(directory)) if (name.startsWith('.tmp-')) disk.remove(join(directory, name));
  }

  forget(subject: string, kid: string): void {
    const { disk, directory } = this.#options;
    const pointer = this.#pointerOf(subject, false);
    if (pointer !== undefined && this.#kidIn(pointer) === kid) disk.remove(join(directory, pointer));
  }

  state(): WrappingState | undefined {
    const { check, next } = this.#read('kek.json') ?? {};
    return typeof check === 'string' ? { check, ...(typeof next === 'string' ? { next } : {}) } : undefined;
  }

  setState(state: WrappingState): void {
    this.#write('kek.json', { v: 1, ...state });
  }

  keyFiles(): readonly string[] {
    return this.#options.disk.list(this.#options.directory).filter((name) => keyFileForm.test(name));
  }

  isWrappedBy(fileName: string, check: string): boolean {
    const file = this.#read(fileName);
    return file === undefined || file['kek'] === check;
  }

  rewrap(fileName: string, by: Uint8Array): boolean {
    const file = this.#read(fileName);
    const kid = file?.['kid'];
    if (file === undefined || file['kek'] === keyCheck(by)) return true;
    const found = isKid(kid) && fileOf(kid) === fileName ? this.#keyIn(file, kid) : undefined;
    if (found?.kind !== 'key' || !isKid(kid)) return false;
    this.#put({ kid, key: found.key }, by);
    return true;
  }

  #read(fileName: string): JsonObject | undefined {
    const { disk, base, directory } = this.#options;
    const path = join(directory, fileName);
    const stat = disk.stat(path);
    const version = stat === undefined ? '' : `${stat.kind} ${stat.links} ${stat.device} ${stat.inode} ${stat.size} ${stat.changedMs}`;
    const known = this.#known.get(fileName);
    if (known?.version === version) return known.value;
    this.#known.delete(fileName);
    const bytes = stat === undefined ? undefined : disk.readRecord(base, path, largestFile);
    if (bytes === undefined) return undefined;
    const value = objectIn(bytes);
    if (value === undefined) throw this.#damaged(fileName);
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(fileName, { version, value });
    return value;
  }

  #damaged(fileName: string): LokiError {
    return new LokiError('io.failed', {
      attempted: `use key file "${fileName}"`, found: 'it is damaged',
      hint: `Restore ${join(this.#options.directory, fileName)} from a backup, or move it away: what it opens stays closed`,
    });
  }

  #write(fileName: string, value: JsonObject): void {
    const { disk, base, directory } = this.#options;
    disk.ensureDirectory(base, directory, 0o700);
    disk.replace(base, join(directory, fileName), Buffer.from(`${JSON.stringify(value)}\n`), 0o600);
  }

  #keyIn({ key, check, kek, n, c }: JsonObject, kid: string): FoundKey {
    const plain = typeof key === 'string' ? Buffer.from(key, 'base64') : undefined;
    if (plain !== undefined) return plain.length === keyBytes && keyCheck(plain) === check ? { kind: 'key', key: plain } : { kind: 'gone' };
    if (typeof kek !== 'string' || typeof n !== 'string' || typeof c !== 'string') return { kind: 'gone' };
    const by = this.#options.wrapping.list().find((each) => keyCheck(each) === kek);
    const unwrapped = by === undefined ? undefined : unwrapKey({ n, c }, kid, by);
    return unwrapped !== undefined && keyCheck(unwrapped) === check ? { kind: 'key', key: unwrapped } : { kind: 'locked', needs: kek };
  }

  /** For writing: undefined when there is no such file. Throws `config.invalid` when the key that wraps it is not here. */
  #usable(kid: string): Uint8Array | undefined {
    const file = this.#read(fileOf(kid));
    if (file === undefined) return undefined;
    const found: FoundKey = file['kid'] === kid ? this.#keyIn(file, kid) : { kind: 'gone' };
    if (found.kind === 'locked') throw wrongKey(found.needs, this.#options.wrapping.list());
    // Another key in its place would end all hope of mending it.
    if (found.kind === 'gone') throw this.#damaged(fileOf(kid));
    // Made while keys were kept as they are; they are not any more.
    if (this.#options.wraps && typeof file['key'] === 'string') this.#put({ kid, key: found.key }, this.#wrappingNow());
    return found.key;
  }

  #make(kid: string): DataKey {
    const made = { kid, key: this.#options.random.bytes(keyBytes) };
    this.#put(made, this.#options.wraps ? this.#wrappingNow() : undefined);
    return made;
  }

  #put({ kid, key }: DataKey, by: Uint8Array | undefined): void {
    const head = { v: 1, kid, check: keyCheck(key) };
    this.#write(fileOf(kid), by === undefined ? { ...head, key: Buffer.from(key).toString('base64') } : { ...head, kek: keyCheck(by), ...wrapKey(key, kid, by, this.#options.random) });
  }

  /** What new keys are wrapped by; made and written down on first use. */
  #wrappingNow(): Uint8Array {
    const { wrapping } = this.#options;
    const state = this.state();
    const at = wrapping.list();
    const wanted = state?.next ?? state?.check;
    const found = wanted === undefined ? at[0] : at.find((each) => keyCheck(each) === wanted);
    if (found === undefined && wanted !== undefined) throw wrongKey(wanted, at);
    const by = found ?? wrapping.make();
    if (state === undefined) this.setState({ check: keyCheck(by) });
    return by;
  }

  #pointerOf(subject: string, makeSecret: boolean): string | undefined {
    if (this.#secret === undefined || this.#secret.check !== this.checkOf('names')) {
      const key = this.#usable('names') ?? (makeSecret ? this.#makeSecret() : undefined);
      this.#secret = key === undefined ? undefined : { key, check: this.checkOf('names') };
    }
    return this.#secret === undefined ? undefined : `p${hmacSha256Hex(this.#secret.key, subject).slice(0, 32)}.json`;
  }

  /** The first one only: under another one no subject's key would be found, and so none could be erased. */
  #makeSecret(): Uint8Array {
    const { disk, directory } = this.#options;
    if (!disk.list(directory).some((name) => /^p[0-9a-f]{32}\.json$/.test(name))) return this.#make('names').key;
    throw new LokiError('io.failed', { attempted: 'find the key of a subject', found: 'names.json is missing, which the names of the keys are made with', hint: `Restore ${join(directory, 'names.json')} from a backup; or erase everybody by moving ${directory} away` });
  }

  #kidIn(pointer: string | undefined): string | undefined {
    const kid = pointer === undefined ? undefined : this.#read(pointer)?.['kid'];
    return isKid(kid) ? kid : undefined;
  }

  /** Random bytes as hex. */
  #lot(length: number): string {
    return Buffer.from(this.#options.random.bytes(length)).toString('hex');
  }
}

/** A day has one key, whatever its kid, so that a writer finds it by the day. */
function fileOf(kid: string): string {
  return `${kid.startsWith('d') ? kid.slice(0, 9) : kid}.json`;
}

/** What is wrong when the key that wraps the others is not among those at hand. */
export function wrongKey(wanted: string, at: readonly Uint8Array[]): LokiError {
  const here = at.map(keyCheck).join(', ');
  return new LokiError('config.invalid', {
    attempted: 'use the keys of the audit log',
    found: `they are wrapped by the key with check ${wanted}, and ${here === '' ? 'no key is here' : `the one here has check ${here}`}`,
    hint: 'Give that key in LOKI_AUDIT_KEY or LOKI_AUDIT_KEY_FILE, or restore keys/audit.key; docs/formats/erasure.md says how keys are kept',
  });
}
