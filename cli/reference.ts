/** The whole command line as data and as docs/cli.md. The document is generated from the tables; a test holds the two together. */
import type { Command, Example, FlagRow } from './command.ts';
import { globalFlags } from './global-flags.ts';
import { exitPairs, flagMeaning, flagWords, operandWords, usageOf } from './help.ts';
import { commandTable, groupTable, type CommandRow } from './table.ts';

/** A row of the table with its module. */
export interface LoadedCommand {
  readonly row: CommandRow;
  readonly command: Command;
}

/** All commands but the hidden ones, in the table's order. */
export async function loadCommands(): Promise<readonly LoadedCommand[]> {
  const rows = commandTable.filter(({ hidden }) => hidden !== true);
  return Promise.all(rows.map(async (row) => ({ row, command: (await row.load()).command })));
}

const exitCodes: readonly Example[] = [
  ['0', 'done'], ['1', 'the thing asked for failed'], ['2', 'wrong usage or configuration'], ['3', 'denied by policy'],
  ['4', 'not authenticated or not allowed'], ['5', 'approval needed or rejected'], ['6', 'tampering found'],
  ['7', 'incomplete, or no integrity'], ['8', 'cannot reach'], ['130', 'interrupted'],
];

/** The text of docs/cli.md. */
export function referenceText(commands: readonly LoadedCommand[]): string {
  return [
    '# The command line',
    'Generated from the tables in `cli/`; `LOKI_UPDATE_GOLDEN=1` with the tests of `cli/` writes it anew.',
    'Results go to stdout, messages to stderr. With `--json` the result is one JSON value (a stream of entries: one a line), and an error is one line on '
      + 'stderr, `{"error":{"code","message","hint","problems"?}}`. Colours are used on terminals only, and never with `NO_COLOR`, `TERM=dumb` or `--no-color`.',
    '## Exit codes', pairs(exitCodes),
    '## Flags of every command', flagList(globalFlags),
    '## Commands', commands.map(({ row }) => `- [\`loki ${row.name}\`](#loki-${row.name.replaceAll(' ', '-')}): ${row.summary}`).join('\n'),
    ...commands.flatMap(commandText),
    '## Groups', pairs(groupTable.map(({ name, summary }) => [`loki ${name}`, summary])),
  ].join('\n\n').concat('\n');
}

function commandText({ row, command }: LoadedCommand): string[] {
  return [
    `## loki ${row.name}`,
    `    ${usageOf(row, command)}`,
    command.about,
    ...(command.operands.length > 0 ? [pairs(command.operands.map((operand) => [operand.name, operandWords(operand)]))] : []),
    ...(command.flags.length > 0 ? [flagList(command.flags)] : []),
    command.examples.map(([line, meaning]) => `    ${line}${meaning === '' ? '' : `    # ${meaning}`}`).join('\n'),
    `Exit codes: ${exitPairs(command).map(([code, meaning]) => `${code} ${meaning}`).join('; ')}.`,
  ];
}

function flagList(flags: readonly FlagRow[]): string {
  return pairs(flags.map((flag) => [flagWords(flag), flagMeaning(flag)]));
}

function pairs(list: readonly Example[]): string {
  return ['| | |', '|---|---|', ...list.map(([word, meaning]) => `| \`${word}\` | ${meaning.replaceAll('|', '\\|')} |`)].join('\n');
}
