/**
 * The judge of one context at one enforcement point. Rules are sorted by kind of action beforehand; a rule that cannot be
 * evaluated denies; deny beats approval beats warning beats permission. What a command is found to do is judged as if a
 * file tool or the network had been used. Values appear in reasons redacted and shortened, content never.
 */
import { sha256Hex } from '../base/digest.ts';
import { actionKinds, strictness } from '../base/action.ts';
import type { Action, ActionKind, Decision, EnforcementPoint, ExplainedRule, PolicyDecision, RuleAction, Violation } from '../base/action.ts';
import { didYouMean } from '../base/suggest.ts';
import { askedOnce, type PathProbe } from '../base/paths.ts';
import type { Problem } from '../errors.ts';
import { expandedPaths } from './expand.ts';
import { enforcementPoints, isEnforcementPoint } from './fields.ts';
import type { Context } from './fields.ts';
import { scopeOf, startOf } from './readings.ts';
import type { Scope } from './readings.ts';
import { askSafely, explainRule, readyRule, violationOf } from './ready.ts';
import type { ReadyRule } from './ready.ts';
import type { Spent } from './budget.ts';
import type { ApprovalGate, BudgetRule, Layer, PolicyFile, Rule } from './rules.ts';
import type { Scanners } from './scanners.ts';
import { commandsOf, type AnalyzeCommand } from './shell/analyze.ts';
import type { ShellAnalysis } from './shell/tally.ts';
import { unclearCommand } from './unclear.ts';

export type { Scanners } from './scanners.ts';
export { longestContent } from './ready.ts';

export interface PolicyParts {
  readonly probe: PathProbe;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  readonly scanners: Scanners;
  /** What a command would do. */
  readonly analyze: AnalyzeCommand;
  /** What `~` stands for in commands. */
  readonly homeDir?: string;
}

/** A rule as `loki policy check` lists it. */
export interface RuleFacts {
  readonly name: string;
  readonly point: EnforcementPoint;
  readonly layer: Layer;
  readonly place: string;
  readonly action: RuleAction;
  readonly monitor: boolean;
}

/** How a context is to be evaluated. */
export interface EvaluateOptions {
  readonly explain?: boolean;
  /** The count that is kept for a budget, in place of what the context says. Asked only about budgets that apply. */
  readonly spent?: (rule: BudgetRule) => Spent;
}

export interface Policy {
  readonly files: readonly PolicyFile[];
  readonly problems: readonly Problem[];
  /** SHA-256 (hex) of the one file, or of the digests of all. */
  readonly digest: string;
  readonly rules: readonly Rule[];
  /** Whether one of the files denies what cannot be understood (`mode: strict`). */
  readonly strict: boolean;
  /** What `~` stands for in commands. */
  readonly homeDir: string | undefined;
  /** What a command would do that is given in a directory, as this policy reads it. */
  analyze(command: string, cwd: string | undefined): ShellAnalysis;
  evaluate(point: string, context: Context, options?: EvaluateOptions): PolicyDecision;
  /** The gates that a phase must pass, strictest layer first come first. */
  approvalGates(phase: string): readonly ApprovalGate[];
  /** The first gate of a phase, or undefined when it needs no approval. */
  approvalGate(phase: string): ApprovalGate | undefined;
}

const nothing: readonly Violation[] = Object.freeze([]);
/** More violations of one action than this are not told apart. */
const mostViolations = 100;
/** More rows than this are not explained. */
const mostExplained = 2000;

/** One policy of all the files that apply, each in its own layer. No file at all allows everything; a broken one denies. */
export function createPolicy(files: readonly PolicyFile[], parts: PolicyParts): Policy {
  const rules = files.flatMap((file) => file.rules);
  const problems = files.flatMap((file) => file.problems);
  const gates = files.flatMap((file) => file.approvalGates);
  const strict = files.some((file) => file.strict);
  const digest = files.length === 1 ? files[0]?.digest ?? '' : sha256Hex(files.map((file) => file.digest).join('\n'));
  const judge = createRuleJudge(rules, parts, strict, digest);
  return {
    files, problems, digest, rules, strict, homeDir: parts.homeDir,
    analyze: (command, cwd) => parts.analyze(command, { cwd, home: parts.homeDir }),
    evaluate(point, context, options = {}) {
      const started = parts.monotonic();
      if (!isEnforcementPoint(point)) return judge.refuse(`Unknown enforcement point ${JSON.stringify(point.slice(0, 80))}${didYouMean(point, enforcementPoints)}`, started);
      const [problem] = problems;
      if (problem !== undefined) return judge.refuse(`${placed(problem)}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''}. The policy cannot be used until it is corrected: loki policy check`, started);
      if (files.length === 0) return judge.allow('No policies configured', started);
      return judge.evaluate(point, context, options, started);
    },
    approvalGates: (phase) => gates.filter((gate) => gate.phase === phase),
    approvalGate: (phase) => gates.find((gate) => gate.phase === phase),
  };
}

