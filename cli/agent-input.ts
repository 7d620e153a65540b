/** What an agent sends on standard input: all of it, in time, bounded, as UTF-8; or nothing. */
import { LokiError } from '../lib/errors.ts';
import { largestAction } from '../lib/agents/generic.ts';
import type { Terminal } from '../lib/host/terminal.ts';

/** An agent that has something to ask asks it at once. */
const inputTimeoutMs = 10_000;

/** The text. `what` names it in messages: `the action`. Throws `action.invalid`. */
export async function readAgentInput(terminal: Terminal, what: string): Promise<string> {
  const unusable = (found: string): LokiError => new LokiError('action.invalid', { attempted: `read ${what}`, found });
  if (terminal.inputIsTerminal) throw unusable(`standard input is a terminal, and ${what} comes through a pipe`);
  const { bytes, ended } = await terminal.readInput(largestAction, inputTimeoutMs);
  if (ended === 'timeout') throw unusable(`standard input did not end within ${inputTimeoutMs / 1000} seconds`);
  if (ended === 'limit') throw unusable(`it is longer than ${largestAction} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable('it is not UTF-8');
  }
}
