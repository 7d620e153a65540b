/**
 * Conditions as facts joined by `all` and `any`, negation pushed down to the facts, and the cases in which such a formula
 * holds. A formula with more cases than are looked at has none here, and nothing is concluded about it.
 */
import { actionKinds } from '../../base/action.ts';
import { globShape } from '../../base/glob-cover.ts';
import type { GlobKind } from '../../base/glob.ts';
import { each, spelled, type Comparison, type Condition, type Operand } from '../expression.ts';
import type { Rule } from '../rules.ts';
import { everyNumber, type Fact, type Range, type Saying } from './fact.ts';

export type Formula = Fact | { readonly is: 'all' | 'any'; readonly parts: readonly Formula[] };

const mostCases = 64;
const mostFacts = 4096;

/** When a rule is violated, fields that are missing left aside. */
export function violationOf(rule: Rule): Formula {
  const when = rule.when === undefined ? [] : [formulaOf(rule.when.tree, true)];
  const broken = rule.rule === undefined ? [] : [formulaOf(rule.rule.tree, false)];
  const special: readonly Formula[] = rule.is === 'condition' ? [] : [{ is: 'fact', field: `(${rule.is})`, positive: true, saying: { is: 'special', rule } }];
  const either = [...broken, ...special];
  return all([...kindFact(rule), ...when, ...(either.length === 0 ? [] : [any(either)])]);
}

/** When a rule applies: its kinds of action and its `when`. */
export function applicationOf(rule: Rule): Formula {
  return all([...kindFact(rule), ...(rule.when === undefined ? [] : [formulaOf(rule.when.tree, true)])]);
}

/** That the action is of a kind that the rule applies to. */
export function kindFact(rule: Rule): readonly Formula[] {
  if (rule.point !== 'pre_execution') return [];
  return rule.kinds.length === actionKinds.length ? [] : [fact('kind', true, { is: 'one of', values: new Set<string>(rule.kinds) })];
}

export function all(parts: readonly Formula[]): Formula {
  return { is: 'all', parts };
}

function any(parts: readonly Formula[]): Formula {
  return { is: 'any', parts };
}

function fact(field: string, positive: boolean, saying: Saying): Fact {
  return { is: 'fact', field, positive, saying };
}

/** The condition, or where not `positive` its negation. */
export function formulaOf(tree: Condition, positive: boolean): Formula {
  switch (tree.is) {
    case 'and': case 'or': {
      const parts = [formulaOf(tree.left, positive), formulaOf(tree.right, positive)];
      return (tree.is === 'and') === positive ? all(parts) : any(parts);
    }
    case 'not': return formulaOf(tree.inner, !positive);
    case 'exists': return fact(tree.field.name, positive, { is: 'exists' });
    case 'compare': return compared(tree.operator, tree.left, tree.right, positive);
    case 'in': return listed(tree, positive);
    case 'contains': return contained(tree, positive);
    case 'matches': return matched(tree, positive);
    case 'starts': {
      if (tree.left.is !== 'field') return opaque(tree, positive);
      return fact(tree.left.field.name, positive, { is: 'starts', directories: new Set(each(tree.right).map(spelled)) });
    }
  }
}

type Related = Extract<Condition, { readonly left: Operand }>;

/** What is only known to be equal to itself. */
function opaque({ is, left, right }: Pick<Related, 'left' | 'right'> & { readonly is: string }, positive: boolean): Fact {
  const text = `${spelled(left)} ${is} ${spelled(right)}`;
  return fact(`(${text})`, positive, { is: 'same', text });
}

