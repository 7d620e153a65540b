/**
 * `loki` run to its end within the test's own process: the same commands, arguments, streams and exit codes without the time
 * that a process takes to start. The long suite starts a process for each, and so does whatever is about processes.
 */
import { main } from '../../cli/main.ts';
import { commandTable, groupTable } from '../../cli/table.ts';
import type { ChildEnd } from './child.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { isLong } from './long.ts';

export interface Surroundings {
  readonly cwd: string;
  readonly homeDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Whether commands are run as processes of their own wherever they can be. */
export const inProcesses: boolean = isLong;

export async function runHere(argv: readonly string[], { cwd, homeDirectory, env, input = '' }: Surroundings): Promise<ChildEnd> {
  const terminal = { ...fakeTerminal({ argv, env, cwd, input }), homeDirectory };
  const exit = await main(terminal, commandTable, groupTable);
  return { exit, signal: null, stdout: terminal.printed.out, stderr: terminal.printed.err };
}
