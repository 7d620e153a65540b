/**
 * The text of a program in another language, with its strings taken out: what remains shows which functions are called, the
 * strings what they are given. No language is parsed; a string that is put together at run time counts as not known.
 */

/** One argument of a call: its text, or undefined where only the run will show it; `list` for one in brackets. */
export interface Argument {
  readonly text: string | undefined;
  readonly list: readonly (string | undefined)[] | undefined;
}

export interface ProgramText {
  /** The code, each string in it as its number between two marks; comments are gone. */
  readonly code: string;
  readonly strings: readonly (string | undefined)[];
  /** Strings in backquotes, which are commands in some languages. */
  readonly backquoted: readonly (string | undefined)[];
  /** A string has no end. */
  readonly open: boolean;
}

export type Language = 'python' | 'javascript' | 'ruby' | 'perl' | 'php' | 'lua' | 'applescript' | 'r';

const hashComments: ReadonlySet<Language> = new Set(['python', 'ruby', 'perl', 'php', 'r']);
/** What puts values into a string, by language. */
const interpolations: { readonly [language in Language]?: RegExp } = { ruby: /#\{/, perl: /[$@]\w/, php: /\$\w|\{\$/ };
const mark = '\u0001';

/** The program text without its strings. Linear in the text. */
export function withoutStrings(text: string, language: Language): ProgramText {
  const strings: (string | undefined)[] = [];
  const backquoted: (string | undefined)[] = [];
  const code: string[] = [];
  const run = /[^'"`#/\u0001]+/y;
  let open = false;
  for (let at = 0; at < text.length;) {
    run.lastIndex = at;
    const plain = run.exec(text)?.[0];
    if (plain !== undefined) {
      code.push(plain);
      at += plain.length;
      continue;
    }
    const char = text.charAt(at);
    if ((char === '#' && hashComments.has(language)) || (char === '/' && text.charAt(at + 1) === '/' && language === 'javascript')) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (char === "'" || char === '"' || char === '`') {
      const quote = language === 'python' && text.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
      const end = closing(text, at + quote.length, quote);
      const inner = text.slice(at + quote.length, end);
      const before = code[code.length - 1] ?? '';
      const value = isCertain(inner, char, language, before) ? unescaped(inner) : undefined;
      if (char === '`') backquoted.push(value);
      code.push(`${mark}${strings.length}${mark}`);
      strings.push(value);
      open ||= end >= text.length;
      at = end + quote.length;
    } else {
      code.push(char === mark ? ' ' : char);
      at += 1;
    }
  }
  return { code: code.join(''), strings, backquoted, open };
}

function closing(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === quote.charAt(0) && text.startsWith(quote, at)) return at;
  }
  return text.length;
}

function isCertain(inner: string, quote: string, language: Language, before: string): boolean {
  if (language === 'python') return !(/\b[bru]?f[bru]?$/i.test(before.slice(-3)) && inner.includes('{'));
  if (quote === '`') return language === 'javascript' ? !inner.includes('${') : interpolations[language]?.test(inner) !== true;
  return quote === "'" || interpolations[language]?.test(inner) !== true;
}

function unescaped(text: string): string {
  return text.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|[0-7]{1,3}|[^])/g, (_, body: string) => {
    if (/^[xu][\da-fA-F]/.test(body)) return String.fromCharCode(Number.parseInt(body.slice(1), 16));
    if (/^[0-7]/.test(body)) return String.fromCharCode(Number.parseInt(body, 8));
    return ({ n: '\n', t: '\t', r: '\r', '\n': '' } as Readonly<Record<string, string>>)[body] ?? body;
  });
}

/** Arguments beyond these are not looked at. */
const mostArguments = 32;

/** The arguments of a call that begin at a place in the code, behind its bracket where it has one. */
export function argumentsAt({ code, strings }: ProgramText, from: number): readonly Argument[] {
  const found: Argument[] = [];
  let list: (string | undefined)[] | undefined;
  const token = /\s*(?:\u0001(\d+)\u0001|(\[|\()|(\]|\))|(,)|([^,\[\]()\u0001\n;]+)|(\n|;))/y;
  token.lastIndex = from;
  let [text, parts, depth]: [string | undefined, number, number] = [undefined, 0, 0];
  const add = (): void => {
    const value = parts === 1 ? text : undefined;
    if (list !== undefined) list.push(value);
    else if (parts > 0) found.push({ text: value, list: undefined });
    [text, parts] = [undefined, 0];
  };
  for (let steps = 0; steps < mostArguments * 8 && found.length < mostArguments; steps += 1) {
    const part = token.exec(code);
    if (part === null || part[6] !== undefined) break;
    if (part[1] !== undefined) [text, parts] = [strings[Number(part[1])], parts + 1];
    else if (part[2] === '[' && depth === 0 && parts === 0 && list === undefined) list = [];
    else if (part[2] !== undefined) [depth, parts] = [depth + 1, parts + 2];
    else if (part[3] !== undefined && depth > 0) depth -= 1;
    else if (part[3] === ']' && list !== undefined) {
      if (parts > 0) add();
      found.push({ text: undefined, list });
      [list, text, parts] = [undefined, undefined, 0];
    } else if (part[3] !== undefined) break;
    else if (part[4] !== undefined && depth === 0) {
      if (parts > 0 || list !== undefined) add();
    } else if (part[5]?.trim() !== '' && depth === 0) parts += 2;
  }
  if (parts > 0) add();
  return found;
}
