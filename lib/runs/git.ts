/**
 * What a run asks of git: where the project stands, a branch of its own, and what has changed since. Git runs without
 * hooks, external diff programs, filters, file-system monitors and prompts, and looks into no submodule, because the
 * repository belongs to the agent's side.
 */
import type { Disk, Spawn, SpawnRequest, SpawnResult } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { join } from '../base/paths.ts';
import { addedIn } from './diff.ts';

export interface GitPorts {
  readonly spawn: Spawn;
  readonly disk: Pick<Disk, 'read' | 'stat' | 'readlink'>;
  readonly projectDir: string;
  /** `allowedEnvironment` of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** Longest time of one call of git; a minute when left out. */
  readonly timeoutMs?: number;
}

/** One commit as people count it. A merge counts what it brought to its first parent. */
export interface Commit {
  readonly id: string;
  readonly message: string;
  /** Milliseconds since the epoch, of the second in which it was made, by the committer's word. */
  readonly committedMs: number;
  readonly filesChanged: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** One changed file: what was added to it, or why that cannot be told. */
export interface Change {
  /** Relative to the project. */
  readonly path: string;
  readonly added: string;
  /** Set when the content could not be read as a whole: it must then count as not looked at. */
  readonly unread?: string;
}

export interface Changes {
  readonly files: readonly Change[];
  /** The changes as `git diff` shows them, new files as all added. */
  readonly text: string;
}

const gitTimeoutMs = 60_000;
const diffBytes = 16 * 1024 * 1024;
const newFileBytes = 8 * 1024 * 1024;
const mostFiles = 5000;

const safety = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', '-c', 'diff.external='];
/** Git looks into a submodule by starting itself there, with the submodule's settings and none of ours. */
const withoutSubmodules = '--ignore-submodules=dirty';
/** Drivers of filters that a repository may name. */
const mostFilters = 200;
/** The session's own files are not the agent's work. */
const withoutOurs = ['--', '.', ':(exclude).loki'];

type GitOptions = Partial<Pick<SpawnRequest, 'input' | 'outputLimit'>>;

/** The project's repository, or undefined when it is in none. Throws `provider.missing` when there is no git. */
export async function openRepository(ports: GitPorts): Promise<Repository | undefined> {
  if (ports.spawn.find('git', ports.env['PATH']) === undefined) {
    throw new LokiError('provider.missing', { attempted: 'look at the project with git', found: 'there is no git on PATH', hint: 'Install git, or set runs.branch_protection to false' });
  }
  const repository = new Repository(ports);
  return (await repository.isOne()) ? repository : undefined;
}

/** Whether git can be asked at all. */
export function hasGit(ports: GitPorts): boolean {
  return ports.spawn.find('git', ports.env['PATH']) !== undefined;
}

export class Repository {
  readonly #ports: GitPorts;

  constructor(ports: GitPorts) {
    this.#ports = ports;
  }

  async isOne(): Promise<boolean> {
    const result = await this.#git(['rev-parse', '--is-inside-work-tree']);
    return result.exit === 0 && textOf(result).trim() === 'true';
  }

  /** The newest commit; undefined before the first. */
  async head(): Promise<string | undefined> {
    const result = await this.#git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
    const text = textOf(result).trim();
    return result.exit === 0 && /^[0-9a-f]{40,64}$/.test(text) ? text : undefined;
  }

  /** The branch checked out; undefined when none is. */
  async branch(): Promise<string | undefined> {
    const result = await this.#git(['symbolic-ref', '--quiet', '--short', 'HEAD']);
    return result.exit === 0 ? textOf(result).trim() : undefined;
  }

