/**
 * Conditions explained: which comparison came out how, with the values it saw. Made only for rules that were violated and
 * where somebody asks, so that judging itself pays nothing. Values are shortened and redacted; content is never shown.
 */
import type { PathProbe } from '../base/paths.ts';
import type { Comparison, ExplainedCondition, ShownValue } from '../base/action.ts';
import { compileCondition } from './compile.ts';
import { each, spelled, spelledCondition } from './expression.ts';
import type { Condition, Operand } from './expression.ts';
import type { Context, Field } from './fields.ts';
import { commandReadings, pathReadings, scopeOf } from './readings.ts';
import type { Reading, Scope } from './readings.ts';

type Redact = (text: string) => string;

/** Texts longer than this are cut. */
const longestShown = 160;
/** So much of a text is looked through for secrets before it is cut. */
const longestRedacted = 4096;
const mostShown = 20;

/** The tree of a condition with the outcome of every part of it. */
export function explainCondition(tree: Condition, reading: Reading, scope: Scope, redact: Redact): ExplainedCondition {
  const text = spelledCondition(tree);
  switch (tree.is) {
    case 'and': case 'or': {
      const parts = [tree.left, tree.right].map((part) => explainCondition(part, reading, scope, redact));
      return { text, holds: joined(tree.is, parts), parts };
    }
    case 'not': {
      const inner = explainCondition(tree.inner, reading === 'all' ? 'any' : 'all', scope, redact);
      return { text, holds: inner.holds === null ? null : !inner.holds, parts: [inner] };
    }
    default: {
      const compared = compare(tree, reading, scope, redact);
      return { text, holds: compared.holds, compared };
    }
  }
}

function joined(is: 'and' | 'or', parts: readonly ExplainedCondition[]): boolean | null {
  const decisive = is === 'or';
  if (parts.some(({ holds }) => holds === decisive)) return decisive;
  return parts.some(({ holds }) => holds === null) ? null : !decisive;
}

/** The comparisons that made the condition come out as it did. */
export function decisiveComparisons(explained: ExplainedCondition): readonly Comparison[] {
  const { compared, parts, holds } = explained;
  if (compared !== undefined) return [compared];
  const [first] = parts ?? [];
  if (parts?.length === 1 && first !== undefined) return decisiveComparisons(first);
  const deciding = (parts ?? []).filter((part) => part.holds === holds);
  return deciding.flatMap(decisiveComparisons);
}

type Leaf = Exclude<Condition, { readonly is: 'and' | 'or' } | { readonly is: 'not' }>;

const operatorWords = { in: 'in', contains: 'contains', matches: 'matches', starts: 'must start with' } as const;

function compare(leaf: Leaf, reading: Reading, scope: Scope, redact: Redact): Comparison {
  const holds = outcome(leaf, reading, scope);
  if (leaf.is === 'exists') return { field: leaf.field.name, operator: 'exists', value: shownValue(leaf.field.name, leaf.field.read(scope.context), redact), with: null, holds };
  const { left, right } = leaf;
  const operator = leaf.is === 'compare' ? leaf.operator : operatorWords[leaf.is];
  const deciding = decidingValue(leaf, reading, scope, holds);
  const fitting = holds === true ? fittingItem(leaf, reading, deciding?.scope ?? scope) : undefined;
  return {
    field: spelled(left), operator, holds,
    value: deciding === undefined ? shownOperand(left, scope.context, redact) : shownText(deciding.value, redact),
    with: shownOperand(fitting ?? right, scope.context, redact),
  };
}

function outcome(tree: Condition, reading: Reading, scope: Scope): boolean | null {
  try {
    return compileCondition(tree, '', reading).test(scope);
  } catch {
    return null;
  }
}

/** Of several readings of the left field the first that comes out as the whole did, and a scope in which it is the only one. */
function decidingValue(leaf: Exclude<Leaf, { readonly is: 'exists' }>, reading: Reading, scope: Scope, holds: boolean | null): { readonly value: string; readonly scope: Scope } | undefined {
  if (leaf.left.is !== 'field' || holds === null) return undefined;
  for (const value of readingsOf(leaf.left.field, reading, scope)) {
    const alone = onlyReading(leaf.left.field, value, scope);
    if (outcome(leaf, reading, alone) === holds) return { value, scope: alone };
  }
  return undefined;
}

function readingsOf(field: Field, reading: Reading, scope: Scope): readonly string[] {
  const given = field.read(scope.context);
  if (typeof given !== 'string') return [];
  try {
    if (field.type === 'path') return pathReadings(given, scope);
    return field.name === 'command' ? commandReadings(given, reading, scope) : [];
  } catch {
    return [];
  }
}

