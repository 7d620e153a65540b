/**
 * From a command line to its simple commands: one walk over the text that knows words, separators, groups, redirects,
 * here-documents and the words of the shell's own language. It says what it did not understand; it judges nothing. POSIX shell
 * with the common additions of bash; cost is linear in the text, times the depth of nesting, which is bounded.
 */
import { deepest } from './limits.ts';
import { keywords } from './programs.ts';
import type { Redirect, ShellEvent, SimpleCommand, Word } from './tree.ts';
import { Variables } from './variables.ts';
import { Unclear, WordReader } from './words.ts';

export interface ShellText {
  readonly events: readonly ShellEvent[];
  readonly uncertain: readonly string[];
  /** Names the text gives a value to. */
  readonly assigned: ReadonlySet<string>;
}

const mostCommands = 2000;
/** Readings of one text, each with fewer certain variables. */
const mostReadings = 4;

/** The commands of a text, those inside substitutions included. `known` gives variables whose value is certain; `piped` says that the text reads from a pipe. */
export function readShell(text: string, known: ReadonlyMap<string, string>, piped = false): ShellText {
  const variables = new Variables();
  for (let reading = 1; ; reading += 1) {
    const reader = new Reader(text, 0, 0, new Map(known), variables, [], [], piped);
    reader.whole();
    const settled = !variables.changed();
    if (!settled && reading < mostReadings) continue;
    return { events: reader.events, uncertain: [...new Set(settled ? reader.uncertain : [...reader.uncertain, 'what its variables hold cannot be followed'])], assigned: variables.assigned };
  }
}

interface PendingHeredoc { readonly end: string; readonly literal: boolean; readonly tabs: boolean; readonly into: Word[] }

/** Where in a `case` statement the reader is: it wants a pattern, or reads commands. */
type CaseState = 'pattern' | 'commands';

const openers: ReadonlySet<string> = new Set(['if', 'while', 'until', 'for', 'case', 'select', '{']);
const closers: ReadonlySet<string> = new Set(['fi', 'done', 'esac', '}']);
const separator = /;;&?|;&|&&|\|\||\|&|[;&|]/y;
const redirection = /(?:\d{0,4}|\{\w{1,64}\})(?:<<<|<<-|<<|<>|>>|>\||<&|>&|<|>)|&>>|&>/y;

class Reader extends WordReader {
  /** Reads up to the bracket that closes it, not to the end. */
  #closes = false;
  #words: Word[] = [];
  #redirects: Redirect[] = [];
  #input: Word[] = [];
  #heredocs: PendingHeredoc[] = [];
  #piped = false;
  #inTest = false;
  readonly #cases: CaseState[] = [];
  /** Functions whose bodies this place may be in, with the depth of the body. */
  readonly #defining: { readonly name: string; readonly depth: number }[] = [];
  /** Groups and statements this place is in; with the depth from which all that is inside reads one pipe. */
  #open = 0;
  #pipedFrom: number;

  constructor(text: string, at: number, depth: number, known: Map<string, string>, variables: Variables, events: ShellEvent[], uncertain: string[], piped: boolean) {
    super(text, at, depth, known, variables, events, uncertain);
    this.#pipedFrom = piped ? 0 : Infinity;
  }

  /** A text to its end; what cannot be understood ends it early and is said. */
  whole(): void {
    try {
      this.#run();
    } catch (error) {
      if (!(error instanceof Unclear)) throw error;
      this.uncertain.push(error.message);
    }
  }

  protected commandsFrom(at: number): number {
    const inner = this.#inner(this.text, at);
    inner.#closes = true;
    this.events.push({ is: 'open' });
    inner.#run();
    this.events.push({ is: 'close' });
    return inner.at;
  }

  protected commandsOf(text: string): void {
    const inner = this.#inner(text, 0);
    this.events.push({ is: 'open' });
    inner.whole();
    this.events.push({ is: 'close' });
  }

