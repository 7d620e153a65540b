/** `loki approve`. */
import type { Command } from '../command.ts';
import { decide, decideFlags, decideOperands } from '../decide.ts';

export const command: Command = {
  about: 'Approves one request. The approval holds for exactly that action, under the policy it was judged by, in its session, once. Whoever asked cannot approve.',
  operands: decideOperands,
  flags: decideFlags,
  examples: [['loki approve apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3', 'shows it, and asks'], ['loki approve apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3 --reason "reviewed with Bob" --yes', '']],
  exits: [[4, 'you may not decide this'], [5, 'it was decided already, or its time is over']],
  run: (context) => decide(context, 'approve'),
};
