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
  return carried.filter((kind) => decidedByKind(when.tree, kind) !== false);
}

/** What the condition comes to for actions of a kind when nothing else is known; undefined when that depends. */
function decidedByKind(tree: Condition, kind: ActionKind): boolean | undefined {
  switch (tree.is) {
    case 'and': case 'or': {
      const decisive = tree.is === 'or';
      const left = decidedByKind(tree.left, kind);
      const right = decidedByKind(tree.right, kind);
      if (left === decisive || right === decisive) return decisive;
      return left === undefined || right === undefined ? undefined : !decisive;
    }
    case 'not': {
      const inner = decidedByKind(tree.inner, kind);
      return inner === undefined ? undefined : !inner;
    }
    case 'exists':
      return undefined;
    case 'compare': case 'in': case 'matches': {
      const operands = [tree.left, ...each(tree.right)];
      if (!operands.some(isKind) || !operands.every((item) => item.is === 'literal' || isKind(item))) return undefined;
      return compileCondition(tree, '', 'any').test(scopeOf({ kind }, blind, () => ({ written: [], canonical: [] })));
    }
    default:
      return undefined;
  }
}

const blind: PathProbe = { realpath: () => undefined, readlink: () => undefined };

function isKind(operand: Operand): boolean {
  return operand.is === 'field' && operand.field.name === 'kind';
}
