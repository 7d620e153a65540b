/**
 * Fresh proof (contract section 3): what shows that a person decides now, and not a program that runs as the same user.
 * Checking a passphrase or a sign-on is its own room's work; here stands what was checked, and whether it is enough.
 */
import { LokiError } from '../errors.ts';

export type FreshProof =
  /** A confirmation at the terminal of this machine. */
  | { readonly kind: 'terminal' }
  /** The passphrase of the sealed approver key. */
  | { readonly kind: 'approver_key'; readonly key: string }
  /** A key with the `approve` scope, presented over the API. */
  | { readonly kind: 'api_key'; readonly key: string }
  /** A new single sign-on. */
  | { readonly kind: 'sign_on'; readonly auth_time: string };

/** Throws `auth.forbidden` when the proof is not enough. Until an approver key exists, a confirmation at the terminal stands in for it. */
export function assertFreshProof(proof: FreshProof, approverExists: boolean): void {
  if (proof.kind !== 'terminal' || !approverExists) return;
  throw new LokiError('auth.forbidden', {
    attempted: 'decide an approval', found: 'a confirmation at the terminal is no proof once an approver key exists', hint: 'Enter the passphrase of the approver key',
  });
}
