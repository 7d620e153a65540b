/**
 * The verbs by which the program writes to disk; there is no other way. Each states its sequence of system calls and what a
 * power cut leaves. Record files live below a `base` directory the caller owns: nothing between the base and the file may
 * be a symlink, the file must be a plain one, ours, with a single link. Otherwise the verb refuses with `record.unsafe`:
 * writing a record through somebody's link would let an agent choose where evidence goes.
 */
import type { Disk, Files, FileInMaking, FileStat, ReadFile, RecordFile } from '../ports.ts';
import { LokiError, messageOf, systemCode } from '../errors.ts';
import { basename, dirname, isInside } from '../base/paths.ts';
import { compressFile } from './compress.ts';
import { openGzip } from './gzip.ts';

/** Who may own record files: the numeric user id, or undefined where the system has none. */
export interface DurableOptions {
  readonly owner: number | undefined;
  /** Makes names of temporary files unique among processes and within one. */
  readonly uniqueName: () => string;
}

/** The verbs over a set of system calls. */
export function createDisk(files: Files, options: DurableOptions): Disk {
  return {
    read: (path, limit) => readWhole(files, path, limit, 'read-following'),
    readRecord(base, path, limit) {
      const stat = files.stat(path);
      if (stat === undefined) return undefined;
      assertSafeParents(files, base, path, options.owner);
      assertSafeFile(path, withoutLeftover(files, path, stat), options.owner);
      return readWhole(files, path, limit, 'read');
    },
    stat: (path) => files.stat(path),
    volume: (path) => missing(() => files.volume(path), undefined),
    freeBytes: (path) => missing(() => files.volume(path).freeBytes, undefined),
    list: (path) => missing(() => files.list(path), [])?.toSorted() ?? [],
    realpath: (path) => missing(() => files.realpath(path), undefined),
    readlink: (path) => files.readlink(path),
    openRead: (path) => missing(() => openForReading(files, path), undefined),
    openGzip: (path) => missing(() => openGzip(openForReading(files, path), path), undefined),
    *compress(base, from, to, sha256) {
      assertSafeParents(files, base, from, options.owner);
      const stat = files.stat(from);
      if (stat === undefined) throw new LokiError('io.failed', { attempted: `compress "${from}"`, found: 'it is gone' });
      assertSafeFile(from, stat, options.owner);
      try {
        yield* compressFile(files, { from, to, sha256, mode: stat.mode }, (path) => openForReading(files, path));
      } catch (error) {
        throw error instanceof LokiError ? error : ioError(`compress "${from}"`, error);
      }
    },
    openRecord: (base, path, mode) => openRecord(files, base, path, mode, options.owner),
    replace: (base, path, bytes, mode) => replace(files, options, base, path, bytes, mode),
    create: (base, path, bytes, mode) => create(files, options, base, path, bytes, mode),
    beginFile: (path, mode) => beginFile(files, options, path, mode),
    ensureDirectory: (base, path, mode) => ensureDirectory(files, base, path, mode, options.owner),
    move: (from, to) => move(files, from, to),
    remove: (path) => remove(files, path),
  };
}

/**
 * mkdir each missing directory from the base down, fsync its parent. A power cut leaves a prefix of the path, each part
 * of it whole. Somebody else making the same directory at the same time is fine.
 */
function ensureDirectory(files: Files, base: string, path: string, mode: number, owner: number | undefined): void {
  const missingOnes: string[] = [];
  let at = path;
  while (at !== base && files.stat(at) === undefined) {
    missingOnes.unshift(at);
    at = dirname(at);
  }
  if (at !== base) assertSafeParents(files, base, `${at}/x`, owner);
  for (const directory of missingOnes) {
    try {
      files.makeDirectory(directory, mode);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw ioError(`create directory "${directory}"`, error);
    }
    files.syncDirectory(dirname(directory));
  }
}

/**
 * openat with O_CREAT|O_APPEND|O_NOFOLLOW, fstat; fsync of its directories when the file is new. A power cut leaves the file
 * or no file; what was appended and synced before is there.
 */
function openRecord(files: Files, base: string, path: string, mode: number, owner: number | undefined): RecordFile {
  assertSafeParents(files, base, path, owner);
  const existed = files.stat(path);
  if (existed !== undefined) assertSafeFile(path, withoutLeftover(files, path, existed), owner);
  const handle = attempt(`open record file "${path}"`, () => files.open(path, 'create-append', mode));
  try {
    assertSafeFile(path, files.statHandle(handle), owner);
    // An empty file may be one whose maker died before this very call, and so may the directories above it.
    if (existed === undefined || existed.size === 0) syncParents(files, base, path);
  } catch (error) {
    files.close(handle);
    throw error;
  }
  return {
    path,
    stat: () => files.statHandle(handle),
    read: (position, length) => readAt(files, handle, position, length),
    append: (bytes) => append(files, handle, path, bytes),
    sync: () => attempt(`make "${path}" durable`, () => files.sync(handle)),
    cut(size) {
      files.truncate(handle, size);
      files.sync(handle);
    },
    close: () => files.close(handle),
  };
}

