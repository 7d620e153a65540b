/**
 * What a signature of the approver key is over (docs/formats/approver-key.md). Two texts, told apart by their first line: one
 * of a decision about an approval, one of an entry in the log of record that needs a fresh proof. Lines end with LF, each
 * value has one of its own, and no value holds a line break, so two decisions never have one text.
 */
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { canonicalJson } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import type { ApprovalOutcome, ApprovalView } from './approval.ts';

/** `override`: a no that takes back a yes. */
export type StatedOutcome = ApprovalOutcome | 'override';

export interface StatedDecision {
  readonly outcome: StatedOutcome;
  readonly by: string;
  readonly reason: string | null;
  /** When it was signed, ISO 8601. */
  readonly at: string;
}

/** The text of a decision. Time stands last. */
export function decisionText(approval: Pick<ApprovalView, 'id' | 'action_hash' | 'policy_digest'>, { outcome, by, reason, at }: StatedDecision): string {
  return lines(['loki-approval/v1', approval.id, outcome, approval.action_hash, approval.policy_digest, by, sha256Hex(reason ?? ''), at]);
}

/** The parts of an entry that the proof in its details is about. */
export interface StatedEntry {
  readonly event: string;
  readonly actor: string;
  readonly resource?: string;
  /** Without the member `proof`. */
  readonly details: JsonObject;
}

/** The text of an entry. */
export function entryText({ event, actor, resource = '-', details }: StatedEntry, at: string): string {
  return lines(['loki-proof/v1', event, actor, resource, sha256Hex(canonicalJson(details)), at]);
}

function lines(values: readonly string[]): string {
  const bad = values.find((value) => /[\u0000-\u001f\u007f\u2028\u2029]/.test(value));
  if (bad !== undefined) throw new LokiError('request.invalid', { attempted: 'sign a decision', found: `${JSON.stringify(bad.slice(0, 80))} holds a control character` });
  return values.map((value) => `${value}\n`).join('');
}
