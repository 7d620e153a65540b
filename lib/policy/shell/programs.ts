/**
 * What common programs do with their words. A program that is not in these tables is taken to read what looks like a path
 * and, where a path is protected, to write it.
 */

/** Words before a command that leave it what it is. */
export const keywords: ReadonlySet<string> = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '{', '!', 'time', 'coproc']);

export const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish', 'rbash', 'mksh', 'yash', 'posh', 'osh', 'csh', 'tcsh', 'nu', 'xonsh', 'elvish', 'rc']);

/** Options that give a program another command line to run. */
export const commandOptions: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  rg: ['--pre'], ag: ['--pager'], ack: ['--pager'], bat: ['--pager'], batcat: ['--pager'], man: ['-P', '--pager'], fzf: ['--preview'], split: ['--filter'], scp: ['-S'], sftp: ['-S'], zip: ['-TT', '--unzip-command'], just: ['--command'], rsync: ['-e', '--rsh', '--rsync-path'],
  vim: ['-c', '--cmd'], vi: ['-c'], nvim: ['-c', '--cmd'], ex: ['-c'],
  tar: ['-I', '--use-compress-program', '--to-command', '--checkpoint-action', '--info-script', '--rmt-command', '--rsh-command', '-F'], sort: ['--compress-program'],
  git: ['--upload-pack', '--receive-pack', '--exec', '-x', '--extcmd', '--open-files-in-pager', '-O'],
}));

/** Options that name the file a program writes its result to. */
export const outputOptions: RegExp = /^(?:-o|--output|--output-file|--out|--write-baseline)$/;

/** Readers that write their second operand. */
export const secondWriters: ReadonlySet<string> = new Set(['uniq', 'xxd']);

/** Programs whose output or effect the reading of later commands relies on: a function of that name makes them something else. */
export const believed: ReadonlySet<string> = new Set(['echo', 'printf', 'cat', 'base64', 'gbase64', 'openssl', 'xxd', 'rev', 'tr', 'tac', 'mktemp', 'pwd', 'cd', 'pushd', 'popd', 'command', 'builtin', 'env', 'export', 'true']);

/** Words are text for them, never a path or an address. */
export const speakers: ReadonlySet<string> = new Set([
  'echo', 'printf', ':', 'true', 'false', 'seq', 'sleep', 'date', 'read', 'exit', 'return', 'break', 'continue', 'shift', 'set', 'unset', 'wait', 'type',
  'which', 'export', 'declare', 'local', 'readonly', 'typeset', 'whoami', 'hostname', 'uname', 'id', 'pwd', 'expr', 'kill', 'jobs', 'fg', 'bg', 'ulimit', 'umask', 'basename', 'dirname',
]);

/** All operands are read. */
export const readers: ReadonlySet<string> = new Set([
  'cat', 'less', 'more', 'head', 'tail', 'wc', 'nl', 'tac', 'uniq', 'cut', 'column', 'diff', 'cmp', 'comm', 'stat', 'file', 'md5sum', 'sha1sum', 'sha256sum', 'sha512sum', 'cksum', 'strings', 'od',
  'xxd', 'hexdump', 'ls', 'tree', 'du', 'df', 'realpath', 'readlink', 'test', '[', '[[', 'bat', 'base64', 'rev', 'fold', 'paste', 'join', 'source', '.',
]);

/** The first operand is a pattern or program, unless one was given by option; the others are read. */
export const searchers: ReadonlySet<string> = new Set(['grep', 'egrep', 'fgrep', 'rg', 'ag', 'ack', 'awk', 'gawk', 'mawk', 'sed', 'jq', 'yq']);

/** All operands are written; `first` tells how many leading ones are not paths. */
export const writers: ReadonlyMap<string, number> = new Map(Object.entries({
  touch: 0, mkdir: 0, tee: 0, truncate: 0, mkfifo: 0, mknod: 0, sponge: 0, chmod: 1, chown: 1, chgrp: 1, chattr: 1, setfacl: 0,
}));

export const deleters: ReadonlySet<string> = new Set(['rm', 'grm', 'rmdir', 'unlink', 'shred', 'srm', 'trash', 'trash-put', 'rimraf', 'del-cli', 'rm-cli']);

/** The last operand, or the value of `-t`, is written; the others are read, and by `mv` removed. */
export const copiers: ReadonlySet<string> = new Set(['cp', 'mv', 'ln', 'install', 'rsync', 'scp', 'gcp', 'gmv']);

/** The names `loki` goes by, with and without its path, and the package that brings it. */
export const lokiName: RegExp = /(?:^|\/)loki(?:\.(?:[cm]?[jt]s|cmd|exe))?$|^loki-enterprise(?:@\S+)?$/i;

export const fetchers: ReadonlySet<string> = new Set(['curl', 'wget', 'http', 'https', 'xh', 'aria2c']);

