/**
 * Fresh proof (contract section 3): what shows that a person decides now, and not a program that runs as the same user. Until
 * an approver key exists a confirmation at the terminal stands in for it; from then on only a signature of that key counts,
 * over the very thing that is decided, made within two minutes. Keys of the API and sign-ons are checked where they come in.
 */
import { LokiError } from '../errors.ts';
import { ed25519Verify } from '../base/sign.ts';

/** A signature of the approver key. */
export type ApproverProof = {
  readonly kind: 'approver_key';
  /** The key's fingerprint. */
  readonly key: string;
  /** When it was signed, ISO 8601. */
  readonly at: string;
  /** Ed25519, base64. */
  readonly signature: string;
};

export type FreshProof =
  /** A confirmation at the terminal of this machine. */
  | { readonly kind: 'terminal' }
  | ApproverProof
  /** A key with the `approve` scope, presented over the API. */
  | { readonly kind: 'api_key'; readonly key: string }
  /** A new single sign-on. */
  | { readonly kind: 'sign_on'; readonly auth_time: string };

/** The public half of an approver key, and whose it is. */
export interface Approver {
  /** `SHA256:` and the base64 of the public key's hash, without padding. */
  readonly key: string;
  readonly publicKey: Uint8Array;
  /** The one person it speaks for: `user:alice`. */
  readonly owner: string;
  readonly createdAt: string;
}

/** What is signed, given the time. */
export type Statement = (at: string) => string;

/** Gives the proof of a statement: somebody has just shown that they are there. */
export type Prove = (statement: Statement) => FreshProof;

/** A person has confirmed it at the terminal, and has nothing to sign with. */
export const atTerminal: Prove = () => ({ kind: 'terminal' });

/** What a proof must hold for. */
export interface Demand {
  /** A verb phrase, for messages. */
  readonly attempted: string;
  /** Those that exist. */
  readonly approverKeys: readonly Approver[];
  readonly by: string;
  readonly statement: Statement;
  readonly nowMs: number;
}

const freshMs = 2 * 60_000;
/** A proof may come from a machine whose clock is ahead. */
const aheadMs = 30_000;
const proofHint = 'Run it at a terminal and type the passphrase of the approver key';

/** Throws `auth.proof` when the proof is not enough. */
export function assertFreshProof(proof: FreshProof, { attempted, approverKeys, by, statement, nowMs }: Demand): void {
  const refuse = (found: string, hint = proofHint): LokiError => new LokiError('auth.proof', { attempted, found, hint });
  if (proof.kind === 'terminal') {
    if (approverKeys.length === 0) return;
    throw refuse('a confirmation at the terminal is no proof once an approver key exists');
  }
  if (proof.kind !== 'approver_key') {
    // What agents run as may write whatever else stands for a decision; only a signature cannot be made without the passphrase.
    if (approverKeys.length > 0) throw refuse('there are approver keys here, and once there are, only their signatures count', 'Where the key is kept run: loki approve ID --print-proof');
    return;
  }
  if (approverKeys.length === 0) throw refuse('there is no approver key here', 'Make one with: loki approver create');
  if (!isSignedBy(approverKeys, proof, by, statement)) throw refuse(`its proof is no signature of an approver key of ${by} over this decision`);
  const ageMs = nowMs - Date.parse(proof.at);
  if (ageMs > freshMs || ageMs < -aheadMs) throw refuse(`its proof was made at ${proof.at}, and counts for two minutes`, 'Make a new proof; compare the clocks if it was made just now');
}

/** Whether a signature is one of the approver key that belongs to `by`, over this statement. Says nothing about its age. */
export function isSignedBy(approverKeys: readonly Approver[], { key, at, signature }: Pick<ApproverProof, 'key' | 'at' | 'signature'>, by: string, statement: Statement): boolean {
  const approver = approverKeys.find((each) => each.key === key && each.owner === by);
  if (approver === undefined || !isMoment(at)) return false;
  return ed25519Verify(approver.publicKey, Buffer.from(statement(at), 'utf8'), Buffer.from(signature, 'base64'));
}

function isMoment(text: string): boolean {
  return text.length === 24 && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;
}
