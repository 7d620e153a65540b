/**
 * What is suspicious about rules that are well formed: those that can never decide because a stricter one always does, whose
 * conditions can never hold or never fail, that say what another says. Only what is certain is told, for contexts whose
 * fields have their types; where a missing field would still make a difference, that is told too.
 */
import { globCovers, globShape, mostSteps, type Effort, type GlobShape } from '../../base/glob-cover.ts';
import { each, type Condition } from '../expression.ts';
import type { Layer, PolicyFile, Rule } from '../rules.ts';
import { all, applicationOf, formulaOf, kindFact, violationOf, type Formula } from './formula.ts';
import { alwaysHolds, impossibility, known, newEffort, type Known } from './imply.ts';
import { needsOf, specialNeeds } from './needs.ts';
import { strictness } from '../../base/action.ts';

/** What is found: a `note` is nothing to correct. */
export interface LintFinding {
  readonly kind: 'shadowed' | 'no effect' | 'duplicate' | 'redundant' | 'unreachable' | 'always violated' | 'pattern' | 'test' | 'watched' | 'unfinished';
  readonly severity: 'warning' | 'note';
  readonly rule: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `file:line:column` of the rule that it is about as well. */
  readonly other?: string;
}

/** A rule as it is reasoned about. */
interface Reading {
  readonly rule: Rule;
  readonly violation: Formula;
  readonly cases: Known;
  /** What is left of the work for all rules. */
  readonly effort: Effort;
  /** Fields of which something must be known for the violation to follow from it, and those of which its cases say something. */
  readonly decisive: readonly string[];
  readonly said: ReadonlySet<string>;
  /** What must be there for the rule to be evaluated at all. */
  readonly whenNeeds: readonly string[];
  readonly thenNeeds: readonly string[];
}

/** Rules are compared with so many others, the strongest layers first: the work grows with the square. */
const mostCompared = 1000;

