/**
 * The `Files` driver on node:fs: one system call a method. Record files are opened without following a symlink in the last
 * component, and never block on a FIFO that somebody put in a file's place.
 */
import * as fs from 'node:fs';
import type { Files, FileStat, OpenHow, Volume } from '../ports.ts';
import { systemCode } from '../errors.ts';

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
/** Absent on Windows, where creating a symlink needs a privilege of its own. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0;

const openFlags: Readonly<Record<OpenHow, number>> = {
  'read': O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  'read-following': O_RDONLY | O_NONBLOCK,
  'append': O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK,
  'create-append': O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
  'create-new': O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
};

const windows = process.platform === 'win32';
const inward = (path: string): string => (windows ? path.replaceAll('\\', '/') : path);

/** The real thing. */
export const files: Files = {
  open: (path, how, mode = 0o600) => fs.openSync(path, openFlags[how], mode),
  close: (handle) => fs.closeSync(handle),
  read: (handle, into, position) => fs.readSync(handle, into, 0, into.length, position),
  write: (handle, bytes) => fs.writeSync(handle, bytes),
  truncate: (handle, size) => fs.ftruncateSync(handle, size),
  sync: (handle) => fs.fdatasyncSync(handle),
  statHandle: (handle) => statOf(fs.fstatSync(handle)),
  stat(path) {
    const found = missingIsUndefined(() => fs.lstatSync(path, { throwIfNoEntry: false }));
    return found === undefined ? undefined : statOf(found);
  },
  readlink(path) {
    try {
      return inward(fs.readlinkSync(path));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR' || code === 'UNKNOWN') return undefined;
      throw error;
    }
  },
  list: (path) => fs.readdirSync(path),
  realpath: (path) => inward(fs.realpathSync.native(path)),
  makeDirectory: (path, mode) => fs.mkdirSync(path, { mode }),
  rename: (from, to) => fs.renameSync(from, to),
  link: (existing, created) => fs.linkSync(existing, created),
  unlink: (path) => fs.unlinkSync(path),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  syncDirectory(path) {
    if (windows) return;
    const handle = fs.openSync(path, O_RDONLY);
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  },
  volume: (path) => volumeOf(fs.statfsSync(path)),
};

/** File systems whose files lie elsewhere, by the magic number that statfs gives (Linux, include/uapi/linux/magic.h). */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'], [0x517b, 'smb'], [0xff534d42, 'smb'], [0xfe534d42, 'smb'], [0x5346414f, 'afs'], [0x73757245, 'coda'], [0x00c36400, 'ceph'], [0x01021997, '9p'], [0x564c, 'ncp'],
]);

/** Other systems use the number for other things. */
function volumeOf({ bavail, bsize, type }: fs.StatsFs): Volume {
  return { freeBytes: bavail * bsize, network: process.platform === 'linux' ? networkFileSystems.get(type >>> 0) : undefined };
}

/** A path below something that is not a directory is a missing path too. */
function missingIsUndefined<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function statOf(stat: fs.Stats): FileStat {
  return {
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other',
    size: stat.size,
    inode: stat.ino,
    device: stat.dev,
    links: stat.nlink,
    owner: stat.uid,
    mode: stat.mode & 0o7777,
    modifiedMs: stat.mtimeMs,
    changedMs: stat.ctimeMs,
  };
}
