/** `loki reject`. */
import type { Command } from '../command.ts';
import { decide, decideFlags, decideOperands } from '../decide.ts';

export const command: Command = {
  about: 'Rejects one request. One rejection ends it, however many people had to approve. With --override it also takes back an approval that was given and not used yet; that needs a fresh proof, and may be done by somebody who is not on its list.',
  operands: decideOperands,
  flags: [...decideFlags, { name: 'override', kind: 'switch', summary: 'Take back an approval that was given and not used yet' }],
  examples: [['loki reject apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3 --reason "not before the release"', 'shows it, and asks'], ['loki reject apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3 --override', 'a yes that should not have been given']],
  exits: [[4, 'you may not decide this'], [5, 'it was decided already, or its time is over']],
  run: (context) => decide(context, 'reject'),
};
