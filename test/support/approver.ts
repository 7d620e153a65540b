/** An approver key that is quickly made: the cost of its passphrase is the least that is taken. */
import type { Installation } from '../../lib/app/installation.ts';
import { createApproverKey } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { fingerprintOf, proveWith } from '../../lib/approvals/approver-key.ts';
import { atTerminal, type Approver, type Prove } from '../../lib/approvals/proof.ts';
import type { ScryptCost } from '../../lib/base/scrypt.ts';
import { ed25519Pair } from '../../lib/base/sign.ts';

export const passphrase = 'four words of a test';
export const leastCost: ScryptCost = { n: 1 << 14, r: 8, p: 1 };

/** Makes the key of `owner`; the first one, unless `by` and `prove` let it in. */
export async function makeApprover(installation: Installation, owner: string, by: string = owner, prove: Prove = atTerminal): Promise<Approver> {
  const log = openRecord(installation);
  try {
    return await createApproverKey(installation, log.record, { owner, passphrase, by, prove, cost: leastCost });
  } finally {
    await log.close();
  }
}

/** A key without a file. */
export function looseApprover(owner: string, seedByte: number, now: () => number): { readonly approver: Approver; readonly prove: Prove } {
  const seed = new Uint8Array(32).fill(seedByte);
  const { publicKey } = ed25519Pair(seed);
  const key = fingerprintOf(publicKey);
  return { approver: { key, publicKey, owner, createdAt: '2026-02-15T14:30:00.000Z' }, prove: proveWith(seed, key, now) };
}
