/**
 * One word of a command line: quotes, escapes, and what stands behind `$` and backquotes. It says what the word's text is where
 * that is certain and that it is not where only the run will show; commands inside it are read by the reader it is part of.
 * Every character is looked at once.
 */
import { deepest } from './limits.ts';
import { printed } from './literal.ts';
import { ansiEscape, closingBracket } from './quoting.ts';
import type { ShellEvent, SimpleCommand, Word } from './tree.ts';
import type { Variables } from './variables.ts';

/** What cannot be understood any further; thrown, and caught once for the whole text. It is no Error: taking down a stack costs more than reading the command. */
export class Unclear {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

interface Draft {
  text: string;
  dynamic: boolean;
  pattern: boolean;
  quoted: boolean;
  inner: SimpleCommand[] | undefined;
  /** Blanks in the text part it into several words. */
  parts: boolean;
}

/** What an arithmetic expression is made of. Some shells take two brackets for two subshells, and others do when that fits better. */
const arithmetic = /^[\s\w$+\-*/%<>=!&|^~?:,;()[\]{}#"]*$/;
/** Two names in a row, a redirect to a path, or a sign with nothing behind it: commands, and not arithmetic. */
const commandLike = /[\w$}]\s+[\w$]|[-+]\s*[A-Za-z_]\w*\s+[\w$]|[<>]\s*\/|[*/%<>=&|^~]\s*(?:\)|$)/;

