/** `loki play`: the scripted agent. It is started by `loki start --provider scripted`, and asks the gate like any other agent. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { openInstallation } from '../../lib/app/installation.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { play } from '../../lib/runs/play.ts';
import type { Command, CommandContext } from '../command.ts';

const largestScript = 1024 * 1024;

export const command: Command = {
  about: 'Plays the steps of a script for the phase and round that the environment names, asking the gate before each of them.',
  operands: [{ name: 'SCRIPT', summary: 'The script', required: true }],
  flags: [],
  examples: [['loki play script.yaml', '']],
  exits: [],
  run,
};

async function run({ args, terminal, output }: CommandContext): Promise<number> {
  const filename = resolveFrom(terminal.cwd, args.operand('SCRIPT') ?? '');
  const { disk, spawn, timers } = openInstallation(terminal).host;
  const bytes = disk.read(filename, largestScript);
  if (bytes === undefined) throw new LokiError('not_found', { attempted: `play "${filename}"`, found: 'there is no such file', hint: 'Name a script' });
  await play({ filename, script: new TextDecoder().decode(bytes), env: terminal.env, signal: terminal.signal, ports: { disk, spawn, timers, print: (line) => output.line(line) } });
  return exitCode.done;
}
