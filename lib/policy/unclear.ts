/** What a command cannot be understood in asks a person; under a strict policy it is denied. */
import type { Violation } from '../base/action.ts';

const mostTold = 5;

/** The violation of `builtin:unclear-command`, or none when everything was understood. */
export function unclearCommand(uncertain: readonly string[], strict: boolean): readonly Violation[] {
  if (uncertain.length === 0) return [];
  const more = uncertain.length > mostTold ? ` (and ${uncertain.length - mostTold} more)` : '';
  return [{
    name: 'builtin:unclear-command', action: strict ? 'deny' : 'require_approval', place: 'built in',
    reason: `Rule "builtin:unclear-command" (built in): the command cannot be judged: ${uncertain.slice(0, mostTold).join('; ')}${more}`,
  }];
}
