/**
 * Programs that start another one: which of their words are their own, and which are the command they run. A wrapper that is
 * missing here hides a command from every rule, so the table is long; one entry too many only reads a command that never runs.
 */
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';

export interface Wrapper {
  /** Options that take the next word. */
  readonly values?: readonly string[];
  /** So many words of its own come before the command. */
  readonly skip?: number;
  /** Options whose value is the directory the command runs in. */
  readonly into?: readonly string[];
  /** Options whose value is a command line of its own. */
  readonly lines?: readonly string[];
  /** The words behind its name that make it a wrapper: `exec` of `npm exec`. */
  readonly verbs?: readonly string[];
  /** The command runs on another machine or in a container: files named in it are none of this machine's. */
  readonly elsewhere?: true;
  /** The command begins behind "--", whatever words come before. */
  readonly dashes?: true;
  /** A shell reads the rest as one text, or each word as one. */
  readonly text?: 'joined' | 'each';
}

/** The command behind a wrapper. */
export interface Wrapped {
  /** The wrapper's own words. */
  readonly own: readonly Word[];
  readonly words: readonly Word[];
  readonly lines: readonly Word[];
  readonly into: Word | undefined;
  readonly elsewhere: boolean;
  readonly text: Wrapper['text'];
}

const container = ['-e', '--env', '-u', '--user', '-w', '--workdir', '-v', '--volume', '-p', '--publish', '--name', '--network', '--net', '--entrypoint', '--mount', '-l', '--label', '--env-file', '-h', '--hostname', '--platform', '-m', '--memory', '--cpus', '--index', '--add-host', '--device', '--gpus', '--ulimit', '--cap-add', '--cap-drop', '--security-opt', '--shm-size', '--tmpfs', '--restart', '-f', '--file', '--profile', '--project-name'];
const cluster = ['-n', '--namespace', '-c', '--container', '--context', '--kubeconfig', '--cluster', '--user', '-f', '--filename', '--pod-running-timeout'];