function placed(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file ?? ''}:${problem.line}:${problem.column ?? 1}`;
  return `${place === undefined ? '' : `${place}: `}${problem.message}`;
}

interface RuleJudge {
  allow(reason: string, started: number): PolicyDecision;
  refuse(reason: string, started: number): PolicyDecision;
  evaluate(point: EnforcementPoint, context: Context, options: EvaluateOptions, started: number): PolicyDecision;
}

/** What has come out so far. Nothing is allocated before a rule is violated. */
interface Findings {
  violations: Violation[] | undefined;
  readonly explained: ExplainedRule[] | undefined;
}

function createRuleJudge(rules: readonly Rule[], parts: PolicyParts, strict: boolean, digest: string): RuleJudge {
  const ready = rules.map((rule) => readyRule(rule, parts.scanners));
  const ofPoint = new Map(enforcementPoints.map((point) => [point, ready.filter(({ rule }) => rule.point === point)]));
  const execution = ofPoint.get('pre_execution') ?? [];
  const ofKind: ReadonlyMap<unknown, readonly ReadyRule[]> = new Map(actionKinds.map((kind) => [kind, execution.filter(({ rule }) => rule.kinds.includes(kind))]));

  function finish(decision: Decision, reason: string, violations: readonly Violation[], started: number, explain?: PolicyDecision['explain']): PolicyDecision {
    const base = {
      decision, allowed: decision === 'ALLOW', requiresApproval: decision === 'REQUIRE_APPROVAL', reason, violations,
      policy_digest: digest, duration_us: Math.round((parts.monotonic() - started) * 1000),
    };
    return explain === undefined ? base : { ...base, explain };
  }

  function run(list: readonly ReadyRule[], scope: Scope, found: Findings, subject?: string): void {
    for (const item of list) {
      const asked = askSafely(item, scope);
      // Why it could not be evaluated may quote the value.
      const outcome = typeof asked === 'object' && asked.unable ? { ...asked, reason: parts.scanners.redact(asked.reason) } : asked;
      if (found.explained !== undefined && found.explained.length < mostExplained) found.explained.push(explainRule(item, outcome, scope, parts.scanners, subject));
      if (typeof outcome === 'object') add(found, violationOf(item.rule, outcome));
    }
  }

  /** One kind of action: its own rules and, for a command, those for what the command does. */
  function judgeKind(kind: ActionKind, context: Context, scope: Scope, found: Findings): void {
    const command = kind === 'exec' ? context['command'] : undefined;
    if (typeof command !== 'string') return run(ofKind.get(kind) ?? [], scope, found);
    const analysis = parts.analyze(command, { cwd: startOf(context), home: parts.homeDir });
    const commands = commandsOf(analysis);
    run(ofKind.get(kind) ?? [], { ...scope, commandsIn: () => commands }, found);
    for (const action of analysis.actions) {
      const list = action.kind === 'exec' ? undefined : ofKind.get(action.kind);
      if (list === undefined || list.length === 0) continue;
      for (const meant of [action, ...filesMeant(action, context, scope)]) run(list, { ...scope, context: derivedContext(context, meant) }, found, subjectOf(meant));
    }
    for (const violation of unclearCommand(analysis.uncertain, strict)) add(found, { ...violation, reason: parts.scanners.redact(violation.reason) });
  }

  function judgeExecution(context: Context, found: Findings): string | undefined {
    const scope = newScope(context);
    const given = context['kind'];
    if (isKind(given)) {
      judgeKind(given, context, scope, found);
      return undefined;
    }
    if (given !== undefined && given !== null) return `Unknown kind ${typeof given === 'string' ? `${JSON.stringify(given.slice(0, 80))}${didYouMean(given, actionKinds)}` : 'of action'}; known: ${actionKinds.join(', ')}`;
    const kinds = kindsFromFields(context);
    if (kinds.length === 0) run(execution.map(kindless), scope, found);
    for (const kind of kinds) {
      const known = { ...context, kind };
      judgeKind(kind, known, { ...scope, context: known }, found);
    }
    return undefined;
  }

  function isKind(given: unknown): given is ActionKind {
    return ofKind.has(given);
  }

  function newScope(context: Context): Scope {
    return scopeOf(context, askedOnce(parts.probe), (command) => commandsOf(parts.analyze(command, { cwd: startOf(context), home: parts.homeDir })));
  }

  function evaluate(point: EnforcementPoint, context: Context, { explain, spent }: EvaluateOptions, started: number): PolicyDecision {
    const found: Findings = { violations: undefined, explained: explain === true ? [] : undefined };
    if (point === 'pre_execution') {
      const unknown = judgeExecution(context, found);
      if (unknown !== undefined) return finish('DENY', unknown, nothing, started);
      if (found.explained !== undefined) addOthers(execution, found.explained);
    } else run(ofPoint.get(point) ?? [], { ...newScope(context), ...(spent === undefined ? {} : { spent }) }, found);
    const explanation = found.explained === undefined ? undefined : { point, rules: found.explained };
    if (found.violations === undefined) return finish('ALLOW', 'No rule was violated', nothing, started, explanation);
    const [decision, reason] = conclude(found.violations);
    return finish(decision, reason, found.violations, started, explanation);
  }

  return {
    evaluate,
    allow: (reason, started) => finish('ALLOW', reason, nothing, started),
    refuse: (reason, started) => finish('DENY', reason, nothing, started),
  };
}

/** A rule that is violated in several ways is told once for each; a stricter one is never left out for want of room. */
function add(found: Findings, violation: Violation): void {
  const known = found.violations ??= [];
  if (known.some(({ name, reason }) => name === violation.name && reason === violation.reason)) return;
  if (known.length < mostViolations || !known.some(({ action, monitor }) => action === violation.action && monitor === violation.monitor)) known.push(violation);
}

/** The context of something that a command does: as the command's, with the fields of its own kind. */
function derivedContext(context: Context, { kind, file_path, url }: Action): Context {
  return { ...context, kind, command: undefined, file_path, url };
}

/** The files that wildcards stand for. */
function filesMeant(action: Action, context: Context, { probe }: Scope): readonly Action[] {
  if (action.file_path === undefined) return [];
  return expandedPaths(action.file_path, startOf(context), probe).map((path) => ({ ...action, file_path: path }));
}

function subjectOf({ kind, file_path, url }: Action): string {
  return `${kind} ${file_path ?? url ?? ''}`;
}

const kindOfField: readonly (readonly [string, ActionKind])[] = [
  ['command', 'exec'], ['file_path', 'fs.write'], ['url', 'net'], ['mcp_server', 'mcp'], ['mcp_tool', 'mcp'], ['agent', 'agent'],
];

/** The kinds that a context without `kind` may be of. A bare path is taken for a write, the strictest of its three. */
export function kindsFromFields(context: Context): readonly ActionKind[] {
  return [...new Set(kindOfField.flatMap(([name, kind]) => context[name] === undefined || context[name] === null ? [] : [kind]))];
}

/** Nothing says what kind of action this is: rules that depend on it cannot be evaluated. */
function kindless(item: ReadyRule): ReadyRule {
  const needsKind = item.needsKind();
  if (needsKind === undefined) return item;
  const reason = needsKind === 'kind' ? 'kind is missing' : `${needsKind} is missing, and no kind says that the action carries none`;
  return { ...item, check: () => ({ reason, unable: true }) };
}

function addOthers(all: readonly ReadyRule[], explained: ExplainedRule[]): void {
  const seen = new Set(explained.map((entry) => entry.place));
  for (const { rule } of all) {
    if (!seen.has(rule.place)) explained.push({ name: rule.name, place: rule.place, result: 'not applicable', because: `applies to ${rule.kinds.join(', ')}` });
  }
}

const decisionOf: Readonly<Record<RuleAction, Decision>> = { allow: 'ALLOW', warn: 'ALLOW', require_approval: 'REQUIRE_APPROVAL', deny: 'DENY' };

/** The strictest violation that counts decides, the first of equals. */
export function conclude(violations: readonly Violation[]): [Decision, string] {
  let worst: Violation | undefined;
  for (const violation of violations) {
    if (violation.monitor !== true && (worst === undefined || strictness[violation.action] > strictness[worst.action])) worst = violation;
  }
  if (worst === undefined) return ['ALLOW', violations.length === 0 ? 'No rule was violated' : `Only watched rules were violated: ${violations.map(({ name }) => name).join(', ')}`];
  const others = violations.filter((violation) => violation !== worst && violation.monitor !== true).length;
  return [decisionOf[worst.action], others === 0 ? worst.reason : `${worst.reason} (and ${others} more)`];
}
