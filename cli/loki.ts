#!/usr/bin/env node
/**
 * The `loki` command. Everything behind it is loaded inside the try, so that even a broken installation ends in a message
 * and in exit code 2, which every agent's hook interface takes for a no.
 */
import { terminal } from '../lib/host/terminal.ts';

try {
  const { argv } = terminal;
  const helpAlone = argv.length === 0 || (argv.length === 1 && ['--help', '-h', 'help'].includes(argv[0] ?? ''));
  // A verdict that could not be written is a no.
  if (argv[0] === 'hook') await terminal.finish(await hook(), 2);
  await terminal.finish(helpAlone ? await help() : await anyCommand());
} catch (error) {
  terminal.stderr.write(`error: Cannot run loki: ${error instanceof Error ? error.message : String(error)}\nhint: Install the package again\n`);
  await terminal.finish(2);
}

async function hook(): Promise<number> {
  const { answerHook } = await import('./hook-entry.ts');
  return answerHook(terminal);
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