  #inner(text: string, at: number): Reader {
    if (this.depth + 1 >= deepest) throw new Unclear(`commands are nested deeper than ${deepest}`);
    return new Reader(text, at, this.depth + 1, new Map(this.known), this.variables, this.events, this.uncertain, false);
  }

  #run(): void {
    const { text } = this;
    try {
      while (this.at < text.length) {
        if (this.#closes && this.#open === 0 && this.#wantsClosing()) return this.#finish('\n');
        this.#step();
      }
    } catch (error) {
      // What was read of the last command is judged as it stands.
      if (error instanceof Unclear) this.#finish('\n');
      throw error;
    }
    this.#finish('\n');
    if (this.#closes) throw new Unclear('a command substitution is not closed');
    if (this.#heredocs.length > 0) throw new Unclear('a here-document has no end');
  }

  #wantsClosing(): boolean {
    return this.text.charAt(this.at) === ')' && !this.#inTest && this.#cases[this.#cases.length - 1] !== 'pattern';
  }

  #step(): void {
    if (this.#cases.length > 0 && this.#cases[this.#cases.length - 1] === 'pattern') return this.#casePattern();
    let char = this.text.charAt(this.at);
    while (char === ' ' || char === '\t') {
      this.at += 1;
      char = this.text.charAt(this.at);
    }
    switch (char) {
      case '': return;
      case '\r':
        if (this.text.charAt(this.at + 1) !== '\n') throw new Unclear('a carriage return stands in the line');
        this.at += 1;
        return;
      case '\n': return this.#newline();
      case '#':
        this.at = this.#until('\n', this.at);
        return;
      case '(': case ')':
        return this.#inTest ? this.#skip() : this.#bracket(char);
      case ';': case '&': case '|':
        if (this.#inTest) return this.#skip();
        return char === '&' && this.#redirectHere() ? undefined : this.#separator();
      case '\\':
        if (this.text.charAt(this.at + 1) !== '\n') return this.#addWords();
        this.at += 2;
        return;
      case '<': case '>':
        if (this.#inTest) return this.#skip();
        return this.#redirectHere() ? undefined : this.#addWords();
      default:
        if ((char === '{' || (char >= '0' && char <= '9')) && this.#redirectHere()) return;
        return this.#addWords();
    }
  }

  #skip(): void {
    this.at += 1;
  }

  #until(sign: string, from: number): number {
    const at = this.text.indexOf(sign, from);
    return at < 0 ? this.text.length : at;
  }

  #newline(): void {
    this.at += 1;
    this.#finish('\n');
    if (this.#heredocs.length > 0) for (const heredoc of this.#heredocs.splice(0)) this.#heredocBody(heredoc);
  }

  #separator(): void {
    separator.lastIndex = this.at;
    const sign = separator.exec(this.text)?.[0] ?? ';';
    this.at += sign.length;
    this.#finish(sign);
    this.#piped = sign === '|' || sign === '|&';
    if (this.#cases.length > 0 && (sign === ';;' || sign === ';&' || sign === ';;&')) this.#cases[this.#cases.length - 1] = 'pattern';
  }

  /** A function's `()`, an arithmetic `((…))`, the values of an array, or a subshell. */
  #bracket(char: string): void {
    if (char === ')') return this.#endGroup();
    const last = this.#words[this.#words.length - 1];
    if (last !== undefined && /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=$/.test(last.text) && this.text.charAt(this.at - 1) === '=') return this.#array(last.text);
    if (last !== undefined && this.#words.length === 1 && /^\([ \t]*\)/.test(this.text.slice(this.at, this.at + 64))) {
      this.#defining.push({ name: last.text, depth: this.#open + 1 });
      this.#words = [];
      this.at = this.#until(')', this.at) + 1;
      return;
    }
    if (this.text.startsWith('((', this.at) && (last === undefined || last.text === 'for' || keywords.has(last.text)) && this.isArithmetic(this.at + 2)) {
      this.at += 2;
      if (/^\s*[A-Za-z_]\w*\s*$/.test(this.arithmetic())) throw new Unclear('a name alone in two brackets may be a command');
      return;
    }
    if (last !== undefined && !keywords.has(last.text)) throw new Unclear('a bracket stands where none is expected');
    this.at += 1;
    const piped = this.#piped;
    this.#finish(';');
    this.#openGroup(piped);
    this.events.push({ is: 'open' });
  }

  #endGroup(): void {
    this.at += 1;
    this.#finish(';');
    this.#closeGroup();
    this.events.push({ is: 'close' });
  }

  #openGroup(piped: boolean): void {
    this.#open += 1;
    if (piped && this.#pipedFrom === Infinity) this.#pipedFrom = this.#open;
  }

  #closeGroup(): void {
    this.#open = Math.max(0, this.#open - 1);
    while (this.#open < (this.#defining[this.#defining.length - 1]?.depth ?? 0)) this.#defining.pop();
    if (this.#open < this.#pipedFrom && this.#pipedFrom > 0) this.#pipedFrom = Infinity;
  }

  /** `name=(…)`: what the name stands for is not followed. */
  #array(name: string): void {
    this.at += 1;
    this.variables.spoil(name.replace(/\W.*$/, ''));
    for (;;) {
      const char = this.text.charAt(this.at);
      if (char === '') throw new Unclear('the values of an array have no end');
      if (char === ')') break;
      if (/[\s;&|<>(]/.test(char)) this.at += 1;
      else if (char === '#') this.at = this.#until('\n', this.at);
      else this.word();
    }
    this.at += 1;
  }

  /** `[(] pattern [| pattern] )`, or the end of the statement. */
  #casePattern(): void {
    const char = this.text.charAt(this.at);
    if (/[\s|(]/.test(char)) this.at += 1;
    else if (char === '#') this.at = this.#until('\n', this.at);
    else if (char === ')') {
      this.at += 1;
      this.#cases[this.#cases.length - 1] = 'commands';
    } else {
      const [word] = this.word();
      if (word === undefined) throw new Unclear('a "case" statement is not understood');
      if (word.text === 'esac' && !word.quoted) {
        this.#cases.pop();
        this.#closeGroup();
      }
    }
  }

  #finish(next: string): void {
    if (this.#words.length > 0 || this.#redirects.length > 0 || this.#input.length > 0) {
      if (this.events.length >= mostCommands) throw new Unclear(`there are more than ${mostCommands} commands`);
      const command: SimpleCommand = { is: 'command', words: this.#words, redirects: this.#redirects, input: this.#input, piped: this.#piped || this.#open >= this.#pipedFrom, next };
      [this.#words, this.#redirects, this.#input] = [[], [], []];
      this.events.push(command);
      this.variables.after(command.words, this.known);
      if (this.#defining.length > 0) this.#checkRecursion(command);
      const [first] = command.words;
      if (first !== undefined && !first.quoted && closers.has(first.text)) this.#closed(first.text);
    }
    this.#piped = false;
    this.#inTest = false;
  }

  /** A function that starts itself in a pipe or in the background fills the machine. */
  #checkRecursion({ words, next }: SimpleCommand): void {
    const name = words.find(({ text }) => !keywords.has(text))?.text;
    if ((next === '|' || next === '&') && this.#defining.some((one) => one.name === name && this.#open >= one.depth)) this.uncertain.push('a function starts itself again and again');
  }

  /** A statement ends, but for the case that its words were only words. */
  #closed(word: string): void {
    if (word === 'esac' && this.#cases.length > 0) this.#cases.pop();
    this.#closeGroup();
  }

  #addWords(): void {
    const before = this.at;
    for (const word of this.word()) this.#addWord(word);
    if (this.at === before) throw new Unclear('a sign stands where none is expected');
  }

  #addWord(word: Word): void {
    const { text } = word;
    if (!word.quoted) {
      if (text === '[[' && this.#leads()) this.#inTest = true;
      else if (text === ']]') this.#inTest = false;
      else if (openers.has(text) && this.#leads()) this.#openGroup(this.#piped);
      else if (text === 'in' && this.#words.length >= 2 && this.#words[this.#words.length - 2]?.text === 'case') return this.#openCase();
    }
    this.#words.push(word);
  }

  /** Whether the next word begins a command. */
  #leads(): boolean {
    const last = this.#words[this.#words.length - 1];
    return last === undefined || (keywords.has(last.text) && !last.quoted) || (this.#words.length === 2 && this.#words[0]?.text === 'function');
  }

  #openCase(): void {
    this.#words = [];
    this.#cases.push('pattern');
  }

  #redirectHere(): boolean {
    redirection.lastIndex = this.at;
    const sign = redirection.exec(this.text)?.[0];
    if (sign === undefined) return false;
    const operator = sign.replace(/^(?:\d+|\{\w+\})/, '');
    if ((operator === '<' || operator === '>') && this.text.charAt(this.at + sign.length) === '(') return false;
    this.at += sign.length;
    while (this.text.charAt(this.at) === ' ' || this.text.charAt(this.at) === '\t') this.at += 1;
    const start = this.at;
    const [target] = this.word();
    if (target === undefined) throw new Unclear(`nothing follows "${operator}"`);
    if (operator === '<<' || operator === '<<-') {
      this.#heredocs.push({ end: target.text, literal: /['"\\]/.test(this.text.slice(start, this.at)), tabs: operator === '<<-', into: this.#input });
    } else if (operator === '<<<') this.#input.push(target);
    else if (!((operator === '>&' || operator === '<&') && /^(?:\d+-?|-)$/.test(target.text))) this.#redirects.push({ operator, target });
    return true;
  }

  #heredocBody({ end, literal, tabs, into }: PendingHeredoc): void {
    const from = this.at;
    for (;;) {
      if (this.at >= this.text.length) throw new Unclear('a here-document has no end');
      const stop = this.#until('\n', this.at);
      const line = this.text.slice(this.at, stop).replace(/\r$/, '');
      if ((tabs ? line.replace(/^\t+/, '') : line) !== end) {
        this.at = stop + 1;
        continue;
      }
      const body = this.text.slice(from, this.at);
      this.at = Math.min(this.text.length, stop + 1);
      into.push(literal ? { text: body, dynamic: false, pattern: false, quoted: true, inner: undefined } : this.#expanded(body));
      return;
    }
  }

  #expanded(body: string): Word {
    return new Reader(body, 0, this.depth, this.known, this.variables, this.events, this.uncertain, false).body();
  }
}
