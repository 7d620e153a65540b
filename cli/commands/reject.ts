/** `loki reject`. */
import type { Command } from '../command.ts';
import { decide, decideFlags, decideOperands } from '../decide.ts';

export const command: Command = {
  about: 'Rejects one request. One rejection ends it, however many people had to approve.',
  operands: decideOperands,
  flags: decideFlags,
  examples: [['loki reject apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3 --reason "not before the release"', 'shows it, and asks']],
  exits: [[4, 'you may not decide this'], [5, 'it was decided already, or its time is over']],
  run: (context) => decide(context, 'reject'),
};
