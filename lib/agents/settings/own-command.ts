/**
 * Our own command line, read back from an agent's settings: which program it starts, with what environment, for which project.
 * The other direction of `hookCommandLine`. What a person changed by hand is still known as ours, and known to be changed.
 */
import { hookCommandLine, type HookCommand } from '../hook-command.ts';
import type { AgentName } from '../hook.ts';

export interface OwnCommand extends HookCommand {
  /** Whether it is, byte for byte, what we write for these facts. */
  readonly isAsWritten: boolean;
}

/** Whether a command line is one of ours for this agent, whatever node and script it starts. */
export function isOwnCommand(line: string, agent: AgentName): boolean {
  return new RegExp(`/usr/bin/env -i [^]* hook ${agent}(?:[ );]|$)`).test(line);
}

/** What one of our command lines is made of; undefined when that cannot be told any more. */
export function readOwnCommand(line: string, agent: AgentName): OwnCommand | undefined {
  const closed = /^o=\$\(([^]*)\); r=\$\?; case /.exec(line)?.[1];
  const open = /^exec 2>\/dev\/null; o=\$\(([^]*)\) && case /.exec(line)?.[1];
  const words = wordsOf(closed ?? open ?? '');
  const start = words.findIndex((word, at) => word === '/usr/bin/env' && words[at + 1] === '-i');
  const hook = words.findIndex((word, at) => at > start && word === 'hook' && words[at + 1] === agent);
  if (start < 0 || hook < 0) return undefined;
  const [timeoutProgram, , , seconds] = words.slice(0, start);
  const given = words.slice(start + 2, hook).filter((word) => !word.startsWith('${'));
  const firstOfProgram = given.findIndex((word) => !/^\w+=/.test(word));
  const env = Object.fromEntries(given.slice(0, firstOfProgram).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
  const rest = words.slice(hook + 2);
  const project = rest[0] === '--project' ? rest[1] : undefined;
  const command: HookCommand = {
    agent, program: given.slice(firstOfProgram), env, guard: closed === undefined ? 'open' : 'closed', seconds: Number(seconds ?? 0),
    flags: project === undefined ? rest : rest.slice(2), ...(project === undefined ? {} : { project }), ...(timeoutProgram === undefined ? {} : { timeoutProgram }),
  };
  return firstOfProgram < 0 ? undefined : { ...command, isAsWritten: hookCommandLine(command) === line };
}

/** Words in the quoting that we write; others come out as something that is not ours. */
function wordsOf(text: string): readonly string[] {
  const words = text.match(/\$\{\w+:\+"[^"]*"\}|(?:[^\s'\\"$]|'[^']*'|\\')+/g) ?? [];
  return words.map((word) => (word.startsWith('${') ? word : word.replace(/'([^']*)'|\\'/g, (whole, inner: string | undefined) => (whole === '\\\'' ? '\'' : inner ?? ''))));
}
