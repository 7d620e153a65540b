/**
 * Other spellings of a command that mean the same, so that one pattern of a policy finds them all: options taken apart, put in
 * order and before the operands, in their short and in their long form; options that only say where left out; what git and
 * others take for granted written down. Used to forbid only: what is permitted must be permitted as it is written.
 */
import { spellingOf } from './spellings.ts';
import type { Spelling } from './spellings.ts';
import type { Word } from './tree.ts';

/** An option, `-f` or `--force`, with its value where it has one. */
interface Option {
  readonly name: string;
  readonly value: string | undefined;
}

interface Parsed {
  readonly head: string;
  readonly options: readonly Option[];
  readonly operands: readonly string[];
}

/** Commands with more words have no other spellings. */
const mostWords = 200;
/** Options and operands that are told one by one. */
const mostAlone = 16;

/** The spellings of a program with these words. Empty for a program that is not known, or when there is none but the written one. */
export function canonicalReadings(program: string, words: readonly Word[]): readonly string[] {
  const base = spellingOf(program);
  if (base === undefined || words.length > mostWords) return [];
  const verbs = program === 'git' ? behindPlaces(base, words) : 0;
  const spelling = program === 'git' ? spellingOf(`git ${words[verbs]?.text ?? ''}`) ?? base : base;
  if (spelling === base && program === 'git' && verbs === 0) return [];
  const parsed = madeExplicit(parsedBy(program, spelling, words.slice(verbs).map(({ text }) => text)));
  return [...readingsOf(parsed, spelling)];
}

/** Where the words behind the options before a subcommand begin. */
function behindPlaces({ places, values }: Spelling, words: readonly Word[]): number {
  let at = 0;
  for (let word = words[at]; word !== undefined && word.text.startsWith('-'); word = words[at]) {
    const name = /^-[Cc]./.test(word.text) && !word.text.startsWith('--') ? word.text : nameOf(word.text);
    at += places.has(name) && values.has(name) && name === word.text ? 2 : 1;
  }
  return at;
}

function nameOf(text: string): string {
  const sign = text.indexOf('=');
  return sign < 0 ? text : text.slice(0, sign);
}

function parsedBy(program: string, spelling: Spelling, words: readonly string[]): Parsed {
  const [options, operands, verbs]: [Option[], string[], string[]] = [[], [], []];
  for (let at = 0; at < words.length; at += 1) {
    const text = words[at] ?? '';
    if (text === '--') {
      operands.push(text, ...words.slice(at + 1));
      break;
    }
    if (!text.startsWith('-') || text === '-') {
      if (verbs.length < spelling.verbs && operands.length === 0 && (options.length === 0 || verbs.length > 0 || spelling.verbs > 0)) verbs.push(text);
      else operands.push(text);
      continue;
    }
    const found = text.startsWith('--') ? longOption(text, spelling, words[at + 1]) : shortOptions(text, spelling, words[at + 1]);
    at += found.taken;
    for (const option of found.options) if (!spelling.places.has(option.name) || program === 'git') options.push(option);
  }
  return { head: [program, ...verbs].join(' '), options: ordered(options), operands };
}

interface Found { readonly options: readonly Option[]; readonly taken: number }

/** `--opt=value`, `--opt value`, and long options cut short. */
function longOption(text: string, { names, short, values }: Spelling, next: string | undefined): Found {
  const written = nameOf(text);
  const fitting = names.includes(written) ? [written] : names.filter((name) => name.startsWith(written) && written.length > 3);
  const full = fitting.length === 1 ? fitting[0] ?? written : written;
  const inWord = text.length > written.length ? text.slice(written.length + 1) : undefined;
  const takes = inWord === undefined && values.has(full) && next !== undefined;
  return { options: [{ name: short.get(full) ?? full, value: inWord ?? (takes ? next : undefined) }], taken: takes ? 1 : 0 };
}

/** `-rf` as `-r -f`; a letter that takes a value ends them. */
function shortOptions(text: string, { clusters, values, short }: Spelling, next: string | undefined): Found {
  if (!clusters) {
    const takes = values.has(text) && next !== undefined;
    return { options: [{ name: text, value: takes ? next : undefined }], taken: takes ? 1 : 0 };
  }
  const options: Option[] = [];
  for (let at = 1; at < text.length && options.length < mostAlone; at += 1) {
    const name = `-${text.charAt(at)}`;
    if (values.has(name)) {
      const rest = text.slice(at + 1);
      options.push({ name, value: rest === '' ? next : rest });
      return { options, taken: rest === '' && next !== undefined ? 1 : 0 };
    }
    options.push({ name: short.get(name) ?? name, value: undefined });
  }
  return { options, taken: 0 };
}

