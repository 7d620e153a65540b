/** The fields that a rule must find: where one is missing, it denies whatever its action is. */
import { guardsIn, neededFields } from '../compile.ts';
import type { Condition } from '../expression.ts';
import type { Rule } from '../rules.ts';

/** What a condition reads. Fields that it asks `exists` about are counted: whether it asks before it reads is not known here. */
export function needsOf(tree: Condition | undefined): readonly string[] {
  return tree === undefined ? [] : [...neededFields(tree), ...guardsIn(tree)].map(({ name }) => name);
}

/** What a rule of a special kind reads besides. */
export function specialNeeds(rule: Rule): readonly string[] {
  switch (rule.is) {
    case 'condition': return [];
    case 'gates': return ['passed_gates'];
    case 'budget': return rule.providers === undefined ? ['tokens_consumed'] : ['provider', 'tokens_consumed'];
    case 'data': return ['content'];
  }
}

/** All of them. */
export function fieldsNeeded(rule: Rule): readonly string[] {
  return [...needsOf(rule.when?.tree), ...needsOf(rule.rule?.tree), ...specialNeeds(rule)];
}
