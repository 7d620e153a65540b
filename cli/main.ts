/** Arguments to exit code: finds the command, loads it alone, runs it, and turns whatever it throws into words and a code. */
import type { Installation } from '../lib/app/installation.ts';
import type { Terminal } from '../lib/host/terminal.ts';
import { parseArgs, type Args } from './args.ts';
import type { Command, CommandContext } from './command.ts';
import { reportFailure } from './failure.ts';
import { findCommand, type Found } from './find-command.ts';
import { createOutput } from './output.ts';
import type { CommandRow, GroupRow } from './table.ts';

/** Runs one command line of the given commands and answers with its exit code. Never throws. */
export async function main(terminal: Terminal, commands: readonly CommandRow[], groups: readonly GroupRow[]): Promise<number> {
  let row: CommandRow | undefined;
  const fail = (error: unknown): number => reportFailure(error, terminal, row?.answersAgent ?? (terminal.argv[0] === 'hook' ? 'code' : undefined));
  terminal.onCrash((error) => { void terminal.finish(fail(error)); });
  try {
    const found = findCommand(terminal.argv, commands, groups);
    if (found.kind === 'command') row = found.row;
    return await run(found, terminal, commands, fail);
  } catch (error) {
    return fail(error);
  }
}

async function run(found: Found, terminal: Terminal, commands: readonly CommandRow[], fail: (error: unknown) => number): Promise<number> {
  if (found.kind !== 'command') return showHelp(found, terminal, commands);
  const { command } = await found.row.load();
  const args = parseArgs(found.rest, { called: `loki ${found.row.name}`, flags: command.flags, operands: command.operands });
  if (args.on('help')) return showHelp({ kind: 'help', row: found.row }, terminal, commands);
  let opened: { readonly installation: Installation; readonly at: number } | undefined;
  const exit = await exitOf(command, createContext(args, terminal, (installation) => { opened ??= { installation, at: installation.host.clock.now() }; }), fail);
  if (opened !== undefined) await (await import('../lib/app/telemetry/command.ts')).endCommand(opened.installation, found.row.name, exit, opened.at);
  return exit;
}

/** A command that fails is told of too. */
async function exitOf(command: Command, context: CommandContext, fail: (error: unknown) => number): Promise<number> {
  try {
    return await command.run(context);
  } catch (error) {
    return fail(error);
  }
}

function createContext(args: Args, terminal: Terminal, onOpen: (installation: Installation) => void): CommandContext {
  const output = createOutput(terminal, { json: args.on('json'), quiet: args.on('quiet'), plain: args.on('no-color') });
  return { args, output, terminal, onOpen };
}

/** Help that was asked for is a result; help in place of a missing command is a message, and wrong usage. */
async function showHelp(found: Exclude<Found, { kind: 'command' }>, terminal: Terminal, commands: readonly CommandRow[]): Promise<number> {
  const help = await import('./help.ts');
  if (found.kind === 'help') {
    const { command } = await found.row.load();
    terminal.stdout.write(help.commandHelp(found.row, command, help.helpWidth(terminal.stdout)));
    return 0;
  }
  const asked = found.asked || found.group === undefined;
  const sink = asked ? terminal.stdout : terminal.stderr;
  const width = help.helpWidth(sink);
  sink.write(found.group === undefined ? help.rootHelp(commands, width) : help.groupHelp(found.group, commands, width));
  return asked ? 0 : 2;
}
