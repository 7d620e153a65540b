/** `loki completion`. */
import { LokiError } from '../../lib/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { completionScript, isShell, shells } from '../completion.ts';
import { loadCommands } from '../reference.ts';

export const command: Command = {
  about: 'Prints a script that completes commands, flags and their values. Loaded by the shell, it needs no loki process to complete a word.',
  operands: [{ name: 'SHELL', summary: 'The shell', required: true, choices: shells }],
  flags: [],
  examples: [
    ['loki completion bash > ~/.local/share/bash-completion/completions/loki', ''],
    ['loki completion zsh > "${fpath[1]}/_loki"', ''],
    ['loki completion fish > ~/.config/fish/completions/loki.fish', ''],
  ],
  exits: [],
  run,
};

async function run({ args, output }: CommandContext): Promise<number> {
  const shell = args.operand('SHELL') ?? '';
  if (!isShell(shell)) throw new LokiError('internal', { attempted: 'complete for a shell', found: `"${shell}"` });
  output.line(completionScript(shell, await loadCommands()).trimEnd());
  return 0;
}
