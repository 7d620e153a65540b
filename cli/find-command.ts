/** Which command a command line means. Pure. Global flags may stand before the command's words, between them or after. */
import { LokiError } from '../lib/errors.ts';
import { suggest } from '../lib/base/suggest.ts';
import { isFlag, parseArgs } from './args.ts';
import { globalFlags } from './global-flags.ts';
import type { CommandRow, GroupRow } from './table.ts';

/** A command with what is left for its parser; help on a command; or help on a group (the whole program when undefined). */
export type Found =
  | { readonly kind: 'command'; readonly row: CommandRow; readonly rest: readonly string[] }
  | { readonly kind: 'help'; readonly row: CommandRow }
  | { readonly kind: 'group'; readonly group: GroupRow | undefined; readonly asked: boolean };

/** Throws a usage error with the nearest command for words that name none. */
export function findCommand(argv: readonly string[], commands: readonly CommandRow[], groups: readonly GroupRow[]): Found {
  if (argv[0] === '--version' || argv[0] === '-V') return findCommand(['version', ...argv.slice(1)], commands, groups);
  const { words, rest, next } = leadingWords(argv, (name) => [...commands, ...groups].some((row) => row.name === name));
  const name = words.join(' ');
  const row = commands.find((candidate) => candidate.name === name);
  if (row !== undefined) return { kind: 'command', row, rest };
  if (next === 'help') return helpOn([...words, ...rest.slice(rest.indexOf('help') + 1)], commands, groups);
  if (next !== undefined) throw unknownCommand(words, next, commands);
  const args = parseArgs(rest, { called: ['loki', ...words].join(' '), flags: [], operands: [] });
  return { kind: 'group', group: groups.find((candidate) => candidate.name === name), asked: args.on('help') };
}

function helpOn(argv: readonly string[], commands: readonly CommandRow[], groups: readonly GroupRow[]): Found {
  const words = argv.filter((word) => !isFlag(word));
  const found = findCommand(words, commands, groups);
  if (found.kind === 'group') return { ...found, asked: true };
  return found.kind === 'command' ? { kind: 'help', row: found.row } : found;
}

/** The words that name a command or group, the rest without them, and the first of the rest if it is neither flag nor end. */
function leadingWords(argv: readonly string[], known: (name: string) => boolean): { words: string[]; rest: string[]; next: string | undefined } {
  const words: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (isFlag(word)) {
      const takesValue = globalFlagTakesNext(word);
      if (takesValue === undefined) return { words, rest: [...rest, ...argv.slice(at)], next: undefined };
      rest.push(word);
      const value = argv[at + 1];
      if (takesValue && value !== undefined) rest.push(value);
      if (takesValue) at += 1;
    } else if (known([...words, word].join(' '))) words.push(word);
    else return { words, rest: [...rest, ...argv.slice(at)], next: word };
  }
  return { words, rest, next: undefined };
}

/** Whether a global flag takes the next word as its value; undefined for other flags and for `--`. */
function globalFlagTakesNext(word: string): boolean | undefined {
  const name = word.startsWith('--') ? word.slice(2).replace(/=.*$/s, '') : undefined;
  const row = globalFlags.find((candidate) => candidate.name === name || `-${candidate.short ?? ''}` === word);
  return row === undefined ? undefined : row.kind !== 'switch' && !word.includes('=');
}

function unknownCommand(words: readonly string[], word: string, commands: readonly CommandRow[]): LokiError {
  const shown = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const prefix = words.map((each) => `${each} `).join('');
  const siblings = new Set(shown.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length).split(' ')[0] ?? ''));
  // Of the same name in another group only where the groups are called alike: `audit export` is `enterprise audit export`.
  const elsewhere = shown.find((name) => name.endsWith(` ${[...words.slice(-1), word].join(' ')}`));
  const near = suggest(word, siblings);
  const meant = near === undefined ? elsewhere : prefix + near;
  const group = ['loki', ...words].join(' ');
  return new LokiError('usage', {
    attempted: `run "${group} ${word}"`,
    found: `there is no such command${meant === undefined ? '' : ` (did you mean "loki ${meant}"?)`}`,
    hint: `See: ${group} --help`,
  });
}
