/**
 * What a shell command would do, as actions: commands run, files read, written and deleted, addresses called. It is kept
 * conservative: what it cannot follow it says, in `uncertain`, and the judge then asks a person. Text in data positions
 * (messages, patterns, here-documents no shell reads) is never taken for a path.
 */
import { isAbsolute } from '../../base/paths.ts';
import { copied } from './copy.ts';
import { fetched } from './fetch.ts';
import { awkDoesMore, sedDoesMore } from './filters.ts';
import { gitCommand } from './git.ts';
import { longestCommand } from './limits.ts';
import { expandedBraces, looksLikePath, operandsOf, plainWord, programName, shellWords } from './operands.ts';
import { directoryOf, optionsOf } from './options.ts';
import {
  copiers, deleters, fetchers, interpreters, keywords, lastingVariables, loaderVariables, lokiName, patternSwitches, readers, searchers, secondWriters, shells, speakers, wrappers, writers,
} from './programs.ts';
import type { Wrapper } from './programs.ts';
import { Tally, type ShellAnalysis } from './tally.ts';
import { Whereabouts } from './whereabouts.ts';
import { readShell } from './words.ts';
import type { SimpleCommand, Word } from './words.ts';

export interface ShellOptions {
  /** Where relative paths start. */
  readonly cwd?: string | undefined;
  /** What `~` and `$HOME` stand for. */
  readonly home?: string | undefined;
}

const deepest = 8;

/** The form of `analyzeCommand`. */
export type AnalyzeCommand = (command: string, options?: ShellOptions) => ShellAnalysis;

