/**
 * The walk over a command line's commands: what each starts, with wrappers taken off, shells and interpreters followed into the
 * texts they are given, and the command behind a pipe told what feeds it. What it cannot follow it says.
 */
import { canonicalReadings } from './canonical.ts';
import { Effects } from './effects.ts';
import { findParts } from './find.ts';
import { gitCommand } from './git.ts';
import { inlineProgram, interpreterOf, programTexts } from './interpreters.ts';
import { deepest, longestCommand } from './limits.ts';
import { programName, shellWords } from './operands.ts';
import { optionsOf } from './options.ts';
import { patchedFiles, readsPatch } from './patches.ts';
import { commandVariables, keywords, lastingVariables, loadsOther, lokiName, patternSwitches, shells, speakers } from './programs.ts';
import { opensPrompt } from './prompts.ts';
import { readShell } from './reader.ts';
import { isDatabaseClient, statementsOf } from './statements.ts';
import { Feed, suppliedCommands } from './supplied.ts';
import type { ShellAnalysis } from './tally.ts';
import { isTcl, tclProgram } from './tcl.ts';
import { typedCommands } from './typed.ts';
import { literalWord } from './tree.ts';
import type { SimpleCommand, Word } from './tree.ts';
import { fromWindows, isWindowsShell, runsText, windowsScript } from './windows.ts';
import { mounts, wrappedBy } from './wrappers.ts';
import { Written } from './written.ts';

const tooManyPlaces = 'there are too many changes of directory to follow';
const otherPatterns = 'the shell is told to read patterns or names in another way';
const closers: ReadonlySet<string> = new Set(['fi', 'done', 'esac', '}']);
const assignment = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]*\])?\+?=/;
/** Names of what a program reads when it is given no file. */
const standardInput = /^(?:-|\/dev\/stdin|\/dev\/fd\/0|\/proc\/(?:self|thread-self)\/fd\/0)$/;
/** Subcommands of git that file names do no harm to. */
const quietWithNames = /^(?:add|log|show|blame|diff|grep|ls-files|cat-file)$/;
/** Commands in one pipeline whose words are told with the one they feed. */
const mostFeeding = 8;

/** A command with what its pipe brings. */
interface Run {
  readonly command: SimpleCommand;
  readonly fed: boolean;
  readonly feed: Feed | undefined;
  /** The commands before it in the pipeline, and those whose output is in their words. */
  readonly feeding: readonly SimpleCommand[];
  readonly depth: number;
}

/** Programs started by one another, and all in all; text read in all, in UTF-16 code units. What is beyond is said, and not followed. */
const deepestRun = 20;
const mostRuns = 4000;
const mostText = 16 * longestCommand;

export class Walk extends Effects {
  #inside = 0;
  readonly #written = new Written();
  #runs = 0;
  #read = 0;

  result(): ShellAnalysis {
    return this.found.result();
  }

  script(text: string, depth: number, piped = false): void {
    if (depth >= deepest) return this.doubt(`shells are nested deeper than ${deepest}`);
    this.#read += text.length;
    if (this.#read > mostText) return this.doubt('the texts it gives to shells are too long to follow');
    const place = this.where.certain;
    const known = new Map<string, string>();
    if (this.home !== undefined) known.set('HOME', this.home);
    if (place !== undefined) known.set('PWD', place);
    const { events, uncertain, assigned } = readShell(text, known, piped);
    for (const doubt of uncertain) this.doubt(doubt);
    for (const name of assigned) this.assigned.add(name);
    let feed: Feed | undefined;
    let feeding: SimpleCommand[] = [];
    let groups = 0;
    for (const event of events) {
      if (event.is === 'open') {
        groups += 1;
        this.where.enter();
      } else if (event.is === 'close') {
        feed = undefined;
        groups -= 1;
        this.where.leave();
      } else {
        if (!event.piped) feed = undefined;
        if (!event.piped && groups === 0) feeding = [];
        this.#command({ command: event, fed: event.piped, feed, feeding, depth });
        if (!this.where.ended(event.next)) this.doubt(tooManyPlaces);
        if (event.next === '|' || event.next === '|&' || groups > 0) {
          feed = new Feed(event, feed);
          if (feeding.length < mostFeeding) feeding = [...feeding, event];
        }
      }
    }
  }

  #command(run: Run): void {
    const { command } = run;
    for (const { operator, target } of command.redirects) this.#redirect(operator, target);
    this.#written.remember(command, run.feed);
    const words = behindKeywords(withoutName(command.words));
    const [first] = words;
    if (first === undefined || closers.has(first.text)) return;
    if (first.text === 'for' || first.text === 'select') {
      this.loops.set(words[1]?.text ?? '', words.slice(3));
      return;
    }
    if (first.text === 'case') return this.doubt('a "case" statement is not understood');
    this.#run(first.text === 'function' ? behindKeywords(words.slice(2)) : words, run);
  }

