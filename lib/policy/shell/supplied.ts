/** `xargs` and `parallel`: the commands they make of a template and of words from elsewhere, as far as those are known. */
import { findParts } from './find.ts';
import { outputOf } from './literal.ts';
import { literalWord } from './tree.ts';
import type { SimpleCommand, Word } from './tree.ts';

/** What comes out of a command before a pipe; looked at only by those who read it as commands or as names. */
export class Feed {
  readonly #command: SimpleCommand;
  readonly #before: Feed | undefined;
  #text: { readonly known: string | undefined } | undefined;

  constructor(command: SimpleCommand, before: Feed | undefined) {
    this.#command = command;
    this.#before = before;
  }

  /** The text itself, where it is certain. */
  text(): string | undefined {
    this.#text ??= { known: outputOf(this.#command, () => this.#before?.text()) };
    return this.#text.known;
  }

  /** Patterns that the file names in it match, where they are known. */
  paths(): readonly Word[] | undefined {
    return listedBy(this.#command);
  }
}

/** More commands than this are not made of one template. */
const mostCommands = 64;

/** A word that only the run will show. */
const unknown: Word = { text: '{}', dynamic: true, pattern: false, quoted: false, inner: undefined };

/** The commands that come of it; undefined when they are too many to tell. `own` are the words of the program itself. */
export function suppliedCommands(program: string, own: readonly Word[], template: readonly Word[], feed: Feed | undefined): readonly (readonly Word[])[] | undefined {
  const mark = template.findIndex(({ text }) => /^:::\+?$/.test(text));
  if (program === 'parallel' && mark >= 0) return combined(template.slice(0, mark), groupsOf(template.slice(mark)));
  if (program === 'parallel' && template.some(({ text }) => /^::::\+?$/.test(text))) return [filled(template.slice(0, template.findIndex(({ text }) => text.startsWith('::::'))), [unknown])];
  const place = program === 'parallel' ? '{}' : placeholder(own);
  const text = feed?.text();
  if (text !== undefined) return ofText(text, place, template, own.some((word) => /^(?:-0|--null|-d.*|--delimiter.*|-L.*)$/s.test(word.text)));
  const words = feed?.paths() ?? [unknown];
  if (template.length === 0) return [words];
  return [place === undefined || (program === 'parallel' && !template.some((word) => word.text.includes('{}'))) ? [...template, ...words] : replaced(template, place, words)];
}

/** The value of `-I`, `--replace` or `-i`. */
function placeholder(own: readonly Word[]): string | undefined {
  for (const [at, { text }] of own.entries()) {
    if (text === '-I' || text === '-J') return own[at + 1]?.text ?? '{}';
    const joined = /^(?:-[Ii]|--replace=?)(.*)$/s.exec(text);
    if (joined !== null) return joined[1] === '' ? '{}' : joined[1];
  }
  return undefined;
}

function ofText(text: string, place: string | undefined, template: readonly Word[], byLine: boolean): readonly (readonly Word[])[] | undefined {
  const parts = text.split(place === undefined && !byLine ? /\s+/ : /[\n\0]/).filter((part) => part !== '').map((part) => literalWord(part.replace(/^(['"])(.*)\1$/s, '$2'), true));
  if (parts.length > mostCommands) return undefined;
  if (place === undefined) return [[...template, ...parts]];
  return parts.map((part) => template.length === 0 ? [part] : replaced(template, place, [part]));
}

/** The template with the place filled; a word that is only the place becomes as many as there are. */
function replaced(template: readonly Word[], place: string, words: readonly Word[]): readonly Word[] {
  return template.flatMap((word) => {
    if (word.text === place) return words;
    return word.text.includes(place) ? words.map((filler) => ({ ...word, text: word.text.replaceAll(place, filler.text), dynamic: word.dynamic || filler.dynamic, pattern: word.pattern || filler.pattern })) : [word];
  });
}

function groupsOf(words: readonly Word[]): readonly (readonly Word[])[] {
  const groups: Word[][] = [];
  for (const word of words) {
    if (/^:::\+?$/.test(word.text)) groups.push([]);
    else groups[groups.length - 1]?.push(word);
  }
  return groups;
}

/** Every choice of one word a group, put where `{}`, `{1}`, `{2}` … stand, or behind. Without a template the words are commands. */
function combined(template: readonly Word[], groups: readonly (readonly Word[])[]): readonly (readonly Word[])[] | undefined {
  let choices: (readonly Word[])[] = [[]];
  for (const group of groups) {
    choices = choices.flatMap((choice) => group.map((word) => [...choice, word]));
    if (choices.length > mostCommands) return undefined;
  }
  return choices.map((choice) => template.length === 0 ? choice : filled(template, choice));
}

function filled(template: readonly Word[], choice: readonly Word[]): readonly Word[] {
  const placed = /\{(?:\d*[./]*)\}/;
  if (!template.some(({ text }) => placed.test(text))) return [...template, ...choice];
  const dynamic = choice.some((word) => word.dynamic);
  return template.map((word) => {
    const text = word.text.replace(/\{(\d*)[./]*\}/g, (_, number: string) => number === '' ? choice.map((one) => one.text).join(' ') : choice[Number(number) - 1]?.text ?? '');
    return text === word.text ? word : { ...word, text, dynamic: word.dynamic || dynamic, pattern: false };
  });
}

/** Patterns of the file names that a command lists, for `find` and for searches below named folders. */
function listedBy({ words }: SimpleCommand): readonly Word[] | undefined {
  const [first, ...rest] = words;
  const program = first?.text ?? '';
  if (program === 'find') {
    const { found, named } = findParts(rest);
    return named ? found : undefined;
  }
  if (/^(?:grep|egrep|fgrep|rg)$/.test(program) && rest.some(({ text }) => /^(?:-\w*l|--files-with-matches)/.test(text))) {
    const folders = rest.filter(({ text }) => !text.startsWith('-')).slice(1);
    return folders.length > 0 && folders.every((folder) => !folder.dynamic && !/^\.{0,2}\/?$/.test(folder.text)) ? folders.map((folder) => ({ ...folder, text: `${folder.text.replace(/\/+$/, '')}/**`, pattern: true })) : undefined;
  }
  if (program === 'git' && rest[0]?.text === 'ls-files') {
    const patterns = rest.slice(1).filter(({ text }) => !text.startsWith('-'));
    return patterns.length > 0 ? patterns.map((word) => ({ ...word, text: word.text.startsWith('*') ? `**/${word.text}` : word.text, pattern: true })) : undefined;
  }
  return undefined;
}