  /** The newest commits of the branch at hand, the newest first. Undefined when git cannot tell, or not in time. */
  async newestCommits(most: number): Promise<readonly Commit[] | undefined> {
    const result = await this.#git([
      '-c', 'log.showRoot=true', '--no-pager', 'log', `--max-count=${most}`, '--first-parent', '-m', '--shortstat', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames',
      '--submodule=short',
      '--no-show-signature', '--no-mailmap', '--no-notes', '--encoding=UTF-8', '--format=%x00%x00%H%x00%ct%x00:%B%x00', 'HEAD', '--',
    ]);
    return result.exit === 0 && result.stdoutBytes <= diffBytes ? readCommits(textOf(result)) : undefined;
  }

  /** Tracked files that differ from the newest commit, our own left out. */
  async modified(): Promise<readonly string[]> {
    const result = await this.#must(['status', '--porcelain', '-z', '--untracked-files=no', withoutSubmodules, ...withoutOurs], await this.#withoutFilters());
    return textOf(result).split('\0').filter((entry) => entry.length > 3).map((entry) => entry.slice(3));
  }

  /** Whether there is such a branch. */
  async has(branch: string): Promise<boolean> {
    return (await this.#git(['show-ref', '--verify', '--quiet', `refs/heads/${branch}`])).exit === 0;
  }

  /** Makes the branch at the newest commit and checks it out. */
  async startBranch(name: string): Promise<void> {
    await this.#must(['switch', '--quiet', '--create', name], await this.#withoutFilters());
  }

  /** What differs from `base` in the working tree, committed or not, files git does not know included. */
  async changesSince(base: string): Promise<Changes> {
    const diff = await this.#must(['diff', '--text', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames', '--src-prefix=a/', '--dst-prefix=b/', withoutSubmodules, base, ...withoutOurs], await this.#withoutFilters());
    const unknown = await this.#must(['ls-files', '--others', '--exclude-standard', '-z', ...withoutOurs]);
    const paths = textOf(unknown).split('\0').filter((path) => path !== '');
    if (paths.length > mostFiles) throw tooMuch(`${paths.length} new files; at most ${mostFiles} are looked at`);
    const created = paths.map((path) => this.#newFile(path));
    const characters = created.reduce((sum, { added }) => sum + added.length, 0);
    if (characters > diffBytes) throw tooMuch(`new files of ${characters} characters; at most ${diffBytes} are looked at`);
    const text = textOf(diff);
    return { files: [...addedIn(text).map(({ path, hunks }) => ({ path, added: hunks.flatMap(({ lines }) => lines).join('\n') })), ...created], text: [text, ...created.map(asDiff)].filter((part) => part !== '').join('\n') };
  }

  #newFile(path: string): Change {
    const { disk, projectDir } = this.#ports;
    const absolute = join(projectDir, path);
    const stat = disk.stat(absolute);
    if (stat === undefined) return { path, added: '' };
    // What git keeps of a symlink is where it points.
    if (stat.kind === 'symlink') return { path, added: disk.readlink(absolute) ?? '' };
    if (stat.kind !== 'file') return { path, added: '', unread: `it is a ${stat.kind}` };
    if (stat.size > newFileBytes) return { path, added: '', unread: `it has ${stat.size} bytes, at most ${newFileBytes} are looked at` };
    return { path, added: new TextDecoder().decode(disk.read(absolute, newFileBytes) ?? new Uint8Array()) };
  }

  /**
   * Variables that switch off every filter the settings name: comparing a file with the index runs its `clean` command. They
   * are asked for anew each time, because an agent works meanwhile. By variable (git 2.31), as a name may hold a `=`.
   */
  async #withoutFilters(): Promise<Readonly<Record<string, string>>> {
    const found = textOf(await this.#git(['config', '--includes', '--name-only', '-z', '--get-regexp', '^filter[.]']));
    const drivers = new Set(found.split('\0').filter((name) => name !== '').map((name) => name.slice(0, name.lastIndexOf('.'))));
    if (drivers.size > mostFilters) throw tooMuch(`the repository names ${drivers.size} filters; at most ${mostFilters} are switched off`);
    const settings = [...drivers].flatMap((driver) => [[`${driver}.clean`, ''], [`${driver}.smudge`, ''], [`${driver}.process`, ''], [`${driver}.required`, 'false']] as const);
    const variables = settings.flatMap(([key, value], at) => [[`GIT_CONFIG_KEY_${at}`, key], [`GIT_CONFIG_VALUE_${at}`, value]]);
    return Object.fromEntries([...variables, ['GIT_CONFIG_COUNT', String(settings.length)]]);
  }

  /**
   * What git answers to a question that reads the index or lists files and compares nothing with the working tree (for that
   * the filters must be off). Throws when git fails, and when it answers with more than the limit.
   */
  async ask(args: readonly string[], { input, limit = diffBytes }: { readonly input?: string; readonly limit?: number } = {}): Promise<Uint8Array> {
    const result = await this.#must(args, {}, { outputLimit: limit, ...(input === undefined ? {} : { input: new TextEncoder().encode(input) }) });
    return result.stdout;
  }

  async #must(args: readonly string[], more: Readonly<Record<string, string>> = {}, options: GitOptions = {}): Promise<SpawnResult> {
    const result = await this.#git(args, more, options);
    if (result.exit !== 0) {
      throw new LokiError('io.failed', { attempted: `run git ${args[0] ?? ''}`, found: new TextDecoder().decode(result.stderr).trim().slice(0, 500) || `exit code ${result.exit ?? 'none'}`, hint: 'Look at the repository with: git status' });
    }
    const { outputLimit = diffBytes } = options;
    if (result.stdoutBytes > outputLimit) throw tooMuch(`git printed ${result.stdoutBytes} bytes; at most ${outputLimit} are looked at`);
    return result;
  }

  #git(args: readonly string[], more: Readonly<Record<string, string>> = {}, options: GitOptions = {}): Promise<SpawnResult> {
    const { spawn, env, projectDir } = this.#ports;
    return spawn.run({
      program: spawn.find('git', env['PATH']) ?? 'git', args: [...safety, ...args], cwd: projectDir, timeoutMs: this.#ports.timeoutMs ?? gitTimeoutMs, outputLimit: diffBytes, ...options,
      // A clone that fetches what it lacks would start whatever program the repository names as its transport.
      env: { ...env, ...more, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', LC_ALL: 'C' },
    });
  }
}