/** Options that take the next word, for programs whose operands matter. */
export const optionValues: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  head: ['-n', '-c'], tail: ['-n', '-c'], cut: ['-d', '-f', '-c', '-b'], column: ['-t', '-s'], diff: ['-U', '-C'], tree: ['-L', '-I', '-P'], du: ['-d'], fold: ['-w'], paste: ['-d'],
  grep: ['-A', '-B', '-C', '-m', '-d', '-D'], egrep: ['-A', '-B', '-C', '-m'], fgrep: ['-A', '-B', '-C', '-m'], rg: ['-A', '-B', '-C', '-m', '-g', '-t', '-T', '-j', '--glob', '--type'],
  awk: ['-F', '-v'], gawk: ['-F', '-v'], mawk: ['-F', '-v'], jq: ['--indent'],
  touch: ['-d', '-t'], mkdir: ['-m'], truncate: ['-s'], install: ['-m', '-o', '-g'], rsync: ['-e', '--exclude', '--include'], shred: ['-n', '-s'], xxd: ['-l', '-s', '-c'], od: ['-N', '-j', '-t', '-A'],
}));

/** Subcommands of git that leave the work tree and the settings as they are. */
export const quietGit: ReadonlySet<string> = new Set([
  'status', 'log', 'diff', 'show', 'branch', 'add', 'commit', 'push', 'fetch', 'blame', 'grep', 'ls-files', 'ls-tree', 'rev-parse', 'rev-list', 'describe', 'tag', 'remote', 'shortlog', 'cat-file', 'reflog',
]);

/** Settings of git that name a program to run. */
export const gitPrograms: RegExp = /^(?:alias\.|core\.(?:sshcommand|fsmonitor|askpass|hookspath|gitproxy)|diff\..*(?:command|textconv)|diff\.external|merge\..*driver|filter\.|credential\.|gpg\.|uploadpack\.|include|protocol\.)/i;

/** Settings of git whose value is a command line. */
export const gitCommands: RegExp = /^(?:core\.(?:pager|editor)|pager\.\w+|sequence\.editor)=(.+)$/is;

/** Variables that make a program run another one. */
export const loaderVariables: RegExp = /^(?:LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|DYLD_\w+|NODE_OPTIONS|BASH_ENV|ENV|PYTHONSTARTUP|PERL5OPT|RUBYOPT|PERL5DB|ZDOTDIR|LESSOPEN|LESSCLOSE|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|TAR_OPTIONS|MAKEFLAGS|GNUMAKEFLAGS|PS[04]|npm_config_(?:script_shell|node_options|git|prefix|globalconfig|userconfig)|GIT_(?:SSH|SSH_COMMAND|EXTERNAL_DIFF|CONFIG\w*|ASKPASS|PROXY_COMMAND|EXEC_PATH|TEMPLATE_DIR|ALLOW_PROTOCOL)|PROMPT_COMMAND|IFS|PATH|CDPATH|GLOBIGNORE)$/;

/** Variables whose value is a command that a program will run. */
export const commandVariables: RegExp = /^(?:(?:GIT_|MAN)?PAGER|(?:GIT_|GIT_SEQUENCE_|FC)?EDITOR|VISUAL|BROWSER|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|(?:GIT_|SSH_|SUDO_)ASKPASS|RSYNC_RSH|CVS_RSH)$/;

/** Assignments that `export` makes last for the commands after it. */
export const lastingVariables: RegExp = /^(?:LD_\w+|DYLD_\w+|NODE_OPTIONS|BASH_ENV|ENV|PYTHONSTARTUP|PERL5OPT|RUBYOPT|PROMPT_COMMAND|GIT_\w+|CDPATH|GLOBIGNORE)=/;

/** Settings of Node.js that run nothing. */
const harmlessNodeOptions = /^(?:\s*--(?:max-(?:old-space|semi-space|http-header)-size=\d+|experimental-vm-modules|no-(?:warnings|deprecation|experimental-\S+)|enable-source-maps|trace-(?:warnings|deprecation|uncaught)|openssl-legacy-provider|unhandled-rejections=\w+|stack-trace-limit=\d+|dns-result-order=\w+)(?=\s|$))*\s*$/;

/** Whether the assignment can make a program run another. */
export function loadsOther(name: string, value: string): boolean {
  if (/^NODE_OPTIONS$/.test(name)) return !harmlessNodeOptions.test(value);
  if (/^_?JAVA_(?:TOOL_)?OPTIONS$/.test(name)) return /-(?:javaagent|agent|Xrun)/.test(value);
  if (/^(?:GNU)?MAKEFLAGS$/.test(name)) return /eval|SHELL|(?:^|\s)-?\w*f/.test(value);
  if (/^PS[04]$/.test(name)) return /[$`]/.test(value);
  return loaderVariables.test(name);
}

/** Options of shells that give patterns or names another meaning. */
export const patternSwitches: RegExp = /^(?:dot_?glob|glob_?dots|glob_?subst|expand_?aliases)$/i;
