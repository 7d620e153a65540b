/**
 * Which project an action belongs to: the one that was named, else the session's, else the outermost enrolled directory
 * above the working directory, else the nearest one with a `.loki`. A working directory only resolves relative paths: an
 * agent that changes directory does not leave its project, and one that makes a `.loki` of its own inside an enrolled
 * project does not get a project of its own.
 */
import { LokiError } from '../errors.ts';
import type { Disk } from '../ports.ts';
import { projectIdOf } from '../base/ids.ts';
import { ancestors, dirname, join, resolveFrom } from '../base/paths.ts';

/** A project on this machine. */
export interface Project {
  readonly id: string;
  /** Its real directory. */
  readonly dir: string;
}

/** Where to look. Absolute paths. */
export interface ProjectQuery {
  /** `--project`. */
  readonly named?: string;
  /** The directory of the running session, handed down by the runner. */
  readonly session?: string;
  readonly cwd: string;
  /** LOKI_HOME's real path: where it is called `.loki`, the directory it lies in is no project for that. */
  readonly home: string;
  /** Path of the enrolment file of a project id. */
  readonly enrolmentFile: (id: string) => string;
}

/** The project, or undefined when nothing above the working directory is one. */
export function findProject(disk: Disk, query: ProjectQuery): Project | undefined {
  const given = query.named ?? query.session;
  if (given !== undefined) return projectAt(disk, given);
  const cwd = disk.realpath(query.cwd);
  if (cwd === undefined) return undefined;
  // The directory itself comes first: a worktree that an agent makes inside its project leads to no other one.
  const places = [cwd, mainCheckout(disk, cwd)].filter((place) => place !== undefined);
  const enrolled = places.map((place) => outermostEnrolled(disk, place, query)).find((directory) => directory !== undefined);
  const found = enrolled ?? places.toReversed().map((place) => nearestWithFolder(disk, place, query)).find((directory) => directory !== undefined);
  return found === undefined ? undefined : { id: projectIdOf(found), dir: found };
}

/** Where nothing was ever enrolled no id is made: that would load node:crypto, for nothing. */
function outermostEnrolled(disk: Disk, place: string, { enrolmentFile }: ProjectQuery): string | undefined {
  if (disk.stat(dirname(enrolmentFile('any'))) === undefined) return undefined;
  return [...ancestors(place)].findLast((directory) => disk.stat(enrolmentFile(projectIdOf(directory))) !== undefined);
}

function nearestWithFolder(disk: Disk, place: string, { home }: ProjectQuery): string | undefined {
  return [...ancestors(place)].find((directory) => {
    const folder = join(directory, '.loki');
    return folder !== home && disk.stat(folder)?.kind === 'directory';
  });
}

/** The project at a directory that was named. */
export function projectAt(disk: Disk, path: string): Project {
  const real = disk.realpath(path);
  if (real === undefined) throw new LokiError('project.unknown', { attempted: `use the project "${path}"`, found: 'there is no such directory' });
  if (disk.stat(real)?.kind !== 'directory') throw new LokiError('project.unknown', { attempted: `use the project "${path}"`, found: 'it is not a directory' });
  return { id: projectIdOf(real), dir: real };
}

/** A `.git` file is a few hundred bytes. */
const longestGitFile = 8192;

/**
 * A git worktree counts as its main checkout: its `.git` is a file that points to `<main>/.git/worktrees/<name>`. The
 * pointer is believed only when the main checkout points back, so that a planted file adopts no project.
 */
function mainCheckout(disk: Disk, cwd: string): string | undefined {
  for (const directory of ancestors(cwd)) {
    const git = disk.stat(`${directory}/.git`);
    if (git?.kind === 'directory') return undefined;
    if (git?.kind !== 'file') continue;
    const text = Buffer.from(disk.read(`${directory}/.git`, longestGitFile) ?? []).toString('utf8');
    const pointer = /^gitdir: (.+)$/m.exec(text)?.[1];
    const gitDir = pointer === undefined ? undefined : disk.realpath(resolveFrom(directory, pointer));
    const main = gitDir === undefined ? undefined : /^(.+)\/\.git\/worktrees\/[^/]+$/.exec(gitDir)?.[1];
    if (gitDir === undefined || main === undefined) return undefined;
    const back = Buffer.from(disk.read(`${gitDir}/gitdir`, longestGitFile) ?? []).toString('utf8').trim();
    return back !== '' && disk.realpath(dirname(resolveFrom(gitDir, back))) === directory ? main : undefined;
  }
  return undefined;
}

/** The branch that is checked out, `HEAD` when none is, undefined outside git. Reads a file; starts no program. */
export function currentBranch(disk: Disk, projectDir: string): string | undefined {
  const head = disk.read(`${projectDir}/.git/HEAD`, longestGitFile);
  if (head === undefined) return undefined;
  return /^ref: refs\/heads\/(.+)$/m.exec(Buffer.from(head).toString('utf8'))?.[1] ?? 'HEAD';
}
