/**
 * A rule made ready to be asked: its conditions compiled, what is special to its kind of rule beside them. Asking gives
 * whether it applies, holds or is broken, and for a broken one why: in words and as the comparisons that decided.
 */
import { sureness } from '../base/action.ts';
import type { Comparison, ExplainedCondition, ExplainedRule, Finding, RuleAction, Violation } from '../base/action.ts';
import { CannotEvaluate } from './boundary.ts';
import { checkBudget } from './budget.ts';
import { compileCondition, lacking, neededFields } from './compile.ts';
import type { Compiled } from './compile.ts';
import { conditionInWords, decisiveComparisons, explainCondition } from './explain.ts';
import type { Context } from './fields.ts';
import type { Reading, Scope } from './readings.ts';
import type { DataRule, Expression, Rule } from './rules.ts';
import type { Scanners } from './scanners.ts';

/** Content beyond this is not searched, and a rule that would have to search it denies. */
export const longestContent: number = 8 * 1024 * 1024;

export type Outcome = 'held' | 'not applicable' | Broken;

/** Why a rule is violated; `unable` when it could not be evaluated, which denies. */
export interface Broken {
  readonly reason: string;
  readonly unable: boolean;
  /** What the rule does this time, where that is not its own action. */
  readonly action?: RuleAction;
  readonly findings?: readonly Finding[];
  readonly compared?: readonly Comparison[];
}

export interface ReadyRule {
  readonly rule: Rule;
  /** Names a field that only some kinds carry, or `kind` itself. */
  readonly needsKind: () => string | undefined;
  readonly check: (scope: Scope) => Outcome;
}

/** Compiles a rule. */
export function readyRule(rule: Rule, scanners: Scanners): ReadyRule {
  // Compiled when it is first asked: a hook lives for one action, which most rules do not meet.
  let check: ReadyRule['check'] | undefined;
  return { rule, needsKind: () => needsKind(rule), check: (scope) => (check ??= compiled(rule, scanners))(scope) };
}

function needsKind(rule: Rule): string | undefined {
  const fields = [rule.when, rule.rule].flatMap((part) => part === undefined ? [] : neededFields(part.tree));
  return fields.find((field) => field.kinds !== undefined)?.name ?? fields.find((field) => field.name === 'kind')?.name;
}

function compiled(rule: Rule, scanners: Scanners): ReadyRule['check'] {
  const when = rule.when === undefined ? undefined : compileCondition(rule.when.tree, rule.when.text, 'any');
  const must = rule.rule === undefined ? undefined : compileCondition(rule.rule.tree, rule.rule.text, 'all');
  return checkOf(rule, when, must, scanners);
}

/** First whether the rule applies, then its condition, then what is special to its kind. */
function checkOf(rule: Rule, when: Compiled | undefined, must: Compiled | undefined, scanners: Scanners): (scope: Scope) => Outcome {
  const special = specialOf(rule, scanners);
  return (scope) => {
    if (when !== undefined) {
      const lack = when.first.length === 0 ? undefined : lacking(when.first, scope.context);
      if (lack !== undefined) return { reason: lack, unable: true };
      if (!when.test(scope)) return 'not applicable';
    }
    if (must !== undefined) {
      const lack = must.first.length === 0 ? undefined : lacking(must.first, scope.context);
      if (lack !== undefined) return { reason: lack, unable: true };
      if (!must.test(scope)) return brokenBy(rule.rule, must, 'all', scope, scanners);
    }
    if (special !== undefined) return special(scope);
    if (must !== undefined || when === undefined) return 'held';
    return brokenBy(rule.when, when, 'any', scope, scanners);
  };
}

/** Only here, where a rule is broken, is it worked out what was compared with what. */
function brokenBy(expression: Expression | undefined, { text, fields }: Compiled, reading: Reading, scope: Scope, { redact }: Scanners): Broken {
  if (expression === undefined) return { reason: text, unable: false };
  const explained = explainCondition(expression.tree, reading, scope, redact);
  return { reason: conditionInWords(text, explained, fields, scope, redact), unable: false, compared: decisiveComparisons(explained) };
}

function specialOf(rule: Rule, scanners: Scanners): ((scope: Scope) => Outcome) | undefined {
  switch (rule.is) {
    case 'condition': return undefined;
    case 'gates': return ({ context }) => checkGates(rule.gates, context);
    case 'budget': return ({ context, spent }) => checkBudget(rule, context, spent);
    case 'data': return ({ context }) => checkContent(rule, context, scanners);
  }
}

