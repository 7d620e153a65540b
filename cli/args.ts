/**
 * Arguments to values, by a table of flags and one of operands. Pure. Accepts nothing that the tables do not name: an
 * unknown flag, a missing value, a value of the wrong kind or one operand too many is a usage error with the nearest word.
 */
import { LokiError } from '../lib/errors.ts';
import { didYouMean } from '../lib/base/suggest.ts';
import { parseDuration } from '../lib/base/duration.ts';
import type { FlagRow, OperandRow } from './command.ts';
import { globalFlags } from './global-flags.ts';

/** What a flag was given. */
type FlagValue = string | number | true;

/** Parsed arguments. Asking for a name that is in no table is a defect, not an answer. */
export class Args {
  readonly #rows: ReadonlyMap<string, FlagRow>;
  readonly #flags: ReadonlyMap<string, readonly FlagValue[]>;
  readonly #operands: ReadonlyMap<string, readonly string[]>;

  constructor(rows: ReadonlyMap<string, FlagRow>, flags: ReadonlyMap<string, readonly FlagValue[]>, operands: ReadonlyMap<string, readonly string[]>) {
    this.#rows = rows;
    this.#flags = flags;
    this.#operands = operands;
  }

  /** Whether a switch was given. */
  on(name: string): boolean {
    return this.#given(name).length > 0;
  }

  text(name: string): string | undefined {
    const value = this.#given(name)[0];
    return typeof value === 'string' ? value : undefined;
  }

  /** An integer, or a duration in milliseconds. */
  number(name: string): number | undefined {
    const value = this.#given(name)[0];
    return typeof value === 'number' ? value : undefined;
  }

  /** All values of a repeated text flag, in order. */
  list(name: string): readonly string[] {
    return this.#given(name).filter((value) => typeof value === 'string');
  }

  operand(name: string): string | undefined {
    return this.operands(name)[0];
  }

  operands(name: string): readonly string[] {
    const values = this.#operands.get(name);
    if (values === undefined) throw new LokiError('internal', { attempted: `read the operand "${name}"`, found: 'the command does not declare it' });
    return values;
  }

  #given(name: string): readonly FlagValue[] {
    if (!this.#rows.has(name)) throw new LokiError('internal', { attempted: `read the flag "--${name}"`, found: 'the command does not declare it' });
    return this.#flags.get(name) ?? [];
  }
}

/** What the parser needs to know of a command. */
export interface Grammar {
  /** As it is typed: `loki audit tail`. */
  readonly called: string;
  readonly flags: readonly FlagRow[];
  readonly operands: readonly OperandRow[];
}

/** Reads the arguments after the command's words. With `--help` among the flags, missing operands are no error. */
export function parseArgs(argv: readonly string[], grammar: Grammar): Args {
  const rows = new Map([...grammar.flags, ...globalFlags].map((row) => [row.name, row]));
  const flags = new Map<string, FlagValue[]>();
  const loose: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      loose.push(...argv.slice(at + 1));
      break;
    }
    if (!isFlag(word)) {
      loose.push(word);
      continue;
    }
    for (const { row, text } of flagsOf(word, rows, grammar)) {
      const needed = row.kind !== 'switch' && text === undefined;
      if (needed) at += 1;
      const value = row.kind === 'switch' ? noValue(row, text, grammar) : readValue(row, text ?? valueAfter(row, argv[at], grammar), grammar);
      const values = flags.get(row.name) ?? [];
      if (values.length > 0 && row.repeated === undefined && row.kind !== 'switch') throw usage(grammar, `--${row.name} is given twice`);
      flags.set(row.name, [...values, value]);
    }
  }
  return new Args(rows, flags, assignOperands(loose, grammar, flags.has('help')));
}

/** Whether a word is a flag. A lone `-` stands for standard input; `-5` is a number. */
export function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith('-') && !/^-\d/.test(word);
}

