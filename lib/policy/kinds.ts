/** Which kinds of action a rule applies to, told from its conditions alone, before any action is there. */
import { actionKinds } from '../base/action.ts';
import type { ActionKind } from '../base/action.ts';
import type { PathProbe } from '../base/paths.ts';
import { compileCondition, fieldsIn, neededFields } from './compile.ts';
import { each } from './expression.ts';
import type { Condition, Operand } from './expression.ts';
import { scopeOf } from './readings.ts';
import type { Expression } from './rules.ts';

/** The kinds of action that a pre-execution rule applies to: those that carry its fields and that `when` does not exclude. */
export function kindsOf(when: Expression | undefined, rule: Expression | undefined): readonly ActionKind[] {
  const needed = [when, rule].flatMap((part) => part === undefined ? [] : neededFields(part.tree));
  const limits = needed.flatMap(({ kinds }) => kinds === undefined ? [] : [kinds]);
  const carried = limits.length === 0 ? actionKinds : actionKinds.filter((kind) => limits.every((kinds) => kinds.includes(kind)));
  if (when === undefined || !fieldsIn(when.tree).some(({ name }) => name === 'kind')) return carried;
  const decided = decidedByKind(when.tree);
  return carried.filter((kind) => decided[actionKinds.indexOf(kind)] !== false);
}

/** For each of the kinds what the condition comes to when nothing else is known of an action; undefined where that depends. */
type ByKind = readonly (boolean | undefined)[];

const undecided: ByKind = actionKinds.map(() => undefined);

function decidedByKind(tree: Condition): ByKind {
  switch (tree.is) {
    case 'and': case 'or': {
      const decisive = tree.is === 'or';
      const right = decidedByKind(tree.right);
      return decidedByKind(tree.left).map((left, at) => {
        if (left === decisive || right[at] === decisive) return decisive;
        return left === undefined || right[at] === undefined ? undefined : !decisive;
      });
    }
    case 'not':
      return decidedByKind(tree.inner).map((inner) => inner === undefined ? undefined : !inner);
    case 'compare': case 'in': case 'matches': {
      const operands = [tree.left, ...each(tree.right)];
      if (!operands.some(isKind) || !operands.every((item) => item.is === 'literal' || isKind(item))) return undecided;
      const { test } = compileCondition(tree, '', 'any');
      return actionKinds.map((kind) => test(scopeOf({ kind }, blind, () => ({ written: [], canonical: [] }))));
    }
    default:
      return undecided;
  }
}

const blind: PathProbe = { realpath: () => undefined, readlink: () => undefined };

function isKind(operand: Operand): boolean {
  return operand.is === 'field' && operand.field.name === 'kind';
}
