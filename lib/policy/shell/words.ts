/**
 * From a command line to its simple commands: one walk over the text that knows quotes, escapes, substitutions, redirects,
 * here-documents and separators. It says what each word is made of, and what it did not understand; it judges nothing.
 * POSIX shell with the common additions of bash; cost is linear in the text, times the depth of nesting, which is bounded.
 */

import { ansiEscape, closingBracket } from './quoting.ts';
import { Variables } from './variables.ts';

export interface Word {
  /** The word as the program would see it; unknown parts keep their `$name`. */
  readonly text: string;
  /** Some part is known only at run time. */
  readonly dynamic: boolean;
  /** Some part outside quotes is a pattern that the shell would expand to file names. */
  readonly pattern: boolean;
  readonly quoted: boolean;
}

export interface Redirect {
  readonly operator: string;
  readonly target: Word;
}

export interface SimpleCommand {
  readonly is: 'command';
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
  /** Bodies of here-documents and here-strings: what the command reads. */
  readonly input: readonly Word[];
  /** Its standard input is a pipe. */
  readonly piped: boolean;
  /** The sign after it: `&&`, `||`, `;`, `|`, `&`, or a line end (`\n`). */
  readonly next: string;
}

/** A command, or the begin and end of a part whose changes of directory and variables stay inside it. */
export type ShellEvent = SimpleCommand | { readonly is: 'open' } | { readonly is: 'close' };

export interface ShellText {
  readonly events: readonly ShellEvent[];
  readonly uncertain: readonly string[];
  /** Names the text gives a value to. */
  readonly assigned: ReadonlySet<string>;
}

const deepest = 8;
const mostCommands = 2000;
/** Readings of one text, each with fewer certain variables. */
const mostReadings = 4;

/** What cannot be understood any further; caught once for the whole text. */
class Unclear extends Error {}

/** The commands of a text, those inside substitutions included. `known` gives variables whose value is certain. */
export function readShell(text: string, known: ReadonlyMap<string, string>): ShellText {
  const variables = new Variables();
  for (let reading = 1; ; reading += 1) {
    const { events, uncertain } = readOnce(text, known, variables, 0);
    const settled = !variables.changed();
    if (!settled && reading < mostReadings) continue;
    return { events, uncertain: [...new Set(settled ? uncertain : [...uncertain, 'what its variables hold cannot be followed'])], assigned: variables.assigned };
  }
}

function readOnce(text: string, known: ReadonlyMap<string, string>, variables: Variables, depth: number): Reader {
  const reader = new Reader(text, new Map(known), variables, depth);
  try {
    reader.run();
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    reader.uncertain.push(error.message);
  }
  return reader;
}

interface Draft {
  text: string;
  dynamic: boolean;
  pattern: boolean;
  quoted: boolean;
}

interface PendingHeredoc { readonly end: string; readonly literal: boolean; readonly tabs: boolean; readonly into: Word[] }

/** What an arithmetic expression is made of. Some shells take two brackets for two subshells, and others do when that fits better. */
const arithmetic = /^[\s\w$+\-*/%<>=!&|^~?:,()[\]{}#"]*$/;
/** Two names in a row, or a redirect to a path: commands, and not arithmetic. */
const commandLike = /[\w$}]\s+[\w$]|[-+]\s*[A-Za-z_]\w*\s+[\w$]|[<>]\s*\//;
const blank = /[ \t]/;
const breaksWord = /[ \t\n;&|()<>]/;
class Reader {
  readonly events: ShellEvent[] = [];
  readonly uncertain: string[] = [];
  readonly #text: string;
  readonly #known: Map<string, string>;
  readonly #variables: Variables;
  readonly #depth: number;
  #at = 0;
  #words: Word[] = [];
  #redirects: Redirect[] = [];
  #input: Word[] = [];
  #heredocs: PendingHeredoc[] = [];
  #piped = false;
  #inTest = false;

  constructor(text: string, known: Map<string, string>, variables: Variables, depth: number) {
    this.#text = text;
    this.#known = known;
    this.#variables = variables;
    this.#depth = depth;
  }

