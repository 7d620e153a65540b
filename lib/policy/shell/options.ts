/** Options of programs that are more than switches: other command lines, files to write. */
import { commandOptions, outputOptions } from './programs.ts';
import type { Word } from './tree.ts';

export interface OptionValues {
  /** Command lines the program will run. */
  readonly scripts: readonly Word[];
  /** Files it is told to write. */
  readonly outputs: readonly Word[];
}

/** GNU programs take a long option by its beginning. */
function abbreviates(name: string, holder: string): boolean {
  return name.length > 5 && name.startsWith('--') && holder.startsWith(name);
}

/** The values of such options, written apart (`-o x`, `--pre x`) or together (`-ox`, `--pre=x`). */
export function optionsOf(program: string, words: readonly Word[]): OptionValues {
  const holders = commandOptions.get(program) ?? [];
  const [scripts, outputs]: [Word[], Word[]] = [[], []];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined || !word.text.startsWith('-')) continue;
    const sign = word.text.startsWith('--') ? word.text.indexOf('=') : -1;
    const name = sign < 0 ? word.text : word.text.slice(0, sign);
    const value = sign < 0 ? words[at + 1] : { ...word, text: word.text.slice(sign + 1) };
    const joined = holders.find((holder) => /^-\w$/.test(holder) && word.text.startsWith(holder) && word.text.length > 2);
    if (/^(?:ssh|scp|sftp|autossh|mosh)$/.test(program)) scripts.push(...connectionCommand(word, words[at + 1]));
    const script = holders.some((holder) => holder === name || abbreviates(name, holder)) ? value : joined === undefined ? undefined : { ...word, text: word.text.slice(2) };
    if (script !== undefined && script.text !== '-') scripts.push({ ...script, text: script.text.replace(/^(?:exec=|:?!)/, '') });
    if (outputOptions.test(name) && value !== undefined) outputs.push(value);
  }
  return { scripts, outputs };
}

/** `-o ProxyCommand=…`: run on this machine, by a shell. */
function connectionCommand({ text, ...word }: Word, next: Word | undefined): readonly Word[] {
  const setting = text === '-o' ? next : /^-o./s.test(text) ? { ...word, text: text.slice(2) } : undefined;
  const line = /^\s*(?:ProxyCommand|LocalCommand|KnownHostsCommand)\s*[=\s]\s*(.*)$/is.exec(setting?.text ?? '')?.[1];
  return setting === undefined || line === undefined || line.toLowerCase() === 'none' ? [] : [{ ...setting, text: line.replace(/%[a-zA-Z]/g, 'x') }];
}
