/**
 * The `SpoolFiles` and `LineFiles` drivers: small files that appear whole, and files that grow by lines. Nothing is synced. Trusts nothing it finds:
 * what is no plain file of this user is not listed, not read and not linked, and no symlink is followed below the base.
 */
import type { LineFiles, LooseFiles, SpoolFile, SpoolFiles } from '../base/telemetry-ports.ts';
import type { Clock, Disk, Files, FileStat, Random } from '../ports.ts';
import { dirname } from '../base/paths.ts';
import { systemCode } from '../errors.ts';
import { files as realFiles } from './files.ts';

/** What the drivers are over. */
export interface SpoolDriverOptions {
  readonly files: Files;
  readonly disk: Pick<Disk, 'ensureDirectory'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Whose files count; undefined where the system has no owners. */
  readonly owner: number | undefined;
  /** Differs for every file of every process. */
  readonly uniqueName: () => string;
}

/** What begins so is being written, or was left by who died at it. */
const temporaryPrefix = '.tmp-';
/** Nobody takes so long to write a few hundred kilobytes. */
const staleMs = 10 * 60_000;

/** Those of this machine. */
export function spoolDrivers({ disk, clock, random }: { readonly disk: Disk; readonly clock: Clock; readonly random: Random }): { readonly spoolFiles: SpoolFiles; readonly lineFiles: LineFiles; readonly looseFiles: LooseFiles } {
  const options: SpoolDriverOptions = { files: realFiles, disk, clock, owner: process.geteuid?.(), uniqueName: () => `${process.pid}-${Buffer.from(random.bytes(6)).toString('hex')}` };
  return { spoolFiles: createSpoolFiles(options), lineFiles: createLineFiles(options), looseFiles: createLooseFiles(options) };
}

export function createSpoolFiles(options: SpoolDriverOptions): SpoolFiles {
  const { files, disk, owner } = options;
  const isOurs = (stat: FileStat): boolean => stat.kind === 'file' && (owner === undefined || stat.owner === owner);
  return {
    write(base, path, text) {
      disk.ensureDirectory(base, dirname(path), 0o700);
      if (files.stat(path) !== undefined) throw failure('EEXIST', `"${path}" exists`);
      putWhole(options, path, text);
    },
    list: (folder) => (files.stat(folder)?.kind === 'symlink' ? [] : listPlain(options, folder, isOurs)),
    read: (path, limit) => gone(() => readPlain(files, path, limit, isOurs), undefined),
    link(base, from, to) {
      const stat = files.stat(from);
      if (stat === undefined || !isOurs(stat)) return false;
      disk.ensureDirectory(base, dirname(to), 0o700);
      try {
        files.link(from, to);
        return true;
      } catch (error) {
        const code = systemCode(error);
        if (code === 'EEXIST' || code === 'ENOENT') return false;
        throw error;
      }
    },
    remove: (path) => gone(() => files.unlink(path), undefined),
  };
}

/** Written beside it and renamed over it: as `SpoolFiles.write`, and whoever was there goes. */
function createLooseFiles(options: SpoolDriverOptions): LooseFiles {
  const { disk } = options;
  return {
    replace(base, path, text) {
      disk.ensureDirectory(base, dirname(path), 0o700);
      putWhole(options, path, text);
    },
  };
}

/** Written under another name and renamed, so that nobody sees half of it. */
function putWhole(options: SpoolDriverOptions, path: string, text: string): void {
  const temporary = writeTemporary(options, path, Buffer.from(text, 'utf8'));
  try {
    options.files.rename(temporary, path);
  } catch (error) {
    removeQuietly(options.files, temporary);
    throw error;
  }
}

export function createLineFiles(options: Omit<SpoolDriverOptions, 'disk'>): LineFiles {
  const { files, owner } = options;
  return {
    append(path, lines) {
      makeFolders(files, dirname(path));
      const handle = files.open(path, 'create-append', 0o600);
      try {
        const stat = files.statHandle(handle);
        if (stat.kind !== 'file') throw failure('EINVAL', `"${path}" is no plain file`);
        // Whoever may put files there must not have lines added to one that stands elsewhere.
        if (stat.links > 1) throw failure('EMLINK', `"${path}" is a file that has another name as well`);
        appendAll(files, handle, Buffer.from(lines, 'utf8'), stat.size);
      } finally {
        files.close(handle);
      }
    },
    list: (folder) => listPlain(options, folder, (stat) => stat.kind === 'file' && (owner === undefined || stat.owner === owner)),
    remove: (path) => gone(() => files.unlink(path), undefined),
  };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** Made new, so nobody's link is written through; what could not be written whole is taken away. */
function writeTemporary({ files, uniqueName }: SpoolDriverOptions, path: string, bytes: Uint8Array): string {
  const temporary = `${dirname(path)}/${temporaryPrefix}${uniqueName()}`;
  const handle = files.open(temporary, 'create-new', 0o600);
  try {
    writeAll(files, handle, bytes);
  } catch (error) {
    files.close(handle);
    removeQuietly(files, temporary);
    throw error;
  }
  files.close(handle);
  return temporary;
}

function writeAll(files: Files, handle: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += files.write(handle, bytes.subarray(written));
}

/** A reader must not find half a line because the disk was full. */
function appendAll(files: Files, handle: number, bytes: Uint8Array, size: number): void {
  try {
    writeAll(files, handle, bytes);
  } catch (error) {
    try {
      files.truncate(handle, size);
    } catch {
      // The first error is the one to tell.
    }
    throw error;
  }
}

/** It is of no use to anybody, and the error that led here is the one to tell. */
function removeQuietly(files: Files, path: string): void {
  try {
    files.unlink(path);
  } catch {
    return;
  }
}

function listPlain({ files, clock }: Pick<SpoolDriverOptions, 'files' | 'clock'>, folder: string, isOurs: (stat: FileStat) => boolean): readonly SpoolFile[] {
  const found: SpoolFile[] = [];
  for (const name of gone(() => files.list(folder), []).toSorted()) {
    const stat = files.stat(`${folder}/${name}`);
    if (stat === undefined || !isOurs(stat)) continue;
    if (!name.startsWith(temporaryPrefix)) found.push({ name, size: stat.size, modifiedMs: stat.modifiedMs });
    else if (clock.now() - stat.modifiedMs > staleMs) removeQuietly(files, `${folder}/${name}`);
  }
  return found;
}

function readPlain(files: Files, path: string, limit: number, isOurs: (stat: FileStat) => boolean): string | undefined {
  const handle = files.open(path, 'read');
  try {
    const stat = files.statHandle(handle);
    if (!isOurs(stat) || stat.size > limit) return undefined;
    const bytes = Buffer.alloc(stat.size);
    let size = 0;
    for (let got = -1; got !== 0 && size < bytes.length; size += got) got = files.read(handle, bytes.subarray(size), size);
    return bytes.toString('utf8', 0, size);
  } finally {
    files.close(handle);
  }
}

/** From the first folder that exists; the way there is a person's choice, so links on it are followed. */
function makeFolders(files: Files, folder: string): void {
  try {
    files.makeDirectory(folder, 0o700);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolders(files, dirname(folder));
    files.makeDirectory(folder, 0o700);
  }
}

/** What is not there, or is a link where a file should be, is as good as missing. */
function gone<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return otherwise;
    throw error;
  }
}
