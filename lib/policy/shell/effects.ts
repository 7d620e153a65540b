/**
 * What programs do to files and the network, told as actions: where the shell may be, what a word stands for there, which words
 * of a known program are read, written, deleted or called. Programs that start others are the walk's matter.
 */
import { isAbsolute } from '../../base/paths.ts';
import { copied } from './copy.ts';
import { fetched } from './fetch.ts';
import { awkDoesMore, sedDoesMore } from './filters.ts';
import { expandedBraces, looksLikePath, operandsOf } from './operands.ts';
import { copiers, deleters, fetchers, lokiName, readers, searchers, secondWriters, writers } from './programs.ts';
import { Tally } from './tally.ts';
import type { Word } from './tree.ts';
import { Whereabouts } from './whereabouts.ts';

export type FileKind = 'fs.read' | 'fs.write' | 'fs.delete';

const uncounted = /^\/dev\/(?:null|zero|full|u?random|tty|fd\/\d+|std(?:in|out|err))$/;
/** Characters that a person who reads the command does not see. */
const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

/** What is named so is a file, also where it is deleted as folders are. */
const fileName = /[^./][^/]*\.[A-Za-z0-9]{1,5}$/;
const recursive = /^-(?:[A-Za-z]*[rR]|-r|-recursive|-recur)/;
const loopVariable = /^([^$]*)\$(?:(\w+)|\{(\w+)(?:%([\w.-]+))?\})([^$]*)$/;
/** An address whose host or port shows only at run time. */
const hostUnknown = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*[$`]|[^/]*$)/i;

export class Effects {
  protected readonly home: string | undefined;
  protected readonly found: Tally = new Tally();
  protected readonly loops: Map<string, readonly Word[]> = new Map();
  protected readonly assigned: Set<string> = new Set();
  protected readonly where: Whereabouts;
  /** How many containers or other machines enclose the command: their files are none of this one's. */
  protected elsewhere = 0;

  constructor(cwd: string | undefined, home: string | undefined) {
    this.home = home;
    this.where = new Whereabouts(cwd);
  }

  doubt(what: string): void {
    this.found.doubt(what);
  }

  /** The effects of a program on files; false for one that nothing is known about. */
  protected files(program: string, words: readonly Word[]): boolean {
    const leading = writers.get(program);
    if (deleters.has(program)) this.#delete(program, words);
    else if (leading !== undefined) this.touched('fs.write', operandsOf(program, words).slice(leading));
    else if (copiers.has(program)) this.#copy(program, words);
    else if (program === 'dd') this.#dd(words);
    else if (readers.has(program)) this.#read(program, operandsOf(program, words));
    else if (searchers.has(program)) this.#search(program, words);
    else if (fetchers.has(program)) this.#fetch(words);
    else return false;
    return true;
  }

  /** The folder that an archive is unpacked into. */
  protected unpacked(program: string, words: readonly Word[]): void {
    const name = program === 'unzip' ? /^-d$/ : /^(?:-C|--directory)$/;
    if (program !== 'unzip' && !(/tar$/.test(program) && words.some(({ text }) => /^(?:-?[A-Za-z]*x|--extract|--get)/.test(text)))) return;
    for (const [at, { text }] of words.entries()) if (name.test(text)) this.touched('fs.write', words.slice(at + 1, at + 2));
  }

  /** A folder that goes with all that is in it is told as itself and as `folder/*`, so that a rule can tell it from a file. */
  #delete(program: string, words: readonly Word[]): void {
    const operands = operandsOf(program, words);
    this.touched('fs.delete', operands);
    if (/^g?rm$/.test(program) && words.some(({ text }) => recursive.test(text))) this.touched('fs.delete', operands.filter(({ dynamic, text }) => !dynamic && !fileName.test(text)).map((word) => ({ ...word, text: `${word.text.replace(/\/+$/, '')}/*` })));
  }

  #read(program: string, operands: readonly Word[]): void {
    if (/^(?:source|\.)$/.test(program) && operands[0]?.dynamic === true) this.doubt('which script is read in shows only at run time');
    if (program === 'cat' && operands.some(namesLoki)) this.doubt('the program of loki is read, which could be run under another name');
    this.touched('fs.read', operands);
    if (secondWriters.has(program)) this.touched('fs.write', operands.slice(1, 2));
  }

  #copy(program: string, words: readonly Word[]): void {
    if (words.some(namesLoki)) this.doubt('a copy of loki is made, which could be told what loki may not be told');
    const { target, sources, inside, links, moves } = copied(program, words, operandsOf(program, words));
    this.touched('fs.read', sources);
    if (links) this.mention(sources);
    if (moves) this.touched('fs.delete', sources);
    if (target === undefined) return;
    this.touched('fs.write', [target]);
    if (/(?:^|\/)\.?\.?$/.test(target.text)) this.touched('fs.write', inside);
    else this.mention(inside);
    if (!links && !moves) return;
    for (const [at, source] of sources.entries()) for (const name of [target, ...inside.slice(at, at + 1)]) this.where.linked(this.tilde(name), this.tilde(source));
  }

  #dd(words: readonly Word[]): void {
    for (const word of words) {
      if (word.text.startsWith('of=')) this.touched('fs.write', [{ ...word, text: word.text.slice(3) }]);
      if (word.text.startsWith('if=')) this.touched('fs.read', [{ ...word, text: word.text.slice(3) }]);
    }
  }

  #search(program: string, words: readonly Word[]): void {
    const operands = operandsOf(program, words);
    const given = words.some((word) => /^(?:-[A-Za-z]*[ef]|--regexp|--file|--expression|--from-file)/.test(word.text)) && program !== 'jq';
    const files = given ? operands : operands.slice(1);
    const inPlace = /^(?:sed|gsed|yq|g?awk)$/.test(program) && words.some((word) => /^(?:-[A-Za-z]*i|--in-?place)/.test(word.text));
    this.touched(inPlace ? 'fs.write' : 'fs.read', files);
    const code = operands[0]?.text ?? '';
    if (/awk$/.test(program) && awkDoesMore.test(code)) this.doubt(`the ${program} program runs commands, or reads or writes other files`);
    if (/^g?sed$/.test(program) && sedDoesMore(words)) this.doubt('the sed program reads or writes another file, or runs a command');
  }

  #fetch(words: readonly Word[]): void {
    const { writes, reads, addresses } = fetched(words);
    this.touched('fs.write', writes);
    this.touched('fs.read', reads);
    for (const word of addresses) {
      if (word.dynamic && (!word.text.includes('://') || hostUnknown.test(word.text))) this.doubt(`what "${word.text.slice(0, 60)}" stands for shows only at run time, and it is called`);
      else if (!word.text.includes('://')) this.found.action({ kind: 'net', url: `http://${word.text}` });
    }
    for (const word of words) if (/\.sock$/.test(word.text)) this.found.mention(word.text);
  }

  /** Words that look like paths, given to a program that nothing is known about: read, and where a path is protected, written. */
  protected named(words: readonly Word[]): void {
    this.mention(words);
    const paths = words.flatMap((word) => {
      const text = word.text.replace(/^--?[\w-]+=/, '');
      return looksLikePath(text) ? [{ ...word, text }] : [];
    });
    this.touched('fs.read', paths.filter((word) => !word.dynamic));
  }

  protected mention(words: readonly Word[]): void {
    if (this.elsewhere > 0) return;
    for (const word of words) {
      const text = word.text.replace(/^--?[\w-]+=/, '');
      if (text.startsWith('-')) continue;
      if (/[\s]/.test(text) || text.length > 4096) this.found.mention(text);
      else for (const path of this.where.meanings(this.tilde({ ...word, text }))) this.found.mention(path);
    }
  }

  protected addresses(program: string, word: Word): void {
    const at = word.text.indexOf('://');
    if (at <= 0 || at > 64 || (searchers.has(program) && word.quoted)) return;
    const url = /[a-z][a-z0-9+.-]*:\/\/\S+/i.exec(word.text.slice(0, 4096))?.[0];
    if (url === undefined || (word.dynamic && hostUnknown.test(url))) return;
    if (!/^file:/i.test(url)) this.found.action({ kind: 'net', url });
    else if (fetchers.has(program)) this.touched('fs.read', [{ ...word, text: localPath(url), pattern: false }]);
  }

  /** A word with a loop's variable in it, once for each value of the loop; `${name%.end}` too. */
  #unrolled(word: Word): readonly Word[] {
    const found = loopVariable.exec(word.text);
    const [, before = '', plain, braced, end = '', after = ''] = found ?? [];
    const name = plain ?? braced ?? '';
    const values = found === null ? undefined : this.loops.get(name);
    if (values === undefined || values.some((value) => value.dynamic) || this.assigned.has(name)) return [word];
    return values.map((value) => ({ ...value, text: before + (end !== '' && value.text.endsWith(end) ? value.text.slice(0, -end.length) : value.text) + after }));
  }

  protected tilde(word: Word): string {
    if (this.home === undefined || !/^~(?:\/|$)/.test(word.text)) return word.text;
    if (this.assigned.has('HOME')) this.doubt('HOME is set, and "~" stands for it');
    return this.home + word.text.slice(1);
  }

  /** Files touched, seen from every directory the shell may be in. */
  protected touched(kind: FileKind, words: readonly Word[]): void {
    if (this.elsewhere > 0) return;
    for (const word of words) {
      if (!word.dynamic) this.#touch(kind, word);
      else for (const one of this.#unrolled(word)) one.dynamic ? this.#unknown(kind, one) : this.#touch(kind, one);
    }
  }

  /** `~name/x`: homes lie beside one another, and the name may be our own. */
  #othersHome(text: string, home: string): void {
    const slash = text.indexOf('/');
    const path = `${home.slice(0, home.lastIndexOf('/'))}/${text.slice(1, slash)}${text.slice(slash)}`;
    this.found.action({ kind: 'fs.read', file_path: path });
    this.found.mention(home + text.slice(slash));
  }

  #unknown(kind: FileKind, word: Word): void {
    if (/^\/+proc\//.test(word.text)) this.doubt(`what "${word.text.slice(0, 60)}" leads to shows only at run time`);
    if (kind !== 'fs.read') this.doubt(`what "${word.text.slice(0, 60)}" stands for shows only at run time, and it is ${kind === 'fs.delete' ? 'deleted' : 'written'}`);
    else if (/^(?:\/|~\/)[^$`]*[^$`/][$`]/.test(word.text) && word.inner === undefined) this.found.mention(this.tilde({ ...word, text: word.text.replace(/\$(?:\{[^}]*\}|\w+|\W)/g, '*') }));
    else if (this.home !== undefined && /^~[^/$]+\//.test(word.text)) this.#othersHome(word.text, this.home);
  }

  #touch(kind: FileKind, word: Word): void {
    if (word.text === '' || (word.text === '-' && kind === 'fs.read') || (word.text.startsWith('/dev/') && uncounted.test(word.text))) return;
    const text = this.tilde(word);
    if (invisible.test(text)) this.doubt('a file name holds invisible characters');
    if (this.where.strayed && !isAbsolute(text) && kind !== 'fs.read') this.doubt('a relative path follows a change of directory that cannot be followed');
    const paths = word.pattern ? expandedBraces(text) : [text];
    if (paths === undefined) this.doubt(`what "${text.slice(0, 60)}" stands for cannot be followed`);
    for (const path of paths ?? []) for (const meaning of this.where.meanings(path)) this.found.action({ kind, file_path: meaning });
  }
}

/** The program of loki as a file, or a command that finds it. */
function namesLoki({ text, inner }: Word): boolean {
  if (/(?:^|\/)(?:(?:s?bin|\.bin)\/loki|loki\.[cm]?js|loki-enterprise(?:\/.*)?)$/i.test(text)) return true;
  return inner?.some(({ words }) => /^(?:which|type|command|whereis|readlink|realpath)$/.test(words[0]?.text ?? '') && words.some((word) => lokiName.test(word.text))) === true;
}

/** The path in a `file:` address. */
function localPath(url: string): string {
  const path = url.replace(/^file:(?:\/\/[^/]*)?/i, '').replace(/[?#].*$/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
