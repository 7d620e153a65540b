/**
 * The judge of one context at one enforcement point. Rules are sorted by kind of action beforehand; a rule that cannot be
 * evaluated denies; deny beats approval beats warning beats permission. Values appear in reasons redacted and shortened,
 * content never.
 */
import { sha256Hex } from '../base/digest.ts';
import { actionKinds } from '../base/action.ts';
import type { ActionKind, Decision, EnforcementPoint, ExplainedRule, Finding, PolicyDecision, RuleAction, Violation } from '../base/action.ts';
import { didYouMean } from '../base/suggest.ts';
import { askedOnce, type PathProbe } from '../base/paths.ts';
import type { Problem } from '../errors.ts';
import { CannotEvaluate } from './boundary.ts';
import { budgetCovers } from './budget.ts';
import { compileCondition, lacking, neededFields } from './compile.ts';
import type { Compiled } from './compile.ts';
import { enforcementPoints, isEnforcementPoint } from './fields.ts';
import type { Context } from './fields.ts';
import type { Scope } from './readings.ts';
import type { ApprovalGate, DataRule, Layer, PolicyFile, Rule, UserPattern } from './rules.ts';
import { kindsOf } from './shape.ts';

/** What finds secrets and personal data. Handed in, so that it is loaded only where content is judged. */
export interface Scanners {
  secrets(text: string): readonly Finding[];
  pii(text: string): readonly Finding[];
  patterns(text: string, patterns: readonly UserPattern[], rule: string): readonly Finding[];
  /** The text with every secret in it replaced. */
  redact(text: string): string;
}

