/** Editors, debuggers and pagers that take lines as if they were typed, some of which start a shell: `!command`, `shell command`. */
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';

/** Programs, the options behind which such lines stand, and what begins a line that is a command. */
const typing: readonly (readonly [programs: RegExp, options: RegExp, command: RegExp])[] = [
  [/^(?:n?vim?|view|vimdiff|ex)$/, /^(?:-c|--cmd|-S)$|^\+(?=.)/, /(?:^|\||\b(?:silent|sil|noa\w*|execute|exe|call|norm\w*)!?\s+)\s*:?[%\d,$]*(?:r\w*|w\w*)?\s*!\s*([^]+)|\bsystem(?:list)?\(\s*["']([^"']*)["']/],
  [/^(?:gdb|lldb|r?gdb-?\w*)$/, /^-{1,2}(?:ex|iex|eval-command|init-eval-command|o|one-line|O|one-line-before-file|k)(?:=|$)/, /^\s*(?:shell|!|platform shell|make|pipe .*\||python .*system\()\s*([^]+)/],
  [/^(?:less|more|most)$/, /^\+{1,2}(?=.)/, /^\s*!\s*([^]+)/],
  [/^ed$/, /^$/, /^[%\d,$]*(?:r|w|e)?\s*!\s*([^]+)/],
  [/^emacs(?:client)?$/, /^-{1,2}(?:eval|execute|e)(?:=|$)/, /\((?:shell-command(?:-to-string)?|async-shell-command|compile|start-process-shell-command\s+\S+\s+\S+)\s+"([^"]*)"|\(((?:call-process|start-process|process-file|delete-directory|delete-file)\b[^]*)/],
];

/** The command lines among them. */
export function typedCommands(program: string, words: readonly Word[], input: readonly Word[]): readonly Word[] {
  const row = typing.find(([programs]) => programs.test(program));
  if (row === undefined) return [];
  const [, options, command] = row;
  const lines = words.flatMap((word, at) => {
    const sign = /^(?:-{1,2}[\w-]+=|\+{1,2}(?=.))/.exec(word.text)?.[0];
    if (!options.test(word.text)) return [];
    return sign === undefined ? words.slice(at + 1, at + 2) : [{ ...word, text: word.text.slice(sign.length) }];
  });
  // Lines of a text that is fed are typed, too.
  const typed = [...lines, ...input.flatMap((word) => word.text.split('\n').slice(0, 1000).map((text) => ({ ...word, text })))];
  return typed.flatMap((word) => {
    const found = command.exec(word.text.slice(0, 4096));
    const line = found?.[1] ?? found?.[2];
    if (line === undefined || line.trim() === '') return [];
    return [program.startsWith('emacs') && found?.[1] === undefined ? literalWord(`eval "$lisp"`) : { ...word, text: line }];
  });
}
