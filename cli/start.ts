/** Where a command begins. What it needs is loaded as it goes: a process starts in the time that its modules take. */
import { terminal } from '../lib/host/terminal.ts';

/** Runs the command that the process was started with, then ends the process. */
export async function start(): Promise<never> {
  const { argv } = terminal;
  const helpAlone = argv.length === 0 || (argv.length === 1 && ['--help', '-h', 'help'].includes(argv[0] ?? ''));
  // What ends because nothing was left to wait for has not done what it was asked; a hook without an answer must not look like one that had nothing to say.
  terminal.unlessFinished(argv[0] === 'hook' ? 2 : 1);
  const code = helpAlone ? await help() : await anyCommand();
  // A verdict that could not be written is a no.
  return argv[0] === 'hook' ? terminal.finish(code, 2) : terminal.finish(code);
}

/** `loki --help` is what people wait for most often; it needs neither the parser nor the errors. */
async function help(): Promise<number> {
  const [{ rootHelp, helpWidth }, { commandTable }] = await Promise.all([import('./help.ts'), import('./table.ts')]);
  terminal.stdout.write(rootHelp(commandTable, helpWidth(terminal.stdout)));
  return 0;
}

async function anyCommand(): Promise<number> {
  const [{ main }, { commandTable, groupTable }] = await Promise.all([import('./main.ts'), import('./table.ts')]);
  return main(terminal, commandTable, groupTable);
}
