/** How a run may come to an end before it is accepted, and the error that says so inside the room. */
import type { AuditEvent } from '../audit/entry.ts';

/** Each way, and what it is in words of ours. */
export const endKinds = {
  cancelled: 'somebody stopped the run',
  not_accepted: 'its rounds are used up',
  denied: 'the policy does not allow it to go on',
  budget_spent: 'its budget is spent',
  provider_failed: 'the agent failed each time',
  ungated: 'the agent acted without asking the gate',
} as const;

export type EndKind = keyof typeof endKinds;

/** Thrown inside a run to end it; the runner turns it into the last step. Never leaves the room. */
export class RunEnd extends Error {
  readonly kind: EndKind;
  readonly audit: readonly AuditEvent[];

  constructor(kind: EndKind, reason: string, audit: readonly AuditEvent[] = []) {
    super(reason);
    this.kind = kind;
    this.audit = audit;
  }

  get status(): 'failed' | 'cancelled' {
    return this.kind === 'cancelled' ? 'cancelled' : 'failed';
  }
}
