/** Words of a command as operands: which are, what they name, and where they lead. Text only; the disk is not asked. */
import { basename } from '../../base/paths.ts';
import { optionValues } from './programs.ts';
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';

/** The file name of a program, however it is called. */
export function programName(text: string): string {
  return basename(text).replace(/\.exe$/i, '');
}

/** Options of filters behind which their program or pattern stands. */
const programOptions: ReadonlyMap<string, RegExp> = new Map(Object.entries({
  sed: /^(?:-[nErsuz]*e|--expression)$/, gsed: /^(?:-[nErsuz]*e|--expression)$/, grep: /^(?:-[A-Za-z]*e|--regexp)$/, egrep: /^(?:-[A-Za-z]*e|--regexp)$/, fgrep: /^(?:-[A-Za-z]*e|--regexp)$/, rg: /^(?:-[A-Za-z]*e|--regexp)$/,
}));

/** The words of a program that are neither options nor their values. */
export function operandsOf(program: string, words: readonly Word[]): readonly Word[] {
  const values = optionValues.get(program) ?? [];
  const operands: Word[] = [];
  let [ended, skip] = [false, false];
  for (const word of words) {
    if (skip) skip = false;
    else if (ended || !/^-./.test(word.text) || word.dynamic) operands.push(word);
    else if (word.text === '--') ended = true;
    else skip = values.includes(word.text) || (programOptions.get(program)?.test(word.text) === true);
  }
  if (program === '[' || program === '[[') return operands.filter((word) => looksLikePath(word.text));
  return operands;
}

/** Whether a word given to an unknown program is likely to be a path. */
export function looksLikePath(text: string): boolean {
  if (text.length > 4096 || /[\s;|()<>$`'"]/.test(text) || text.includes('://') || text.startsWith('-')) return false;
  return /^(?:\/|~(?:\/|$)|\.{1,2}(?:\/|$))/.test(text) || (text.includes('/') && !text.startsWith('@'));
}

/** Paths beyond this are not told one by one. */
const mostPaths = 64;

/**
 * `{a,b}` and `{1..3}` outside quotes, as often and as deep as they stand there; other patterns stay as they are. Undefined
 * when they come to more than can be told.
 */
export function expandedBraces(text: string): readonly string[] | undefined {
  const done: string[] = [];
  const pending = [text];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (done.length + pending.length > mostPaths) return undefined;
    const brace = /\{([^{}]*(?:,|\.\.)[^{}]*)\}/.exec(next);
    const parts = brace === null ? [] : alternatives(brace[1] ?? '');
    if (brace === null) done.push(next);
    else if (parts === undefined) return undefined;
    else for (const part of parts) pending.push(next.slice(0, brace.index) + part + next.slice(brace.index + brace[0].length));
  }
  return done;
}

/** What one pair of braces without others in it stands for. */
function alternatives(inner: string): readonly string[] | undefined {
  if (inner.includes(',')) return inner.split(',');
  const [, from, to] = /^(\d{1,4}|[A-Za-z])\.\.(\d{1,4}|[A-Za-z])$/.exec(inner) ?? [];
  if (from === undefined || to === undefined || /\d/.test(from) !== /\d/.test(to)) return undefined;
  const isNumber = /\d/.test(from);
  const [low, high] = [from, to].map((end) => isNumber ? Number(end) : end.charCodeAt(0)).sort((a, b) => a - b);
  if (low === undefined || high === undefined || high - low > mostPaths) return undefined;
  return Array.from({ length: high - low + 1 }, (_, step) => isNumber ? String(low + step) : String.fromCharCode(low + step));
}

/** The words of a shell that are no options: with `-c`, the first of them is what it is told to run. `lines` are run before. */
export function shellWords(program: string, words: readonly Word[]): { readonly told: boolean; readonly operands: readonly Word[]; readonly lines: readonly Word[] } {
  let told = false;
  const lines: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const text = words[at]?.text ?? '';
    if (text === '--' || text === '-') return { told, operands: words.slice(at + 1), lines };
    if (!/^[-+]./.test(text)) return { told, operands: words.slice(at), lines };
    const given = /^(--(?:commands?|init-command)=|-C(?=.))(.+)$/s.exec(text);
    if (given?.[2] !== undefined && (program === 'fish' || given[1] !== '-C')) lines.push({ ...words[at] ?? literalWord(''), text: given[2] });
    const apart = /^--(?:commands?|init-command)$/.test(text) || (program === 'fish' && text === '-C');
    if (apart) lines.push(...words.slice(at + 1, at + 2));
    if (/^-[A-Za-z]*c/.test(text)) told = true;
    if (apart || /^[-+][A-Za-z]*[oO]$/.test(text) || /^--(?:rcfile|init-file)$/.test(text)) at += 1;
  }
  return { told, operands: [], lines };
}
