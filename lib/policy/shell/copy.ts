/** What `cp`, `mv`, `ln` and their kin are told. */
import { basename } from '../../base/paths.ts';
import type { Word } from './tree.ts';

export interface Copy {
  readonly target: Word | undefined;
  readonly sources: readonly Word[];
  /** Where each source comes to lie if the target is a folder. */
  readonly inside: readonly Word[];
  /** The target becomes another name of the source. */
  readonly links: boolean;
  /** The sources are gone afterwards. */
  readonly moves: boolean;
}

/** `operands` are the words that are no options. */
export function copied(program: string, words: readonly Word[], operands: readonly Word[]): Copy {
  const into = /^(?:rsync|scp)$/.test(program) ? undefined : givenTarget(words);
  const target = into ?? operands[operands.length - 1];
  const sources = operands.filter((word) => word !== target && word !== into);
  return {
    target, sources,
    inside: target === undefined ? [] : sources.map((source) => ({ ...source, text: `${target.text}/${basename(source.text.replace(/\/+$/, ''))}` })),
    links: program === 'ln' || (/^g?cp$/.test(program) && words.some(({ text }) => /^(?:-[A-Za-z]*[ls]|--link|--symbolic-link)/.test(text))),
    moves: /^g?mv$/.test(program) || words.some(({ text }) => text === '--remove-source-files'),
  };
}

/** The folder after `-t`, in the same word or the next. */
function givenTarget(words: readonly Word[]): Word | undefined {
  for (const [at, word] of words.entries()) {
    const value = /^(?:-[A-Za-su-z]*t|--target-directory(?:=|$))(.*)$/s.exec(word.text)?.[1];
    if (value !== undefined) return value === '' ? words[at + 1] : { ...word, text: value };
  }
  return undefined;
}
