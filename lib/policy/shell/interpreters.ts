/**
 * Programs given as text to an interpreter (`python -c`, `node -e`, a here-document): the calls in them that run commands or
 * touch files, with their literal arguments. A call of that kind whose argument only the run will show is said to be unclear;
 * a program that only computes and prints is nothing to ask about.
 */
import { basename } from '../../base/paths.ts';
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';
import { argumentsAt, withoutStrings } from './program-text.ts';
import type { Argument, Language, ProgramText } from './program-text.ts';

export interface InlineProgram {
  /** Texts that a shell will run. */
  readonly lines: readonly string[];
  /** Commands started without a shell. */
  readonly commands: readonly (readonly Word[])[];
  readonly reads: readonly Word[];
  readonly writes: readonly Word[];
  readonly deletes: readonly Word[];
  readonly doubts: readonly string[];
}

/** Interpreters, their language, and the options behind which program text stands. */
const interpreters: ReadonlyMap<string, { readonly language: Language; readonly code: RegExp; readonly values?: RegExp }> = new Map([
  ['python', { language: 'python', code: /^-[A-Za-z]*c$/, values: /^-[WXm]$/ }], ['ipython', { language: 'python', code: /^-c$/ }], ['node', { language: 'javascript', code: /^(?:-[A-Za-z]*[ep]|--eval|--print)$/, values: /^(?:-r|--require|--import|--loader|--env-file)$/ }],
  ['deno', { language: 'javascript', code: /^eval$/ }], ['bun', { language: 'javascript', code: /^(?:-e|-p|--eval|--print)$/ }], ['tsx', { language: 'javascript', code: /^(?:-e|-p|--eval)$/ }],
  ['ruby', { language: 'ruby', code: /^-[A-Za-z]*e$/, values: /^-[rI]$/ }], ['perl', { language: 'perl', code: /^-[A-Za-z0-9]*[eE]$/, values: /^-I$/ }],
  ['php', { language: 'php', code: /^-[rBRE]$/, values: /^-d$/ }], ['lua', { language: 'lua', code: /^-e$/ }], ['osascript', { language: 'applescript', code: /^-e$/ }], ['Rscript', { language: 'r', code: /^-e$/ }],
] as const);

/** An interpreter by its name, versions left out: `python3.12` is python. */
export function interpreterOf(program: string): { readonly language: Language; readonly code: RegExp; readonly values?: RegExp } | undefined {
  const name = program.replace(/[\d.]+$/, '');
  return interpreters.get(name === 'pypy' || name === 'pythonw' ? 'python' : name === 'nodejs' ? 'node' : name === 'luajit' ? 'lua' : name);
}

type Effect = 'shell' | 'command' | 'delete' | 'read' | 'write' | 'open' | 'move' | 'evaluate' | 'computed' | 'piped';

