/**
 * An action: one thing an agent wants to do, in the words every door translates into. And the verdict on it. These are the
 * values that policy judges, the gate records and the doors answer with (contract sections 3 and 10).
 */

/** What sort of thing the agent wants to do. */
export type ActionKind =
  | 'exec' | 'fs.read' | 'fs.write' | 'fs.delete' | 'net' | 'mcp' | 'agent' | 'prompt' | 'other';

/** The kinds, for checking input. */
export const actionKinds: readonly ActionKind[] =
  ['exec', 'fs.read', 'fs.write', 'fs.delete', 'net', 'mcp', 'agent', 'prompt', 'other'];

/** The fields that an action of a kind must carry. */
export const fieldsOfKind: Readonly<Record<ActionKind, readonly SpecificField[]>> = {
  'exec': ['command'],
  'fs.read': ['file_path'],
  'fs.write': ['file_path'],
  'fs.delete': ['file_path'],
  'net': ['url'],
  'mcp': ['mcp_server', 'mcp_tool'],
  'agent': ['agent'],
  'prompt': [],
  'other': [],
};

/** A field that only some kinds carry. */
export type SpecificField = 'command' | 'file_path' | 'url' | 'mcp_server' | 'mcp_tool' | 'agent';

/** One action as a door hands it over. Paths may still be relative to `cwd`. */
export interface Action {
  readonly kind: ActionKind;
  /** The agent's own name for its tool. */
  readonly tool?: string;
  readonly command?: string;
  readonly file_path?: string;
  readonly url?: string;
  readonly mcp_server?: string;
  readonly mcp_tool?: string;
  readonly agent?: string;
  /** What would be written, or was read: judged by data rules, recorded only as hash, size and findings. */
  readonly content?: string;
  readonly cwd?: string;
  readonly session_id?: string;
  /** What the same call does besides, such as the further files of a patch: judged with it, and allowed or refused with it. */
  readonly also?: readonly Action[];
  /** The agent can type into what the command starts, later and without asking. */
  readonly typedInto?: true;
}

/** The four enforcement points of a policy. */
export type EnforcementPoint = 'pre_execution' | 'pre_deployment' | 'resource' | 'data';

export type Decision = 'ALLOW' | 'DENY' | 'REQUIRE_APPROVAL';

/** What a rule does when it is violated. */
export type RuleAction = 'deny' | 'require_approval' | 'warn' | 'allow';

/** Something a scanner found. Never the text itself. */
export interface Finding {
  readonly rule: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** UTF-16 code units from the start of the text. */
  readonly offset: number;
  readonly length: number;
  readonly confidence: 'low' | 'medium' | 'high';
  /** First 16 hex digits of the SHA-256 of the found text: equal secrets, equal fingerprints. Whoever guesses a weak password can check the guess by it. */
  readonly fingerprint: string;
}

/** Confidences from the least sure. */
export const sureness: Readonly<Record<Finding['confidence'], number>> = { low: 0, medium: 1, high: 2 };

/** One rule that an action broke. */
export interface Violation {
  /** The rule's name; built-in rules begin with `builtin:`. */
  readonly name: string;
  readonly action: RuleAction;
  readonly reason: string;
  /** `file:line:column` of the rule, or `built in`. */
  readonly place: string;
  readonly findings?: readonly Finding[];
  /** What was compared with what, for a rule made of conditions: the comparisons that decided. */
  readonly compared?: readonly Comparison[];
  /** True when the rule is only watched (`mode: monitor`): it is reported and does not count. */
  readonly monitor?: true;
}

/** What a policy says about one context at one enforcement point. */
export interface PolicyDecision {
  readonly decision: Decision;
  readonly allowed: boolean;
  readonly requiresApproval: boolean;
  readonly reason: string;
  readonly violations: readonly Violation[];
  /** SHA-256 (hex) of the policy sources that were judged by. */
  readonly policy_digest: string;
  readonly duration_us: number;
  readonly explain?: Explanation;
}

/** A value as decisions show it: shortened, secrets in it replaced. */
export type ShownValue = string | number | readonly (string | number)[];

/** One comparison of a condition, and how it came out. */
export interface Comparison {
  readonly field: string;
  /** As the policy writes it: `==`, `in`, `matches`, `must start with` … */
  readonly operator: string;
  /** What the field holds: of several readings the one that decided. Null when it is missing. */
  readonly value: ShownValue | null;
  /** What it was compared with: of a list the entry that fits, where one does. Null for `exists`. */
  readonly with: ShownValue | null;
  /** Null when it could not be told. */
  readonly holds: boolean | null;
}

/** A condition as a tree: `and`, `or` and `not` have parts, a comparison has none. */
export interface ExplainedCondition {
  readonly text: string;
  readonly holds: boolean | null;
  readonly parts?: readonly ExplainedCondition[];
  readonly compared?: Comparison;
}

/** How a decision came about, rule by rule. */
export interface Explanation {
  readonly point: EnforcementPoint;
  readonly rules: readonly ExplainedRule[];
}

/** What one rule made of the context. */
export interface ExplainedRule {
  readonly name: string;
  readonly place: string;
  readonly result: 'not applicable' | 'held' | 'violated' | 'could not be evaluated';
  readonly because: string;
  /** What was judged, where that is not the context itself: what a command was found to do, such as `fs.write /etc/passwd`. */
  readonly subject?: string;
  readonly when?: ExplainedCondition;
  readonly rule?: ExplainedCondition;
}

/** What rules do, from weakest to strictest. */
export const strictness: Readonly<Record<RuleAction, number>> = { allow: 0, warn: 1, require_approval: 2, deny: 3 };

/** Decisions from weakest to strictest. */
export const decisionRank: Readonly<Record<Decision, number>> = { ALLOW: 0, REQUIRE_APPROVAL: 1, DENY: 2 };
