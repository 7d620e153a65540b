/**
 * Whether a sed program may do more than change its input: the commands `w`, `W`, `e` and the flags `w` and `e` of `s` write
 * files and run commands. Said when in doubt.
 */
import type { Word } from './words.ts';

/** A command letter at the begin of a command: after an address, a brace, a semicolon or a line end. */
const command = /(?:^|[;{}\n!]|[\d$/]\s*|\/I\s*)\s*[wWe](?:\s*\S|\s*$)/;
const longestProgram = 16 * 1024;

/** `words` are all that sed is given, files included: a file's name is no program, and does no harm in being read as one. */
export function sedDoesMore(words: readonly Word[]): boolean {
  const given = words.some(({ text }) => /^(?:-[A-Za-z]*e|--expression)/.test(text));
  const programs = given ? words : words.filter(({ text }) => !text.startsWith('-')).slice(0, 1);
  return programs.some(({ text }) => doesMore(text.replace(/^(?:--expression=|-[nErsuz]*e)/, '')));
}

function doesMore(program: string): boolean {
  if (program.length > longestProgram) return true;
  const { rest, flags } = withoutSubstitutions(program);
  return flags.some((flag) => /[we]/.test(flag)) || command.test(rest);
}

/** The program without its `s` and `y` commands, and the flags of those. */
function withoutSubstitutions(program: string): { rest: string; flags: string[] } {
  const flags: string[] = [];
  let rest = '';
  let at = 0;
  for (const match of program.matchAll(/(?:^|[;{}\n!\d$/,])\s*([sy])([^\sA-Za-z0-9\\;{}])/g)) {
    if (match.index < at) continue;
    const separator = match[2] ?? '/';
    const from = match.index + match[0].length;
    const end = after(program, after(program, from, separator), separator);
    const tail = /^[A-Za-z0-9]*(?:[ \t]+\S+)?/.exec(program.slice(end, end + 256))?.[0] ?? '';
    const flag = /^[A-Za-z0-9]*/.exec(tail)?.[0] ?? '';
    flags.push(flag);
    rest += `${program.slice(at, match.index + 1)};`;
    at = end + flag.length;
  }
  return { rest: rest + program.slice(at), flags };
}

/** Index behind the next separator that is not escaped; the end when there is none. */
function after(program: string, from: number, separator: string): number {
  for (let at = from; at < program.length; at += 1) {
    if (program.charAt(at) === '\\') at += 1;
    else if (program.charAt(at) === separator) return at + 1;
  }
  return program.length;
}