function onlyReading({ name }: Field, value: string, { context, probe }: Scope): Scope {
  const asIs: PathProbe = { realpath: (path) => path === value ? path : probe.realpath(path), readlink: (path) => path === value ? undefined : probe.readlink(path) };
  return scopeOf({ ...context, [name]: value }, asIs, () => ({ written: [], canonical: [] }));
}

/** The entry of a list on the right that the left side agrees with. */
function fittingItem(leaf: Exclude<Leaf, { readonly is: 'exists' }>, reading: Reading, scope: Scope): Operand | undefined {
  if (leaf.right.is !== 'list' || leaf.is === 'compare') return undefined;
  const { left, is } = leaf;
  return each(leaf.right).find((item) => outcome(is === 'in' ? { is: 'compare', operator: '==', left, right: item } : { is, left, right: item }, reading, scope) === true);
}

function shownOperand(operand: Operand, context: Context, redact: Redact): ShownValue | null {
  if (operand.is === 'literal') return typeof operand.value === 'string' ? cut(operand.value) : operand.value;
  if (operand.is === 'list') return operand.items.slice(0, mostShown).flatMap((item) => {
    const value = shownOperand(item, context, redact);
    return typeof value === 'string' || typeof value === 'number' ? [value] : [];
  });
  return shownValue(operand.field.name, operand.field.read(context), redact);
}

/** A field's value as a decision may show it. */
function shownValue(name: string, value: unknown, redact: Redact): ShownValue | null {
  if (value === undefined || value === null) return null;
  if (name === 'content') return 'not shown';
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return shownText(value, redact);
  if (!Array.isArray(value)) return `a ${typeof value}`;
  return value.slice(0, mostShown).map((item: unknown) => (typeof item === 'string' ? shownText(item, redact) : typeof item === 'number' ? item : `a ${typeof item}`));
}

function shownText(text: string, redact: Redact): string {
  return cut(redact(text.slice(0, longestRedacted)));
}

function cut(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** Conditions longer than this are told by the comparisons that decided. */
const longestSpelled = 120;

/**
 * `"file_path must start with project_dir" does not hold; file_path is "/etc/passwd", project_dir is "/p"`: the condition,
 * how it came out, and the value of each of its fields.
 */
export function conditionInWords(text: string, explained: ExplainedCondition, fields: readonly Field[], scope: Scope, redact: Redact): string {
  const decisive = decisiveComparisons(explained);
  const line = text.replace(/\s+/g, ' ').trim();
  const named = line.length <= longestSpelled || decisive.length === 0 ? line : decisive.map((comparison) => comparisonInWords(comparison, comparison.holds !== explained.holds)).join(' and ');
  const values = fields.map((field) => valueInWords(field, decisive, scope, redact)).join(', ');
  return `${quotedExpression(cutLong(named))} ${explained.holds === false ? 'does not hold' : 'holds'}; ${values === '' ? 'it compares constants' : values}`;
}

function cutLong(text: string): string {
  return text.length > 4 * longestSpelled ? `${text.slice(0, 4 * longestSpelled)}…` : text;
}

/** One comparison as a policy would write it, below a `not` where that made it decide. */
function comparisonInWords({ field, operator, with: other }: Comparison, negated: boolean): string {
  return `${negated ? 'not ' : ''}${field} ${operator}${other === null ? '' : ` ${valueWords(other)}`}`;
}

function valueWords(value: ShownValue | null): string {
  if (value === null) return 'missing';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? JSON.stringify(value) : `[${value.map((item) => valueWords(item)).join(', ')}]`;
}

/** What a field holds, and which reading of it decided where that is another. */
function valueInWords(field: Field, decisive: readonly Comparison[], { context }: Scope, redact: Redact): string {
  const whole = shownValue(field.name, field.read(context), redact);
  const words = `${field.name} is ${whole === 'not shown' && field.name === 'content' ? whole : valueWords(whole)}`;
  const deciding = decisive.find((comparison) => comparison.field === field.name)?.value;
  if (deciding === undefined || deciding === null || typeof deciding !== 'string' || deciding === whole || typeof whole !== 'string') return words;
  return field.type === 'path' ? `${words} (really ${valueWords(deciding)})` : deciding === '' ? words : `${words} (in it ${valueWords(deciding)})`;
}

/** An expression in a sentence, on one line; in backquotes where it has quotation marks of its own. */
function quotedExpression(line: string): string {
  return line.includes('"') ? `\`${line}\`` : `"${line}"`;
}
