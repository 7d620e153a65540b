/**
 * What is about to be committed: the lines that the index adds to the newest commit, as the index holds them. The working
 * tree is not read, since it may already say something else. Attributes that call a text binary change nothing.
 */
import { LokiError } from '../../errors.ts';
import type { Host } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import { addedIn } from '../../runs/diff.ts';
import { hasGit, Repository, type GitPorts } from '../../runs/git.ts';
import type { Source } from './sources.ts';
import { textOf } from './text.ts';
import type { Skipped } from './totals.ts';

/** A file that the index changes. */
interface StagedFile {
  readonly path: string;
  readonly id: string;
  readonly before: string;
  size: number;
  sizeBefore: number;
}

/** Of old and new content whose difference is asked for at once; git prints less than twice as much. */
const batchBytes = 6 * 1024 * 1024;
const batchFiles = 200;
const diffArguments = ['diff', '--cached', '--no-relative', '--text', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames', '--src-prefix=a/', '--dst-prefix=b/', '--submodule=short', '--ignore-submodules=dirty', '-U0', '--inter-hunk-context=0'];

/** The repository around a directory, seen from its top, and where that is. */
export async function stagingArea({ disk, spawn }: Pick<Host, 'disk' | 'spawn'>, env: GitPorts['env'], cwd: string): Promise<{ readonly repository: Repository; readonly top: string }> {
  const ports: GitPorts = { spawn, disk, env, projectDir: cwd };
  if (!hasGit(ports)) throw new LokiError('provider.missing', { attempted: 'scan what is staged', found: 'there is no git on PATH', hint: 'Install git, or name the files to scan' });
  const here = new Repository(ports);
  if (!(await here.isOne())) throw new LokiError('usage', { attempted: 'scan what is staged', found: `"${cwd}" is in no git repository`, hint: 'Run it inside one, or name the files to scan' });
  const top = new TextDecoder().decode(await here.ask(['rev-parse', '--show-toplevel'])).replace(/\n$/, '');
  return { repository: new Repository({ ...ports, projectDir: top }), top };
}

/** The added lines, file by file; each piece is of lines that follow one another. */
export async function* stagedSources(repository: Repository, top: string, isWanted: (path: string) => boolean, largest: number, skipped: Skipped): AsyncIterable<readonly Source[]> {
  const files = (await stagedFiles(repository)).filter(({ path }) => isWanted(join(top, path)));
  for (const batch of batchesOf(files, top, largest, skipped)) {
    const whole = batch.length === 1 && (batch[0]?.sizeBefore ?? 0) > batchBytes;
    if (whole) yield* wholeFile(repository, batch[0], top, skipped);
    else yield* differences(repository, batch, top, skipped);
  }
}

async function stagedFiles(repository: Repository): Promise<readonly StagedFile[]> {
  const raw = new TextDecoder().decode(await repository.ask([...diffArguments.filter((word) => word !== '-U0'), '--raw', '-z', '--abbrev=64', '--diff-filter=AMT']));
  const parts = raw.split('\0');
  const files: StagedFile[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    // :100644 100644 <old> <new> M, and 160000 for a submodule.
    const [, , mode = '', before = '', id = ''] = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) [AMT]/.exec(parts[at] ?? '') ?? [];
    if (id !== '' && mode !== '160000') files.push({ path: parts[at + 1] ?? '', id, before, size: 0, sizeBefore: 0 });
  }
  await learnSizes(repository, files);
  return files;
}

async function learnSizes(repository: Repository, files: readonly StagedFile[]): Promise<void> {
  if (files.length === 0) return;
  const asked = files.flatMap(({ id, before }) => [id, before]);
  const answer = new TextDecoder().decode(await repository.ask(['cat-file', '--batch-check=%(objectsize)'], { input: `${asked.join('\n')}\n` })).split('\n');
  // A line for each: a size, or "<id> missing" for what was not there before.
  files.forEach((file, at) => {
    file.size = Number(/^\d+$/.exec(answer[at * 2] ?? '')?.[0] ?? 0);
    file.sizeBefore = Number(/^\d+$/.exec(answer[at * 2 + 1] ?? '')?.[0] ?? 0);
  });
}

/** Files whose difference fits into one answer; one whose old content does not stands alone. */
function* batchesOf(files: readonly StagedFile[], top: string, largest: number, skipped: Skipped): Iterable<readonly StagedFile[]> {
  let batch: StagedFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (file.size > largest) {
      skipped.large.push(join(top, file.path));
      continue;
    }
    const more = file.size + file.sizeBefore;
    if (batch.length > 0 && (bytes + more > batchBytes || batch.length === batchFiles)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(file);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

async function* differences(repository: Repository, batch: readonly StagedFile[], top: string, skipped: Skipped): AsyncIterable<readonly Source[]> {
  const answer = await repository.ask(['--literal-pathspecs', ...diffArguments, '--', ...batch.map(({ path }) => path)], { limit: 64 * 1024 * 1024 });
  for (const { path, hunks } of addedIn(new TextDecoder().decode(answer))) {
    const sources = hunks.map(({ line, lines }) => ({ path: join(top, path), line, text: lines.join('\n') }));
    if (sources.some(({ text }) => text.slice(0, 8000).includes('\0'))) skipped.binary += 1;
    else if (sources.length > 0) yield sources;
  }
}

async function* wholeFile(repository: Repository, file: StagedFile | undefined, top: string, skipped: Skipped): AsyncIterable<readonly Source[]> {
  if (file === undefined) return;
  const text = textOf(await repository.ask(['cat-file', 'blob', file.id], { limit: 256 * 1024 * 1024 }));
  if (text === undefined) skipped.binary += 1;
  else yield [{ path: join(top, file.path), line: 1, text }];
}
