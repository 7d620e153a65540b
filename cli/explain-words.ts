/** An explanation for people: each rule that was asked, and below it the tree of its conditions with the values compared. */
import type { Comparison, ExplainedCondition, ExplainedRule, PolicyDecision, ShownValue } from '../lib/base/action.ts';
import { columns, printable, type Colour, type Look } from './output.ts';

const colours: Readonly<Record<ExplainedRule['result'], Colour>> = { 'violated': 'red', 'could not be evaluated': 'red', 'held': 'green', 'not applicable': 'dim' };

/** Rules in the order of what matters: broken ones, then those that held, then, in one line, those that were not asked. */
export function explanationLines({ explain }: PolicyDecision, look: Look): readonly string[] {
  const rules = explain?.rules ?? [];
  const asked = rules.filter(({ result, when, rule }) => result !== 'not applicable' || when !== undefined || rule !== undefined);
  const order: readonly ExplainedRule['result'][] = ['could not be evaluated', 'violated', 'held', 'not applicable'];
  const sorted = order.flatMap((result) => asked.filter((rule) => rule.result === result));
  const others = [...new Set(rules.filter((rule) => !asked.includes(rule)).map(({ name }) => name))];
  return [
    ...sorted.flatMap((rule) => ruleLines(rule, look)),
    ...(others.length === 0 ? [] : [look.paint('dim', `not asked, being about other kinds of action: ${others.map(printable).join(', ')}`)]),
  ];
}

function ruleLines({ name, place, result, because, subject, when, rule }: ExplainedRule, { paint }: Look): readonly string[] {
  const head = `${printable(name)}  ${paint(colours[result], result)}  ${paint('dim', printable(place))}${subject === undefined ? '' : `  for ${printable(subject)}`}`;
  const parts = [...(when === undefined ? [] : [['when', when] as const]), ...(rule === undefined ? [] : [['rule', rule] as const])];
  if (parts.length === 0 || result === 'could not be evaluated') return [head, `   ${printable(because)}`];
  return [head, ...parts.flatMap(([word, condition], at) => conditionLines(condition, `${word}  `, '   ', at + 1 === parts.length))];
}

function conditionLines({ text, holds, parts, compared }: ExplainedCondition, lead: string, indent: string, last: boolean): readonly string[] {
  const outcome = holds === null ? 'cannot be told' : holds ? 'holds' : 'does not hold';
  const inner = `${indent}${last ? '   ' : '│  '}`;
  return [
    `${indent}${last ? '└─ ' : '├─ '}${lead}${printable(shortened(text))}  ${outcome}`,
    ...(compared === undefined ? [] : [`${inner}   ${printable(comparedInWords(compared))}`]),
    ...(parts ?? []).flatMap((part, at, all) => conditionLines(part, '', inner, at + 1 === all.length)),
  ];
}

const longestText = 200;

function shortened(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function comparedInWords({ field, operator, value, with: other, holds }: Comparison): string {
  const found = `${field} is ${valueInWords(value)}`;
  if (other === null) return found;
  const fits = operator === 'matches' || operator === 'in' ? (holds === true ? ', fits ' : Array.isArray(other) ? ', fits none of ' : ', does not fit ') : ', compared with ';
  return `${found}${fits}${shortened(valueInWords(other))}`;
}

function valueInWords(value: ShownValue | null): string {
  return value === null ? 'missing' : JSON.stringify(value);
}

/** `rule    no-force-push` and so on: facts about a decision, one a line. */
export function factLines(facts: readonly (readonly [string, string | undefined])[]): readonly string[] {
  return columns(facts.flatMap(([name, value]) => (value === undefined ? [] : [[`  ${name}`, printable(value)]])));
}
