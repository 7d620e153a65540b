/** Commands of PowerShell and `cmd`, told as what they would be elsewhere; and the command lines that those two are started with. */
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';

const removers: ReadonlySet<string> = new Set(['remove-item', 'ri', 'del', 'erase', 'rd']);
const likeOthers: ReadonlyMap<string, string> = new Map([
  ['invoke-webrequest', 'curl'], ['iwr', 'curl'], ['invoke-restmethod', 'curl'], ['irm', 'curl'], ['start-bitstransfer', 'curl'], ['get-content', 'cat'], ['gc', 'cat'], ['copy-item', 'cp'], ['copy', 'cp'], ['move-item', 'mv'], ['move', 'mv'],
  ['set-content', 'tee'], ['add-content', 'tee'], ['out-file', 'tee'], ['new-item', 'touch'], ['clear-content', 'truncate'],
]);

/** The same command in the words of a POSIX system; undefined for one that is none of Windows'. */
export function fromWindows(program: string, words: readonly Word[]): readonly Word[] | undefined {
  const name = program.toLowerCase();
  const operands = words.filter(({ text }) => !/^(?:-[A-Za-z]+:?|\/[a-z])$/i.test(text));
  if (removers.has(name)) {
    const flag = (form: RegExp): boolean => words.some(({ text }) => form.test(text));
    return [literalWord('rm'), ...(flag(/^(?:-r(?:e\w*)?|\/s)$/i) ? [literalWord('-r')] : []), ...(flag(/^(?:-fo?\w*|\/[fq])$/i) ? [literalWord('-f')] : []), ...operands];
  }
  const other = likeOthers.get(name);
  return other === undefined ? undefined : [literalWord(other), ...operands];
}

/** What PowerShell or `cmd` is told to run: a text, or undefined where only the run will show it. Null when it is told nothing. */
export function windowsScript(program: string, words: readonly Word[]): string | undefined | null {
  const name = program.toLowerCase();
  const at = name === 'cmd' ? words.findIndex(({ text }) => /^\/{1,2}[ck]$/i.test(text)) : words.findIndex(({ text }) => /^[-/](?:c(?:o\w*)?|e(?:c|n\w*)?)$/i.test(text));
  if (at < 0) return null;
  const rest = words.slice(at + 1);
  if (rest.some((word) => word.dynamic)) return undefined;
  const text = rest.map((word) => word.text).join(' ');
  const plain = name !== 'cmd' && /^[-/]e/i.test(words[at]?.text ?? '') ? Buffer.from(text, 'base64').toString('utf16le') : text;
  return plain.replaceAll('\\', '/').replaceAll('`', '');
}

export function isWindowsShell(program: string): boolean {
  return /^(?:powershell|pwsh|cmd)$/i.test(program);
}

/** Commands of PowerShell that run a text. */
export function runsText(program: string): boolean {
  return /^(?:iex|invoke-expression|invoke-command|icm)$/i.test(program);
}
