/**
 * Checks, afterwards, the signatures that entries of the log of record carry: of decisions about approvals, and of acts that
 * needed a fresh proof. Trusts the public keys it is given and nothing in the log; that the entries themselves were not changed
 * is for `loki audit verify` to say.
 */
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { queryLog, type LoggedEntry } from '../audit/query.ts';
import { readEveryApprover } from '../approvals/approver-key.ts';
import { isSignedBy, type Approver } from '../approvals/proof.ts';
import { decisionText, entryText, type StatedOutcome } from '../approvals/statement.ts';
import { approverPlace } from './approver.ts';
import { openEntries } from './audit/protection.ts';
import type { Installation } from './installation.ts';

/** A signature that does not hold. */
export interface FalseProof {
  readonly seq: number;
  readonly event: string;
  readonly actor: string;
  readonly found: string;
}

export interface ProofReport {
  /** Signatures that hold, and acts that a confirmation at the terminal stood behind. */
  readonly signed: number;
  readonly confirmed: number;
  readonly wrong: readonly FalseProof[];
}

/** `keys`: believed in place of those in LOKI_HOME. */
export async function verifyProofs(installation: Installation, keys: readonly Approver[] = readEveryApprover(approverPlace(installation))): Promise<ProofReport> {
  const { host: { disk, timers }, home } = installation;
  const wrong: FalseProof[] = [];
  let [signed, confirmed, looked] = [0, 0, 0];
  for (const entry of queryLog(disk, home.audit, { text: '"proof":{' }, { opener: openEntries(installation), order: 'oldest' })) {
    looked += 1;
    if (looked % 200 === 0) await timers.yield();
    const { details } = entry;
    const proof = isPlainObject(details) ? details['proof'] : undefined;
    if (!isPlainObject(details) || !isPlainObject(proof)) continue;
    if (proof['kind'] === 'terminal') confirmed += 1;
    if (proof['kind'] !== 'approver_key') continue;
    const found = whyFalse(entry, { details: details as JsonObject, proof: proof as JsonObject, keys });
    if (found === undefined) signed += 1;
    else wrong.push({ seq: entry.seq, event: entry.event, actor: typeof entry.actor === 'string' ? entry.actor : 'sealed', found });
  }
  return { signed, confirmed, wrong };
}

interface Claim {
  readonly details: JsonObject;
  readonly proof: JsonObject;
  readonly keys: readonly Approver[];
}

function whyFalse(entry: LoggedEntry, { details, proof, keys }: Claim): string | undefined {
  const { key, at, signature } = proof;
  if (typeof entry.actor !== 'string') return 'the entry is sealed, and its key is not here';
  if (typeof key !== 'string' || typeof at !== 'string' || typeof signature !== 'string') return 'the proof lacks a member';
  const approver = keys.find((each) => each.key === key);
  if (approver === undefined) return `its key ${key} is not known`;
  if (approver.owner !== entry.actor) return `its key belongs to ${approver.owner}`;
  const statement = (moment: string): string => statementOf(entry, details, moment);
  return isSignedBy(keys, { key, at, signature }, entry.actor, statement) ? undefined : 'the signature is not one over what the entry says';
}

const outcomes: Readonly<Record<string, StatedOutcome>> = { 'approval.approve': 'approve', 'approval.reject': 'reject', 'approval.override': 'override' };

function statementOf({ event, actor, resource }: LoggedEntry, details: JsonObject, at: string): string {
  const by = String(actor);
  const outcome = Object.hasOwn(outcomes, event) ? outcomes[event] : undefined;
  if (outcome !== undefined) {
    const { approval_id: id, action_hash, policy_digest, reason } = details;
    return decisionText({ id: String(id), action_hash: String(action_hash), policy_digest: String(policy_digest) }, { outcome, by, reason: typeof reason === 'string' ? reason : null, at });
  }
  const { proof: _proof, ...said } = details;
  return entryText({ event, actor: by, details: said, ...(typeof resource === 'string' ? { resource } : {}) }, at);
}
