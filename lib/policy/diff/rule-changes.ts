/** What differs between two versions of one rule, member by member, and which way each difference goes. */
import { strictness, sureness } from '../../base/action.ts';
import { alwaysHolds, known, newEffort } from '../lint/imply.ts';
import { violationOf } from '../lint/formula.ts';
import { fieldsNeeded } from '../lint/needs.ts';
import type { Expression, Rule } from '../rules.ts';
import { grown, type Change, type Direction } from './direction.ts';

/** The differences; empty where both versions say the same. */
export function ruleChanges(before: Rule, after: Rule): readonly Change[] {
  if (before.is !== after.is) return [{ what: 'kind', from: before.is, to: after.is, direction: 'changes' }];
  const shared = [
    change('action', before.action, after.action, strictness[after.action] > strictness[before.action] ? 'tightens' : 'loosens'),
    change('mode', modeOf(before), modeOf(after), after.monitor ? 'loosens' : 'tightens'),
    ...conditionChanges(before, after),
    ...specialChanges(before, after),
  ].filter((one) => one !== undefined);
  return [...shared, ...otherChanges(before, after)];
}

function modeOf({ monitor }: Rule): string {
  return monitor ? 'monitor' : 'enforce';
}

function change(what: string, from: string | null, to: string | null, direction: Direction): Change | undefined {
  return from === to ? undefined : { what, from, to, direction };
}

/** `when` and `rule` together say when a rule is violated, so which way they go is told of both. */
function conditionChanges(before: Rule, after: Rule): readonly (Change | undefined)[] {
  const [when, rule] = [[before.when, after.when], [before.rule, after.rule]].map(([from, to]) => textOf(from) !== textOf(to));
  if (when !== true && rule !== true) return [];
  const direction = violationDirection(before, after);
  return [change('when', textOf(before.when), textOf(after.when), direction), change('rule', textOf(before.rule), textOf(after.rule), direction)];
}

/** As it is written, white space aside. */
function textOf(expression: Expression | undefined): string | null {
  return expression === undefined ? null : expression.text.replace(/\s+/g, ' ').trim();
}

/**
 * Whether the new version is violated wherever the old one is, or only where it is. To tighten it must also deny wherever the
 * old one does because something is missing; to loosen is told even where something that is newly needed may be missing.
 */
function violationDirection(before: Rule, after: Rule): Direction {
  // Beside a rule of its own, what is special holds or fails by itself.
  if (before.is !== 'condition' && (before.rule !== undefined || after.rule !== undefined)) return 'changes';
  const [old, fresh] = [violationOf(conditionsOf(before)), violationOf(conditionsOf(after))];
  const effort = newEffort();
  const needed = new Set(fieldsNeeded(after));
  const wider = alwaysHolds(known(old, effort), fresh) && fieldsNeeded(before).every((name) => needed.has(name));
  const narrower = alwaysHolds(known(fresh, effort), old);
  return wider === narrower ? 'changes' : wider ? 'tightens' : 'loosens';
}

/** The rule without what is special to its kind, which is compared by itself. */
function conditionsOf(rule: Rule): Rule {
  const { name, point, place, line, column, layer, action, monitor, kinds, when, rule: must } = rule;
  return { is: 'condition', name, point, place, line, column, layer, action, monitor, kinds, ...(when === undefined ? {} : { when }), ...(must === undefined ? {} : { rule: must }) };
}

function specialChanges(before: Rule, after: Rule): readonly (Change | undefined)[] {
  if (before.is === 'gates' && after.is === 'gates') return [listChange('gates', before.gates, after.gates)];
  if (before.is === 'data' && after.is === 'data') {
    return [
      change('type', before.type ?? null, after.type ?? null, before.type === undefined ? 'tightens' : after.type === undefined ? 'loosens' : 'changes'),
      // Another type has another confidence when none is written.
      before.type === after.type ? change('min_confidence', before.minConfidence, after.minConfidence, sureness[after.minConfidence] > sureness[before.minConfidence] ? 'loosens' : 'tightens') : undefined,
      listChange('patterns', before.patterns.map(({ source }) => source), after.patterns.map(({ source }) => source)),
    ];
  }
  if (before.is !== 'budget' || after.is !== 'budget') return [];
  return [
    limitChange('max_tokens', before.maxTokens, after.maxTokens),
    limitChange('max_usd', usd(before.maxMicroUsd), usd(after.maxMicroUsd)),
    change('per', before.per, after.per, 'changes'),
    change('period', before.period, after.period, 'changes'),
    change('alerts', listed(before.alerts), listed(after.alerts), 'changes'),
    providerChange(before.providers, after.providers),
  ];
}

/** Without a limit there is none. */
function limitChange(what: string, before: number | undefined, after: number | undefined): Change | undefined {
  const shown = (limit: number | undefined): string | null => limit === undefined ? null : String(limit);
  return change(what, shown(before), shown(after), (after ?? Infinity) < (before ?? Infinity) ? 'tightens' : 'loosens');
}

function usd(microUsd: number | undefined): number | undefined {
  return microUsd === undefined ? undefined : microUsd / 1e6;
}

/** Without a list a budget counts for every provider. */
function providerChange(before: readonly string[] | undefined, after: readonly string[] | undefined): Change | undefined {
  const direction = before === undefined ? 'loosens' : after === undefined ? 'tightens' : grown(new Set(before), new Set(after));
  return change('providers', before === undefined ? null : listed(before), after === undefined ? null : listed(after), direction);
}

function listChange(what: string, before: readonly string[], after: readonly string[]): Change | undefined {
  return change(what, listed(before), listed(after), grown(new Set(before), new Set(after)));
}

/** In one order: that of a list of alternatives has no meaning. */
export function listed(items: readonly (string | number)[]): string {
  return items.map(String).toSorted().join(', ');
}

/** Members that are compared above, or say nothing about what the rule does. */
const compared: ReadonlySet<string> = new Set(['is', 'name', 'point', 'place', 'line', 'column', 'layer', 'action', 'monitor', 'kinds', 'when', 'rule', 'gates', 'type', 'patterns', 'maxTokens', 'maxMicroUsd', 'per', 'period', 'minConfidence', 'onExceed', 'alerts', 'providers']);

/** What else a rule may say: that it differs is told, and which way is not. */
function otherChanges(before: Rule, after: Rule): readonly Change[] {
  return membersBeside(before, after, compared);
}

/** Members of two objects that differ, those that are `known` left out. */
export function membersBeside(before: object, after: object, known: ReadonlySet<string>): readonly Change[] {
  const [old, fresh]: readonly [ReadonlyMap<string, unknown>, ReadonlyMap<string, unknown>] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const text = (value: unknown): string | null => value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((key) => !known.has(key)).flatMap((key) => {
    const [from, to] = [text(old.get(key)), text(fresh.get(key))];
    return from === to ? [] : [{ what: key, from, to, direction: 'changes' as const }];
  });
}

