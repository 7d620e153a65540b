/**
 * The approver keys of this installation, and the one door to every act that needs a fresh proof (contract section 3). A
 * passphrase is tried, wrong ones are recorded; what a command does with an opened key is to sign the entry that tells of the
 * act, so that an auditor can check later who stood behind it.
 */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { usualCost, type ScryptCost } from '../base/scrypt.ts';
import type { AuditEvent, Recorder } from '../audit/entry.ts';
import { lotLengths, openKey, proveWith, readApprovers, readSealedKey, sealKey, seedLength, writeKey, type ApproverPlace, type Lots, type SealedKey } from '../approvals/approver-key.ts';
import { assertFreshProof, type Approver, type FreshProof, type Prove } from '../approvals/proof.ts';
import { entryText } from '../approvals/statement.ts';
import { prepareHome, type Installation } from './installation.ts';

export function approverPlace({ host: { disk }, home }: Installation): ApproverPlace {
  return { disk, base: home.home, directory: home.keys };
}

/** The approvers in force. Throws `io.failed` when their files are damaged. */
export function approversOf(installation: Installation): readonly Approver[] {
  return readApprovers(approverPlace(installation));
}

/** The approver that `by` decides as; undefined while there is none at all. Throws `auth.proof` when others are approvers and `by` is not. */
export function approverFor(installation: Installation, by: string, attempted: string): Approver | undefined {
  const approvers = approversOf(installation);
  if (approvers.length === 0) return undefined;
  const own = approvers.find(({ owner }) => owner === by);
  if (own !== undefined) return own;
  const others = approvers.map(({ owner }) => owner).join(', ');
  throw new LokiError('auth.proof', { attempted, found: `${by} has no approver key, and a proof of one is needed`, hint: `Ask one of: ${others}; with their passphrase: --as NAME` });
}

/** Tries a passphrase. A wrong one is recorded before the answer is given, and gives undefined. */
export async function unlock(installation: Installation, record: Recorder, approver: Approver, passphrase: string): Promise<Prove | undefined> {
  const seed = await openSeed(installation, record, approver, passphrase);
  return seed === undefined ? undefined : proveWith(seed, approver.key, () => installation.host.clock.now());
}

async function openSeed(installation: Installation, record: Recorder, approver: Approver, passphrase: string): Promise<Uint8Array | undefined> {
  const sealed = readSealedKey(approverPlace(installation), approver);
  if (sealed === undefined) {
    throw new LokiError('auth.proof', { attempted: `use the approver key of ${approver.owner}`, found: 'it is not kept on this machine', hint: 'Decide where it is kept, and send the proof: loki approve ID --print-proof' });
  }
  const seed = await openKey(sealed, passphrase);
  if (seed === undefined) await record({ event: 'auth.fail', actor: approver.owner, resource: `key:${approver.key}`, details: { what: 'passphrase of the approver key' } });
  return seed;
}

/** The entry with the proof of what it says. Throws `auth.proof` when `prove` gives one that is not enough here. */
export function proven(installation: Installation, entry: AuditEvent & { readonly details: JsonObject }, prove: Prove, attempted: string): AuditEvent {
  const statement = (at: string): string => entryText(entry, at);
  const proof: FreshProof = prove(statement);
  assertFreshProof(proof, { attempted, approverKeys: approversOf(installation), by: entry.actor, statement, nowMs: installation.host.clock.now() });
  return { ...entry, details: { ...entry.details, proof: { ...proof } } };
}

/** A recorder for an act of one person: the entries that tell of it in their name carry the proof. */
export function provenRecorder(installation: Installation, record: Recorder, { by, prove }: { readonly by: string; readonly prove: Prove }, attempted: string): Recorder {
  return (entry) => record(entry.actor === by ? proven(installation, { ...entry, details: entry.details ?? {} }, prove, attempted) : entry);
}

