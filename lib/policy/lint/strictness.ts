/** Which of two actions is the stricter one. */
import type { RuleAction } from '../../base/action.ts';

export const strictness: Readonly<Record<RuleAction, number>> = { allow: 0, warn: 1, require_approval: 2, deny: 3 };
