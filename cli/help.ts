/** Help, from the same tables the parser reads. Pure: tables and a width to text. */
import type { TextSink } from '../lib/host/terminal.ts';
import { globalFlags } from './global-flags.ts';
import type { Command, Example, FlagRow, OperandRow } from './command.ts';
import type { CommandRow, GroupRow } from './table.ts';

const rootExamples: readonly Example[] = [
  ['loki init', 'put the project in this directory under governance'],
  ['loki start prd.md', 'run a governed session on a requirements document'],
  ['loki audit verify', 'check that nobody changed the records'],
];

/** Lines longer than this are hard to read, however wide the screen is. */
const widestLine = 100;

/** The width to write help in. */
export function helpWidth(sink: TextSink): number {
  return Math.max(40, Math.min(widestLine, sink.isTerminal ? sink.columns : widestLine));
}

export function rootHelp(commands: readonly CommandRow[], width: number): string {
  return sections([
    'Loki judges every action of a coding agent against policy and records it in a log nobody can quietly change.',
    'Usage: loki COMMAND [FLAGS]',
    block('Examples', rootExamples, width),
    block('Commands', shown(commands).map(({ name, summary }) => [name, summary]), width),
    block('Flags of every command', flagPairs(globalFlags), width),
    'More on a command: loki COMMAND --help',
  ], width);
}

export function groupHelp(group: GroupRow, commands: readonly CommandRow[], width: number): string {
  const members = shown(commands).filter(({ name }) => name.startsWith(`${group.name} `));
  return sections([
    `${group.summary}.`,
    `Usage: loki ${group.name} COMMAND [FLAGS]`,
    block('Commands', members.map(({ name, summary }) => [name, summary]), width),
    `More on a command: loki ${group.name} COMMAND --help`,
  ], width);
}

export function commandHelp(row: CommandRow, command: Command, width: number): string {
  return sections([
    `${row.summary}.`,
    `Usage: ${usageOf(row, command)}`,
    ...command.about.split('\n\n'),
    block('Arguments', command.operands.map((operand) => [operand.name, operandWords(operand)]), width),
    block('Examples', command.examples, width),
    block('Flags', flagPairs(command.flags), width),
    block('Flags of every command', flagPairs(globalFlags), width),
    block('Exit codes', exitPairs(command), width),
  ], width);
}

/** `loki audit log [N] [FLAGS]`. */
export function usageOf(row: CommandRow, command: Command): string {
  const operands = command.operands.map(({ name, required, repeated }) => {
    const word = repeated === true ? `${name}...` : name;
    return required === true ? word : `[${word}]`;
  });
  return ['loki', row.name, ...operands, '[FLAGS]'].join(' ');
}

/** `-n, --lines N`. */
export function flagWords(flag: FlagRow): string {
  const value = flag.kind === 'switch' ? '' : ` ${flag.value ?? 'VALUE'}`;
  return `${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}${value}`;
}

/** The summary with what else is accepted. */
export function flagMeaning(flag: FlagRow): string {
  const choices = flag.choices === undefined ? '' : `: ${flag.choices.join(', ')}`;
  return `${flag.summary}${choices}${flag.repeated === true ? ' (may be repeated)' : ''}`;
}

/** Codes the command may end with, the common ones first. */
export function exitPairs(command: Command): readonly Example[] {
  const own = new Map(command.exits);
  const common: readonly (readonly [number, string])[] = [[0, 'done'], [1, 'it failed'], [2, 'wrong usage or configuration']];
  const rows = [...common.filter(([code]) => !own.has(code)), ...own].sort(([a], [b]) => a - b);
  return rows.map(([code, meaning]) => [String(code), meaning]);
}

function shown(commands: readonly CommandRow[]): readonly CommandRow[] {
  return commands.filter(({ hidden }) => hidden !== true);
}

function flagPairs(flags: readonly FlagRow[]): readonly Example[] {
  return flags.map((flag) => [flagWords(flag), flagMeaning(flag)]);
}

export function operandWords(operand: OperandRow): string {
  return operand.choices === undefined ? operand.summary : `${operand.summary}: ${operand.choices.join(', ')}`;
}

function sections(parts: readonly string[], width: number): string {
  return `${parts.filter((part) => part !== '').map((part) => (part.includes('\n') ? part : wrap(part, width, '').join('\n'))).join('\n\n')}\n`;
}

/** A titled list of pairs; empty when there are none. Long left sides stand on a line of their own. */
function block(title: string, pairs: readonly Example[], width: number): string {
  if (pairs.length === 0) return '';
  const most = Math.floor(width / 2) - 4;
  const left = Math.max(...pairs.map(([word]) => (word.length > most ? 0 : word.length)));
  const lines = pairs.flatMap(([word, meaning]) => {
    const indent = ' '.repeat(left + 4);
    const [first = '', ...more] = wrap(meaning, width, indent);
    if (meaning === '') return [`  ${word}`];
    if (word.length > left) return [`  ${word}`, first, ...more];
    return [`  ${word.padEnd(left)}  ${first.trimStart()}`, ...more];
  });
  return [`${title}:`, ...lines].join('\n');
}

/** Words on lines no longer than `width`, each begun with `indent`. */
function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