const table: readonly (readonly [names: string, wrapper: Wrapper])[] = [
  ['sudo', { values: ['-u', '-g', '-h', '-p', '-C', '-D', '-R', '-T', '-U', '-r', '-t', '--user', '--group', '--host', '--prompt', '--close-from', '--chdir', '--chroot', '--role', '--type', '--other-user', '--command-timeout'], into: ['-D', '--chdir'] }],
  ['doas', { values: ['-u', '-C'] }],
  ['run0 pkexec', { values: ['--user', '-u', '--unit', '--property', '-D', '--chdir'], into: ['-D', '--chdir'] }],
  ['gosu su-exec', { skip: 1 }],
  ['runuser', { values: ['-u', '--user', '-g', '--group', '-G', '--supp-group'], lines: ['-c', '--command'] }],
  ['su', { values: ['-s', '--shell', '-g', '--group', '-G', '-w'], lines: ['-c', '--command'], skip: 256 }],
  ['sg', { values: [], lines: ['-c'], skip: 1 }],
  ['env', { values: ['-u', '--unset', '-C', '--chdir', '-P', '--argv0', '-a'], into: ['-C', '--chdir'], lines: ['-S', '--split-string'] }],
  ['cross-env dotenv dotenvx envdir', { values: ['-f', '--env-file', '-e'], verbs: ['', 'run'] }],
  ['timeout gtimeout', { values: ['-k', '-s', '--kill-after', '--signal'], skip: 1 }],
  ['time gtime', { values: ['-f', '-o', '--format', '--output'] }],
  ['nice gnice', { values: ['-n', '--adjustment'] }],
  ['ionice', { values: ['-c', '-n', '-p', '--class', '--classdata'] }],
  ['nohup setsid builtin chronic unbuffer setpriv dbus-run-session caffeinate fakeroot catchsegv tini dumb-init eatmydata busybox toybox ts', {}],
  ['command exec', { values: ['-a'] }],
  ['stdbuf gstdbuf', { values: ['-i', '-o', '-e', '--input', '--output', '--error'] }],
  ['xargs gxargs', { values: ['-I', '-J', '-n', '-P', '-L', '-d', '-E', '-s', '-a', '-R', '-S', '--max-args', '--max-procs', '--delimiter', '--arg-file', '--max-chars', '--process-slot-var'] }],
  ['parallel sem', { values: ['-j', '-a', '-I', '-n', '-N', '-d', '-C', '-S', '-P', '-L', '-E', '--jobs', '--arg-file', '--max-args', '--delimiter', '--colsep', '--sshlogin', '--results', '--joblog', '--timeout', '--delay', '--retries', '--halt', '--tmpdir', '--workdir', '--wd', '--max-procs', '--tagstring', '--env', '--load', '--id'] }],
  ['watch', { values: ['-n', '-d', '--interval'], text: 'joined' }],
  ['hyperfine concurrently', { values: ['-n', '-w', '-r', '--names', '--warmup', '--runs', '--prepare', '--export-json', '--export-markdown', '-p', '-c'], lines: ['--prepare', '-p'], text: 'each' }],
  ['entr watchexec', { values: ['-e', '-w', '-i', '--exts', '--watch', '--ignore'] }],
  ['nodemon', { values: ['-e', '-w', '-i', '--ext', '--watch', '--ignore', '--delay'], lines: ['-x', '--exec'], skip: 256 }],
  ['flock', { values: ['-w', '--timeout', '-E', '--conflict-exit-code'], lines: ['-c', '--command'], skip: 1 }],
  ['taskset', { skip: 1 }],
  ['chrt', { values: ['-T', '-P', '-D'], skip: 1 }],
  ['chroot', { values: ['--userspec', '--groups'], skip: 1 }],
  ['numactl', { values: ['-N', '-m', '-C', '--cpunodebind', '--membind', '--physcpubind'] }],
  ['prlimit choom cgexec', { values: ['-g', '-n'] }],
  ['systemd-run systemd-inhibit', { values: ['-u', '--unit', '-p', '--property', '--slice', '-E', '--setenv', '--on-calendar', '--on-active', '--what', '--who', '--why', '--uid', '--gid'] }],
  ['strace', { values: ['-e', '-o', '-p', '-s', '-u', '-E', '-a', '-P'] }],
  ['ltrace', { values: ['-e', '-o', '-p', '-s', '-u', '-a', '-n'] }],
  ['perf', { values: ['-e', '-o'], verbs: ['stat', 'record'] }],
  ['valgrind firejail rlwrap proot nsenter', { values: ['--args', '-t', '-r'] }],
  ['unshare', { values: ['-S', '-G', '-R', '-w'], into: ['-w', '--wd'] }],
  ['xvfb-run', { values: ['-s', '-e', '-f', '-n', '-w'] }],
  ['script', { lines: ['-c', '--command'], values: ['-o', '-E', '-T', '-t', '-O', '-I', '-B'], skip: 1 }],
  ['scriptreplay abduco dtach', { values: ['-c', '-n', '-A', '-N', '-e', '-E', '-r'] }],
  ['npx bunx pnpx', { values: ['-p', '--package', '-w', '--workspace'], lines: ['-c', '--call'] }],
  ['uvx', { values: ['--from', '--with', '-p', '--python'] }],
  ['npm', { values: ['-p', '--package', '-w', '--workspace', '--prefix', '-C'], verbs: ['exec', 'x'], lines: ['-c', '--call'] }],
  ['pnpm', { values: ['-C', '--dir', '--filter', '-F'], verbs: ['exec', 'dlx'] }],
  ['yarn', { values: ['--cwd', '-p', '--package'], verbs: ['exec', 'dlx'] }],
  ['bun', { verbs: ['x'] }],
  ['uv', { values: ['--with', '-p', '--python', '--extra', '--group', '--project', '--directory', '--env-file'], verbs: ['run', 'tool run'] }],
  ['poetry pipenv rye hatch pdm conda micromamba', { values: ['-n', '--name', '-p', '--prefix', '-C', '-P', '-e'], verbs: ['run'] }],
  ['bundle', { verbs: ['exec'] }],
  ['mise asdf rtx', { values: ['-C', '--cd'], verbs: ['exec', 'x'] }],
  ['direnv', { verbs: ['exec'], skip: 1 }],
  ['devbox nix doppler op infisical teller', { values: ['-c', '--config', '-p', '--project', '--env-file'], verbs: ['run', 'develop', 'shell'], lines: ['-c', '--command', '--run'] }],
  ['nix-shell', { values: ['-p', '-I', '--arg', '--argstr'], lines: ['--run', '--command'], skip: 256 }],
  ['aws-vault chamber', { verbs: ['exec'], skip: 1 }],
  ['rustup', { verbs: ['run'], skip: 1 }],
  ['pyenv rbenv nodenv', { verbs: ['exec'] }],
  ['tmux screen', { values: ['-t', '-s', '-n', '-c', '-S', '-L', '-f', '-F', '-x', '-y', '-e'], verbs: ['new', 'new-session', 'new-window', 'neww', 'split-window', 'splitw', 'run', 'run-shell', '-dm', '-dmS', '-d', '-m'], text: 'joined' }],
  ['docker podman nerdctl', { values: container, verbs: ['exec', 'run', 'container exec', 'container run', 'compose exec', 'compose run'], skip: 1, elsewhere: true }],
  ['docker-compose podman-compose', { values: container, verbs: ['exec', 'run'], skip: 1, elsewhere: true }],
  ['kubectl oc k3s', { values: cluster, verbs: ['exec', 'kubectl exec'], skip: 1, dashes: true, elsewhere: true }],
  ['lxc incus', { verbs: ['exec'], skip: 1, elsewhere: true }],
  ['ssh autossh mosh', { values: ['-b', '-c', '-D', '-E', '-e', '-F', '-I', '-i', '-J', '-L', '-l', '-m', '-O', '-o', '-p', '-Q', '-R', '-S', '-W', '-w', '-B', '-M'], skip: 1, elsewhere: true, text: 'joined' }],
  ['sshpass', { values: ['-p', '-f', '-d', '-P'] }],
  ['vagrant', { verbs: ['ssh'], lines: ['-c', '--command'], skip: 256, elsewhere: true }],
  ['adb', { values: ['-s'], verbs: ['shell'], elsewhere: true, text: 'joined' }],
  ['wsl wsl.exe', { values: ['-d', '--distribution', '-u', '--user', '--cd'], elsewhere: true }],
];