  #redirect(operator: string, target: Word): void {
    const socket = target.text.startsWith('/dev/') ? /^\/dev\/(tcp|udp)\/([^/]+)\/(.+)$/.exec(target.text) : null;
    if (socket !== null) this.found.action({ kind: 'net', url: `${socket[1] ?? ''}://${socket[2] ?? ''}:${socket[3] ?? ''}` });
    else this.touched(operator === '<' ? 'fs.read' : 'fs.write', [target]);
  }

  /** A command without its keywords: environment and wrappers come off, then the program is looked at. */
  #run(all: readonly Word[], run: Run, wrapped = false): void {
    this.#runs += 1;
    if (this.#inside >= deepestRun || this.#runs > mostRuns) return this.doubt('too many programs start one another');
    this.#inside += 1;
    this.#runInside(all, run, wrapped);
    this.#inside -= 1;
  }

  #runInside(all: readonly Word[], run: Run, wrapped: boolean): void {
    const words = this.#withoutAssignments(all, wrapped, run.depth);
    const [first] = words;
    if (first === undefined) return;
    if (first.dynamic) return this.doubt(`which program "${first.text.slice(0, 60)}" is shows only at run time`);
    if (first.pattern && first.text !== '[' && first.text !== '[[' && first.text !== '{') return this.doubt(`which program "${first.text.slice(0, 60)}" is depends on the files there are`);
    const program = this.#told(words, first, run);
    const rest = words.slice(1);
    if (!run.fed && run.command.input.length === 0 && opensPrompt(program, rest) && !run.command.redirects.some(({ operator }) => operator === '<')) this.found.opens(program);
    if (first.text.includes('/')) this.#ownScript(first, run);
    const inner = wrappedBy(program, rest);
    if (inner === undefined || (program === 'command' && /^-[vV]/.test(rest[0]?.text ?? ''))) return this.#program(program, rest, run);
    this.#options(program, inner.own, run.depth);
    const elsewhere = inner.elsewhere && !inner.own.some(({ text }) => /^(?:[\w.-]+@)?(?:localhost|127\.[\d.]+|::1)$/.test(text));
    if (inner.elsewhere) this.mention(mounts(inner.own));
    if (elsewhere) this.elsewhere += 1;
    for (const line of inner.lines) this.#nested(line, run.depth);
    if (inner.into !== undefined) {
      this.where.enter();
      this.#changeDirectory([inner.into], '&&');
    }
    if (program === 'xargs' || program === 'gxargs' || program === 'parallel') this.#supplied(program, inner.own, inner.words, run);
    else if (inner.text === 'joined' && inner.words.length > 0) this.#text(inner.words, run.depth);
    else if (inner.text === 'each') for (const word of inner.words) this.#nested(word, run.depth);
    else this.#run(inner.words, run, true);
    if (inner.into !== undefined) this.where.leave();
    if (elsewhere) this.elsewhere -= 1;
  }

  /** A program that this command line has written itself. */
  #ownScript(first: Word, run: Run): void {
    const text = this.#written.take(first);
    if (text === undefined) return;
    const line = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(text);
    const program = programName(line?.[1] === undefined ? 'sh' : /\/env$/.test(line[1]) ? line[2] ?? 'sh' : line[1]);
    const interpreter = interpreterOf(program);
    if (interpreter !== undefined) this.#inline(program, interpreter.language, literalWord(text, true), run);
    else this.script(text, run.depth + 1);
  }

  /** Tells a command as it is written, by its program's name, and in its other spellings. Returns the program's name. */
  #told(words: readonly Word[], first: Word, run: Run): string {
    let text = first.text;
    for (let at = 1; at < words.length; at += 1) text += ` ${words[at]?.text ?? ''}`;
    this.found.action({ kind: 'exec', command: text });
    const program = programName(first.text);
    if (program !== first.text) this.found.action({ kind: 'exec', command: program + text.slice(first.text.length) });
    const rest = words.slice(1);
    this.found.spellings(() => canonicalReadings(program, rest));
    if (isDatabaseClient(program)) this.found.spellings(() => {
      const piped = run.feed?.text();
      return statementsOf(program, rest, [...run.command.input.map((word) => word.text), ...(piped === undefined ? [] : [piped])]);
    });
    return program;
  }

  /** A program that takes what these commands print for code has another spelling, that text behind it. */
  #feeds(program: string, commands: readonly SimpleCommand[]): void {
    this.found.spellings(() => commands.flatMap(told).map((feeder) => `${program} < ${feeder}`));
  }

  #withoutAssignments(words: readonly Word[], wrapped: boolean, depth: number): readonly Word[] {
    let from = 0;
    for (const word of words) {
      const name = word.text.includes('=') ? assignment.exec(word.text)?.[1] : undefined;
      if (name === undefined) break;
      this.assigned.add(name);
      if (commandVariables.test(name) && (words.length > 1 || wrapped)) this.#nested({ ...word, text: word.text.slice(name.length + 1) }, depth);
      if (/^(?:CDPATH|GLOBIGNORE)$/.test(name) || (words.length > 1 || wrapped) && loadsOther(name, word.text.slice(word.text.indexOf('=') + 1)) && !(name === 'IFS' && words[from + 1]?.text === 'read')) this.doubt(`${name} is set, which can make a program run another`);
      from += 1;
    }
    return from === 0 ? words : words.slice(from);
  }

  #options(program: string, words: readonly Word[], depth: number): void {
    const { scripts, outputs } = optionsOf(program, words);
    for (const script of scripts) this.#nested(script, depth);
    this.mention(outputs);
  }

  /** A word that some program will run as a command line. */
  #nested(word: Word | undefined, depth: number): void {
    if (word === undefined) return;
    if (word.dynamic) this.doubt('part of a command line that a program is given shows only at run time');
    else this.script(word.text, depth + 1);
  }

  /** Words that a shell will read as one text. */
  #text(words: readonly Word[], depth: number): void {
    if (words.some((word) => word.dynamic)) this.doubt('part of a command line that a program is given shows only at run time');
    this.script(words.map((word) => word.text).join(' '), depth + 1);
  }

  #supplied(program: string, own: readonly Word[], template: readonly Word[], run: Run): void {
    const commands = suppliedCommands(program, own, template, run.feed);
    if (commands === undefined) return this.doubt(`${program} makes more commands than can be told`);
    for (const words of commands) {
      const [first] = words;
      const name = programName(first?.text ?? '');
      const ownCommands = template.length === 0 || template[0]?.text === ':::';
      // parallel lets a shell read the line that it makes; xargs without a command prints.
      if (program === 'parallel' && (ownCommands || words.some(({ text }) => /[\s;|&<>$`]/.test(text)))) this.#text(words, run.depth);
      if (ownCommands) continue;
      const unknown = words.some((word) => word.dynamic && word.text.includes('{}'));
      if (unknown && (name === 'loki' || (name === 'git' && !quietWithNames.test(words[1]?.text ?? '')))) this.doubt(`what ${name} is given shows only at run time`);
      this.#run(words, { ...run, fed: true, feed: undefined }, true);
    }
  }

  #program(program: string, words: readonly Word[], run: Run): void {
    if (shells.has(program)) return this.#shell(program, words, run);
    switch (program) {
      case 'eval': return this.#eval(words, run.depth);
      case 'cd': case 'pushd': return this.#changeDirectory(words, run.command.next);
      case 'popd':
        this.where.move(undefined, '');
        break;
      case 'trap': return this.#nested(words.find((word) => !word.text.startsWith('-')), run.depth);
      case 'alias':
        for (const { text } of words) if (text.includes('=')) this.script(text.slice(text.indexOf('=') + 1), run.depth + 1);
        break;
      case 'source': case '.':
        if (words[0] !== undefined && standardInput.test(words[0].text)) return this.#shell('sh', [], run);
        if (words[0] !== undefined) this.script(this.#written.take(words[0]) ?? '', run.depth + 1);
        break;
      case 'crontab':
        if (run.fed || run.command.input.length > 0 || run.command.redirects.some(({ operator }) => operator === '<')) this.doubt('what is run again and again is replaced');
        break;
      case 'hash':
        if (words.some(({ text }) => /^-\w*p/.test(text))) this.doubt('a name is given to another program');
        break;
      case 'shopt': case 'setopt': case 'set':
        if (words.some((word) => patternSwitches.test(word.text))) this.doubt(otherPatterns);
        break;
      case 'export': case 'declare': case 'typeset':
        for (const { text } of words) if (lastingVariables.test(text) && loadsOther(text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1))) this.doubt(`${text.split('=')[0] ?? ''} is set, which can make a program run another`);
        break;
      default:
    }
    if (speakers.has(program)) return;
    this.#options(program, words, run.depth);
    for (const line of typedCommands(program, words, run.command.input)) this.#nested(line, run.depth);
    if (program === 'loki') return this.#loki(words);
    if (program === 'git') return this.#git(words, run);
    for (const word of words) this.addresses(program, word);
    if (this.files(program, words)) return;
    if (program === 'find') return this.#find(words, run);
    this.#other(program, words, run);
  }

  #shell(program: string, words: readonly Word[], run: Run): void {
    const { command, depth, fed, feed } = run;
    if (words.some((word) => patternSwitches.test(word.text))) this.doubt(otherPatterns);
    if (command.redirects.some(({ target }) => /^\/dev\/(?:tcp|udp)\//.test(target.text))) this.doubt(`${program} is told what to do over a connection`);
    const { told: script, operands, lines } = shellWords(program, words);
    const [first] = operands;
    for (const line of lines) this.#nested(line, depth);
    if (first?.inner !== undefined) this.#feeds(program, first.inner);
    if (script) {
      if (first === undefined) return;
      if (first.dynamic) this.doubt(`part of what ${program} is told to run shows only at run time`);
      return this.script(first.text, depth + 1, fed);
    }
    if (first?.dynamic === true) return this.doubt(`which script ${program} runs shows only at run time`);
    if (first !== undefined && !standardInput.test(first.text) && !words.some((word) => /^-[A-Za-z]*s/.test(word.text))) {
      const text = words.some((word) => /^-[A-Za-z]*n/.test(word.text)) ? undefined : this.#written.take(first);
      if (text !== undefined) this.script(text, depth + 1);
      return this.touched('fs.read', [first]);
    }
    this.#feeds(program, run.feeding);
    for (const input of command.input) {
      if (input.dynamic) this.doubt(`part of what ${program} is fed shows only at run time`);
      this.script(input.text, depth + 1);
    }
    const piped = command.input.length === 0 ? feed?.text() : undefined;
    if (piped !== undefined) this.script(piped, depth + 1);
    else if (fed || command.redirects.some(({ operator }) => operator === '<')) this.doubt(`what is fed to ${program} shows only at run time`);
  }

  /** Commands of loki show what stands in the files they are given. */
  #loki(words: readonly Word[]): void {
    if (words.slice(0, 4).some((word) => word.pattern && !word.text.includes('/'))) this.doubt('what loki is told depends on the files there are');
    const values = words.map((word) => ({ ...word, text: word.text.replace(/^--?[\w-]+=/, '') }));
    this.touched('fs.read', values.filter(({ text }) => !text.startsWith('-') && /[/.~]/.test(text)));
  }

  #eval(words: readonly Word[], depth: number): void {
    if (words.some((word) => word.dynamic)) this.doubt('"eval" runs text that shows only at run time');
    for (const word of words) if (word.inner !== undefined) this.#feeds('sh', word.inner);
    this.script(words.map((word) => word.text).join(' '), depth + 1);
  }

  #changeDirectory(words: readonly Word[], next: string): void {
    const target = words.find((word) => !word.text.startsWith('-') || word.text === '-');
    const text = target === undefined ? this.home : target.text === '-' || target.dynamic || target.pattern ? undefined : this.tilde(target);
    if (!this.where.move(text, next)) this.doubt(tooManyPlaces);
  }

  #git(words: readonly Word[], run: Run): void {
    const { directories, plain, mentions, scripts, command, addresses, cleans, patches, doubts } = gitCommand(words);
    this.where.enter();
    for (const directory of directories) this.#changeDirectory([directory], '&&');
    if (plain !== undefined) this.found.action({ kind: 'exec', command: plain });
    for (const { text } of mentions) this.found.mention(text);
    this.mention(mentions);
    for (const script of scripts) this.script(script, run.depth + 1);
    if (command.length > 0) this.#run(command, { ...run, fed: false, feed: undefined, depth: run.depth + 1 }, true);
    if (patches) this.#patched([], run);
    if (words.some(({ text }) => text === '--no-index')) this.touched('fs.read', words.slice(1).filter(({ text }) => !text.startsWith('-')));
    if (cleans) this.touched('fs.delete', [literalWord('.')]);
    for (const url of addresses) this.found.action({ kind: 'net', url });
    for (const doubt of doubts) this.doubt(doubt);
    this.where.leave();
  }

  #find(words: readonly Word[], run: Run): void {
    const { places, found, named, deletes, writes, runs } = findParts(words);
    this.touched('fs.read', places);
    this.touched('fs.write', writes);
    // Without a name to go by it deletes what lies there, and not the place itself.
    const here = !named && places.every(({ text }) => /^(?:\.\/?)+$/.test(text));
    if (deletes) here ? this.doubt('which files "find" deletes shows only at run time') : this.touched('fs.delete', found);
    for (const template of runs) {
      const filled = here ? template.map((part) => part.text.includes('{}') ? { ...part, dynamic: true } : part) : template.flatMap((part) => part.text.includes('{}') ? found.map((place) => ({ ...part, text: part.text.replaceAll('{}', place.text), pattern: true })) : [part]);
      this.#run(filled, { ...run, depth: run.depth + 1 }, true);
      if (here || found.every((word) => !/[*?[]/.test(word.text.replace('/**/', '')))) continue;
      // Which files a pattern finds nobody knows: rules see the command as it stands, too.
      this.elsewhere += 1;
      this.#run(template.map((part) => part.text === '{}' ? { ...part, pattern: false } : part), { ...run, depth: run.depth + 1 }, true);
      this.elsewhere -= 1;
    }
  }

  /** `fd -x` and `-X`: a command on whatever is found. */
  #found(words: readonly Word[], run: Run): void {
    const at = words.findIndex(({ text }) => /^(?:-[xX]|--exec(?:-batch)?)$/.test(text));
    if (at >= 0) this.#run([...words.slice(at + 1), { ...literalWord('{}'), dynamic: true }], { ...run, depth: run.depth + 1 }, true);
  }

  /** A program that is in no table of what programs do to files. */
  #other(program: string, words: readonly Word[], run: Run): void {
    if (isWindowsShell(program)) return this.#windows(program, words, run);
    if (runsText(program)) return this.doubt(`"${program}" runs text as a command`);
    const elsewhere = fromWindows(program, words);
    if (elsewhere !== undefined) return this.#run(elsewhere, run, true);
    const loki = words.findIndex((word) => lokiName.test(word.text));
    if (loki >= 0) this.found.action({ kind: 'exec', command: words.slice(loki).map((word) => word.text).join(' ') });
    if (readsPatch(program, words.map(({ text }) => text))) this.#patched(/^g?patch$/.test(program) ? [] : words, run);
    if (isTcl(program)) return this.#tcl(program, words, run);
    const interpreter = interpreterOf(program);
    if (interpreter !== undefined) return this.#interpreter(program, interpreter, words, run);
    if (program === 'at' || program === 'batch') this.#shell(program, [], run);
    const debugged = /^(?:gdb|rust-gdb|lldb|rust-lldb)$/.test(program) ? words.findIndex(({ text }) => text === '--args' || text === '--') : -1;
    if (debugged >= 0) return this.#run(words.slice(debugged + 1), run, true);
    if (program === 'fd' || program === 'fdfind') this.#found(words, run);
    this.unpacked(program, words);
    if (program === 'cmake' && words[0]?.text === '-E') {
      const at = words.findIndex(({ text }, place) => place > 1 && !/^(?:--|-|\w+=)/.test(text));
      return this.#run(words[1]?.text === 'chdir' ? words.slice(3) : at < 0 ? [] : words.slice(at), run, true);
    }
    if (program === 'make' || program === 'gmake') {
      if (words.some(({ text }) => /^(?:--eval(?:=|$)|-E|SHELL=|\.SHELLFLAGS=)/.test(text) || /^\/dev\/(?:stdin|fd\/)/.test(text)) || words.some((word) => word.inner !== undefined && word.dynamic && word.text === '')) this.doubt(`part of what ${program} is told to run stands in its words`);
      for (const { text } of run.command.input) this.found.mention(text);
      if (words.some((word) => word.text === '-')) this.doubt(`${program} is told what to do on its standard input`);
    }
    this.named(withoutProse(program, words));
  }

  /** The files that a patch names which the command reads, or is given in its words. */
  #patched(words: readonly Word[], { command, feed }: Run): void {
    const piped = command.input.length === 0 ? feed?.text() : undefined;
    for (const text of [...words.map((word) => word.text), ...command.input.map((word) => word.text), ...(piped === undefined ? [] : [piped])]) {
      const { writes, deletes } = patchedFiles(text);
      this.touched('fs.write', writes.map((name) => literalWord(name, true)));
      this.touched('fs.delete', deletes.map((name) => literalWord(name, true)));
    }
  }

  /** `expect` and `tclsh`: their program stands behind `-c`, or comes on their standard input; one in a file is not read. */
  #tcl(program: string, words: readonly Word[], run: Run): void {
    const texts = words.flatMap(({ text }, at) => text === '-c' ? words.slice(at + 1, at + 2) : []);
    if (texts.length === 0 && words.every(({ text }) => text.startsWith('-') && !/^-v/.test(text))) {
      const piped = run.command.input.length === 0 ? run.feed?.text() : undefined;
      texts.push(...run.command.input, ...(piped === undefined ? [] : [literalWord(piped, true)]));
      if (texts.length === 0 && run.fed) this.doubt(`what is fed to ${program} shows only at run time`);
    }
    for (const { text, dynamic } of texts) {
      const { lines, unclear } = tclProgram(text);
      if (unclear || (dynamic && lines.length === 0)) this.doubt(`part of what ${program} is told to run shows only at run time`);
      for (const line of lines) this.script(line, run.depth + 1);
    }
    this.named(words);
  }

  #windows(program: string, words: readonly Word[], { command, depth, fed }: Run): void {
    const script = windowsScript(program, words);
    if (script === undefined) return this.doubt(`part of what ${program} is told to run shows only at run time`);
    if (script !== null) return this.script(script, depth + 1);
    if (fed || command.input.length > 0) this.doubt(`what is fed to ${program} shows only at run time`);
    this.named(words);
  }

  /** An interpreter: its program stands in a word, comes on its standard input, or lies in a file. */
  #interpreter(program: string, interpreter: NonNullable<ReturnType<typeof interpreterOf>>, words: readonly Word[], run: Run): void {
    const { texts, others } = programTexts(interpreter, words);
    const file = others.some(({ text }) => !text.startsWith('-')) || others.some(({ text }) => text === '-m');
    for (const word of [...texts, ...others]) if (word.inner !== undefined) this.#feeds(program, word.inner);
    if (texts.length === 0 && !file) {
      this.#feeds(program, run.feeding);
      texts.push(...run.command.input);
      const piped = run.feed?.text();
      if (piped !== undefined) texts.push(literalWord(piped, true));
      else if (run.fed && run.command.input.length === 0) this.doubt(`what is fed to ${program} shows only at run time`);
    }
    const own = texts.length === 0 ? others.find(({ text }) => !text.startsWith('-')) : undefined;
    const written = own === undefined ? undefined : this.#written.take(own);
    if (written !== undefined) texts.push(literalWord(written, true));
    for (const text of texts) this.#inline(program, interpreter.language, text, run);
    this.named(others);
  }

  #inline(program: string, language: NonNullable<ReturnType<typeof interpreterOf>>['language'], word: Word, run: Run): void {
    this.found.mention(word.text);
    if (word.inner !== undefined && word.dynamic && !/\S/.test(word.text)) this.doubt(`the text of the ${program} program shows only at run time`);
    const { lines, commands, reads, writes, deletes, doubts } = inlineProgram(program, language, word.text);
    for (const doubt of doubts) this.doubt(doubt);
    for (const line of lines) this.script(line, run.depth + 1);
    for (const command of commands) this.#run(command, { ...run, fed: false, feed: undefined, depth: run.depth + 1 }, true);
    this.touched('fs.read', reads);
    this.touched('fs.write', writes);
    for (const path of deletes) this.#run([literalWord('rm'), literalWord('-r'), literalWord('-f'), path], { ...run, depth: run.depth + 1 }, true);
  }
}

function behindKeywords(words: readonly Word[]): readonly Word[] {
  const from = words.findIndex((word, at) => word.quoted || !(keywords.has(word.text) || (word.text === '-p' && words[at - 1]?.text === 'time')));
  return from < 0 ? [] : from === 0 ? words : words.slice(from);
}

/** Titles and descriptions that clients of forges are given: prose, in which anything may be named. */
function withoutProse(program: string, words: readonly Word[]): readonly Word[] {
  if (!/^(?:gh|glab|hub|tea)$/.test(program)) return words;
  return words.filter(({ text }, at) => !/^(?:-[bdmnt]|--(?:body|title|notes|description|message|comment|subject))$/.test(words[at - 1]?.text ?? '') && !/^(?:-[bdmnt](?=[^-])|--(?:body|title|notes|description|message|comment|subject)=)/.test(text));
}

/** `coproc NAME { …; }`, without the name. */
function withoutName(words: readonly Word[]): readonly Word[] {
  return words[0]?.text === 'coproc' && words[2]?.text === '{' ? [...words.slice(0, 1), ...words.slice(2)] : words;
}

/** A command and those whose output is in its words, each as text. */
function told({ words }: SimpleCommand): readonly string[] {
  const inner = words.flatMap((word) => word.inner === undefined ? [] : word.inner.flatMap((command) => [command.words.map(({ text }) => text).join(' ')]));
  return [words.map((word) => word.text).join(' '), ...inner].filter((text) => text !== '').slice(0, mostFeeding);
}