/** Every finding about the rules and tests of all files, sorted by place within each file. */
export function lintPolicy(files: readonly PolicyFile[]): readonly LintFinding[] {
  const effort = newEffort();
  const readings = files.flatMap((file) => file.rules).map((rule) => readingOf(rule, effort));
  const pointless = new Map<Rule, LintFinding>();
  const strongest = readings.slice(0, mostCompared);
  const found = readings.flatMap((reading, at): readonly LintFinding[] => {
    const one = conditionFinding(reading) ?? dominated(reading, at, strongest, pointless);
    if (one !== undefined) pointless.set(reading.rule, one);
    return [...(one === undefined ? [] : [one]), ...patternFindings(reading), ...watched(reading.rule)];
  });
  const order = new Map(files.map(({ filename }, at) => [filename, at]));
  return [...found, ...files.flatMap(testFindings), ...unfinished(effort, files, readings.length)].sort((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column);
}

function readingOf(rule: Rule, effort: Effort): Reading {
  const violation = violationOf(rule);
  const cases = known(violation, effort);
  const said = new Set(cases?.flatMap(({ facts }) => facts.map(({ field }) => field)));
  return { rule, violation, cases, effort, decisive: decisiveFields(violation), said, whenNeeds: needsOf(rule.when?.tree), thenNeeds: [...needsOf(rule.rule?.tree), ...specialNeeds(rule)] };
}

function decisiveFields(formula: Formula): readonly string[] {
  if (formula.is === 'fact') return [formula.field];
  return formula.is === 'all' ? formula.parts.flatMap(decisiveFields) : [];
}

function finding(kind: LintFinding['kind'], rule: Rule, message: string, other?: Rule): LintFinding {
  return {
    kind, severity: kind === 'watched' ? 'note' : 'warning', rule: rule.name, message,
    file: rule.place.replace(/:\d+:\d+$/, ''), line: rule.line, column: rule.column, ...(other === undefined ? {} : { other: other.place }),
  };
}

/** A condition that can never hold, or a rule that nothing can satisfy. */
function conditionFinding({ rule, violation, effort, whenNeeds, thenNeeds }: Reading): LintFinding | undefined {
  const needed = [...new Set([...whenNeeds, ...thenNeeds])];
  const still = needed.length === 0 ? '' : `; it only denies where ${orList(needed)} is missing`;
  if (rule.when !== undefined) {
    const field = impossibility(applicationOf(rule), effort);
    if (field !== undefined) return finding('unreachable', rule, `"${rule.name}" can never apply: what its "when" asks of ${field} cannot all hold${still}`);
  }
  const field = impossibility(violation, effort);
  if (field !== undefined) return finding('unreachable', rule, `"${rule.name}" can never be violated: its "rule" holds${rule.when === undefined ? '' : ' wherever its "when" does'}, whatever ${field} is${still}`);
  if (rule.rule === undefined) return undefined;
  const contradiction = impossibility(all([...kindFact(rule), formulaOf(rule.rule.tree, true)]), effort);
  return contradiction === undefined ? undefined : finding('always violated', rule, `"${rule.name}" is violated wherever it applies: what its "rule" asks of ${contradiction} cannot all hold`);
}

/** The first of the `others` beside which a rule makes no difference; `at` is its own place among all. */
function dominated(weak: Reading, at: number, others: readonly Reading[], pointless: ReadonlyMap<Rule, LintFinding>): LintFinding | undefined {
  for (const [index, strong] of others.entries()) {
    if (weak.effort.left < 0) return undefined;
    if (index === at || pointless.has(strong.rule) || !mayDominate(strong.rule, weak.rule)) continue;
    if (!strong.decisive.every((field) => weak.said.has(field)) || !alwaysHolds(weak.cases, strong.violation)) continue;
    const same = alwaysHolds(strong.cases, weak.violation);
    const stricter = strictness[strong.rule.action] > strictness[weak.rule.action];
    // Of two that say the same, the later one is the one too many.
    if (same && !stricter && index > at) continue;
    return dominance(weak, strong, same, stricter);
  }
  return undefined;
}

const layers: readonly Layer[] = ['organisation', 'managed', 'user', 'project'];

/** A watched rule decides nothing, and a rule that only records is there to record. */
function mayDominate(strong: Rule, weak: Rule): boolean {
  return strong.point === weak.point && !strong.monitor && !weak.monitor && weak.action !== 'allow'
    && strictness[strong.action] >= strictness[weak.action] && layers.indexOf(strong.layer) <= layers.indexOf(weak.layer);
}

function dominance(weak: Reading, strong: Reading, same: boolean, stricter: boolean): LintFinding {
  const [rule, other] = [weak.rule, strong.rule];
  const missing = stillDeciding(weak, strong);
  const still = missing.length === 0 ? '' : `; it may still deny where ${orList(missing)} is missing`;
  const names = `"${other.name}" (${other.place})`;
  const whenever = same ? 'is violated exactly when it is' : 'is violated whenever it is';
  if (other.layer !== rule.layer) return finding('no effect', rule, `"${rule.name}" has no effect: ${names} of the ${other.layer} policy ${whenever}, and is ${stricter ? 'stricter' : 'as strict'}${still}`, other);
  if (stricter) return finding('shadowed', rule, `"${rule.name}" never decides: ${names} ${whenever}, and is stricter${still}`, other);
  if (same) return finding('duplicate', rule, `"${rule.name}" adds nothing: ${names} says the same${still}`, other);
  return finding('redundant', rule, `"${rule.name}" adds nothing: ${names} ${whenever}, and does the same${still}`, other);
}

/** Fields without which the weaker rule denies, and the stronger one is not certain to. */
function stillDeciding(weak: Reading, strong: Reading): readonly string[] {
  const lacking = (needs: readonly string[], where: Formula): readonly string[] => {
    const cases = known(where, weak.effort);
    if (strong.rule.action === 'deny' && alwaysHolds(cases, strong.violation)) return [];
    const applies = alwaysHolds(cases, applicationOf(strong.rule));
    return needs.filter((name) => !strong.whenNeeds.includes(name) && !(applies && strong.thenNeeds.includes(name)));
  };
  // Whether a rule applies is not known where its "when" lacks something; where its "rule" does, it is.
  return [...new Set([...lacking(weak.whenNeeds, all(kindFact(weak.rule))), ...lacking(weak.thenNeeds, applicationOf(weak.rule))])];
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}

/** Patterns of one list that another one of it covers. */
function patternFindings({ rule, effort }: Reading): readonly LintFinding[] {
  return [rule.when, rule.rule].flatMap((part) => part === undefined ? [] : listsIn(part.tree)).flatMap(({ field, patterns }) => patterns.flatMap((shape, at) => {
    const cover = patterns.find((other, index) => index !== at && globCovers(other, shape, effort) && (index < at || !globCovers(shape, other, effort)));
    return cover === undefined ? [] : [finding('pattern', rule, `"${rule.name}": the ${field} pattern ${JSON.stringify(shape.pattern)} adds nothing beside ${JSON.stringify(cover.pattern)}`)];
  }));
}

interface PatternList { readonly field: string; readonly patterns: readonly GlobShape[] }

function listsIn(tree: Condition): readonly PatternList[] {
  if (tree.is === 'and' || tree.is === 'or') return [...listsIn(tree.left), ...listsIn(tree.right)];
  if (tree.is === 'not') return listsIn(tree.inner);
  if (tree.is !== 'matches' || tree.left.is !== 'field') return [];
  const patterns = each(tree.right).flatMap((item) => item.is === 'literal' ? [String(item.value)] : []);
  const isPath = tree.left.field.type === 'path';
  // Patterns seen from the project and from the root are not compared; nor URLs, which a rule permits by other patterns.
  if (tree.left.field.name === 'url' || (isPath && !patterns.every((pattern) => pattern.startsWith('/') || pattern.startsWith('**/')))) return [];
  return [{ field: tree.left.field.name, patterns: patterns.map((pattern) => globShape(pattern, isPath ? 'path' : 'text')) }];
}

function watched(rule: Rule): readonly LintFinding[] {
  return rule.monitor ? [finding('watched', rule, `"${rule.name}" is only watched (mode: monitor); loki policy simulate shows what enforcing it would change`)] : [];
}

/** That not everything was compared, where it was not. */
function unfinished(effort: Effort, files: readonly PolicyFile[], rules: number): readonly LintFinding[] {
  const [first] = files;
  if (first === undefined || (effort.left > mostSteps && rules <= mostCompared)) return [];
  return [{ kind: 'unfinished', severity: 'note', rule: '', message: 'the rules are too many, or their patterns too long, to compare each with every other one', file: first.filename, line: 1, column: 1 }];
}

/** A test of a built-in rule can only fail: they take no part in what policies say. */
function testFindings(file: PolicyFile): readonly LintFinding[] {
  return file.tests.flatMap(({ name, by, line, column }): readonly LintFinding[] => by?.startsWith('builtin:') !== true ? []
    : [{ kind: 'test', severity: 'warning', rule: by, message: `the test "${name}" waits for "${by}", and built-in rules take no part in the tests of a policy`, file: file.filename, line, column }]);
}
