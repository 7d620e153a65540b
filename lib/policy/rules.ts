/**
 * The rules of one policy file as plain data: what `shape.ts` makes of a well-formed file and `evaluate.ts` judges by.
 * Every rule remembers where it was written, so that a decision can name the line.
 */
import type { ActionKind, Decision, EnforcementPoint, Finding, RuleAction } from '../base/action.ts';
import type { Problem } from '../errors.ts';
import type { Condition } from './expression.ts';

/** Who wrote a policy. A later layer can only tighten what an earlier one says. */
export type Layer = 'organisation' | 'managed' | 'user' | 'project';

/** One policy file as text. */
export interface PolicySource {
  readonly text: string;
  readonly filename: string;
  readonly layer: Layer;
}

/** An expression with its text and tree. */
export interface Expression {
  readonly text: string;
  readonly tree: Condition;
}

interface RuleBase {
  readonly name: string;
  readonly point: EnforcementPoint;
  /** `file:line:column` of the rule. */
  readonly place: string;
  readonly line: number;
  readonly column: number;
  readonly layer: Layer;
  readonly action: RuleAction;
  readonly monitor: boolean;
  /** The kinds of action that it applies to; empty at other points than `pre_execution`. */
  readonly kinds: readonly ActionKind[];
  readonly when?: Expression;
  readonly rule?: Expression;
}

/** A rule made of conditions alone. */
export interface ConditionRule extends RuleBase { readonly is: 'condition' }

/** Each of the gates must have been passed. */
export interface GatesRule extends RuleBase { readonly is: 'gates'; readonly gates: readonly string[] }

export type OnExceed = 'shutdown' | 'require_approval' | 'warn';

/** Whose consumption a budget adds up. */
export type BudgetSubject = 'project' | 'agent' | 'session';

/** Over what time it adds it up. Days and months are those of UTC. */
export type BudgetPeriod = 'session' | 'day' | 'month' | 'total';

/** At most so many tokens, so much money, or both. `alerts` are percentages, rising. Without `providers` it counts for every one. */
export interface BudgetRule extends RuleBase {
  readonly is: 'budget';
  readonly per: BudgetSubject;
  readonly period: BudgetPeriod;
  readonly maxTokens?: number;
  /** Millionths of a US dollar. */
  readonly maxMicroUsd?: number;
  readonly alerts: readonly number[];
  readonly onExceed: OnExceed;
  readonly providers?: readonly string[];
}

/** A test of content. */
export interface DataRule extends RuleBase {
  readonly is: 'data';
  readonly type?: 'secret_detection' | 'pii_scanning';
  readonly patterns: readonly UserPattern[];
  /** Findings of the scanner that are less sure than this do not count; the user's own patterns always do. Left out: `low` for secrets, `medium` for personal data. */
  readonly minConfidence: Finding['confidence'];
}

/** A regular expression that a user added, checked against blow-up. */
export interface UserPattern {
  readonly source: string;
  readonly expression: RegExp;
}

export type Rule = ConditionRule | GatesRule | BudgetRule | DataRule;

/** A phase of a run that people must approve. */
export interface ApprovalGate {
  readonly name: string;
  readonly phase: string;
  readonly approvers: readonly string[];
  readonly required: number;
  readonly timeoutMinutes: number;
  readonly webhook?: string;
  /** Only an organisation's policy can set this. */
  readonly autoApproveOnTimeout: boolean;
  readonly place: string;
  readonly layer: Layer;
}

/** A test that stands in the policy. */
export interface PolicyTest {
  readonly name: string;
  readonly point: EnforcementPoint;
  readonly context: Readonly<Record<string, unknown>>;
  readonly expect: Decision;
  /** The rule that must be the one that decides. */
  readonly by?: string;
  readonly place: string;
  readonly line: number;
  readonly column: number;
}

/** One policy file, read. With problems it has no rules and denies everything. */
export interface PolicyFile {
  readonly filename: string;
  readonly layer: Layer;
  /** SHA-256 (hex) of the file's text. */
  readonly digest: string;
  /** `mode: strict`: what cannot be understood is denied instead of put before a person. */
  readonly strict: boolean;
  readonly rules: readonly Rule[];
  readonly approvalGates: readonly ApprovalGate[];
  readonly tests: readonly PolicyTest[];
  readonly problems: readonly Problem[];
}