const mirrored: Readonly<Record<Comparison, Comparison>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const opposite: Readonly<Record<Comparison, Comparison>> = { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' };

function compared(operator: Comparison, left: Operand, right: Operand, positive: boolean): Formula {
  if (left.is === 'literal' && right.is === 'field') return compared(mirrored[operator], right, left, positive);
  if (left.is !== 'field' || right.is !== 'literal') {
    // Equality of two fields and its negation are one sentence.
    return operator === '!=' ? opaque({ is: '==', left, right }, !positive) : opaque({ is: operator, left, right }, positive);
  }
  const { name } = left.field;
  if (typeof right.value === 'number') return numeric(name, positive ? operator : opposite[operator], right.value);
  return fact(name, (operator === '==') === positive, { is: 'one of', values: new Set([right.value]) });
}

function numeric(name: string, operator: Comparison, value: number): Formula {
  const within = (range: Partial<Range>): Fact => fact(name, true, { is: 'within', range: { ...everyNumber, ...range } });
  switch (operator) {
    case '==': return within({ low: value, high: value });
    case '!=': return any([within({ high: value, highOpen: true }), within({ low: value, lowOpen: true })]);
    case '<': return within({ high: value, highOpen: true });
    case '<=': return within({ high: value });
    case '>': return within({ low: value, lowOpen: true });
    case '>=': return within({ low: value });
  }
}

function listed(tree: Related, positive: boolean): Formula {
  const { left, right } = tree;
  if (left.is !== 'field' || right.is !== 'list' || !right.items.every((item) => item.is === 'literal')) return opaque(tree, positive);
  const { name } = left.field;
  const values = right.items.flatMap((item) => item.is === 'literal' ? [item.value] : []);
  if (left.field.type !== 'number') return fact(name, positive, { is: 'one of', values: new Set(values.map(String)) });
  const parts = values.map((value) => numeric(name, positive ? '==' : '!=', Number(value)));
  return positive ? any(parts) : all(parts);
}

function contained(tree: Related, positive: boolean): Formula {
  const { left, right } = tree;
  // A path is made absolute before it is searched, which its text here is not.
  if (left.is !== 'field' || left.field.type !== 'string' || right.is !== 'literal') return opaque(tree, positive);
  const pattern = `*${String(right.value).replace(/[\\*?[{}]/g, '\\$&')}*`;
  return fact(left.field.name, positive, matches('text', [pattern]));
}

function matches(kind: GlobKind, patterns: readonly string[]): Saying {
  return { is: 'matches', patterns: patterns.map((pattern) => globShape(pattern, kind)) };
}

function matched(tree: Related, positive: boolean): Formula {
  const { left } = tree;
  if (left.is !== 'field') return opaque(tree, positive);
  const patterns = each(tree.right).flatMap((item) => item.is === 'literal' ? [String(item.value)] : []);
  const { name, type } = left.field;
  if (type === 'path') return pathMatch(name, patterns, positive) ?? opaque(tree, positive);
  // A URL is permitted by other patterns than it is forbidden by (compile.ts).
  if (name === 'url' && !positive) return fact(name, positive, matches('path', patterns.map((pattern) => pattern.endsWith('/*') ? `${pattern}*` : pattern)));
  return fact(name, positive, matches('text', patterns));
}

/**
 * Patterns from the root and patterns seen from the project are two fields: nothing is concluded from one to the other. Not to
 * match any of both kinds is said of one reading, which two facts could not say: undefined.
 */
function pathMatch(name: string, patterns: readonly string[], positive: boolean): Formula | undefined {
  const rooted = patterns.flatMap((pattern) => isRooted(pattern) ? [pattern] : pattern.includes('/') ? [] : [`**/${pattern}`]);
  const relative = patterns.filter((pattern) => pattern.includes('/') && !isRooted(pattern)).map((pattern) => pattern.replace(/^\.\//, ''));
  const parts = ([[name, rooted], [`${name} below project_dir`, relative]] as const)
    .flatMap(([field, list]) => list.length === 0 ? [] : [fact(field, positive, matches('path', list))]);
  if (parts.length === 1) return parts[0];
  return positive ? any(parts) : undefined;
}

function isRooted(pattern: string): boolean {
  return pattern.startsWith('/') || pattern.startsWith('**/');
}

/** The cases in which the formula holds, each as facts that all hold; undefined when there are too many. */
export function casesOf(formula: Formula): readonly (readonly Fact[])[] | undefined {
  if (formula.is === 'fact') return [[formula]];
  if (formula.is === 'any') {
    const found: (readonly Fact[])[] = [];
    for (const part of formula.parts) {
      const cases = casesOf(part);
      if (cases === undefined || found.length + cases.length > mostCases) return undefined;
      found.push(...cases);
    }
    return found;
  }
  let found: readonly (readonly Fact[])[] = [[]];
  for (const part of formula.parts) {
    const cases = casesOf(part);
    if (cases === undefined || found.length * cases.length > mostCases) return undefined;
    found = found.flatMap((before) => cases.map((more) => [...before, ...more]));
    if (found.reduce((sum, one) => sum + one.length, 0) > mostFacts) return undefined;
  }
  return found;
}
