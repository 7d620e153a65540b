/**
 * What changes from one policy file to another, by what rules, approval gates and tests mean and not by how they are written:
 * order, comments, line numbers and white space are no change. Whether a change tightens or loosens is said where it is
 * certain, with the reasoning of the linter; everything else `changes`.
 */
import { isPlainObject } from '../../base/json.ts';
import type { ApprovalGate, PolicyFile, PolicyTest, Rule } from '../rules.ts';
import { grown, reversed, together, type Change, type Direction } from './direction.ts';
import { listed, membersBeside, ruleChanges } from './rule-changes.ts';

/** One rule, gate or test that differs. */
export interface Difference {
  readonly is: 'rule' | 'approval gate' | 'test';
  readonly name: string;
  /** The enforcement point, or the phase of an approval gate. */
  readonly point: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly direction: Direction | 'none';
  /** `file:line:column`, null where it does not stand. */
  readonly before: string | null;
  readonly after: string | null;
  readonly changes: readonly Change[];
}

export interface PolicyDiff {
  readonly same: boolean;
  /** Of all differences together; `none` where there are none, or only tests differ. */
  readonly direction: Direction | 'none';
  readonly differences: readonly Difference[];
}

/** The differences between two files without problems. */
export function diffPolicies(before: PolicyFile, after: PolicyFile): PolicyDiff {
  const differences = [
    ...matched(before.rules, after.rules, ({ point, name }) => `${point} ${name}`).flatMap(ruleDifference),
    ...matched(before.approvalGates, after.approvalGates, ({ name }) => name).flatMap(gateDifference),
    ...matched(before.tests, after.tests, ({ name, point }) => `${point} ${name}`).flatMap(testDifference),
  ];
  const directions = differences.flatMap(({ direction }) => direction === 'none' ? [] : [direction]);
  return { same: differences.length === 0, direction: directions.length === 0 ? 'none' : together(directions), differences };
}

type Pair<Item> = readonly [before: Item | undefined, after: Item | undefined];

/** What stands in either list, by key, in the order of the new one; what is gone comes last. Equal keys are matched in order. */
function matched<Item>(before: readonly Item[], after: readonly Item[], keyOf: (item: Item) => string): readonly Pair<Item>[] {
  const old = new Map<string, Item[]>();
  for (const item of before) old.set(keyOf(item), [...old.get(keyOf(item)) ?? [], item]);
  const pairs = after.map((item): Pair<Item> => [old.get(keyOf(item))?.shift(), item]);
  return [...pairs, ...[...old.values()].flat().map((item): Pair<Item> => [item, undefined])];
}

function difference(is: Difference['is'], pair: Pair<{ readonly name: string; readonly place: string }>, point: string, direction: Difference['direction'], changes: readonly Change[] = []): Difference {
  const [before, after] = pair;
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { is, name: (after ?? before)?.name ?? '', point, change, direction, before: before?.place ?? null, after: after?.place ?? null, changes };
}

function ruleDifference(pair: Pair<Rule>): readonly Difference[] {
  const [before, after] = pair;
  if (before === undefined || after === undefined) {
    const rule = after ?? before;
    // A watched rule decides nothing, and one that only records hardly anything.
    const counts = rule !== undefined && !rule.monitor && rule.action !== 'allow';
    return [difference('rule', pair, rule?.point ?? '', !counts ? 'changes' : after === undefined ? 'loosens' : 'tightens', rule === undefined ? [] : [{ what: 'action', from: before?.action ?? null, to: after?.action ?? null, direction: 'changes' }])];
  }
  const changes = ruleChanges(before, after);
  return changes.length === 0 ? [] : [difference('rule', pair, after.point, directionOf(changes, before.monitor && after.monitor), changes)];
}

/** A rule that is watched before and after decides nothing either way. */
function directionOf(changes: readonly Change[], watched: boolean): Direction {
  return watched ? 'changes' : together(changes.map(({ direction }) => direction));
}

const gateMembers: ReadonlySet<string> = new Set(['name', 'phase', 'approvers', 'required', 'autoApproveOnTimeout', 'place', 'layer']);

function gateDifference(pair: Pair<ApprovalGate>): readonly Difference[] {
  const [before, after] = pair;
  if (before === undefined || after === undefined) {
    const gate = after ?? before;
    const direction = gate?.autoApproveOnTimeout === true ? 'changes' : after === undefined ? 'loosens' : 'tightens';
    return [difference('approval gate', pair, gate?.phase ?? '', direction)];
  }
  const shared: readonly Change[] = [
    { what: 'phase', from: before.phase, to: after.phase, direction: 'changes' },
    { what: 'approvers', from: listed(before.approvers), to: listed(after.approvers), direction: approverDirection(before.approvers, after.approvers) },
    { what: 'required', from: String(before.required), to: String(after.required), direction: after.required > before.required ? 'tightens' : 'loosens' },
    { what: 'auto_approve_on_timeout', from: String(before.autoApproveOnTimeout), to: String(after.autoApproveOnTimeout), direction: after.autoApproveOnTimeout ? 'loosens' : 'tightens' },
  ];
  const changes = [...shared.filter(({ from, to }) => from !== to), ...membersBeside(before, after, gateMembers)];
  return changes.length === 0 ? [] : [difference('approval gate', pair, after.phase, directionOf(changes, false), changes)];
}

/** Fewer who may approve is stricter; no list means everybody who may approve at all. */
function approverDirection(before: readonly string[], after: readonly string[]): Direction {
  if (before.length === 0 || after.length === 0) return after.length === 0 ? 'loosens' : 'tightens';
  return reversed(grown(new Set(before), new Set(after)));
}

/** Tests say what is meant and decide nothing. */
function testDifference(pair: Pair<PolicyTest>): readonly Difference[] {
  const [before, after] = pair;
  if (before === undefined || after === undefined) return [difference('test', pair, (after ?? before)?.point ?? '', 'none')];
  const changes = ([['context', contextText(before), contextText(after)], ['expect', before.expect, after.expect], ['by', before.by ?? null, after.by ?? null]] as const)
    .flatMap(([what, from, to]): readonly Change[] => from === to ? [] : [{ what, from, to, direction: 'changes' }]);
  return changes.length === 0 ? [] : [difference('test', pair, after.point, 'none', changes)];
}

/** The same text for the same context, whatever order its fields are written in. */
function contextText({ context }: PolicyTest): string {
  return JSON.stringify(context, (_key, value: unknown) => isPlainObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)) : value);
}