/** Runs of characters that stand for themselves. */
const plainRun = /[^\s'"\\$`*?[{~;&|()<>]+/y;
const quotedRun = /[^"\\$`]+/y;
const bodyRun = /[^\\$`]+/y;
const variableName = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/y;
const breaksWord: ReadonlySet<string> = new Set([' ', '\t', '\n', ';', '&', '|', '(', ')', '<', '>']);

export abstract class WordReader {
  protected readonly text: string;
  protected readonly known: Map<string, string>;
  protected readonly variables: Variables;
  readonly uncertain: string[];
  readonly events: ShellEvent[];
  protected at: number;
  /** How many substitutions and arithmetic expressions enclose this place. */
  protected depth: number;

  protected constructor(text: string, at: number, depth: number, known: Map<string, string>, variables: Variables, events: ShellEvent[], uncertain: string[]) {
    this.text = text;
    this.at = at;
    this.depth = depth;
    this.known = known;
    this.variables = variables;
    this.events = events;
    this.uncertain = uncertain;
  }

  /** Reads commands from `at` to the bracket that closes them, in a shell of their own; returns where they end. */
  protected abstract commandsFrom(at: number): number;
  /** Reads a whole text of commands, in a shell of its own. */
  protected abstract commandsOf(text: string): void;

  /** The next word; several where a value falls into them, none where nothing stands here. */
  protected word(): readonly Word[] {
    const start = this.at;
    plainRun.lastIndex = start;
    if (plainRun.test(this.text)) {
      const end = plainRun.lastIndex;
      const next = this.text.charAt(end);
      if (next === '' || (breaksWord.has(next) && !this.#substitutes(end))) {
        this.at = end;
        return [{ text: this.text.slice(start, end), dynamic: false, pattern: false, quoted: false, inner: undefined }];
      }
    }
    const draft: Draft = { text: '', dynamic: false, pattern: false, quoted: false, inner: undefined, parts: false };
    while (this.at < this.text.length) {
      const char = this.text.charAt(this.at);
      if (this.#substitutes(this.at)) this.#substitution(draft, this.at + 2, false);
      else if (breaksWord.has(char) || (char === '\r' && this.text.charAt(this.at + 1) === '\n')) break;
      else this.#part(char, draft);
    }
    if (this.at === start) return [];
    if (!draft.parts) return [finished(draft)];
    if (draft.quoted) return [finished({ ...draft, dynamic: true })];
    return draft.text.split(/[ \t\n]+/).filter((part) => part !== '').map((text) => finished({ ...draft, text }));
  }

  /** `<(…)` and `>(…)`. */
  #substitutes(at: number): boolean {
    const char = this.text.charAt(at);
    return (char === '<' || char === '>') && this.text.charAt(at + 1) === '(';
  }

  #part(char: string, draft: Draft): void {
    plainRun.lastIndex = this.at;
    if (plainRun.test(this.text)) {
      draft.text += this.text.slice(this.at, plainRun.lastIndex);
      this.at = plainRun.lastIndex;
    } else if (char === "'") this.#single(draft);
    else if (char === '"') this.#double(draft);
    else if (char === '\\') this.#escape(draft);
    else if (char === '$' && this.text.charAt(this.at + 1) === "'") this.#ansi(draft);
    else if (char === '$' && this.text.charAt(this.at + 1) === '"') {
      this.at += 1;
      this.#double(draft);
    } else if (char === '$' || char === '`') this.#expansion(char, draft, false);
    else this.#sign(char, draft);
  }

  #sign(char: string, draft: Draft): void {
    if (char === '~') {
      // The home of a named user, or a directory the shell was in before.
      if (!draft.quoted && /^$|[=:]$/.test(draft.text.slice(-1)) && /[^\s/;&|()<>]/.test(this.text.charAt(this.at + 1))) draft.dynamic = true;
    } else if (char === '\r') throw new Unclear('a carriage return stands in the line');
    else if (char === '*' || char === '?' || char === '[' || char === '{') draft.pattern = true;
    draft.text += char;
    this.at += 1;
  }

  #escape(draft: Draft): void {
    const next = this.text.charAt(this.at + 1);
    if (next === '') throw new Unclear('the text ends in a backslash');
    if (next === '\n') this.at += 2;
    else {
      draft.text += next;
      draft.quoted = true;
      this.at += 2;
    }
  }

  #single(draft: Draft): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new Unclear('a single quote is not closed');
    draft.text += this.text.slice(this.at + 1, end);
    draft.quoted = true;
    this.at = end + 1;
  }

  #double(draft: Draft): void {
    this.at += 1;
    draft.quoted = true;
    while (this.text.charAt(this.at) !== '"') {
      if (this.at >= this.text.length) throw new Unclear('a double quote is not closed');
      this.#inDouble(draft, quotedRun);
    }
    this.at += 1;
  }

  #inDouble(draft: Draft, run: RegExp): void {
    run.lastIndex = this.at;
    if (run.test(this.text)) {
      draft.text += this.text.slice(this.at, run.lastIndex);
      this.at = run.lastIndex;
      return;
    }
    const char = this.text.charAt(this.at);
    if (char === '$' || char === '`') return this.#expansion(char, draft, true);
    const next = this.text.charAt(this.at + 1);
    if (char === '\\' && (next === '$' || next === '`' || next === '"' || next === '\\' || next === '\n')) {
      if (next !== '\n') draft.text += next;
      this.at += 2;
    } else {
      draft.text += char;
      this.at += 1;
    }
  }

  /** A text in which only `$`, backquotes and backslashes have a meaning, to its end. */
  protected body(): Word {
    const draft: Draft = { text: '', dynamic: false, pattern: false, quoted: true, inner: undefined, parts: false };
    while (this.at < this.text.length) this.#inDouble(draft, bodyRun);
    return finished(draft);
  }

  /** `$'…'` (POSIX.1-2024, 2.2.4). */
  #ansi(draft: Draft): void {
    draft.quoted = true;
    this.at += 2;
    for (;;) {
      const char = this.text.charAt(this.at);
      if (char === '') throw new Unclear('a single quote is not closed');
      if (char === "'") break;
      if (char !== '\\') {
        draft.text += char;
        this.at += 1;
        continue;
      }
      const escape = /^\\(?:x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|U[\da-fA-F]{1,8}|[0-7]{1,3}|c[^]|[^])/.exec(this.text.slice(this.at, this.at + 10))?.[0];
      if (escape === undefined) throw new Unclear('a single quote is not closed');
      draft.text += ansiEscape(escape.slice(1));
      this.at += escape.length;
    }
    this.at += 1;
  }

  #expansion(char: string, draft: Draft, quoted: boolean): void {
    if (char === '`') this.#backquotes(draft, quoted);
    else if (this.text.startsWith('$((', this.at)) this.#arithmeticValue(draft, quoted);
    else if (this.text.startsWith('$(', this.at)) this.#substitution(draft, this.at + 2, quoted);
    else this.#variable(draft, quoted);
  }

  #backquotes(draft: Draft, quoted: boolean): void {
    const from = this.at + 1;
    let end = from;
    while (end < this.text.length && this.text.charAt(end) !== '`') end += this.text.charAt(end) === '\\' ? 2 : 1;
    if (end >= this.text.length) throw new Unclear('a backquote is not closed');
    const before = this.events.length;
    this.commandsOf(this.text.slice(from, end).replace(/\\([\\`$])/g, '$1'));
    this.at = end + 1;
    this.#output(draft, before, quoted);
  }

  /** What stands between `$(` and its `)`. */
  #substitution(draft: Draft, from: number, quoted: boolean): void {
    const files = this.text.charAt(from - 2) !== '$';
    const before = this.events.length;
    this.at = this.commandsFrom(from) + 1;
    if (files) {
      draft.dynamic = true;
      draft.inner = this.#commandsSince(before, draft.inner);
    } else this.#output(draft, before, quoted);
  }

  /** The output of the commands read since then: certain where they only print what stands there. */
  #output(draft: Draft, before: number, quoted: boolean): void {
    const commands = this.#commandsSince(before, undefined);
    const text = (this.#place(commands) ?? printed(commands))?.replace(/\n+$/, '');
    draft.inner = [...draft.inner ?? [], ...commands].slice(0, 64);
    if (text === undefined || text.length > 4096 || (!quoted && /[*?[\]{}~]/.test(text))) draft.dynamic = true;
    else {
      draft.text += text;
      if (!quoted && /[ \t\n]/.test(text)) draft.parts = true;
    }
  }

  /** The directory that `pwd` alone prints, where it is certain. */
  #place([command, ...more]: readonly SimpleCommand[]): string | undefined {
    return command?.words.length === 1 && command.words[0]?.text === 'pwd' && more.length === 0 ? this.variables.value(this.known, 'PWD', true) : undefined;
  }

  #commandsSince(before: number, known: readonly SimpleCommand[] | undefined): SimpleCommand[] {
    const found: SimpleCommand[] = [...known ?? []];
    for (let at = before; at < this.events.length && found.length < 64; at += 1) {
      const event = this.events[at];
      if (event?.is === 'command') found.push(event);
    }
    return found;
  }

  #arithmeticValue(draft: Draft, quoted: boolean): void {
    if (!this.isArithmetic(this.at + 3)) return this.#substitution(draft, this.at + 2, quoted);
    this.at += 3;
    this.arithmetic();
    draft.text += '$(())';
    draft.dynamic = true;
  }

  /** Whether two brackets open an arithmetic expression, and not two subshells: the inner one closes right before another. */
  protected isArithmetic(from: number): boolean {
    const end = closingBracket(this.text, from);
    return end < 0 || this.text.charAt(end + 1) === ')';
  }

  #deeper(): void {
    this.depth += 1;
    if (this.depth > deepest) throw new Unclear(`commands are nested deeper than ${deepest}`);
  }

  /** An arithmetic expression up to its `))`, the commands inside it read; its text without them. */
  protected arithmetic(): string {
    this.#deeper();
    const from = this.at;
    let inner = '';
    for (let open = 0; ;) {
      const char = this.text.charAt(this.at);
      if (char === '') throw new Unclear('an arithmetic expression has no end');
      if (char === '`' || (char === '$' && this.text.charAt(this.at + 1) === '(')) {
        this.#expansion(char, { text: '', dynamic: false, pattern: false, quoted: true, inner: undefined, parts: false }, true);
        continue;
      }
      if (char === ')' && open === 0) break;
      if (char === '(') open += 1;
      else if (char === ')') open -= 1;
      inner += char;
      this.at += 1;
    }
    const end = this.at + 2;
    if (!arithmetic.test(inner) || commandLike.test(inner)) {
      this.uncertain.push('what stands in two brackets may be a command');
      this.commandsOf(this.text.slice(from, this.at));
    }
    this.at = end;
    this.depth -= 1;
    return inner;
  }

  #variable(draft: Draft, quoted: boolean): void {
    variableName.lastIndex = this.at;
    const plain = variableName.exec(this.text);
    if (plain !== null) {
      const name = plain[1] ?? plain[2] ?? '';
      const value = this.variables.value(this.known, name, quoted);
      this.at += plain[0].length;
      if (name === 'IFS' && !quoted && value === undefined && !this.variables.assigned.has(name)) {
        draft.text += ' ';
        draft.parts = true;
        return;
      }
      draft.text += value ?? plain[0];
      if (value === undefined) draft.dynamic = true;
    } else if (this.text.charAt(this.at + 1) === '{') this.#parameter(draft);
    else {
      draft.text += '$';
      draft.dynamic ||= /[@*#?!$\-0-9]/.test(this.text.charAt(this.at + 1));
      this.at += 1;
    }
  }

  /** `${name…}` with more than a name in it, quotes, braces and commands inside included. */
  #parameter(draft: Draft): void {
    const start = this.at;
    const set = /^\$\{([A-Za-z_]\w*):?=/.exec(this.text.slice(start, start + 256))?.[1];
    if (set !== undefined) this.variables.spoil(set);
    const inner: Draft = { text: '', dynamic: false, pattern: false, quoted: false, inner: undefined, parts: false };
    this.#deeper();
    this.at += 2;
    for (let open = 1; open > 0;) {
      const char = this.text.charAt(this.at);
      if (char === '') throw new Unclear('a parameter expansion is not closed');
      if (char === '}' || char === '{') {
        open += char === '{' ? 1 : -1;
        this.at += 1;
      } else if (char === '"') this.#double(inner);
      else if (char === '\\') this.at += 2;
      else if (char === '$' || char === '`') this.#expansion(char, inner, true);
      else this.at += 1;
    }
    draft.text += this.text.slice(start, Math.min(this.at, start + 200));
    draft.dynamic = true;
    this.depth -= 1;
    if (inner.inner !== undefined) draft.inner = [...draft.inner ?? [], ...inner.inner];
  }
}

function finished({ text, dynamic, pattern, quoted, inner }: Draft): Word {
  return { text, dynamic, pattern, quoted, inner };
}
