/**
 * Which files `loki scan` looks at. In a git repository those that git tracks or would track; elsewhere all below the
 * directory. A link inside a tree is not followed, and a file behind one in its path counts only when it lies in the tree.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { Disk, Host } from '../../ports.ts';
import { join, resolveFrom } from '../../base/paths.ts';
import { hasGit, Repository, type GitPorts } from '../../runs/git.ts';
import type { Skipped, Totals } from './totals.ts';
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
export async function candidatesOf(host: Pick<Host, 'disk' | 'spawn'>, env: GitPorts['env'], cwd: string, named: readonly string[], totals: Totals): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  const refuse = (name: string, why: string): LokiError => new LokiError('not_found', { attempted: `scan "${name}"`, found: why, hint: 'Name files or directories, or - for standard input' });
  for (const name of named) {
    const real = host.disk.realpath(resolveFrom(cwd, name));
    const stat = real === undefined ? undefined : host.disk.stat(real);
    if (real === undefined || stat === undefined) throw refuse(name, 'there is no such file or directory');
    if (stat.kind === 'file') found.set(real, { path: real, size: stat.size });
    else if (stat.kind === 'directory') for (const each of await filesBelow(host, env, real, totals)) found.set(each.path, each);
    else throw refuse(name, 'it is neither a file nor a directory');
    if (found.size > mostFiles) throw new LokiError('request.large', { attempted: `scan "${name}"`, found: `it has more than ${mostFiles} files`, hint: 'Name parts of it' });
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function filesBelow({ disk, spawn }: Pick<Host, 'disk' | 'spawn'>, env: GitPorts['env'], directory: string, totals: Totals): Promise<readonly Candidate[]> {
  const ports: GitPorts = { spawn, disk, env, projectDir: directory };
  const repository = new Repository(ports);
  const tree: Tree = { disk, root: directory, skipped: totals.skipped };
  if (!hasGit(ports) || !(await repository.isOne())) {
    if (disk.stat(join(directory, '.git')) !== undefined) totals.ungoverned.push(directory);
    return [...walk(tree, directory)];
  }
  const answer = await repository.ask(['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { limit: longestList });
  const names = new TextDecoder().decode(answer).split('\0').filter((name) => name !== '');
  return names.flatMap((name) => inTree(tree, join(directory, name)) ?? []);
}

/** A directory, and where is counted what is passed over below it. */
interface Tree {
  readonly disk: Disk;
  readonly root: string;
  readonly skipped: Skipped;
}

function* walk(tree: Tree, directory: string): Iterable<Candidate> {
  for (const name of tryTo(tree.skipped, directory, () => tree.disk.list(directory)) ?? []) {
    const path = join(directory, name);
    if (tryTo(tree.skipped, path, () => tree.disk.stat(path))?.kind === 'directory') {
      if (!neverEntered.has(name)) yield* walk(tree, path);
      continue;
    }
    const found = inTree(tree, path);
    if (found !== undefined) yield found;
  }
}

/** A file that really lies in the tree; undefined for links, submodules and what is gone. */
function inTree({ disk, root, skipped }: Tree, path: string): Candidate | undefined {
  const stat = tryTo(skipped, path, () => disk.stat(path));
  if (stat === undefined) {
    if (path.includes('\ufffd')) skipped.unreadable.push({ path, because: 'its name is no UTF-8' });
    return undefined;
  }
  const real = stat.kind === 'symlink' ? undefined : tryTo(skipped, path, () => disk.realpath(path));
  if (real === undefined || !real.startsWith(root === '/' ? '/' : `${root}/`)) {
    skipped.links += 1;
    return undefined;
  }
  return stat.kind === 'file' ? { path, size: stat.size } : undefined;
}

/** What the system refuses is counted, and the scan goes on. */
function tryTo<T>(skipped: Skipped, path: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    skipped.unreadable.push({ path, because: messageOf(error) });
    return undefined;
  }
}

/** The text of a file, or undefined when it was passed over, which is then counted. */
export function readSource(disk: Disk, { path, size }: Candidate, largest: number, skipped: Skipped): Source | undefined {
  if (size > largest) {
    skipped.large.push(path);
    return undefined;
  }
  const bytes = tryTo(skipped, path, () => disk.read(path, largest));
  if (bytes === undefined) return undefined;
  const text = textOf(bytes);
  if (text === undefined) skipped.binary += 1;
  return text === undefined ? undefined : { path, line: 1, text };
}