/** What the command would do. Never throws; never looks at the disk. */
export function analyzeCommand(command: string, options: ShellOptions = {}): ShellAnalysis {
  const walk = new Walk(options);
  if (command.length > longestCommand) walk.doubt(`the command is longer than ${longestCommand} characters`);
  else if (/[\0\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/.test(command)) walk.doubt('the command holds invisible characters');
  else walk.script(command, 0);
  return walk.result();
}

/**
 * The commands a command line runs, for conditions on `command`. An empty one stands for what was not understood: no pattern
 * but `*` permits it.
 */
export function commandsOf({ actions, uncertain }: ShellAnalysis): readonly string[] {
  const commands = actions.flatMap((action) => action.kind === 'exec' && action.command !== undefined ? [action.command] : []);
  return uncertain.length === 0 ? commands : [...commands, ''];
}

/** The same analysis, not made again for the command that was asked about last: several judges ask about one command. */
export function rememberLast(analyze: AnalyzeCommand): AnalyzeCommand {
  let last: { readonly command: string; readonly cwd: string | undefined; readonly home: string | undefined; readonly analysis: ShellAnalysis } | undefined;
  return (command, { cwd, home } = {}) => {
    if (last === undefined || last.command !== command || last.cwd !== cwd || last.home !== home) last = { command, cwd, home, analysis: analyze(command, { cwd, home }) };
    return last.analysis;
  };
}

const uncounted = /^\/dev\/(?:null|zero|full|u?random|tty|fd\/\d+|std(?:in|out|err))$/;
const tooManyPlaces = 'there are too many changes of directory to follow';
const otherPatterns = 'the shell is told to read patterns or names in another way';
const closers = new Set(['fi', 'done', 'esac', '}']);
const assignment = /^([A-Za-z_][A-Za-z0-9_]*)\+?=/;

type FileKind = 'fs.read' | 'fs.write' | 'fs.delete';

class Walk {
  readonly #home: string | undefined;
  readonly #found = new Tally();
  readonly #loops = new Map<string, readonly Word[]>();
  readonly #assigned = new Set<string>();
  readonly #where: Whereabouts;

  constructor({ cwd, home }: ShellOptions) {
    this.#home = home;
    this.#where = new Whereabouts(cwd);
  }

  result(): ShellAnalysis {
    return this.#found.result();
  }

  doubt(what: string): void {
    this.#found.doubt(what);
  }

  script(text: string, depth: number): void {
    if (depth >= deepest) return this.doubt(`shells are nested deeper than ${deepest}`);
    const place = this.#where.certain;
    const known = new Map([...(this.#home === undefined ? [] : [['HOME', this.#home] as const]), ...(place === undefined ? [] : [['PWD', place] as const])]);
    const { events, uncertain, assigned } = readShell(text, known);
    for (const doubt of uncertain) this.doubt(doubt);
    for (const name of assigned) this.#assigned.add(name);
    for (const event of events) {
      if (event.is === 'open') this.#where.enter();
      else if (event.is === 'close') this.#where.leave();
      else {
        this.#command(event, depth);
        if (!this.#where.ended(event.next)) this.doubt(tooManyPlaces);
      }
    }
  }

  #command(command: SimpleCommand, depth: number): void {
    for (const { operator, target } of command.redirects) this.#redirect(operator, target);
    const words = [...command.words];
    while (words[0] !== undefined && !words[0].quoted && keywords.has(words[0].text)) words.shift();
    if (words[0] !== undefined && closers.has(words[0].text)) return;
    if (words[0]?.text === 'case' || words[0]?.text === 'select') return this.doubt(`a "${words[0].text}" statement is not understood`);
    if (words[0]?.text === 'for') {
      this.#loops.set(words[1]?.text ?? '', words.slice(3));
      return;
    }
    if (words[0]?.text === 'function') {
      words.splice(0, 2);
      while (words[0] !== undefined && keywords.has(words[0].text)) words.shift();
    }
    this.#run(words, command, depth);
  }

  #redirect(operator: string, target: Word): void {
    const socket = /^\/dev\/(tcp|udp)\/([^/]+)\/(.+)$/.exec(target.text);
    if (socket !== null) return this.#found.action({ kind: 'net', url: `${socket[1] ?? ''}://${socket[2] ?? ''}:${socket[3] ?? ''}` });
    if (operator === '<') this.#touched('fs.read', [target]);
    else this.#touched('fs.write', [target]);
  }

  /** A command without its keywords: environment and wrappers come off, then the program is looked at. */
  #run(all: readonly Word[], command: SimpleCommand, depth: number): void {
    let words = all;
    let [fed, supplied] = [command.piped, false];
    for (let wrapped = 0; ; wrapped += 1) {
      words = this.#withoutAssignments(words, wrapped > 0);
      const [first] = words;
      if (first === undefined) return;
      if (wrapped > 32) return this.doubt('too many programs start one another');
      if (first.dynamic) return this.doubt(`which program "${first.text.slice(0, 60)}" is shows only at run time`);
      if (first.pattern && !['[', '[[', '{'].includes(first.text)) return this.doubt(`which program "${first.text.slice(0, 60)}" is depends on the files there are`);
      this.#found.action({ kind: 'exec', command: words.map((word) => word.text).join(' ') });
      const program = programName(first.text);
      if (program !== first.text) this.#found.action({ kind: 'exec', command: [program, ...words.slice(1).map((word) => word.text)].join(' ') });
      const wrapper = wrappers.get(program);
      if (wrapper === undefined) {
        if (supplied) this.#supplied(program, words);
        return this.#program(program, words.slice(1), command, fed, depth);
      }
      if (program === 'command' && /^-[vV]/.test(words[1]?.text ?? '')) return;
      if (program === 'xargs' || program === 'parallel') [fed, supplied] = [true, true];
      this.#options(program, words.slice(1), depth);
      const into = directoryOf(wrapper, words.slice(1));
      words = this.#unwrapped(program, wrapper, words.slice(1), depth);
      if (into === undefined) continue;
      this.#where.enter();
      this.#changeDirectory([into], '&&');
      this.#run(words, { ...command, piped: fed }, depth);
      return this.#where.leave();
    }
  }

  #withoutAssignments(words: readonly Word[], wrapped: boolean): readonly Word[] {
    let from = 0;
    for (const word of words) {
      const name = assignment.exec(word.text)?.[1];
      if (name === undefined) break;
      this.#assigned.add(name);
      if (/^(?:CDPATH|GLOBIGNORE)$/.test(name) || (words.length > 1 || wrapped) && loaderVariables.test(name) && !(name === 'IFS' && words[from + 1]?.text === 'read')) this.doubt(`${name} is set, which can make a program run another`);
      from += 1;
    }
    return words.slice(from);
  }

  #options(program: string, words: readonly Word[], depth: number): void {
    const { scripts, outputs } = optionsOf(program, words);
    for (const script of scripts) this.#nested(script, depth);
    this.#mention(outputs);
  }

  /** A word that some program will run as a command line. */
  #nested(word: Word | undefined, depth: number): void {
    if (word === undefined) return;
    if (word.dynamic) this.doubt('part of a command line that a program is given shows only at run time');
    else this.script(word.text, depth + 1);
  }

  #unwrapped(program: string, wrapper: Wrapper, words: readonly Word[], depth: number): readonly Word[] {
    let at = 0;
    for (let word = words[at]; word !== undefined && word.text.startsWith('-') && word.text.length > 1; word = words[at]) {
      at += 1;
      if (program === 'env' && /^(?:-[A-Za-z0-9]*S|--split-string)/.test(word.text)) {
        const rest = word.text.replace(/^(?:-[A-Za-z0-9]*?S|--split-string=?)/, '');
        this.script(rest === '' ? words[at]?.text ?? '' : rest, depth + 1);
      }
      if (word.text === '--') break;
      if (wrapper.values.includes(word.text)) at += 1;
    }
    return words.slice(at + (wrapper.skip ?? 0));
  }

  #program(program: string, words: readonly Word[], command: SimpleCommand, fed: boolean, depth: number): void {
    if (shells.has(program)) return this.#shell(program, words, command, fed, depth);
    if (program === 'eval') return this.#eval(words, depth);
    if (program === 'cd' || program === 'pushd') return this.#changeDirectory(words, command.next);
    if (program === 'popd') this.#where.move(undefined, '');
    if (program === 'trap') return this.#nested(words.find((word) => !word.text.startsWith('-')), depth);
    if (program === 'alias') for (const { text } of words) if (text.includes('=')) this.script(text.slice(text.indexOf('=') + 1), depth + 1);
    if (/^(?:shopt|setopt|set)$/.test(program) && words.some((word) => patternSwitches.test(word.text))) this.doubt(otherPatterns);
    if (/^(?:export|declare|typeset)$/.test(program)) for (const { text } of words) if (lastingVariables.test(text)) this.doubt(`${text.split('=')[0] ?? ''} is set, which can make a program run another`);
    if (speakers.has(program)) return;
    this.#options(program, words, depth);
    if (program === 'loki') return;
    if (program === 'git') return this.#git(words, depth);
    for (const word of words) this.#addresses(program, word);
    const operands = operandsOf(program, words);
    if (deleters.has(program)) return this.#touched('fs.delete', operands);
    const leading = writers.get(program);
    if (leading !== undefined) return this.#touched('fs.write', operands.slice(leading));
    if (copiers.has(program)) return this.#copy(program, words, operands);
    if (program === 'dd') return this.#dd(words);
    if (readers.has(program)) return this.#read(program, operands);
    if (searchers.has(program)) return this.#search(program, words, operands);
    if (program === 'find') return this.#find(words, command, depth);
    if (fetchers.has(program)) return this.#fetch(words);
    const loki = words.findIndex((word) => lokiName.test(word.text));
    if (loki >= 0) this.#found.action({ kind: 'exec', command: words.slice(loki).map((word) => word.text).join(' ') });
    this.#other(program, words, command, fed);
  }

  #shell(program: string, words: readonly Word[], command: SimpleCommand, fed: boolean, depth: number): void {
    if (words.some((word) => patternSwitches.test(word.text))) this.doubt(otherPatterns);
    const { told, operands } = shellWords(words);
    if (told) {
      const [script] = operands;
      if (script === undefined) return;
      if (script.dynamic) this.doubt(`part of what ${program} is told to run shows only at run time`);
      return this.script(script.text, depth + 1);
    }
    const [file] = operands;
    if (file?.dynamic === true) return this.doubt(`which script ${program} runs shows only at run time`);
    if (file !== undefined && !words.some((word) => /^-[A-Za-z]*s/.test(word.text))) return this.#touched('fs.read', [file]);
    for (const input of command.input) {
      if (input.dynamic) this.doubt(`part of what ${program} is fed shows only at run time`);
      this.script(input.text, depth + 1);
    }
    if (fed || command.redirects.some(({ operator }) => operator === '<')) this.doubt(`what is fed to ${program} shows only at run time`);
  }

  /** `xargs` adds words that nobody knows yet. */
  #supplied(program: string, words: readonly Word[]): void {
    const changes = shells.has(program) || deleters.has(program) || writers.has(program) || copiers.has(program) || program === 'git' || program === 'loki' || (program === 'sed' && words.some((word) => /^-[A-Za-z]*i/.test(word.text)));
    if (changes) this.doubt(`what ${program} is given shows only at run time`);
  }

  #read(program: string, operands: readonly Word[]): void {
    if (/^(?:source|\.)$/.test(program) && operands[0]?.dynamic === true) this.doubt('which script is read in shows only at run time');
    this.#touched('fs.read', operands);
    if (secondWriters.has(program)) this.#touched('fs.write', operands.slice(1, 2));
  }

  #eval(words: readonly Word[], depth: number): void {
    this.doubt('"eval" runs text as a command');
    if (!words.some((word) => word.dynamic)) this.script(words.map((word) => word.text).join(' '), depth + 1);
  }

  #changeDirectory(words: readonly Word[], next: string): void {
    const target = words.find((word) => !word.text.startsWith('-') || word.text === '-');
    const text = target === undefined ? this.#home : target.text === '-' || target.dynamic || target.pattern ? undefined : this.#tilde(target);
    if (!this.#where.move(text, next)) this.doubt(tooManyPlaces);
  }

  #git(words: readonly Word[], depth: number): void {
    const { directories, plain, mentions, scripts, addresses, cleans, doubts } = gitCommand(words);
    this.#where.enter();
    for (const directory of directories) this.#changeDirectory([directory], '&&');
    if (plain !== undefined) this.#found.action({ kind: 'exec', command: plain });
    for (const { text } of mentions) this.#found.mention(text);
    this.#mention(mentions);
    for (const script of scripts) this.script(script, depth + 1);
    if (cleans) this.#touched('fs.delete', [plainWord('.')]);
    for (const url of addresses) this.#found.action({ kind: 'net', url });
    for (const doubt of doubts) this.doubt(doubt);
    this.#where.leave();
  }

  #copy(program: string, words: readonly Word[], operands: readonly Word[]): void {
    const { target, sources, inside, links, moves } = copied(program, words, operands);
    this.#touched('fs.read', sources);
    if (links) this.#mention(sources);
    if (moves) this.#touched('fs.delete', sources);
    if (target === undefined) return;
    this.#touched('fs.write', [target]);
    if (/(?:^|\/)\.?\.?$/.test(target.text)) this.#touched('fs.write', inside);
    else this.#mention(inside);
    if (!links && !moves) return;
    for (const [at, source] of sources.entries()) for (const name of [target, ...inside.slice(at, at + 1)]) this.#where.linked(this.#tilde(name), this.#tilde(source));
  }

  #dd(words: readonly Word[]): void {
    for (const word of words) {
      if (word.text.startsWith('of=')) this.#touched('fs.write', [{ ...word, text: word.text.slice(3) }]);
      if (word.text.startsWith('if=')) this.#touched('fs.read', [{ ...word, text: word.text.slice(3) }]);
    }
  }

  #search(program: string, words: readonly Word[], operands: readonly Word[]): void {
    const given = words.some((word) => /^(?:-[A-Za-z]*[ef]|--regexp|--file|--expression|--from-file)/.test(word.text)) && program !== 'jq';
    const files = given ? operands : operands.slice(1);
    const inPlace = /^(?:sed|yq|g?awk)$/.test(program) && words.some((word) => /^(?:-[A-Za-z]*i|--in-?place)/.test(word.text));
    this.#touched(inPlace ? 'fs.write' : 'fs.read', files);
    const code = operands[0]?.text ?? '';
    if (/awk$/.test(program) && awkDoesMore.test(code)) this.doubt(`the ${program} program runs commands or writes files`);
    if (program === 'sed' && sedDoesMore(words)) this.doubt('the sed program writes a file or runs a command');
  }

  #find(words: readonly Word[], command: SimpleCommand, depth: number): void {
    const test = words.findIndex((word) => /^[-(!]/.test(word.text) && !/^-[HLPOD]/.test(word.text));
    const roots = (test < 0 ? words : words.slice(0, test)).filter((word) => !word.text.startsWith('-'));
    const places = roots.length > 0 ? roots : [plainWord('.')];
    this.#touched('fs.read', places);
    const names = words.flatMap((word, index) => /^-i?name$/.test(words[index - 1]?.text ?? '') ? [word] : []);
    const found = places.flatMap((place) => names.length === 0 ? [place] : names.map((name) => ({ ...name, text: `${place.text}/**/${name.text}` })));
    if (words.some((word) => word.text === '-delete')) this.#touched('fs.delete', found);
    for (const [at, word] of words.entries()) {
      if (/^-fprint/.test(word.text) || word.text === '-fls') this.#touched('fs.write', words.slice(at + 1, at + 2));
      if (!/^-(?:exec|ok)(?:dir)?$/.test(word.text)) continue;
      const end = words.findIndex((other, index) => index > at && (other.text === ';' || other.text === '+'));
      const run = words.slice(at + 1, end < 0 ? undefined : end);
      this.#run(run.flatMap((part) => part.text.includes('{}') ? found.map((place) => ({ ...part, text: part.text.replaceAll('{}', place.text), pattern: false })) : [part]), command, depth + 1);
    }
  }

  #fetch(words: readonly Word[]): void {
    const { writes, reads, addresses } = fetched(words);
    this.#touched('fs.write', writes);
    this.#touched('fs.read', reads);
    for (const word of addresses) {
      if (word.dynamic && !/^[a-z]+:\/\/[^/$`]+\//i.test(word.text)) this.doubt(`what "${word.text.slice(0, 60)}" stands for shows only at run time, and it is called`);
      else if (!word.text.includes('://')) this.#found.action({ kind: 'net', url: `http://${word.text}` });
    }
    for (const word of words) if (/\.sock$/.test(word.text)) this.#found.mention(word.text);
  }

  /** A program that nothing is known about. */
  #other(program: string, words: readonly Word[], command: SimpleCommand, fed: boolean): void {
    const codeOptions = interpreters.get(program);
    if (codeOptions !== undefined || program === 'make') {
      for (const { text } of command.input) this.#found.mention(text);
      if (fed && !words.some((word) => !/^-(?!c|e|p|m)/.test(word.text) && word.text !== '-')) this.doubt(`what is fed to ${program} shows only at run time`);
    }
    const code = codeOptions === undefined ? -1 : words.findIndex((word) => codeOptions.includes(word.text));
    if (code >= 0) this.#found.mention(words[code + 1]?.text ?? '');
    this.#mention(words.filter((_, at) => code < 0 || at !== code + 1));
    const paths = words.flatMap((word) => {
      const text = word.text.replace(/^--?[\w-]+=/, '');
      return !(code >= 0 && word === words[code + 1]) && looksLikePath(text) ? [{ ...word, text }] : [];
    });
    this.#touched('fs.read', paths.filter((word) => !word.dynamic));
  }

  #mention(words: readonly Word[]): void {
    for (const word of words) {
      const text = word.text.replace(/^--?[\w-]+=/, '');
      if (text.startsWith('-')) continue;
      if (/[\s]/.test(text) || text.length > 4096) this.#found.mention(text);
      else for (const path of this.#where.meanings(this.#tilde({ ...word, text }))) this.#found.mention(path);
    }
  }

  #addresses(program: string, word: Word): void {
    const at = word.text.indexOf('://');
    if (at <= 0 || at > 64 || (searchers.has(program) && word.quoted)) return;
    const url = /[a-z][a-z0-9+.-]*:\/\/\S+/i.exec(word.text.slice(0, 4096))?.[0];
    if (url !== undefined && !url.startsWith('file://')) this.#found.action({ kind: 'net', url });
  }

  /** A word with a loop's variable in it, once for each value of the loop. */
  #unrolled(word: Word): readonly Word[] {
    const found = word.dynamic ? /^([^$]*)\$\{?(\w+)\}?([^$]*)$/.exec(word.text) : null;
    const values = found === null ? undefined : this.#loops.get(found[2] ?? '');
    if (values === undefined || values.some((value) => value.dynamic) || this.#assigned.has(found?.[2] ?? '')) return [word];
    return values.map((value) => ({ ...value, text: `${found?.[1] ?? ''}${value.text}${found?.[3] ?? ''}` }));
  }

  #tilde(word: Word): string {
    if (this.#home === undefined || !/^~(?:\/|$)/.test(word.text)) return word.text;
    if (this.#assigned.has('HOME')) this.doubt('HOME is set, and "~" stands for it');
    return this.#home + word.text.slice(1);
  }

  /** Files touched, seen from every directory the shell may be in. */
  #touched(kind: FileKind, words: readonly Word[]): void {
    for (const word of words.flatMap((one) => this.#unrolled(one))) {
      if (word.text === '' || (word.text === '-' && kind === 'fs.read') || uncounted.test(word.text)) continue;
      if (word.dynamic) {
        if (kind !== 'fs.read') this.doubt(`what "${word.text.slice(0, 60)}" stands for shows only at run time, and it is ${kind === 'fs.delete' ? 'deleted' : 'written'}`);
        else if (this.#home !== undefined && /^~[^/$]+\//.test(word.text)) this.#found.mention(this.#home + word.text.slice(word.text.indexOf('/')));
        continue;
      }
      const text = this.#tilde(word);
      if (this.#where.strayed && !isAbsolute(text) && kind !== 'fs.read') this.doubt('a relative path follows a change of directory that cannot be followed');
      const paths = word.pattern ? expandedBraces(text) : [text];
      if (paths === undefined) this.doubt(`what "${text.slice(0, 60)}" stands for cannot be followed`);
      for (const path of paths ?? []) for (const meaning of this.#where.meanings(path)) this.#found.action({ kind, file_path: meaning });
    }
  }
}
