/**
 * Programs that filter text by a program of their own, and whether that does more than filter: reads or writes other files, or runs commands.
 * What is not understood is said to do so.
 */
import type { Word } from './tree.ts';

const longestProgram = 16 * 1024;

/** Commands, pipes and files in the text of an awk program. */
export const awkDoesMore: RegExp = /system\s*\(|\|\s*getline|getline[^;}\n]{0,80}<|\|\s*"|>\s*"|\bprintf?\b[^;}\n]{0,200}(?:>>?|[^|]\|)\s*[A-Za-z_(]/;

/** The commands `w`, `W`, `r`, `R` and `e`, and the flags `w` and `e` of `s`. `words` are all that sed is given. */
export function sedDoesMore(words: readonly Word[]): boolean {
  const programs = words.flatMap(({ text }, at) => {
    const joined = /^(?:--expression=|-[nErsuz]*e(?=.))(.*)$/s.exec(text)?.[1];
    if (joined !== undefined) return [joined];
    return /^(?:-[nErsuz]*e|--expression)$/.test(words[at - 1]?.text ?? '') ? [text] : [];
  });
  const first = words.find(({ text }) => !text.startsWith('-'));
  return (programs.length > 0 ? programs : [first?.text ?? '']).some(doesMore);
}

function doesMore(program: string): boolean {
  if (program.length > longestProgram) return true;
  let at = 0;
  while (at < program.length) {
    at = behindAddress(program, at);
    const command = program.charAt(at);
    if (/[wWerR]/.test(command)) return true;
    if (command === 's' || command === 'y') {
      const separator = program.charAt(at + 1);
      const end = behind(program, behind(program, at + 2, separator), separator);
      const flags = /^[A-Za-z0-9]*/.exec(program.slice(end, end + 64))?.[0] ?? '';
      if (command === 's' && /[we]/.test(flags)) return true;
      at = end + flags.length;
    } else if (/[aic#:btT]/.test(command)) at = lineEnd(program, at);
    else at += 1;
  }
  return false;
}

/** Index of the next command letter: separators, braces and addresses (`3`, `$`, `/…/I`, `\c…c`, `first~step`) are left behind. */
function behindAddress(program: string, from: number): number {
  let at = from;
  for (;;) {
    const char = program.charAt(at);
    if (char === '/') at = behind(program, at + 1, '/');
    else if (char === '\\') at = behind(program, at + 2, program.charAt(at + 1));
    else if (/[\s;{}\d$,~+!IM]/.test(char)) at += 1;
    else return at;
  }
}

/** Index behind the next separator that is not escaped; the end when there is none. */
function behind(program: string, from: number, separator: string): number {
  for (let at = from; at < program.length; at += 1) {
    if (program.charAt(at) === '\\') at += 1;
    else if (program.charAt(at) === separator) return at + 1;
  }
  return program.length;
}

/** The end of a text, a file name or a label; a line that ends in a backslash goes on. */
function lineEnd(program: string, from: number): number {
  for (let at = from; at < program.length; at += 1) {
    if (program.charAt(at) === '\\') at += 1;
    else if (program.charAt(at) === '\n') return at;
  }
  return program.length;
}
