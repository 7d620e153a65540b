/**
 * What commands print when that stands in their own text: `echo`, `printf`, and the decoders behind them in a pipeline. An
 * agent that writes a command in base64 is read as if it had written it plainly; everything else is known only at run time.
 */
import { basename } from '../../base/paths.ts';
import { ansiEscape } from './quoting.ts';
import type { SimpleCommand, Word } from './tree.ts';

/** Longer texts are not followed. */
const longestText = 16 * 1024;

/** What a pipeline prints; undefined when that cannot be told. */
export function printed(commands: readonly SimpleCommand[]): string | undefined {
  let text: string | undefined;
  for (const [at, command] of commands.entries()) {
    const last = at === commands.length - 1;
    if (command.redirects.length > 0 || (!last && command.next !== '|')) return undefined;
    const before = at === 0 ? undefined : text;
    text = outputOf(command, () => before);
    if (text === undefined) return undefined;
  }
  return text;
}

/** What one command prints; `piped` is asked for what it reads, where that matters. */
export function outputOf({ words, input }: SimpleCommand, piped: () => string | undefined): string | undefined {
  const [first, ...rest] = words;
  if (first === undefined || first.dynamic || rest.length > 256 || rest.some((word) => word.dynamic || word.pattern)) return undefined;
  const program = basename(first.text);
  if (program === 'echo') return echoed(rest);
  if (program === 'printf') return formatted(rest);
  const decode = decoders.get(program);
  if (decode === undefined) return undefined;
  const given = input[input.length - 1];
  const text = given === undefined ? piped() : given.dynamic ? undefined : given.text;
  if (text === undefined || text.length > longestText) return undefined;
  return decode(text, rest.map((word) => word.text));
}

function echoed(words: readonly Word[]): string {
  let from = 0;
  let [escapes, end] = [false, '\n'];
  for (; /^-[neE]+$/.test(words[from]?.text ?? ''); from += 1) {
    const { text } = words[from] ?? { text: '' };
    if (text.includes('n')) end = '';
    if (text.includes('e')) escapes = true;
  }
  const text = words.slice(from).map((word) => word.text).join(' ');
  return (escapes ? unescaped(text) : text) + end;
}

/** `printf` with `%s`, `%b` and `%%`, the format used again while there are arguments. */
function formatted([format, ...words]: readonly Word[]): string | undefined {
  if (format === undefined || /^-/.test(format.text) || /%[^sb%]/.test(format.text)) return undefined;
  const values = words.map((word) => word.text);
  const slots = (format.text.match(/%[sb]/g) ?? []).length;
  let text = '';
  for (let from = 0; from === 0 || (slots > 0 && from < values.length); from += Math.max(1, slots)) {
    let next = from;
    text += unescaped(format.text).replace(/%([sb%])/g, (_, kind: string) => {
      if (kind === '%') return '%';
      const value = values[next] ?? '';
      next += 1;
      return kind === 'b' ? unescaped(value) : value;
    });
    if (text.length > longestText) return undefined;
  }
  return text;
}

function unescaped(text: string): string {
  return text.replace(/\\(x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|0?[0-7]{1,3}|[^])/g, (_, body: string) => ansiEscape(body));
}

type Decoder = (text: string, options: readonly string[]) => string | undefined;

function fromBase64(text: string, options: readonly string[]): string | undefined {
  return options.length === 1 && /^(?:-[dDi]+|--decode)$/.test(options[0] ?? '') ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

function fromHex(text: string, options: readonly string[]): string | undefined {
  const flags = options.join(' ');
  return /^-\w*[rp]/.test(flags) && flags.includes('r') && flags.includes('p') ? Buffer.from(text.replace(/\s/g, ''), 'hex').toString('utf8') : undefined;
}

/** `tr` with two sets of characters and ranges. */
function translated(text: string, [from = '', to = '', ...more]: readonly string[]): string | undefined {
  if (more.length > 0 || from.startsWith('-') && from !== '-d' || `${from}${to}`.includes('[')) return undefined;
  if (from === '-d') return [...text].filter((char) => !members(to).includes(char)).join('');
  const [old, fresh] = [members(from), members(to)];
  if (fresh.length === 0) return undefined;
  return [...text].map((char) => old.includes(char) ? fresh[Math.min(old.indexOf(char), fresh.length - 1)] ?? '' : char).join('');
}

function members(set: string): readonly string[] {
  return [...unescaped(set).replace(/(.)-(.)/g, (_, low: string, high: string) => {
    const [start, end] = [low.charCodeAt(0), high.charCodeAt(0)];
    return end < start || end - start > 255 ? '' : Array.from({ length: end - start + 1 }, (__, step) => String.fromCharCode(start + step)).join('');
  })];
}

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['cat', (text, options) => options.every((option) => option === '-') ? text : undefined],
  ['base64', fromBase64],
  ['gbase64', fromBase64],
  ['openssl', (text, options) => /^(?:enc )?-?base64 .*-d|^enc .*-d.* -base64/.test(options.join(' ')) ? Buffer.from(text, 'base64').toString('utf8') : undefined],
  ['xxd', fromHex],
  ['rev', (text) => text.split('\n').map((line) => [...line].reverse().join('')).join('\n')],
  ['tr', translated],
  ['tac', (text) => text.replace(/\n$/, '').split('\n').reverse().join('\n')],
]);