/** fsync of each directory from the file's up to the base. */
function syncParents(files: Files, base: string, path: string): void {
  let at = dirname(path);
  files.syncDirectory(at);
  while (at !== base) {
    at = dirname(at);
    files.syncDirectory(at);
  }
}

/**
 * write (again while short), fdatasync. A power cut before the sync leaves any part of the bytes, perhaps as zeros: the
 * reader's recovery deals with that. A failed write is taken back with ftruncate, so a full disk leaves no half line.
 */
function append(files: Files, handle: number, path: string, bytes: Uint8Array): void {
  const before = files.statHandle(handle).size;
  let written = 0;
  try {
    while (written < bytes.length) written += files.write(handle, written === 0 ? bytes : bytes.subarray(written));
  } catch (error) {
    if (written > 0) takeBack(files, handle, before);
    throw ioError(`append to "${path}"`, error);
  }
  attempt(`make "${path}" durable`, () => files.sync(handle));
}

/** Best effort: the bytes that stay behind are a torn tail, which the next writer sets aside. */
function takeBack(files: Files, handle: number, size: number): void {
  try {
    files.truncate(handle, size);
  } catch {
    return;
  }
}

/**
 * Write a new file beside it, fdatasync, rename over it, fsync of the directory. A power cut leaves the old file or the
 * new one, whole; a left-over temporary file begins with `.tmp-` and is never read.
 */
function replace(files: Files, options: DurableOptions, base: string, path: string, bytes: Uint8Array, mode: number): void {
  assertSafeParents(files, base, path, options.owner);
  const temporary = writeTemporary(files, options, path, bytes, mode);
  attempt(`replace "${path}"`, () => files.rename(temporary, path), () => files.unlink(temporary));
  files.syncDirectory(dirname(path));
}