  run(): void {
    while (this.#at < this.#text.length) this.#step();
    if (this.#heredocs.length > 0) throw new Unclear('a here-document has no end');
    this.#finish('\n');
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    if (blank.test(char) || char === '\r') this.#at += 1;
    else if (char === '\\' && this.#text.charAt(this.#at + 1) === '\n') this.#at += 2;
    else if (char === '#') this.#at = this.#until('\n', this.#at);
    else if (char === '\n') this.#newline();
    else if (this.#inTest && /[&|<>()]/.test(char)) this.#at += 1;
    else if (char === '(' || char === ')') this.#bracket(char);
    else if (/[;&|]/.test(char) && !/^&>/.test(this.#text.slice(this.#at, this.#at + 2))) this.#separator();
    else if (this.#redirectHere()) return;
    else this.#addWord(this.#word());
  }

  #until(sign: string, from: number): number {
    const at = this.#text.indexOf(sign, from);
    return at < 0 ? this.#text.length : at;
  }

  #newline(): void {
    this.#at += 1;
    this.#finish('\n');
    for (const heredoc of this.#heredocs.splice(0)) this.#heredocBody(heredoc);
  }

  #separator(): void {
    const sign = /^(?:;;&?|;&|&&|\|\||\|&|[;&|])/.exec(this.#text.slice(this.#at, this.#at + 3))?.[0] ?? ';';
    this.#at += sign.length;
    this.#finish(sign);
    this.#piped = sign === '|' || sign === '|&';
  }

  /** A function's `()`, an arithmetic `((…))`, or a subshell. */
  #bracket(char: string): void {
    if (char === '(' && this.#words.length === 1 && /^\([ \t]*\)/.test(this.#text.slice(this.#at, this.#at + 64))) {
      this.#words = [];
      this.#at = this.#until(')', this.#at) + 1;
      return;
    }
    if (char === '(' && this.#words.length === 0 && this.#text.startsWith('((', this.#at)) {
      if (/^\s*[A-Za-z_]\w*\s*$/.test(this.#arithmetic(this.#at + 2))) throw new Unclear('a name alone in two brackets may be a command');
      return;
    }
    if (char === '(' && this.#words.length > 0) throw new Unclear('a bracket stands where none is expected');
    this.#at += 1;
    const piped = this.#piped;
    this.#finish(';');
    this.#piped = char === '(' && piped;
    this.events.push(char === '(' ? { is: 'open' } : { is: 'close' });
  }

  #arithmetic(from: number): string {
    const end = this.#text.indexOf('))', from);
    if (end < 0) throw new Unclear('an arithmetic expression has no end');
    const inner = this.#text.slice(from, end);
    if (/\$\(|`/.test(inner) || !arithmetic.test(inner) || commandLike.test(inner)) throw new Unclear('an arithmetic expression runs a command');
    this.#at = end + 2;
    return inner;
  }

  #finish(next: string): void {
    if (this.#words.length > 0 || this.#redirects.length > 0) {
      if (this.events.length >= mostCommands) throw new Unclear(`there are more than ${mostCommands} commands`);
      this.events.push({ is: 'command', words: this.#words, redirects: this.#redirects, input: this.#input, piped: this.#piped, next });
      this.#variables.after(this.#words, this.#known);
      [this.#words, this.#redirects, this.#input] = [[], [], []];
    }
    this.#piped = false;
    this.#inTest = false;
  }

  #addWord(word: Word): void {
    if (this.#words.length === 0 && word.text === '[[' && !word.quoted) this.#inTest = true;
    if (word.text === ']]' && !word.quoted) this.#inTest = false;
    this.#words.push(word);
  }

  #redirectHere(): boolean {
    const sign = /^(?:\d{0,4}(?:<<<|<<-|<<|<>|>>|>\||<&|>&|<|>)|&>>|&>)/.exec(this.#text.slice(this.#at, this.#at + 8))?.[0];
    if (sign === undefined || (/^\d*[<>]$/.test(sign) && this.#text.charAt(this.#at + sign.length) === '(')) return false;
    this.#at += sign.length;
    while (blank.test(this.#text.charAt(this.#at))) this.#at += 1;
    const operator = sign.replace(/^\d+/, '');
    const start = this.#at;
    const target = this.#word();
    if (this.#at === start) throw new Unclear(`nothing follows "${operator}"`);
    if (operator === '<<' || operator === '<<-') {
      this.#heredocs.push({ end: target.text, literal: /['"\\]/.test(this.#text.slice(start, this.#at)), tabs: operator === '<<-', into: this.#input });
    } else if (operator === '<<<') this.#input.push(target);
    else if (!((operator === '>&' || operator === '<&') && /^(?:\d+-?|-)$/.test(target.text))) this.#redirects.push({ operator, target });
    return true;
  }

  #heredocBody({ end, literal, tabs, into }: PendingHeredoc): void {
    const from = this.#at;
    for (;;) {
      if (this.#at >= this.#text.length) throw new Unclear('a here-document has no end');
      const stop = this.#until('\n', this.#at);
      const line = this.#text.slice(this.#at, stop).replace(/\r$/, '');
      const last = (tabs ? line.replace(/^\t+/, '') : line) === end;
      if (last) {
        const body = this.#text.slice(from, this.#at);
        this.#at = Math.min(this.#text.length, stop + 1);
        into.push(literal ? { text: body, dynamic: false, pattern: false, quoted: true } : this.#expanded(body));
        return;
      }
      this.#at = stop + 1;
    }
  }

  /** Text in which only `$`, backquotes and backslashes have a meaning. */
  #expanded(body: string): Word {
    const inner = new Reader(body, this.#known, this.#variables, this.#depth);
    const draft: Draft = { text: '', dynamic: false, pattern: false, quoted: true };
    while (inner.#at < body.length) inner.#inDouble(draft);
    this.events.push(...inner.events);
    this.uncertain.push(...inner.uncertain);
    return draft;
  }

  #word(): Word {
    const draft: Draft = { text: '', dynamic: false, pattern: false, quoted: false };
    const parts: string[] = [];
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if ((char === '<' || char === '>') && this.#text.charAt(this.#at + 1) === '(') {
        this.#substitution(this.#at + 2);
        draft.dynamic = true;
      } else if (breaksWord.test(char)) break;
      else this.#part(char, draft);
      if (draft.text.length > 4096) {
        parts.push(draft.text);
        draft.text = '';
      }
    }
    return { ...draft, text: parts.join('') + draft.text };
  }

  #part(char: string, draft: Draft): void {
    if (char === "'") this.#single(draft);
    else if (char === '"') this.#double(draft);
    else if (char === '\\') this.#escape(draft);
    else if (char === '$' && this.#text.charAt(this.#at + 1) === "'") this.#ansi(draft);
    else if (char === '$' && this.#text.charAt(this.#at + 1) === '"') {
      this.#at += 1;
      this.#double(draft);
    } else if (char === '$' || char === '`') this.#expansion(char, draft, false);
    else {
      if (/[*?[{]/.test(char)) draft.pattern = true;
      // The home of a named user, or a directory the shell was in before.
      if (char === '~' && !draft.quoted && /^$|[=:]$/.test(draft.text.slice(-1)) && /[^\s/;&|()<>]/.test(this.#text.charAt(this.#at + 1))) draft.dynamic = true;
      draft.text += char;
      this.#at += 1;
    }
  }

  #escape(draft: Draft): void {
    const next = this.#text.charAt(this.#at + 1);
    if (next === '') throw new Unclear('the text ends in a backslash');
    if (next !== '\n') draft.text += next;
    draft.quoted = true;
    this.#at += 2;
  }

  #single(draft: Draft): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new Unclear('a single quote is not closed');
    draft.text += this.#text.slice(this.#at + 1, end);
    draft.quoted = true;
    this.#at = end + 1;
  }

  #double(draft: Draft): void {
    this.#at += 1;
    draft.quoted = true;
    while (this.#text.charAt(this.#at) !== '"') {
      if (this.#at >= this.#text.length) throw new Unclear('a double quote is not closed');
      this.#inDouble(draft);
    }
    this.#at += 1;
  }

  #inDouble(draft: Draft): void {
    const char = this.#text.charAt(this.#at);
    if (char === '$' || char === '`') this.#expansion(char, draft, true);
    else if (char === '\\' && /[$`"\\\n]/.test(this.#text.charAt(this.#at + 1))) {
      if (this.#text.charAt(this.#at + 1) !== '\n') draft.text += this.#text.charAt(this.#at + 1);
      this.#at += 2;
    } else {
      draft.text += char;
      this.#at += 1;
    }
  }

  /** `$'…'` (POSIX.1-2024, 2.2.4). */
  #ansi(draft: Draft): void {
    draft.quoted = true;
    this.#at += 2;
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '') throw new Unclear('a single quote is not closed');
      if (char === "'") break;
      if (char !== '\\') {
        draft.text += char;
        this.#at += 1;
        continue;
      }
      const escape = /^\\(?:x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|U[\da-fA-F]{1,8}|[0-7]{1,3}|c[^]|[^])/.exec(this.#text.slice(this.#at, this.#at + 10))?.[0];
      if (escape === undefined) throw new Unclear('a single quote is not closed');
      draft.text += ansiEscape(escape.slice(1));
      this.#at += escape.length;
    }
    this.#at += 1;
  }

  #expansion(char: string, draft: Draft, quoted: boolean): void {
    if (char === '`') {
      const end = this.#backquoteEnd();
      this.#nested(this.#text.slice(this.#at + 1, end).replace(/\\([\\`$])/g, '$1'));
      this.#at = end + 1;
      draft.dynamic = true;
    } else if (this.#text.startsWith('$((', this.#at)) {
      this.#arithmetic(this.#at + 3);
      draft.dynamic = true;
    } else if (this.#text.startsWith('$(', this.#at)) {
      this.#substitution(this.#at + 2);
      draft.dynamic = true;
    } else this.#variable(draft, quoted);
  }

  #variable(draft: Draft, quoted: boolean): void {
    const rest = this.#text.slice(this.#at, this.#at + 256);
    const plain = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/.exec(rest);
    if (plain !== null) {
      const value = this.#variables.value(this.#known, plain[1] ?? plain[2] ?? '', quoted);
      this.#at += plain[0].length;
      draft.text += value ?? plain[0];
      if (value === undefined) draft.dynamic = true;
    } else if (rest.startsWith('${')) {
      const end = this.#text.indexOf('}', this.#at);
      const inner = this.#text.slice(this.#at, end);
      if (end < 0 || /\$\(|`/.test(inner)) throw new Unclear('a parameter expansion is not understood');
      const set = /^\$\{([A-Za-z_]\w*):?=/.exec(inner)?.[1];
      if (set !== undefined) this.#variables.spoil(set);
      draft.text += inner.slice(0, 200);
      draft.dynamic = true;
      this.#at = end + 1;
    } else {
      draft.text += '$';
      draft.dynamic ||= /^\$[@*#?!$\-0-9]/.test(rest);
      this.#at += 1;
    }
  }

  #backquoteEnd(): number {
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text.charAt(at) === '\\') at += 1;
      else if (this.#text.charAt(at) === '`') return at;
    }
    throw new Unclear('a backquote is not closed');
  }

  /** What stands between `$(` and its `)`, read as a text of its own. */
  #substitution(from: number): void {
    const end = closingBracket(this.#text, from);
    if (end < 0) throw new Unclear('a command substitution is not closed');
    this.#nested(this.#text.slice(from, end));
    this.#at = end + 1;
  }

  #nested(text: string): void {
    if (this.#depth + 1 >= deepest) throw new Unclear(`commands are nested deeper than ${deepest}`);
    const inner = readOnce(text, this.#known, this.#variables, this.#depth + 1);
    this.events.push({ is: 'open' }, ...inner.events, { is: 'close' });
    this.uncertain.push(...inner.uncertain);
    if (this.events.length > mostCommands) throw new Unclear(`there are more than ${mostCommands} commands`);
  }
}