/**
 * What `newestCommits` has git print: a commit is two NULs, then id, time and message, each ended by one, then its counts. A
 * colon before the message keeps an empty one from making two NULs of its own; a message holds none.
 */
function readCommits(text: string): readonly Commit[] {
  return text.split('\0\0').slice(1).flatMap((part) => {
    const [id = '', seconds = '', message = '', counts = ''] = part.split('\0');
    if (!/^[0-9a-f]{40,64}$/.test(id) || !/^\d{1,12}$/.test(seconds)) return [];
    const counted = (what: RegExp): number => Number(what.exec(counts)?.[1] ?? 0);
    return [{
      id, message: message.slice(1).trimEnd(), committedMs: Number(seconds) * 1000,
      filesChanged: counted(/(\d+) files? changed/), insertions: counted(/(\d+) insertions?\(/), deletions: counted(/(\d+) deletions?\(/),
    }];
  });
}

/** What cannot be looked at must not pass. */
function tooMuch(found: string): LokiError {
  return new LokiError('request.large', { attempted: 'look at the changes in the repository', found, hint: 'Commit generated files elsewhere, or list them in .gitignore' });
}

function textOf(result: SpawnResult): string {
  return new TextDecoder().decode(result.stdout);
}

function asDiff(change: Change): string {
  const body = change.unread === undefined ? change.added.split('\n').map((line) => `+${line}`).join('\n') : `(${change.unread})`;
  return `diff --git a/${change.path} b/${change.path}\nnew file\n--- /dev/null\n+++ b/${change.path}\n${body}`;
}
