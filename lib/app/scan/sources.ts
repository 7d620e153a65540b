/**
 * Which files `loki scan` looks at. In a git repository those that git tracks or would track; elsewhere all below the
 * directory. A link inside a tree is not followed, and a file behind one in its path counts only when it lies in the tree.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { Disk, Host } from '../../ports.ts';
import { basename, join, resolveFrom } from '../../base/paths.ts';
import { hasGit, Repository, type GitPorts } from '../../runs/git.ts';
import type { Skipped } from './totals.ts';
import { textOf } from './text.ts';

/** A piece of text, and where it stands. */
export interface Source {
  /** Absolute. */
  readonly path: string;
  /** Line of the file on which the text begins. */
  readonly line: number;
  readonly text: string;
}

/** A file that is to be read. */
export interface Candidate {
  readonly path: string;
  readonly size: number;
}

/** Folders of version control hold nothing but copies. */
const neverEntered: ReadonlySet<string> = new Set(['.git', '.hg', '.svn']);
const mostFiles = 1_000_000;
const longestList = 128 * 1024 * 1024;

/** The files behind the paths a person named, by path. What is named is taken as it is: a named link is followed, a named file is never ignored. */
export async function candidatesOf(host: Pick<Host, 'disk' | 'spawn'>, env: GitPorts['env'], cwd: string, named: readonly string[], skipped: Skipped): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  for (const name of named) {
    const real = host.disk.realpath(resolveFrom(cwd, name));
    const stat = real === undefined ? undefined : host.disk.stat(real);
    if (real === undefined || stat === undefined) throw new LokiError('not_found', { attempted: `scan "${name}"`, found: 'there is no such file or directory', hint: 'Name files or directories, or - for standard input' });
    if (stat.kind === 'file') found.set(real, { path: real, size: stat.size });
    else if (stat.kind === 'directory') for (const each of await filesBelow(host, env, real, skipped)) found.set(each.path, each);
    else throw new LokiError('usage', { attempted: `scan "${name}"`, found: 'it is neither a file nor a directory', hint: 'Name files or directories, or - for standard input' });
    if (found.size > mostFiles) throw new LokiError('request.large', { attempted: `scan "${name}"`, found: `it has more than ${mostFiles} files`, hint: 'Name parts of it' });
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function filesBelow({ disk, spawn }: Pick<Host, 'disk' | 'spawn'>, env: GitPorts['env'], directory: string, skipped: Skipped): Promise<readonly Candidate[]> {
  const ports: GitPorts = { spawn, disk, env, projectDir: directory };
  const repository = new Repository(ports);
  if (!hasGit(ports) || !(await repository.isOne())) return [...walk(disk, directory, directory, skipped)];
  const answer = await repository.ask(['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { limit: longestList });
  const names = new TextDecoder().decode(answer).split('\0').filter((name) => name !== '');
  return names.flatMap((name) => {
    const path = join(directory, name);
    const size = sizeInTree(disk, directory, path, skipped);
    return size === undefined ? [] : [{ path, size }];
  });
}

function* walk(disk: Disk, tree: string, directory: string, skipped: Skipped): Iterable<Candidate> {
  for (const name of listed(disk, directory, skipped)) {
    const path = join(directory, name);
    if (disk.stat(path)?.kind === 'directory') {
      if (!neverEntered.has(basename(path))) yield* walk(disk, tree, path, skipped);
      continue;
    }
    const size = sizeInTree(disk, tree, path, skipped);
    if (size !== undefined) yield { path, size };
  }
}

function listed(disk: Disk, directory: string, skipped: Skipped): readonly string[] {
  try {
    return disk.list(directory);
  } catch (error) {
    skipped.unreadable.push({ path: directory, because: messageOf(error) });
    return [];
  }
}

/** Bytes of a file that really lies in the tree; undefined for links, submodules and what is gone. */
function sizeInTree(disk: Disk, tree: string, path: string, skipped: Skipped): number | undefined {
  const stat = disk.stat(path);
  if (stat === undefined && path.includes('\ufffd')) skipped.unreadable.push({ path, because: 'its name is no UTF-8' });
  if (stat?.kind === 'symlink' || (stat !== undefined && disk.realpath(path)?.startsWith(tree === '/' ? '/' : `${tree}/`) !== true)) {
    skipped.links += 1;
    return undefined;
  }
  return stat?.kind === 'file' ? stat.size : undefined;
}

/** The text of a file, or undefined when it was passed over, which is then counted. */
export function readSource(disk: Disk, { path, size }: Candidate, largest: number, skipped: Skipped): Source | undefined {
  if (size > largest) {
    skipped.large.push(path);
    return undefined;
  }
  try {
    const bytes = disk.read(path, largest);
    if (bytes === undefined) return undefined;
    const text = textOf(bytes);
    if (text === undefined) skipped.binary += 1;
    return text === undefined ? undefined : { path, line: 1, text };
  } catch (error) {
    skipped.unreadable.push({ path, because: messageOf(error) });
    return undefined;
  }
}
