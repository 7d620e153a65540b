/**
 * The command that is put into an agent's settings: our program inside a few lines of POSIX shell. Agents differ in what they take for
 * a no, and each lets the tool run after some way of failing (exit 1, a signal, a time-out, no program, words that are no JSON). The
 * shell turns all of them into the one thing every agent takes for a no: exit code 2, a reason on standard error, nothing on standard
 * output. It stands in the settings themselves, since a file beside them could be taken away, and it starts our program with an
 * environment of its own: what a repository's settings put into the agent's environment (NODE_OPTIONS, LOKI_HOME) reaches it not.
 */
import type { AgentName } from './hook.ts';

/** What the command is made of. Paths are absolute. */
export interface HookCommand {
  readonly agent: AgentName;
  /** Program and first arguments: node and the script. */
  readonly program: readonly string[];
  /** The project that is judged for. Left out: the one around the directory the agent works in. */
  readonly project?: string;
  /** Further flags of `loki hook`. */
  readonly flags?: readonly string[];
  /** The whole environment of our program, but for `handedDown`. */
  readonly env: Readonly<Record<string, string>>;
  /** `timeout(1)` of GNU or busybox, where there is one. */
  readonly timeoutProgram?: string;
  /** Our program gets so long. */
  readonly seconds: number;
  readonly guard: 'closed' | 'open';
}

/** Variables that tell which session, phase and trace a hook belongs to: the word of whoever started the agent. docs/threat-model.md says what hangs on it. */
export const handedDown: readonly string[] = ['LOKI_SESSION_ID', 'LOKI_RUN_ID', 'LOKI_PHASE', 'LOKI_PROVIDER', 'TRACEPARENT', 'CLAUDE_CODE_ENTRYPOINT'];

/** Where programs are looked for by a hook: git, for what a command committed. */
export const hookPath = '/usr/local/bin:/usr/bin:/bin';

/** The command line for `sh -c`. The same facts give the same text: agents run one command once. */
export function hookCommandLine(command: HookCommand): string {
  const { agent, program, project, flags = [], env, timeoutProgram, seconds, guard } = command;
  const words = [
    ...(timeoutProgram === undefined ? [] : [shellQuoted(timeoutProgram), '-k', '1', String(seconds)]),
    '/usr/bin/env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${shellQuoted(value)}`),
    ...handedDown.map((name) => `\${${name}:+"${name}=$${name}"}`),
    ...program.map(shellQuoted), 'hook', agent, ...(project === undefined ? [] : ['--project', shellQuoted(project)]), ...flags.map(shellQuoted),
  ].join(' ');
  // Nothing of a failure to look on reaches the agent, nor what the shell says of one.
  if (guard === 'open') return `exec 2>/dev/null; o=$(${words}) && case "$o" in '{'*'}') printf %s "$o";; esac; exit 0`;
  return `o=$(${words}); r=$?; case "$r:$o" in 0:|0:'{'*'}') printf %s "$o"; exit 0;; esac; echo "loki: this call is not allowed (policy hook: exit code $r)" >&2; exit 2`;
}

/** A word that the shell takes as it is. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
