/**
 * Writing agents' settings. In a project nothing is written through a symlink, since a repository could choose where that leads; a
 * person's own settings may be links to where they keep them. What was there before is kept in LOKI_HOME.
 */
import { LokiError } from '../../errors.ts';
import type { Disk } from '../../ports.ts';
import type { AgentName } from '../../agents/hook.ts';
import type { TextChange } from '../../agents/settings/changes.ts';
import { sha256Hex } from '../../base/digest.ts';
import { hookTokenPrefix } from '../../base/hook-token.ts';
import { ancestors, basename, dirname, isInside, join, realTarget } from '../../base/paths.ts';
import type { Installation } from '../installation.ts';
import { settingsReader } from './ground.ts';

const newFileMode = 0o644;
/** Codex keeps tokens beside its configuration. */
const privateMode = 0o600;

/** Throws `conflict` when a file is not any more what a person was shown. */
export function assertAsShown(installation: Installation, changes: readonly TextChange[]): void {
  const read = settingsReader(installation);
  const changed = changes.filter(({ path, before }) => read(path) !== before).map(({ path }) => path);
  if (changed.length > 0) throw new LokiError('conflict', { attempted: 'change the settings of agents', found: `${changed.join(', ')} changed while you were asked`, hint: 'Run it again, and read what it would do' });
}

/** Throws `record.unsafe` when a file in the project, or a folder above it, is a symlink. */
export function assertPlain({ host: { disk } }: Installation, projectDir: string, changes: readonly TextChange[]): void {
  for (const { path } of changes) {
    if (!isInside(path, projectDir)) continue;
    for (const at of ancestors(path)) {
      if (at === projectDir) break;
      if (disk.stat(at)?.kind === 'symlink') throw new LokiError('record.unsafe', { attempted: `write "${path}"`, found: `"${at}" is a symlink`, hint: 'Put a plain file or folder there, or choose --scope user' });
    }
  }
}

/** Puts the text of a change on the disk, whole and durable. */
export function writeChange({ host: { disk } }: Installation, projectDir: string | undefined, { path, before, after }: TextChange): void {
  const inProject = projectDir !== undefined && isInside(path, projectDir);
  const place = inProject ? path : realTarget(path, disk) ?? path;
  if (after === undefined) return disk.remove(place);
  const bytes = Buffer.from(after);
  const mode = modeOf(path, after, before === undefined ? undefined : disk.stat(place)?.mode);
  makeFolder(disk, dirname(place));
  if (inProject) return before === undefined ? disk.create(projectDir, place, bytes, mode) : disk.replace(projectDir, place, bytes, mode);
  const file = disk.beginFile(place, mode);
  try {
    file.write(bytes);
    file.settle();
    return file.finish(before !== undefined);
  } finally {
    file.abandon();
  }
}

/** As it was; but a token is its owner's alone. */
function modeOf(path: string, after: string, before: number | undefined): number {
  const usual = before === undefined ? (path.endsWith('/config.toml') ? privateMode : newFileMode) : before & 0o777;
  return after.includes(hookTokenPrefix) ? usual & 0o700 : usual;
}

function makeFolder(disk: Disk, path: string): void {
  const above = [...ancestors(path)].find((directory) => disk.stat(directory) !== undefined);
  if (above !== undefined && above !== path) disk.ensureDirectory(above, path, 0o755);
}

/** Keeps a file as it is before it is changed. Its name says of which file, and what was written in its place. */
export function keepBefore({ host: { disk, clock }, home }: Installation, agent: AgentName, change: TextChange): void {
  if (change.before === undefined) return;
  disk.ensureDirectory(home.home, home.hookBackups, 0o700);
  const time = new Date(clock.now()).toISOString().replace(/[-:]/g, '');
  disk.create(home.home, join(home.hookBackups, `${time}-${agent}-${basename(change.path)}.${markOf(change.path, change.after ?? '')}`), Buffer.from(change.before), 0o600);
}

function markOf(path: string, after: string): string {
  return `${sha256Hex(path).slice(0, 8)}-${sha256Hex(after).slice(0, 16)}`;
}

/** What a file was before the text that it holds now was written by us; undefined when it was not, or has been changed since. */
export function textBefore({ host: { disk }, home }: Installation, path: string, now: string): string | undefined {
  const name = disk.list(home.hookBackups).filter((each) => each.endsWith(`.${markOf(path, now)}`)).at(-1);
  const bytes = name === undefined ? undefined : disk.readRecord(home.home, join(home.hookBackups, name), 1 << 24);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
