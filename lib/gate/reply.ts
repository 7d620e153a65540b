/** What the gate answers, and what it is told afterwards (contract section 10). */
import type { Action, Decision } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';

/** The verdict on one action. */
export interface GateReply {
  readonly decision: Decision;
  readonly allowed: boolean;
  readonly reason: string;
  /** The rule that decided, when one did. */
  readonly rule?: string;
  /** Set when a person must decide, or has decided. */
  readonly approval_id?: string;
  /** The caller asks the person before the agent itself: it said that it can, and the policy leaves it to that person. */
  readonly handed?: true;
  /** Where the decision stands in the log of record; null when audit is switched off. */
  readonly audit_seq: number | null;
}

/** What became of an action: recorded in the project's agent chain against its decision. */
export interface ActionOutcome {
  readonly action: Action;
  /** The `audit_seq` of the decision. Without it the newest decision on the same call, else on the same action, is taken. */
  readonly ref?: number;
  /** The agent's id of the call. */
  readonly callId?: string;
  /** Whether the decision is looked for where `ref` is missing. */
  readonly search?: true;
  /** What is told besides. */
  readonly about?: JsonObject;
  readonly ok: boolean;
  readonly exit?: number;
  readonly bytes?: number;
}

/** Judge, record, reply. */
export interface Gate {
  /**
   * Never throws for an action that was understood: what cannot be judged or recorded is denied, with the reason. `about` is
   * recorded beside the action and belongs to no approval: the id of the call, the subagent.
   */
  decide(action: Action, about?: JsonObject): Promise<GateReply>;
  /** Records an outcome in the agent chain. */
  report(outcome: ActionOutcome): Promise<void>;
  close(): Promise<void>;
}
