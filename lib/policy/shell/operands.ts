/** Words of a command as operands: which are, what they name, and where they lead. Text only; the disk is not asked. */
import { basename, isAbsolute, resolveFrom } from '../../base/paths.ts';
import { optionValues } from './programs.ts';
import type { Word } from './words.ts';

/** Longer directories are not followed. */
const longestPlace = 512;

/** The file name of a program, however it is called. */
export function programName(text: string): string {
  return basename(text).replace(/\.exe$/i, '');
}

/** A path seen from a directory, where that is known. */
export function resolved(path: string, place: string | undefined): string {
  return place === undefined || isAbsolute(path) ? path : resolveFrom(place, path);
}

/** A directory deeper than anybody works in is not followed. */
export function bounded(path: string): string | undefined {
  return path.length > longestPlace ? undefined : path;
}

/** The words of a program that are neither options nor their values. */
export function operandsOf(program: string, words: readonly Word[]): readonly Word[] {
  const values = optionValues.get(program) ?? [];
  const operands: Word[] = [];
  let [ended, skip] = [false, false];
  for (const word of words) {
    if (skip) skip = false;
    else if (ended || !/^-./.test(word.text) || word.dynamic) operands.push(word);
    else if (word.text === '--') ended = true;
    else skip = values.includes(word.text);
  }
  if (program === '[' || program === '[[') return operands.filter((word) => looksLikePath(word.text));
  return operands;
}

/** The value of `--target-directory=…`. */
export function withoutOption(word: Word): Word {
  return { ...word, text: word.text.replace(/^--target-directory=/, '') };
}

/** Whether a word given to an unknown program is likely to be a path. */
export function looksLikePath(text: string): boolean {
  if (text.length > 4096 || /[\s;|()<>$`'"]/.test(text) || text.includes('://') || text.startsWith('-')) return false;
  return /^(?:\/|~(?:\/|$)|\.{1,2}(?:\/|$))/.test(text) || (text.includes('/') && !text.startsWith('@'));
}

/** `{a,b}` outside quotes, one level; other patterns stay as they are. */
export function expandedBraces(text: string): readonly string[] {
  const brace = /^([^{}]*)\{([^{}]*,[^{}]*)\}([^{}]*)$/.exec(text);
  if (brace === null) return [text];
  return (brace[2] ?? '').split(',').map((part) => `${brace[1] ?? ''}${part}${brace[3] ?? ''}`);
}