/** The flags of one word: one long flag, or short switches in a bunch, the last of which may take a value. */
function flagsOf(word: string, rows: ReadonlyMap<string, FlagRow>, grammar: Grammar): { row: FlagRow; text: string | undefined }[] {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const row = rows.get(name);
    if (row === undefined) throw usage(grammar, `there is no flag "--${name}"${didYouMean(`--${name}`, [...rows.keys()].map((known) => `--${known}`))}`);
    return [{ row, text: equals < 0 ? undefined : word.slice(equals + 1) }];
  }
  const found: { row: FlagRow; text: string | undefined }[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const row = [...rows.values()].find(({ short }) => short === letter);
    if (row === undefined) {
      const near = rows.has(word.slice(1)) ? ` (did you mean "-${word}"?)` : '';
      throw usage(grammar, `there is no flag "-${letter}"${near}`);
    }
    if (row.kind === 'switch') found.push({ row, text: undefined });
    else {
      const rest = word.slice(at + 1).replace(/^=/, '');
      found.push({ row, text: rest === '' ? undefined : rest });
      break;
    }
  }
  return found;
}

function noValue(row: FlagRow, text: string | undefined, grammar: Grammar): true {
  if (text !== undefined) throw usage(grammar, `--${row.name} takes no value, and was given "${text}"`);
  return true;
}

function valueAfter(row: FlagRow, next: string | undefined, grammar: Grammar): string {
  if (next === undefined) throw usage(grammar, `--${row.name} needs a value (${row.value ?? 'VALUE'})`);
  if (isFlag(next) || next === '--') throw usage(grammar, `--${row.name} needs a value (${row.value ?? 'VALUE'}), and "${next}" is a flag; to use it as the value write --${row.name}=${next}`);
  return next;
}

function readValue(row: FlagRow, text: string, grammar: Grammar): FlagValue {
  if (text === '') throw usage(grammar, `--${row.name} needs a value (${row.value ?? 'VALUE'}), and was given an empty one`);
  if (row.choices !== undefined && !row.choices.includes(text)) {
    throw usage(grammar, `--${row.name} is one of ${row.choices.join(', ')}, and was given "${text}"${didYouMean(text, row.choices)}`);
  }
  if (row.kind === 'duration') {
    const duration = parseDuration(text);
    if (duration === undefined) throw usage(grammar, `--${row.name} is a length of time such as 30s, 24h or 7d, and was given "${text}"`);
    return duration;
  }
  return row.kind === 'integer' ? readInteger(row, text, grammar) : text;
}

function readInteger(row: FlagRow, text: string, grammar: Grammar): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  const least = row.least ?? 0;
  const most = row.most ?? Number.MAX_SAFE_INTEGER;
  if (value === undefined || value < least || value > most) {
    const range = row.most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
    throw usage(grammar, `--${row.name} is a whole number ${range}, and was given "${text}"`);
  }
  return value;
}

function assignOperands(loose: readonly string[], grammar: Grammar, helpAsked: boolean): ReadonlyMap<string, readonly string[]> {
  const operands = new Map<string, readonly string[]>();
  let at = 0;
  for (const row of grammar.operands) {
    const values = row.repeated === true ? loose.slice(at) : loose.slice(at, at + 1);
    at += values.length;
    if (values.length === 0 && row.required === true && !helpAsked) throw usage(grammar, `${row.name} is missing`);
    for (const value of values) {
      if (value === '') throw usage(grammar, `${row.name} is empty`);
      if (row.choices !== undefined && !row.choices.includes(value)) {
        throw usage(grammar, `${row.name} is one of ${row.choices.join(', ')}, and was given "${value}"${didYouMean(value, row.choices)}`);
      }
    }
    operands.set(row.name, values);
  }
  const extra = loose[at];
  if (extra !== undefined) throw usage(grammar, `"${extra}" is one argument too many`);
  return operands;
}

function usage(grammar: Grammar, found: string): LokiError {
  return new LokiError('usage', { attempted: `run "${grammar.called}"`, found, hint: `See: ${grammar.called} --help` });
}
