/**
 * Programs that, started as they are, go on with what is typed into them: shells without a script, interpreters without a program, clients
 * that run commands. Where an agent can type into a process later without asking, starting one of them is all that will ever be asked.
 */
import { shells } from './programs.ts';
import { interpreterOf } from './interpreters.ts';
import type { Word } from './tree.ts';

/** Programs that open a prompt whatever they are given, unless an option of theirs says what to do. */
const prompters: ReadonlyMap<string, RegExp | undefined> = new Map<string, RegExp | undefined>([
  ['irb', undefined], ['pry', undefined], ['ghci', undefined], ['jshell', undefined], ['scala', undefined], ['bpython', undefined], ['ptpython', undefined], ['expect', /^-(?:c|f)$/], ['tclsh', undefined], ['octave', /^--eval$/],
  ['psql', /^(?:-c|-f|-l|--(?:command|file|list).*)$/], ['mysql', /^(?:-e|--execute.*)$/], ['mariadb', /^(?:-e|--execute.*)$/], ['mongo', /^--eval.*$/], ['mongosh', /^--eval.*$/], ['redis-cli', undefined], ['sqlplus', undefined],
  ['gdb', /^-batch$/], ['lldb', /^(?:-b|--batch)$/], ['vi', undefined], ['vim', /^-[eE]s?$/], ['nvim', /^--headless$/], ['view', undefined], ['nano', undefined], ['emacs', /^--batch$/], ['ed', undefined], ['ex', undefined], ['less', undefined], ['more', undefined], ['man', undefined],
  ['tmux', undefined], ['screen', undefined], ['script', /^(?:-c|--command.*)$/], ['ftp', undefined], ['sftp', /^-b$/], ['telnet', undefined], ['nc', undefined], ['ncat', undefined], ['netcat', undefined], ['socat', undefined],
  ['xargs', undefined], ['gxargs', undefined], ['parallel', /^:::/], ['at', undefined], ['batch', undefined], ['dash', undefined], ['login', undefined],
]);

/** Clients that take what they do as further words: with one word alone they open a prompt. */
const askedBare: ReadonlySet<string> = new Set(['sqlite3', 'ssh', 'su', 'mosh', 'bc', 'dc']);

/** Whether the program waits for what to do. Its standard input is taken to be the terminal. */
export function opensPrompt(program: string, words: readonly Word[]): boolean {
  const opens = shells.has(program) ? shellPrompt(words) : askedBare.has(program) ? barePrompt(words) : prompters.has(program) ? !told(words, prompters.get(program)) : interpreterPrompt(program, words);
  return opens && !told(words, /^(?:--?version|-V|--help)$/);
}

function shellPrompt(words: readonly Word[]): boolean {
  return told(words, /^-(?=[A-Za-z]*[is])[^c]*$/) || (words.every(isOption) && !told(words, /^-[A-Za-z]*c/));
}

function barePrompt(words: readonly Word[]): boolean {
  return words.filter((word) => !isOption(word)).length <= 1 && !told(words, /^-[A-Za-z]*[ce]/);
}

function interpreterPrompt(program: string, words: readonly Word[]): boolean {
  const interpreter = interpreterOf(program);
  if (interpreter === undefined) return false;
  return told(words, /^(?:-i|--interactive)$/) || (words.every(isOption) && !told(words, interpreter.code));
}

function told(words: readonly Word[], option: RegExp | undefined): boolean {
  return option !== undefined && words.some(({ text }) => option.test(text));
}

function isOption({ text }: Word): boolean {
  return text.startsWith('-');
}