/** As `replace`, but link instead of rename, so that an existing file is never lost. */
function create(files: Files, options: DurableOptions, base: string, path: string, bytes: Uint8Array, mode: number): void {
  assertSafeParents(files, base, path, options.owner);
  const temporary = writeTemporary(files, options, path, bytes, mode);
  try {
    files.link(temporary, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw ioError(`create "${path}"`, error);
    const isAsLong = files.stat(path)?.size === bytes.length;
    const present = isAsLong ? readWhole(files, path, bytes.length, 'read') : undefined;
    if (present === undefined || !sameBytes(present, bytes)) {
      throw new LokiError('conflict', { attempted: `create "${path}"`, found: 'it exists with other content', cause: error });
    }
  } finally {
    files.unlink(temporary);
  }
  files.syncDirectory(dirname(path));
}

/**
 * Creates a new file beside the wanted one; writes; fdatasync; link (or with `replace` rename) to the wanted name, fsync of
 * the directory. A power cut, or a process that dies, leaves the wanted name as it was until the very end; a left-over
 * temporary file begins with `.tmp-`. The place is a person's, not ours: no more is asked of it than that it is a directory.
 */
function beginFile(files: Files, options: DurableOptions, path: string, mode: number): FileInMaking {
  const temporary = `${dirname(path)}/.tmp-${options.uniqueName()}`;
  const handle = attempt(`create a file beside "${path}"`, () => files.open(temporary, 'create-new', mode));
  let open = true;
  const closeOnce = (): void => {
    if (open) files.close(handle);
    open = false;
  };
  return {
    write(bytes) {
      let written = 0;
      while (written < bytes.length) written += attempt(`write "${path}"`, () => files.write(handle, bytes.subarray(written)));
    },
    settle: () => attempt(`make "${path}" durable`, () => files.sync(handle), closeOnce),
    finish(replaceExisting) {
      closeOnce();
      if (replaceExisting || !linked(files, temporary, path)) attempt(`give "${path}" its name`, () => files.rename(temporary, path));
      attempt(`make "${path}" durable`, () => files.syncDirectory(dirname(path)));
    },
    abandon() {
      closeOnce();
      try {
        files.unlink(temporary);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw ioError(`remove "${temporary}"`, error);
      }
    },
  };
}

/** Gives a file its name when nobody has it. False where the file system has no links, and nobody had it a moment ago. */
function linked(files: Files, temporary: string, path: string): boolean {
  try {
    files.link(temporary, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST' || files.stat(path) !== undefined) throw new LokiError('conflict', { attempted: `create "${path}"`, found: 'it exists', cause: error });
    return false;
  }
  files.unlink(temporary);
  return true;
}

function writeTemporary(files: Files, options: DurableOptions, path: string, bytes: Uint8Array, mode: number): string {
  const temporary = `${dirname(path)}/.tmp-${options.uniqueName()}`;
  const handle = attempt(`create a file beside "${path}"`, () => files.open(temporary, 'create-new', mode));
  try {
    let written = 0;
    while (written < bytes.length) written += files.write(handle, bytes.subarray(written));
    files.sync(handle);
  } catch (error) {
    files.close(handle);
    files.unlink(temporary);
    throw ioError(`write "${path}"`, error);
  }
  files.close(handle);
  return temporary;
}

/** rename, fsync of both directories. A power cut leaves one name or the other. */
function move(files: Files, from: string, to: string): void {
  attempt(`move "${from}" to "${to}"`, () => files.rename(from, to));
  files.syncDirectory(dirname(to));
  if (dirname(from) !== dirname(to)) files.syncDirectory(dirname(from));
}

/** unlink, fsync of the directory. */
function remove(files: Files, path: string): void {
  try {
    files.unlink(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw ioError(`remove "${path}"`, error);
  }
  files.syncDirectory(dirname(path));
}

function openForReading(files: Files, path: string): ReadFile {
  const handle = files.open(path, 'read');
  return {
    stat: () => files.statHandle(handle),
    read: (position, length, into) => readAt(files, handle, position, length, into),
    close: () => files.close(handle),
  };
}

function readAt(files: Files, handle: number, position: number, length: number, memory?: Uint8Array): Uint8Array {
  // Not zeroed first: every byte that is returned has been read.
  const into = memory !== undefined && memory.length >= length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const count = files.read(handle, filled === 0 ? into : into.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? into : into.subarray(0, filled);
}

function readWhole(files: Files, path: string, limit: number, how: 'read' | 'read-following'): Uint8Array | undefined {
  const handle = missing(() => files.open(path, how), undefined);
  if (handle === undefined) return undefined;
  try {
    const stat = files.statHandle(handle);
    if (stat.kind !== 'file') throw new LokiError('io.failed', { attempted: `read "${path}"`, found: `it is a ${kindNames[stat.kind]}`, hint: 'Put a plain file there' });
    if (stat.size > limit) throw new LokiError('io.failed', { attempted: `read "${path}"`, found: `it has ${stat.size} bytes, at most ${limit} are read`, hint: 'Make the file smaller' });
    return attempt(`read "${path}"`, () => readAt(files, handle, 0, stat.size));
  } finally {
    files.close(handle);
  }
}

/** Walks from the base to the file's directory: real directories only, all ours. */
function assertSafeParents(files: Files, base: string, path: string, owner: number | undefined): void {
  if (!isInside(path, base)) throw unsafe(path, `it is not below "${base}"`);
  for (let at = dirname(path); at !== base && isInside(at, base); at = dirname(at)) {
    const stat = files.stat(at);
    if (stat === undefined) throw new LokiError('io.failed', { attempted: `use record file "${path}"`, found: `directory "${at}" does not exist` });
    if (stat.kind !== 'directory') throw unsafe(path, `"${at}" is a ${kindNames[stat.kind]}, not a directory`);
    if (owner !== undefined && stat.owner !== owner) throw unsafe(path, `"${at}" belongs to user ${stat.owner}, not to ${owner}`);
  }
}

const kindNames: Readonly<Record<FileStat['kind'], string>> = { file: 'file', directory: 'directory', symlink: 'symlink', other: 'device, socket or pipe' };

/** Whoever died in `create` between link and unlink left the file its second name, `.tmp-…` beside it: that one goes. */
function withoutLeftover(files: Files, path: string, stat: FileStat): FileStat {
  if (stat.links !== 2 || stat.kind !== 'file') return stat;
  for (const name of files.list(dirname(path))) {
    const leftover = `${dirname(path)}/${name}`;
    if (!name.startsWith('.tmp-') || files.stat(leftover)?.inode !== stat.inode) continue;
    files.unlink(leftover);
    return files.stat(path) ?? stat;
  }
  return stat;
}

function assertSafeFile(path: string, stat: FileStat, owner: number | undefined): void {
  if (stat.kind !== 'file') throw unsafe(path, `it is a ${kindNames[stat.kind]}, not a plain file`);
  if (stat.links > 1) throw unsafe(path, `it has ${stat.links} links`);
  if (owner !== undefined && stat.owner !== owner) throw unsafe(path, `it belongs to user ${stat.owner}, not to ${owner}`);
}

function unsafe(path: string, found: string): LokiError {
  return new LokiError('record.unsafe', { attempted: `use record file "${basename(path)}"`, found: `${found} (${path})` });
}

/** A missing entry is `otherwise`; every other failure says what was attempted. */
function missing<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return otherwise;
    if (error instanceof LokiError) throw error;
    throw ioError('read the disk', error);
  }
}

function attempt<T>(what: string, act: () => T, undo?: () => void): T {
  try {
    return act();
  } catch (error) {
    undo?.();
    throw error instanceof LokiError ? error : ioError(what, error);
  }
}

const systemHints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full; free some space',
  EDQUOT: 'The disk quota is used up; free some space',
  EACCES: 'Give this user permission, or choose another LOKI_HOME',
  EPERM: 'Give this user permission, or choose another LOKI_HOME',
  EROFS: 'The file system is read-only; choose another LOKI_HOME',
  ELOOP: 'Remove the symlink; record files are never written through one',
  EMFILE: 'Raise the limit of open files (ulimit -n)',
};

function ioError(attempted: string, cause: unknown): LokiError {
  const code = systemCode(cause);
  const hint = code === undefined ? undefined : systemHints[code];
  return new LokiError('io.failed', { attempted, found: messageOf(cause), cause, ...(hint === undefined ? {} : { hint }) });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