/** Passphrases guard a file that can be carried away and guessed at elsewhere. */
export const shortestPassphrase = 12;
export const longestPassphrase = 1024;
const fewestDifferent = 5;

/** Why a passphrase is not taken; undefined when it is. */
export function passphraseProblem(passphrase: string): string | undefined {
  const characters = [...passphrase];
  if (characters.length < shortestPassphrase) return `it has ${characters.length} characters, and needs ${shortestPassphrase} or more`;
  if (passphrase.length > longestPassphrase) return `it is longer than ${longestPassphrase} characters`;
  if (new Set(characters).size < fewestDifferent) return `it has fewer than ${fewestDifferent} different characters`;
  return undefined;
}

/** How a key comes into force. */
export interface KeyRequest {
  readonly owner: string;
  readonly passphrase: string;
  /** Who makes it, and their proof: of an approver there already is, or at the terminal for the first one. */
  readonly by: string;
  readonly prove: Prove;
  /** Tests need less. */
  readonly cost?: ScryptCost;
}

/** Makes a key and puts it in force, in place of an earlier one of its owner. Recorded before it counts. */
export async function createApproverKey(installation: Installation, record: Recorder, { owner, passphrase, by, prove, cost = usualCost }: KeyRequest): Promise<Approver> {
  assertGood(passphrase, 'make an approver key');
  const { host: { clock, random } } = installation;
  const before = approversOf(installation).find((each) => each.owner === owner);
  const seed = random.bytes(seedLength);
  const made = await sealKey({ seed, owner, createdAt: new Date(clock.now()).toISOString() }, passphrase, cost, lots(installation));
  const { key, publicKey, createdAt } = made.approver;
  const details = { what: 'approver key', key, public: Buffer.from(publicKey).toString('base64'), owner, created_at: createdAt, ...(before === undefined ? {} : { replaces: before.key }) };
  const event = before === undefined ? 'auth.token.create' : 'auth.token.rotate';
  await putInForce(installation, record, { entry: { event, actor: by, resource: `key:${key}`, details }, prove, attempted: 'make an approver key', key: made });
  return made.approver;
}

/** Seals the same key under another passphrase. Undefined when the old one is wrong, which is recorded. */
export async function changePassphrase(installation: Installation, record: Recorder, approver: Approver, change: { readonly from: string; readonly to: string; readonly cost?: ScryptCost }): Promise<Approver | undefined> {
  const { from, to, cost = usualCost } = change;
  assertGood(to, 'change the passphrase');
  const seed = await openSeed(installation, record, approver, from);
  if (seed === undefined) return undefined;
  const prove = proveWith(seed, approver.key, () => installation.host.clock.now());
  const { owner, createdAt, key } = approver;
  const resealed = await sealKey({ seed, owner, createdAt }, to, cost, lots(installation));
  const details = { what: 'passphrase of the approver key', key };
  await putInForce(installation, record, { entry: { event: 'auth.token.rotate', actor: owner, resource: `key:${key}`, details }, prove, attempted: 'change the passphrase', key: resealed });
  return approver;
}

interface Enforcement {
  readonly entry: AuditEvent & { readonly details: JsonObject };
  readonly prove: Prove;
  readonly attempted: string;
  readonly key: SealedKey;
}

async function putInForce(installation: Installation, record: Recorder, { entry, prove, attempted, key }: Enforcement): Promise<void> {
  const told = proven(installation, entry, prove, attempted);
  prepareHome(installation);
  await record(told);
  writeKey(approverPlace(installation), key);
}

function assertGood(passphrase: string, attempted: string): void {
  const problem = passphraseProblem(passphrase);
  if (problem !== undefined) throw new LokiError('usage', { attempted, found: `the passphrase is not taken: ${problem}`, hint: 'Take several words that nobody would put together' });
}

function lots({ host: { random } }: Installation): Lots {
  return { salt: random.bytes(lotLengths.salt), nonce: random.bytes(lotLengths.nonce) };
}