const wrappers: ReadonlyMap<string, Wrapper> = new Map(table.flatMap(([names, wrapper]) => names.split(' ').map((name) => [name, wrapper])));

/** The command that a program starts with these words; undefined when it is none that does. */
export function wrappedBy(program: string, words: readonly Word[]): Wrapped | undefined {
  const wrapper = wrappers.get(program);
  if (wrapper === undefined) return undefined;
  const verbs = behindVerbs(wrapper, words);
  if (verbs === undefined) return undefined;
  const lines: Word[] = [];
  let into: Word | undefined;
  let at = verbs;
  let own = wrapper.skip ?? 0;
  for (let word = words[at]; word !== undefined; word = words[at]) {
    if (word.text === '--') {
      at += 1 + (wrapper.dashes === true ? 0 : own);
      break;
    }
    if (!isOption(word)) {
      if (own === 0) break;
      own -= 1;
      at += 1;
      continue;
    }
    const { name, value, joined } = optionAt(words, at, wrapper);
    if (wrapper.lines?.includes(name) === true && value !== undefined) lines.push(value);
    if (wrapper.into?.includes(name) === true) into = value;
    at += joined || !takesNext(wrapper, name) ? 1 : 2;
  }
  return { own: words.slice(0, at), words: words.slice(at), lines, into, elsewhere: wrapper.elsewhere === true, text: wrapper.text };
}

function isOption({ text, dynamic }: Word): boolean {
  return text.length > 1 && text.startsWith('-') && !dynamic;
}

function takesNext({ values = [], lines = [], into = [] }: Wrapper, name: string): boolean {
  return values.includes(name) || lines.includes(name) || into.includes(name);
}

/** The option at a place, its value in the same word (`-C/tmp`, `--chdir=/tmp`, `-vS text`) or the next. */
function optionAt(words: readonly Word[], at: number, wrapper: Wrapper): { readonly name: string; readonly value: Word | undefined; readonly joined: boolean } {
  const word = words[at] ?? literalWord('');
  const { text } = word;
  const sign = text.startsWith('--') ? text.indexOf('=') : -1;
  if (sign > 0) return { name: text.slice(0, sign), value: { ...word, text: text.slice(sign + 1) }, joined: true };
  if (text.startsWith('--') || takesNext(wrapper, text)) return { name: text, value: words[at + 1], joined: false };
  for (let letter = 1; letter < text.length; letter += 1) {
    const name = `-${text.charAt(letter)}`;
    if (!takesNext(wrapper, name)) continue;
    const rest = text.slice(letter + 1);
    return rest === '' ? { name, value: words[at + 1], joined: false } : { name, value: { ...word, text: rest }, joined: true };
  }
  return { name: text, value: undefined, joined: true };
}

/** Where the words after a wrapper's verbs begin; undefined without a verb that it needs. */
function behindVerbs(wrapper: Wrapper, words: readonly Word[]): number | undefined {
  const { verbs } = wrapper;
  if (verbs === undefined) return 0;
  let at = 0;
  for (let word = words[at]; word !== undefined && isOption(word) && !verbs.includes(word.text); word = words[at]) {
    const { name, joined } = optionAt(words, at, wrapper);
    at += joined || !takesNext(wrapper, name) ? 1 : 2;
  }
  const found = verbs.map((verb) => verb.split(' ')).find((verb) => verb[0] !== '' && verb.every((part, index) => words[at + index]?.text === part));
  if (found !== undefined) return at + found.length;
  return verbs.includes('') ? at : undefined;
}

/** The folders of this machine that a container is given. */
export function mounts(words: readonly Word[]): readonly Word[] {
  return words.flatMap((word, at) => {
    const value = /^(?:-v|--volume|--mount)$/.test(word.text) ? words[at + 1] : /^(?:-v(?=.)|--(?:volume|mount)=)/.test(word.text) ? { ...word, text: word.text.replace(/^(?:-v|--(?:volume|mount)=)/, '') } : undefined;
    if (value === undefined) return [];
    const source = /(?:^|,)(?:src|source)=([^,]*)/.exec(value.text)?.[1] ?? value.text.replace(/:.*$/s, '');
    return [{ ...value, text: source }];
  });
}