export interface PolicyParts {
  readonly probe: PathProbe;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  readonly scanners: Scanners;
  /** The simple commands in a command line. */
  readonly commandsIn: (command: string) => readonly string[];
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

export interface Policy {
  readonly files: readonly PolicyFile[];
  readonly problems: readonly Problem[];
  /** SHA-256 (hex) of the one file, or of the digests of all. */
  readonly digest: string;
  readonly rules: readonly Rule[];
  evaluate(point: string, context: Context, options?: { readonly explain?: boolean }): PolicyDecision;
  /** The gates that a phase must pass, strictest layer first come first. */
  approvalGates(phase: string): readonly ApprovalGate[];
  /** The first gate of a phase, or undefined when it needs no approval. */
  approvalGate(phase: string): ApprovalGate | undefined;
}

/** Content beyond this is not searched, and a rule that would have to search it denies. */
export const longestContent: number = 8 * 1024 * 1024;

type Outcome = 'held' | 'not applicable' | Broken;
interface Broken { readonly reason: string; readonly unable: boolean; readonly findings?: readonly Finding[] }

interface Ready {
  readonly rule: Rule;
  readonly kinds: readonly ActionKind[];
  /** Names a field that only some kinds carry, or `kind` itself. */
  readonly needsKind: string | undefined;
  readonly check: (scope: Scope) => Outcome;
}

const nothing: readonly Violation[] = Object.freeze([]);

/** One policy of all the files that apply, each in its own layer. No file at all allows everything; a broken one denies. */
export function createPolicy(files: readonly PolicyFile[], parts: PolicyParts): Policy {
  const rules = files.flatMap((file) => file.rules);
  const problems = files.flatMap((file) => file.problems);
  const gates = files.flatMap((file) => file.approvalGates);
  const digest = files.length === 1 ? files[0]?.digest ?? '' : sha256Hex(files.map((file) => file.digest).join('\n'));
  const judge = createRuleJudge(rules, parts, digest);
  return {
    files, problems, digest, rules,
    evaluate(point, context, options = {}) {
      const started = parts.monotonic();
      if (!isEnforcementPoint(point)) return judge.refuse(`Unknown enforcement point ${JSON.stringify(point.slice(0, 80))}${didYouMean(point, enforcementPoints)}`, started);
      const [problem] = problems;
      if (problem !== undefined) return judge.refuse(`${placed(problem)}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''}. The policy cannot be used until it is corrected: loki policy check`, started);
      if (files.length === 0) return judge.allow('No policies configured', started);
      return judge.evaluate(point, context, options.explain === true, started);
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
  evaluate(point: EnforcementPoint, context: Context, explain: boolean, started: number): PolicyDecision;
}

function createRuleJudge(rules: readonly Rule[], parts: PolicyParts, digest: string): RuleJudge {
  const ready = rules.map((rule) => prepare(rule, parts));
  const ofPoint = new Map(enforcementPoints.map((point) => [point, ready.filter(({ rule }) => rule.point === point)]));
  const execution = ofPoint.get('pre_execution') ?? [];
  const ofKind: ReadonlyMap<unknown, readonly Ready[]> = new Map(actionKinds.map((kind) => [kind, execution.filter(({ kinds }) => kinds.includes(kind))]));
  const commandsIn = remembered(parts.commandsIn);

  function finish(decision: Decision, reason: string, violations: readonly Violation[], started: number, explain?: PolicyDecision['explain']): PolicyDecision {
    const base = {
      decision, allowed: decision === 'ALLOW', requiresApproval: decision === 'REQUIRE_APPROVAL', reason, violations,
      policy_digest: digest, duration_us: Math.round((parts.monotonic() - started) * 1000),
    };
    return explain === undefined ? base : { ...base, explain };
  }

  function run(list: readonly Ready[], context: Context, into: Violation[] | undefined, explained: ExplainedRule[] | undefined): Violation[] | undefined {
    const scope: Scope = { context, probe: askedOnce(parts.probe), commandsIn };
    let violations = into;
    for (const item of list) {
      const outcome = safely(item, scope);
      if (explained !== undefined) explained.push(explainRule(item, outcome, context, parts.scanners));
      if (typeof outcome === 'object') {
        violations ??= [];
        if (!violations.some((known) => known.name === item.rule.name && known.place === item.rule.place)) violations.push(violationOf(item.rule, outcome));
      }
    }
    return violations;
  }

  function evaluate(point: EnforcementPoint, context: Context, explain: boolean, started: number): PolicyDecision {
    const explained: ExplainedRule[] | undefined = explain ? [] : undefined;
    let violations: Violation[] | undefined;
    if (point !== 'pre_execution') violations = run(ofPoint.get(point) ?? [], context, undefined, explained);
    else {
      const given = context['kind'];
      const list = ofKind.get(given);
      if (list !== undefined) violations = run(list, context, undefined, explained);
      else if (given !== undefined && given !== null) {
        return finish('DENY', `Unknown kind ${typeof given === 'string' ? `${JSON.stringify(given.slice(0, 80))}${didYouMean(given, actionKinds)}` : 'of action'}; known: ${actionKinds.join(', ')}`, nothing, started);
      } else {
        const kinds = kindsFromFields(context);
        if (kinds.length === 0) violations = run(execution.map(kindless), context, undefined, explained);
        for (const kind of kinds) violations = run(ofKind.get(kind) ?? [], { ...context, kind }, violations, explained);
      }
      if (explained !== undefined) addOthers(execution, explained);
    }
    const explanation = explained === undefined ? undefined : { point, rules: explained };
    if (violations === undefined) return finish('ALLOW', 'No rule was violated', nothing, started, explanation);
    const [decision, reason] = conclude(violations);
    return finish(decision, reason, violations, started, explanation);
  }

  return {
    evaluate,
    allow: (reason, started) => finish('ALLOW', reason, nothing, started),
    refuse: (reason, started) => finish('DENY', reason, nothing, started),
  };
}

/** Several rules on one command share its analysis. */
function remembered(commandsIn: (command: string) => readonly string[]): (command: string) => readonly string[] {
  let last: string | undefined;
  let answer: readonly string[] = [];
  return (command) => {
    if (command !== last) [answer, last] = [commandsIn(command), command];
    return answer;
  };
}

const kindOfField: readonly (readonly [string, ActionKind])[] = [
  ['command', 'exec'], ['file_path', 'fs.write'], ['url', 'net'], ['mcp_server', 'mcp'], ['mcp_tool', 'mcp'], ['agent', 'agent'],
];

/** The kinds that a context without `kind` may be of. A bare path is taken for a write, the strictest of its three. */
export function kindsFromFields(context: Context): readonly ActionKind[] {
  return [...new Set(kindOfField.flatMap(([name, kind]) => context[name] === undefined || context[name] === null ? [] : [kind]))];
}

/** Nothing says what kind of action this is: rules that depend on it cannot be evaluated. */
function kindless(item: Ready): Ready {
  const { needsKind } = item;
  if (needsKind === undefined) return item;
  const reason = needsKind === 'kind' ? 'kind is missing' : `${needsKind} is missing, and no kind says that the action carries none`;
  return { ...item, check: () => ({ reason, unable: true }) };
}

function addOthers(all: readonly Ready[], explained: ExplainedRule[]): void {
  const seen = new Set(explained.map((entry) => entry.place));
  for (const { rule, kinds } of all) {
    if (!seen.has(rule.place)) explained.push({ name: rule.name, place: rule.place, result: 'not applicable', because: `applies to ${kinds.join(', ')}` });
  }
}

function safely(item: Ready, scope: Scope): Outcome {
  try {
    return item.check(scope);
  } catch (error) {
    return { reason: error instanceof CannotEvaluate ? error.message : 'an unexpected failure', unable: true };
  }
}

const quoted = (text: string): string => JSON.stringify(text);

/** An expression in a sentence, on one line; in backquotes where it has quotation marks of its own. */
function spelledOut(expression: string): string {
  const line = expression.replace(/\s+/g, ' ').trim();
  return line.includes('"') ? `\`${line}\`` : `"${line}"`;
}

function violationOf(rule: Rule, broken: Broken): Violation {
  const lead = `Rule ${quoted(rule.name)} (${rule.place})`;
  return {
    name: rule.name, action: broken.unable ? 'deny' : rule.action, place: rule.place,
    reason: broken.unable ? `${lead} cannot be evaluated: ${broken.reason}` : `${lead}: ${broken.reason}`,
    ...(broken.findings === undefined ? {} : { findings: broken.findings }), ...(rule.monitor ? { monitor: true as const } : {}),
  };
}

const actionRank: Readonly<Record<RuleAction, number>> = { allow: 0, warn: 1, require_approval: 2, deny: 3 };
const decisionOf: Readonly<Record<RuleAction, Decision>> = { allow: 'ALLOW', warn: 'ALLOW', require_approval: 'REQUIRE_APPROVAL', deny: 'DENY' };

/** The strictest violation that counts decides, the first of equals. */
export function conclude(violations: readonly Violation[]): [Decision, string] {
  let worst: Violation | undefined;
  for (const violation of violations) {
    if (violation.monitor !== true && (worst === undefined || actionRank[violation.action] > actionRank[worst.action])) worst = violation;
  }
  if (worst === undefined) return ['ALLOW', violations.length === 0 ? 'No rule was violated' : `Only watched rules were violated: ${violations.map(({ name }) => name).join(', ')}`];
  const others = violations.filter((violation) => violation !== worst && violation.monitor !== true).length;
  return [decisionOf[worst.action], others === 0 ? worst.reason : `${worst.reason} (and ${others} more)`];
}

function prepare(rule: Rule, parts: PolicyParts): Ready {
  const fields = [rule.when, rule.rule].flatMap((part) => part === undefined ? [] : neededFields(part.tree));
  const needsKind = fields.find((field) => field.kinds !== undefined)?.name ?? fields.find((field) => field.name === 'kind')?.name;
  const kinds = rule.point === 'pre_execution' ? kindsOf(rule.when, rule.rule) : [];
  // Compiled when it is first asked: a hook lives for one action, which most rules do not meet.
  let check: Ready['check'] | undefined;
  return { rule, kinds, needsKind, check: (scope) => (check ??= compiled(rule, parts))(scope) };
}

function compiled(rule: Rule, parts: PolicyParts): Ready['check'] {
  const when = rule.when === undefined ? undefined : compileCondition(rule.when.tree, rule.when.text, 'any');
  const must = rule.rule === undefined ? undefined : compileCondition(rule.rule.tree, rule.rule.text, 'all');
  return checkOf(rule, when, must, parts);
}

/** First whether the rule applies, then its condition, then what is special to its kind. */
function checkOf(rule: Rule, when: Compiled | undefined, must: Compiled | undefined, parts: PolicyParts): (scope: Scope) => Outcome {
  const special = specialOf(rule, parts.scanners);
  return (scope) => {
    if (when !== undefined) {
      const lack = when.first.length === 0 ? undefined : lacking(when.first, scope.context);
      if (lack !== undefined) return { reason: lack, unable: true };
      if (!when.test(scope)) return 'not applicable';
    }
    if (must !== undefined) {
      const lack = must.first.length === 0 ? undefined : lacking(must.first, scope.context);
      if (lack !== undefined) return { reason: lack, unable: true };
      if (!must.test(scope)) return { reason: `${spelledOut(must.text)} does not hold; ${compared(must, scope.context, parts.scanners)}`, unable: false };
    }
    if (special !== undefined) return special(scope.context);
    if (must !== undefined || when === undefined) return 'held';
    return { reason: `${spelledOut(when.text)} holds; ${compared(when, scope.context, parts.scanners)}`, unable: false };
  };
}

function specialOf(rule: Rule, scanners: Scanners): ((context: Context) => Outcome) | undefined {
  switch (rule.is) {
    case 'condition': return undefined;
    case 'gates': return (context) => checkGates(rule.gates, context);
    case 'budget': return (context) => {
      const { provider, tokens_consumed: tokens } = { provider: context['provider'], tokens_consumed: context['tokens_consumed'] };
      if (rule.providers !== undefined && typeof provider !== 'string') return { reason: 'provider is missing', unable: true };
      if (typeof provider === 'string' && !budgetCovers(rule, provider)) return 'not applicable';
      if (typeof tokens !== 'number' || !Number.isFinite(tokens) || tokens < 0) return { reason: tokens === undefined ? 'tokens_consumed is missing' : 'tokens_consumed is not a count', unable: true };
      return tokens <= rule.maxTokens ? 'held' : { reason: `${tokens} tokens consumed of ${rule.maxTokens}`, unable: false };
    };
    case 'data': return (context) => checkContent(rule, context, scanners);
  }
}

function checkGates(gates: readonly string[], context: Context): Outcome {
  const passed: unknown = context['passed_gates'];
  if (!Array.isArray(passed)) return { reason: `passed_gates is ${passed === undefined ? 'missing' : 'not a list'}`, unable: true };
  const open = gates.filter((gate) => !passed.includes(gate));
  return open.length === 0 ? 'held' : { reason: `not passed: ${open.join(', ')}`, unable: false };
}

function checkContent(rule: DataRule, context: Context, scanners: Scanners): Outcome {
  const content = context['content'];
  if (typeof content !== 'string') return { reason: content === undefined ? 'content is missing' : 'content is not a string', unable: true };
  if (content.length > longestContent) return { reason: `content is longer than ${longestContent} characters`, unable: true };
  const builtIn = rule.type === undefined ? [] : rule.type === 'secret_detection' ? scanners.secrets(content) : scanners.pii(content);
  const findings = rule.patterns.length === 0 ? builtIn : [...builtIn, ...scanners.patterns(content, rule.patterns, rule.name)];
  const [first] = findings;
  if (first === undefined) return 'held';
  const more = findings.length === 1 ? '' : ` (and ${findings.length - 1} more)`;
  return { reason: `${first.rule} at line ${first.line}, column ${first.column}${more}`, unable: false, findings };
}

/** Values longer than this are cut in reasons. */
const longestShown = 160;

/** The fields of a condition with the values they have, for a reason. */
function compared(condition: Compiled, context: Context, scanners: Scanners): string {
  return condition.fields.map(({ name }) => `${name} is ${shown(name, context[name], scanners)}`).join(', ') || 'it compares constants';
}

function shown(name: string, value: unknown, scanners: Scanners): string {
  if (value === undefined || value === null) return 'missing';
  if (name === 'content') return 'not shown';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, 20).map((item) => shown(name, item, scanners)).join(', ')}${value.length > 20 ? ', …' : ''}]`;
  if (typeof value !== 'string') return `a ${typeof value}`;
  const clean = scanners.redact(value.slice(0, 4096));
  return quoted(clean.length > longestShown ? `${clean.slice(0, longestShown)}…` : clean);
}

function explainRule(item: Ready, outcome: Outcome, context: Context, scanners: Scanners): ExplainedRule {
  const { name, place, when, rule } = item.rule;
  if (typeof outcome === 'object') return { name, place, result: outcome.unable ? 'could not be evaluated' : 'violated', because: outcome.reason };
  const part = outcome === 'held' ? rule ?? when : when;
  if (part === undefined) return { name, place, result: outcome, because: outcome === 'held' ? 'what it checks is in order' : 'it does not cover this provider' };
  const condition = compileCondition(part.tree, part.text, 'any');
  return { name, place, result: outcome, because: `${spelledOut(part.text)} ${outcome === 'held' ? 'holds' : 'does not hold'}; ${compared(condition, context, scanners)}` };
}
