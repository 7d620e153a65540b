/** A git command taken apart: where it works, what it may change, and which other programs it is told to run. */
import { gitCommands, gitPrograms, quietGit } from './programs.ts';
import type { Word } from './tree.ts';

export interface GitCommand {
  /** Values of `-C`, in order. */
  readonly directories: readonly Word[];
  /** The command without the options before its subcommand; undefined when it has none. */
  readonly plain: string | undefined;
  /** Words that may be places or settings it changes. */
  readonly mentions: readonly Word[];
  /** Command lines it will run. */
  readonly scripts: readonly string[];
  /** A command it starts with these words. */
  readonly command: readonly Word[];
  readonly addresses: readonly string[];
  /** Files that are not tracked are deleted, those that are ignored too. */
  readonly cleans: boolean;
  /** It changes files as a patch says. */
  readonly patches: boolean;
  readonly doubts: readonly string[];
}

const takesValue = new Set(['-C', '-c', '--git-dir', '--work-tree', '--namespace', '--config-env']);

/** What the words after `git` say. */
export function gitCommand(words: readonly Word[]): GitCommand {
  const [directories, doubts, aliases]: [Word[], string[], string[]] = [[], [], []];
  let at = 0;
  for (let word = words[at]; word?.text.startsWith('-') === true; word = words[at]) {
    const { text } = word;
    const value = words[at + 1];
    if (text === '-C' && value !== undefined) directories.push(value);
    const setting = /^-c(?:$|[^-])|^--config-env/.test(text) ? text.replace(/^(?:-c|--config-env=?)/, '') || (value?.text ?? '') : '';
    const shell = (/^alias\.[^=]*=!(.*)$/s.exec(setting) ?? gitCommands.exec(setting))?.[1];
    if (shell !== undefined) aliases.push(shell);
    if (gitPrograms.test(setting)) doubts.push(`git is given ${setting.split('=')[0] ?? 'a setting'}, which can run another program`);
    if (text.startsWith('--exec-path')) doubts.push('git is told where its programs are');
    at += takesValue.has(text) ? 2 : 1;
  }
  const subcommand = words[at]?.text ?? '';
  const rest = words.slice(at + 1);
  const has = (form: RegExp): boolean => rest.some(({ text }) => form.test(text));
  if (subcommand === 'config' && (has(gitPrograms) || has(/^(?:core\.(?:pager|editor)|pager\.\w+|sequence\.editor)$/i)) && rest.filter(({ text }) => !text.startsWith('-')).length > 1) doubts.push('git is configured to run another program');
  if (subcommand === 'clone' || subcommand === 'init') for (const [place, { text }] of rest.entries()) {
    const given = /^(?:-c|--config)$/.test(text) ? rest[place + 1]?.text : /^--config=(.*)$/s.exec(text)?.[1];
    if (given !== undefined && (gitPrograms.test(given) || gitCommands.test(given))) doubts.push(`git is given ${given.split('=')[0] ?? 'a setting'}, which can run another program`);
  }
  if (rest.some(({ text }) => /^ext::/.test(text))) doubts.push('git is told to run a program in place of a connection');
  if (words[at]?.dynamic === true) doubts.push('what git is told to do shows only at run time');
  if ((subcommand === 'init' || subcommand === 'clone') && has(/^--template/)) doubts.push('git is told where to take hooks from');
  return {
    directories, doubts, mentions: quietGit.has(subcommand) ? [] : rest, scripts: [...aliases, ...scriptsOf(subcommand, rest)], command: subcommand === 'bisect' && rest[0]?.text === 'run' ? rest.slice(1) : [],
    plain: at === 0 ? undefined : ['git', subcommand, ...rest.map(({ text }) => text)].join(' '),
    addresses: rest.flatMap(({ text }) => /^[a-z+]+:\/\//i.test(text) ? [text] : []),
    patches: (subcommand === 'apply' && !has(/^--(?:check|stat|numstat|summary)$/)) || subcommand === 'am',
    cleans: subcommand === 'clean' && has(/^-[A-Za-z]*[xX]/) && has(/^(?:-[A-Za-z]*f|--force)/),
  };
}

function scriptsOf(subcommand: string, rest: readonly Word[]): readonly string[] {
  if (subcommand === 'clone') return rest.flatMap(({ text }, at) => text === '-u' ? rest.slice(at + 1, at + 2) : []).map(({ text }) => text);
  if (!/^submodule(?:--helper)?$/.test(subcommand) || rest[0]?.text !== 'foreach') return [];
  const from = rest.findIndex(({ text }, at) => at > 0 && !text.startsWith('-'));
  return from < 0 ? [] : [rest.slice(from).map(({ text }) => text).join(' ')];
}