/** Short ones by their letter, then long ones; each once. */
function ordered(options: readonly Option[]): readonly Option[] {
  const unique = new Map(options.map((option) => [spelledOut(option), option]));
  return [...unique.values()].sort((a, b) => rank(a) < rank(b) ? -1 : 1);
}

function rank({ name }: Option): string {
  return name.startsWith('--') ? `~${name}` : `${name.toLowerCase()}${name}`;
}

function spelledOut({ name, value }: Option): string {
  return value === undefined ? name : name.startsWith('--') ? `${name}=${value}` : `${name} ${value}`;
}

type Normal = (parsed: Parsed) => Parsed;

function withOption(parsed: Parsed, name: string, operands: readonly string[] = parsed.operands): Parsed {
  return { ...parsed, options: ordered([...parsed.options, { name, value: undefined }]), operands };
}

function has({ options }: Parsed, name: string): boolean {
  return options.some((option) => option.name === name);
}

/** What git takes for granted, and its several ways to say one thing. */
const normals: ReadonlyMap<string, Normal> = new Map<string, Normal>([
  // `+ref` is `--force` for that ref, `:ref` deletes it.
  ['git push', (parsed) => {
    const plain = parsed.operands.map((operand) => operand.replace(/^\+/, '').replace(/^:(?=.)/, ''));
    const forced = parsed.operands.slice(1).some((operand) => operand.startsWith('+')) ? withOption(parsed, '-f', plain) : parsed;
    return parsed.operands.slice(1).some((operand) => /^\+?:./.test(operand)) ? withOption(forced, '-d', plain) : forced;
  }],
  ['git branch', (parsed) => combined(combined(parsed, '-d', '-D'), '-m', '-M')],
  // A name and another one, or what cannot be a branch, are files that are overwritten.
  ['git checkout', (parsed) => {
    const { operands } = parsed;
    if (operands.includes('--')) return parsed;
    if (operands.length > 1) return { ...parsed, operands: [operands[0] ?? '', '--', ...operands.slice(1)] };
    const [only] = operands;
    const creates = has(parsed, '-b') || has(parsed, '-B') || has(parsed, '--orphan');
    return only !== undefined && !creates && /^(?:\.|:|.*[*?]|.*\.[A-Za-z]{1,4}$)/.test(only) ? { ...parsed, operands: ['--', only] } : parsed;
  }],
  ['git restore', (parsed) => has(parsed, '-S') || has(parsed, '-W') || has(parsed, '--help') ? parsed : withOption(parsed, '-W')],
]);

/** `-d -f` is `-D`. */
function combined(parsed: Parsed, letter: string, capital: string): Parsed {
  if (!has(parsed, letter) || !has(parsed, '-f')) return parsed;
  return withOption({ ...parsed, options: parsed.options.filter(({ name }) => name !== letter && name !== '-f') }, capital);
}

function madeExplicit(parsed: Parsed): Parsed {
  return normals.get(parsed.head)?.(parsed) ?? parsed;
}

function readingsOf({ head, options, operands }: Parsed, { long, order, each }: Spelling): ReadonlySet<string> {
  const short = options.map(spelledOut);
  const full = options.map(({ name, value }) => spelledOut({ name: long.get(name) ?? name, value }));
  const readings = new Set<string>();
  const add = (spelled: readonly string[], rest: readonly string[]): void => { readings.add([head, ...spelled, ...rest].join(' ')); };
  add(short, operands);
  add(full, operands);
  add(clustered(options, order), operands);
  if (options.length > 1 && options.length <= mostAlone) for (const [at, one] of short.entries()) {
    add([one], operands);
    add([full[at] ?? one], operands);
  }
  const things = operands.filter((operand) => operand !== '--');
  if (each && (things.length > 1 || things.length < operands.length) && things.length <= mostAlone) for (const thing of things) {
    add(short, [thing]);
    add(full, [thing]);
    add(clustered(options, order), [thing]);
  }
  return readings;
}

/** Short options without values in one word, as people write them. */
function clustered(options: readonly Option[], order: string): readonly string[] {
  const flags = options.filter(({ name, value }) => value === undefined && /^-[^-]$/.test(name)).map(({ name }) => name.charAt(1));
  if (flags.length < 2) return options.map(spelledOut);
  const place = (letter: string): number => order.includes(letter) ? order.indexOf(letter) : order.length + letter.charCodeAt(0);
  const others = options.filter(({ name, value }) => value !== undefined || !/^-[^-]$/.test(name));
  return [`-${flags.sort((a, b) => place(a) - place(b)).join('')}`, ...others.map(spelledOut)];
}
