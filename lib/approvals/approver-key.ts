/**
 * Sealed approver keys (docs/formats/approver-key.md): for each person an Ed25519 seed, sealed under a key from a passphrase,
 * in a file of its own; beside them `approver.pub` with the public half of every one there ever was, the newest of a person
 * being the one in force. The public file says that approvers exist: a sealed one may be kept on another machine. Trusts no
 * byte of either before it has been checked; what is damaged is an error, never "no approver".
 */
import type { Disk } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { nonceBytes, seal, unseal } from '../base/cipher.ts';
import { sha256, sha256Hex } from '../base/digest.ts';
import { canonicalJson, isPlainObject, objectIn } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { isUsableCost, scryptKey } from '../base/scrypt.ts';
import type { ScryptCost } from '../base/scrypt.ts';
import { ed25519KeyLength, ed25519Pair } from '../base/sign.ts';
import type { Approver, Prove } from './proof.ts';

/** Where keys lie: `directory` is LOKI_HOME/keys, `base` LOKI_HOME. */
export interface ApproverPlace {
  readonly disk: Disk;
  readonly base: string;
  readonly directory: string;
}

/** A key as it lies in its file. */
export interface SealedKey {
  readonly approver: Approver;
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** What a new key is made of. */
export interface NewKey {
  readonly seed: Uint8Array;
  readonly owner: string;
  readonly createdAt: string;
}

/** Random bytes for sealing: never used twice. */
export interface Lots {
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
}

export const seedLength: number = ed25519KeyLength;
export const lotLengths: Readonly<Record<keyof Lots, number>> = { salt: 16, nonce: nonceBytes };

const largestFile = 1 << 16;
const publicName = 'approver.pub';
const sealedName = /^approver-[0-9a-f]{16}\.key$/;

/** What tells one public key from another. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return `SHA256:${Buffer.from(sha256(publicKey)).toString('base64').replace(/=+$/, '')}`;
}

/** Seals a key under a passphrase. */
export async function sealKey({ seed, owner, createdAt }: NewKey, passphrase: string, cost: ScryptCost, { salt, nonce }: Lots): Promise<SealedKey> {
  const { publicKey } = ed25519Pair(seed);
  const approver: Approver = { key: fingerprintOf(publicKey), publicKey, owner, createdAt };
  const by = await scryptKey(passphrase, salt, cost);
  return { approver, cost, salt, nonce, sealed: seal(by, nonce, seed, boundText(approver, cost, salt)) };
}

/** The seed again; undefined for another passphrase. Takes as long as a guess is meant to take. */
export async function openKey({ approver, cost, salt, nonce, sealed }: SealedKey, passphrase: string): Promise<Uint8Array | undefined> {
  const by = await scryptKey(passphrase, salt, cost);
  const seed = unseal(by, nonce, sealed, boundText(approver, cost, salt));
  if (seed?.length !== seedLength) return undefined;
  return fingerprintOf(ed25519Pair(seed).publicKey) === approver.key ? seed : undefined;
}

/** Signs with an opened key; `now` in milliseconds since the epoch. */
export function proveWith(seed: Uint8Array, key: string, now: () => number): Prove {
  const { sign } = ed25519Pair(seed);
  return (statement) => {
    const at = new Date(now()).toISOString();
    return { kind: 'approver_key', key, at, signature: Buffer.from(sign(Buffer.from(statement(at), 'utf8'))).toString('base64') };
  };
}

/** The approvers in force: the newest key of each person. None when there never was one. Throws `io.failed` for what is damaged. */
export function readApprovers(place: ApproverPlace): readonly Approver[] {
  const newest = new Map(readEveryApprover(place).map((approver) => [approver.owner, approver]));
  // Sealed keys alone: without their public lines anybody's signature, or nobody's, would count.
  if (newest.size === 0 && place.disk.list(place.directory).some((name) => sealedName.test(name))) throw damaged(place, publicName, 'it is missing, and a sealed key is there');
  return [...newest.values()];
}

/** Every key there ever was, the newest last. */
export function readEveryApprover(place: ApproverPlace): readonly Approver[] {
  const text = textOf(place, publicName);
  if (text === undefined) return [];
  const found = text.split('\n').filter((line) => line !== '').map((line) => approverIn(objectIn(line)));
  if (found.length === 0 || found.includes(undefined)) throw damaged(place, publicName, 'it holds something else than public keys');
  return found.filter((each) => each !== undefined);
}

/** The sealed key of an approver; undefined when it is not kept here. Throws `io.failed` when the file holds another one. */
export function readSealedKey(place: ApproverPlace, approver: Approver): SealedKey | undefined {
  const name = sealedNameOf(approver);
  const text = textOf(place, name);
  if (text === undefined) return undefined;
  const key = sealedIn(objectIn(text));
  if (key !== undefined && canonicalJson(headOf(key.approver)) === canonicalJson(headOf(approver))) return key;
  throw damaged(place, name, key === undefined ? 'it is not a key that loki wrote' : `it is not the key that ${publicName} names`);
}

/** Puts a key in force, in place of an earlier one of the same person. Its public line is durable first: a key without it would count for nothing. */
export function writeKey(place: ApproverPlace, key: SealedKey): void {
  const { disk, base, directory } = place;
  const all = [...readEveryApprover(place).filter((each) => each.key !== key.approver.key), key.approver];
  disk.ensureDirectory(base, directory, 0o700);
  disk.replace(base, join(directory, publicName), Buffer.from(all.map((approver) => `${JSON.stringify(headOf(approver))}\n`).join('')), 0o600);
  disk.replace(base, join(directory, sealedNameOf(key.approver)), Buffer.from(`${JSON.stringify(documentOf(key))}\n`), 0o600);
}

/** The file of a sealed key: named by the first 16 digits of its hash in hex. */
export function sealedNameOf({ publicKey }: Pick<Approver, 'publicKey'>): string {
  return `approver-${sha256Hex(publicKey).slice(0, 16)}.key`;
}

function textOf({ disk, base, directory }: ApproverPlace, name: string): string | undefined {
  const bytes = disk.readRecord(base, join(directory, name), largestFile);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

function damaged({ directory }: ApproverPlace, name: string, found: string): LokiError {
  return new LokiError('io.failed', {
    attempted: `use approver keys: read "${join(directory, name)}"`, found,
    hint: 'Restore the file from a copy. Removing all of approver.pub and approver-*.key lets a new key be made, and the log of record shows that it is another one',
  });
}

function headOf({ key, publicKey, owner, createdAt }: Approver): JsonObject {
  return { v: 1, key, public: base64(publicKey), owner, created_at: createdAt };
}

function documentOf({ approver, cost, salt, nonce, sealed }: SealedKey): JsonObject {
  return { ...headOf(approver), scrypt: { ...cost, salt: base64(salt) }, nonce: base64(nonce), sealed: base64(sealed) };
}

/** Everything in the file but the sealed bytes and their nonce: none of it can be changed without the passphrase. */
function boundText(approver: Approver, cost: ScryptCost, salt: Uint8Array): string {
  return `loki-approver-key/v1\n${canonicalJson({ ...headOf(approver), scrypt: { ...cost, salt: base64(salt) } })}`;
}

function approverIn(value: JsonObject | undefined): Approver | undefined {
  if (value?.['v'] !== 1) return undefined;
  const { key, owner, created_at: createdAt } = value;
  const publicKey = bytesIn(value['public'], seedLength);
  if (publicKey === undefined || typeof owner !== 'string' || !/^user:[^\u0000-\u001f\u007f]{1,256}$/.test(owner) || typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) return undefined;
  return key === fingerprintOf(publicKey) ? { key, publicKey, owner, createdAt } : undefined;
}

function sealedIn(value: JsonObject | undefined): SealedKey | undefined {
  const approver = approverIn(value);
  const scrypt = value?.['scrypt'];
  if (value === undefined || approver === undefined || !isPlainObject(scrypt)) return undefined;
  const { n, r, p } = scrypt;
  if (typeof n !== 'number' || typeof r !== 'number' || typeof p !== 'number' || !isUsableCost({ n, r, p })) return undefined;
  const salt = bytesIn(scrypt['salt'], lotLengths.salt);
  const nonce = bytesIn(value['nonce'], lotLengths.nonce);
  const sealed = bytesIn(value['sealed'], seedLength + 16);
  return salt === undefined || nonce === undefined || sealed === undefined ? undefined : { approver, cost: { n, r, p }, salt, nonce, sealed };
}

function bytesIn(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length > 200) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length ? bytes : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