function checkGates(gates: readonly string[], context: Context): Outcome {
  const passed = context['passed_gates'];
  if (!Array.isArray(passed)) return { reason: `passed_gates is ${passed === undefined ? 'missing' : 'not a list'}`, unable: true };
  const open = gates.filter((gate) => !passed.includes(gate));
  if (open.length === 0) return 'held';
  return { reason: `not passed: ${open.join(', ')}`, unable: false, compared: open.slice(0, 20).map((gate) => ({ field: 'passed_gates', operator: 'contains', value: passed.filter((item) => typeof item === 'string').slice(0, 20), with: gate, holds: false })) };
}

function scanned({ type }: DataRule, content: string, scanners: Scanners): readonly Finding[] {
  if (type === undefined) return [];
  return type === 'secret_detection' ? scanners.secrets(content) : scanners.pii(content).map(withheld);
}

/** There are too few numbers of any kind for a hash of one to hide it, and decisions are kept. */
function withheld(finding: Finding): Finding {
  return { ...finding, fingerprint: 'withheld' };
}

function checkContent(rule: DataRule, context: Context, scanners: Scanners): Outcome {
  const content = context['content'];
  if (typeof content !== 'string') return { reason: content === undefined ? 'content is missing' : 'content is not a string', unable: true };
  if (content.length > longestContent) return { reason: `content is longer than ${longestContent} characters`, unable: true };
  const builtIn = scanned(rule, content, scanners).filter(({ confidence }) => sureness[confidence] >= sureness[rule.minConfidence]);
  const findings = rule.patterns.length === 0 ? builtIn : [...builtIn, ...scanners.patterns(content, rule.patterns, rule.name)];
  const [first] = findings;
  if (first === undefined) return 'held';
  const more = findings.length === 1 ? '' : ` (and ${findings.length - 1} more)`;
  return { reason: `${first.rule} at line ${first.line}, column ${first.column}${more}`, unable: false, findings };
}


/** What a rule that is broken means for the action. */
export function violationOf(rule: Rule, broken: Broken): Violation {
  const lead = `Rule ${JSON.stringify(rule.name)} (${rule.place})`;
  return {
    name: rule.name, action: broken.unable ? 'deny' : broken.action ?? rule.action, place: rule.place,
    reason: broken.unable ? `${lead} cannot be evaluated: ${broken.reason}` : `${lead}: ${broken.reason}`,
    ...(broken.findings === undefined ? {} : { findings: broken.findings }),
    ...(broken.compared === undefined ? {} : { compared: broken.compared }),
    ...(rule.monitor ? { monitor: true as const } : {}),
  };
}

/** A rule that throws denies. */
export function askSafely({ check }: ReadyRule, scope: Scope): Outcome {
  try {
    return check(scope);
  } catch (error) {
    return { reason: error instanceof CannotEvaluate ? error.message : 'an unexpected failure', unable: true };
  }
}

/** What a rule made of a context, with its conditions as trees. */
export function explainRule({ rule }: ReadyRule, outcome: Outcome, scope: Scope, { redact }: Scanners, subject: string | undefined): ExplainedRule {
  const when = rule.when === undefined ? undefined : explainCondition(rule.when.tree, 'any', scope, redact);
  const must = rule.rule === undefined || outcome === 'not applicable' ? undefined : explainCondition(rule.rule.tree, 'all', scope, redact);
  return {
    name: rule.name, place: rule.place, result: resultOf(outcome), because: becauseOf(rule, outcome, when, must, scope, redact),
    ...(subject === undefined ? {} : { subject: redact(subject) }), ...(when === undefined ? {} : { when }), ...(must === undefined ? {} : { rule: must }),
  };
}

function resultOf(outcome: Outcome): ExplainedRule['result'] {
  return typeof outcome !== 'object' ? outcome : outcome.unable ? 'could not be evaluated' : 'violated';
}

function becauseOf(rule: Rule, outcome: Outcome, when: ExplainedCondition | undefined, must: ExplainedCondition | undefined, scope: Scope, redact: Scanners['redact']): string {
  if (typeof outcome === 'object') return outcome.reason;
  const [expression, explained] = outcome === 'held' && must !== undefined ? [rule.rule, must] : [rule.when, when];
  if (expression === undefined || explained === undefined) return outcome === 'held' ? 'what it checks is in order' : 'it does not cover this provider';
  return conditionInWords(expression.text, explained, compileCondition(expression.tree, expression.text, 'any').fields, scope, redact);
}