/** The functions that count, without what is before their last dot unless that tells them from others. */
const calls: { readonly [language in Language]: readonly (readonly [Effect, RegExp])[] } = {
  python: [
    ['shell', /\b(?:os\.)?(?:system|popen|getoutput|getstatusoutput)\s*\(/g], ['command', /\b(?:subprocess\.\w+|Popen|check_output|check_call|pty\.spawn|create_subprocess_\w+|os\.(?:exec|spawn|posix_spawn)\w*|pexpect\.\w+)\s*\(/g],
    ['delete', /\b(?:(?:shutil\.)?rmtree|os\.(?:remove|unlink|rmdir|removedirs|truncate)|send2trash)\s*\(/g], ['delete', /\bPath\s*\((?=\s*\u0001\d+\u0001\s*\)\.(?:unlink|rmdir)\b)/g],
    ['write', /\bPath\s*\((?=\s*\u0001\d+\u0001\s*\)\.(?:write_\w+|touch|mkdir)\b)/g], ['read', /\bPath\s*\((?=\s*\u0001\d+\u0001\s*\)\.read_\w+)/g], ['open', /(?<![\w.])(?:io\.|codecs\.)?open\s*\(/g],
    ['move', /\b(?:os\.(?:rename|replace|symlink|link)|shutil\.(?:move|copy\w*))\s*\(/g], ['evaluate', /\b(?:import\s+(?:os|shutil|subprocess)|system|popen|rmtree|remove|unlink|rmdir)\s+as\s+\w+|(?<![\w.])(?:exec|eval|__import__)\s*\(/g],
    // A function that runs commands, taken by another name or from a table.
    ['computed', /\bgetattr\s*\(\s*(?:os|subprocess|shutil|builtins|__builtins__)\b|\b(?:os\.(?:system|popen|exec[lv]\w*|spawn[lv]\w*|posix_spawnp?|remove|unlink)|shutil\.rmtree|subprocess\.(?:run|call|Popen|check_call|check_output|getoutput|getstatusoutput))\b(?!\s*\()|\bfrom\s+subprocess\s+import\b[^\n;]{0,200}\b(?:run|call|Popen|check_call|check_output)\s+as\b|\bsys\.modules\b|\bctypes\.(?:CDLL|cdll|PyDLL)\b|\brunpy\.run_\w+/g],
  ],
  javascript: [
    ['shell', /\b(?:execSync|exec)\s*\(/g], ['command', /\b(?:spawn(?:Sync)?|execFile(?:Sync)?|fork|execa(?:Sync)?|Deno\.Command|Bun\.spawn(?:Sync)?)\s*\(/g],
    ['delete', /\b(?:rmSync|unlinkSync|rmdirSync|rimraf(?:\.sync|Sync)?|removeSync|emptyDirSync|truncateSync|del(?:\.sync|Sync)|Deno\.remove(?:Sync)?|(?:fs|fsp|promises|fse|fsPromises)\.(?:rm|unlink|rmdir|remove|emptyDir|truncate))\s*\(|\)\s*\.(?:rm|unlink|rmdir)\s*\(|(?<![\w.])(?:rm|unlink|rmdir)\s*\(/g],
    ['write', /\b(?:writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|outputFile(?:Sync)?|Deno\.write\w*|Bun\.write)\s*\(/g], ['read', /\b(?:readFile(?:Sync)?|createReadStream|Deno\.read\w*|Bun\.file)\s*\(/g],
    ['move', /\b(?:rename|copyFile|cp|symlink|link)(?:Sync)?\s*\(/g], ['evaluate', /(?<![\w.])eval\s*\(|\bFunction\s*\(|\bvm\.run\w*\s*\(/g], ['computed', /\[[^\][\n]{0,200}\u0001[^\][\n]{0,200}\]\s*\(|(?<=[{,]\s{0,20})(?:execSync|exec|spawn|spawnSync|execFile|execFileSync|fork|rm|rmSync|unlink|unlinkSync)\s*:\s*[A-Za-z_$]|\b(?:execSync|spawnSync|execFile|execFileSync|rmSync|unlinkSync)\s+as\s+\w|\.(?:execSync|spawnSync|execFileSync|rmSync|unlinkSync)\b(?!\s*\()|\bprocess\.(?:binding|dlopen)\b/g],
  ],
  ruby: [
    ['shell', /(?<![\w.])(?:Kernel\.)?(?:system|exec|spawn)\b\s*\(?|\bProcess\.spawn\b\s*\(?|\b(?:IO\.popen|Open3\.\w+|PTY\.spawn)\s*\(?/g], ['delete', /\b(?:FileUtils\.(?:rm\w*|remove\w*)|File\.(?:delete|unlink|truncate)|Dir\.(?:rmdir|delete|unlink))\b\s*\(?/g],
    ['write', /\b(?:File|IO)\.(?:write|binwrite)\s*\(?/g], ['read', /\b(?:File|IO)\.(?:read|readlines|binread|foreach)\s*\(?/g], ['open', /\bFile\.(?:open|new)\s*\(?/g], ['move', /\b(?:FileUtils\.(?:mv|cp\w*|ln\w*)|File\.(?:rename|symlink|link))\s*\(?/g], ['piped', /(?<![\w.])open\b\s*\(?/g], ['evaluate', /(?<![\w.])(?:eval|instance_eval|class_eval)\b\s*\(?/g],
  ],
  perl: [
    ['shell', /(?<![\w.$@%>])(?:system|exec|qx)\b\s*\(?/g], ['delete', /(?<![\w.$@%>])(?:unlink|rmtree|remove_tree|rmdir|truncate)\b\s*\(?/g], ['move', /(?<![\w.$@%>])(?:rename|symlink|link)\b\s*\(?/g], ['piped', /(?<![\w.$@%>])open\b\s*\(?/g], ['evaluate', /(?<![\w.$@%>])eval\b\s*\(?(?!\s*\{)/g],
  ],
  php: [
    ['shell', /(?<![\w.$>])(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec)\s*\(/g], ['delete', /(?<![\w.$>])(?:unlink|rmdir)\s*\(/g], ['write', /\bfile_put_contents\s*\(/g], ['read', /\b(?:file_get_contents|readfile|file)\s*\(/g],
    ['open', /\bfopen\s*\(/g], ['move', /(?<![\w.$>])(?:rename|copy|symlink|link)\s*\(/g], ['evaluate', /(?<![\w.$>])(?:eval|assert|create_function)\s*\(/g],
  ],
  lua: [['shell', /\b(?:os\.execute|io\.popen)\s*\(?/g], ['delete', /\bos\.remove\s*\(?/g], ['open', /\bio\.open\s*\(?/g], ['move', /\bos\.rename\s*\(?/g], ['evaluate', /(?<![\w.])(?:load|loadstring|dofile)\s*\(/g]],
  applescript: [['shell', /\bdo shell script\b/g]],
  r: [['shell', /\b(?:system2?|shell)\s*\(/g], ['delete', /\b(?:unlink|file\.remove)\s*\(/g], ['evaluate', /\beval\s*\(\s*parse/g]],
};

/** Python: the functions that start programs, called without the module's name. */
const importsRunners = /\bfrom\s+(?:subprocess|pexpect|os|pty)\s+import\b/;
const bareRunners = /\b(?:subprocess\.\w+|(?<![\w.])(?:run|call|spawn|exec[lv]\w*|spawn[lv]\w*)|Popen|check_output|check_call|pty\.spawn|create_subprocess_\w+|os\.(?:exec|spawn|posix_spawn)\w*|pexpect\.\w+)\s*\(/g;

/** Calls beyond these are not followed one by one. */
const mostCalls = 200;

/** What a program text does that matters. `name` is how the interpreter is called. */
export function inlineProgram(name: string, language: Language, text: string): InlineProgram {
  const found = { lines: [] as string[], commands: [] as (readonly Word[])[], reads: [] as Word[], writes: [] as Word[], deletes: [] as Word[], doubts: [] as string[] };
  // A command line where a program should stand; whoever wrote it means the command.
  if (/^[\w\s./~*-]+$/.test(text)) found.lines.push(text);
  const program = withoutStrings(text, language);
  let count = 0;
  for (const [effect, form] of calls[language]) {
    for (const call of program.code.matchAll(effect === 'command' && language === 'python' && importsRunners.test(program.code) ? bareRunners : form)) {
      count += 1;
      if (count > mostCalls) return { ...found, doubts: [`the ${name} program calls more than can be told`] };
      if (effect === 'shell' && language === 'javascript' && !isProcessCall(call[0], program)) continue;
      apply(effect, argumentsAt(program, call.index + call[0].length), name, found);
    }
  }
  if (language === 'ruby' || language === 'perl' || language === 'php') {
    for (const line of program.backquoted) line === undefined ? found.doubts.push(`a command that the ${name} program runs shows only at run time`) : found.lines.push(line);
    for (const [, a, b, c, line = a ?? b ?? c ?? ''] of text.matchAll(/(?:%x|\bqx)(?:\(([^)]*)\)|\{([^}]*)\}|\[([^\]]*)\]|\|([^|]*)\|)/g)) found.lines.push(line);
  }
  if (program.open && calls[language].some(([effect, form]) => (effect === 'shell' || effect === 'delete') && text.search(form) >= 0)) found.doubts.push(`a string in the ${name} program is not closed`);
  return found;
}

/** `exec` is also what patterns are asked with. */
function isProcessCall(call: string, { code, strings }: ProgramText): boolean {
  return call.startsWith('execSync') || code.includes('child_process') || strings.some((text) => text?.includes('child_process') === true);
}

interface Found {
  readonly lines: string[];
  readonly commands: (readonly Word[])[];
  readonly reads: Word[];
  readonly writes: Word[];
  readonly deletes: Word[];
  readonly doubts: string[];
}

function apply(effect: Effect, given: readonly Argument[], name: string, found: Found): void {
  const [first, second] = given;
  const unclear = (what: string): void => { found.doubts.push(`${what} the ${name} program shows only at run time`); };
  switch (effect) {
    case 'shell':
      if (first?.list !== undefined) return command(first.list, name, found);
      if (first?.text === undefined) return unclear('a command that is run by');
      // Several strings in a row are the words of one command.
      if (given.length > 1 && second?.text !== undefined && !/\s/.test(first.text)) return command(given.map(({ text }) => text), name, found);
      found.lines.push(first.text);
      return;
    case 'command':
      if (first?.list !== undefined) return command(first.list, name, found);
      if (first?.text === undefined) return unclear('a command that is run by');
      // `execvp("git", ["git", …])`: the list begins with the name again.
      if (second?.list !== undefined) return command(/^i?py/.test(name) && second.list[0] !== undefined && basename(second.list[0]) === basename(first.text) ? second.list : [first.text, ...second.list], name, found);
      if (second?.text !== undefined && basename(first.text) === second.text) return command(given.slice(1).map(({ text }) => text), name, found);
      found.lines.push(first.text);
      return;
    case 'delete':
      if (first === undefined) return;
      for (const { text, list } of given) for (const path of list ?? [text]) {
        if (path !== undefined) found.deletes.push(literalWord(path, true));
        else if (text === undefined && first.text === undefined) unclear('what is deleted by');
      }
      return;
    case 'read': case 'write':
      if (first?.text !== undefined) found[effect === 'read' ? 'reads' : 'writes'].push(literalWord(first.text, true));
      return;
    case 'open':
      if (first?.text !== undefined) found[/[wax+]/.test(second?.text ?? given[2]?.text ?? '') ? 'writes' : 'reads'].push(literalWord(first.text, true));
      return;
    case 'move':
      if (first?.text !== undefined) found.reads.push(literalWord(first.text, true));
      if (second?.text !== undefined) found.writes.push(literalWord(second.text, true));
      return;
    case 'piped': return piped(given, unclear, found);
    case 'computed': return unclear('which function is called by');
    case 'evaluate':
      if (first?.text === undefined) unclear('text that is run as code by');
      return;
  }
}

/** `open` of Perl and Ruby: a bar before or behind the name makes it a command, an angle bracket tells how it is opened. */
function piped(given: readonly Argument[], unclear: (what: string) => void, found: Found): void {
  for (const [at, { text }] of given.entries()) {
    if (text === undefined) continue;
    const line = /^\s*\|\s*([^\s-].*)$/s.exec(text)?.[1] ?? /^([^-].*)\|\s*$/s.exec(text)?.[1];
    if (/^\s*(?:-\||\|-)\s*$/.test(text)) {
      const words = given.slice(at + 1).map((one) => one.text);
      return words[0] === undefined ? unclear('a command that is run by') : void found.lines.push(words.map((word) => word ?? '"$unknown"').join(' '));
    }
    if (line !== undefined) found.lines.push(line);
    const opened = /^\s*(\+?[<>]{1,2}|\+<)\s*(?::\S*\s*)?(.*)$/s.exec(text);
    const path = opened?.[2] === '' ? given[at + 1]?.text : opened?.[2];
    if (opened !== null && path !== undefined && path !== '') found[/[>+]/.test(opened[1] ?? '') ? 'writes' : 'reads'].push(literalWord(path, true));
  }
}

function command(words: readonly (string | undefined)[], name: string, found: Found): void {
  if (words.length === 0) return;
  if (words[0] === undefined) found.doubts.push(`a command that is run by the ${name} program shows only at run time`);
  else found.commands.push(words.map((word) => word === undefined ? { text: '{}', dynamic: true, pattern: false, quoted: true, inner: undefined } : literalWord(word, true)));
}

/** The words of an interpreter, apart: those that are program text, and the others. */
export function programTexts({ code, values }: NonNullable<ReturnType<typeof interpreterOf>>, words: readonly Word[]): { readonly texts: Word[]; readonly others: readonly Word[] } {
  const texts: Word[] = [];
  const others: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? literalWord('');
    const value = words[at + 1];
    const joined = joinedProgram(word.text, code);
    if (joined !== undefined) texts.push({ ...word, text: joined });
    else if (code.test(word.text) && value !== undefined) {
      texts.push(value);
      at += 1;
    } else if (values?.test(word.text) === true && value !== undefined) {
      others.push(value);
      at += 1;
    } else others.push(word);
  }
  return { texts, others };
}

/** The program text in the same word as its option: `-e'…'`, `--eval=…`. */
function joinedProgram(text: string, code: RegExp): string | undefined {
  const [, long, rest] = /^(--\w+)=(.*)$/s.exec(text) ?? [];
  if (long !== undefined && code.test(long)) return rest;
  const [, short, behind] = /^(-[A-Za-z]{1,4}?)([^A-Za-z-].*|[A-Za-z]*\s.*|[a-z]+[.(].*)$/s.exec(text) ?? [];
  return short !== undefined && !code.test(text) && code.test(short) ? behind : undefined;
}
