/** The log's files as readers see them: which names stand for one, and how each is opened, compressed or not. */
import type { Disk, ReadFile } from '../ports.ts';
import { join } from '../base/paths.ts';
import { logFiles, plainName, type LogFileName } from './files.ts';

/**
 * The files to be read, oldest first, each once: while one is being compressed, and after a crash in between, the plain file
 * stands beside the compressed one, and then the plain one is read.
 */
export function readableFiles(disk: Disk, directory: string): readonly LogFileName[] {
  const files = logFiles(disk.list(directory));
  const plain = new Set(files.filter(({ compressed }) => !compressed).map(({ name }) => name));
  return files.filter(({ name, compressed }) => !compressed || !plain.has(plainName(name)));
}

/**
 * Opens a file of the log as the lines it holds; undefined when it is gone. Since its name was read it may have been
 * compressed, and the plain file removed (or the other way round): what it holds is the same.
 */
export function openLogFile(disk: Disk, directory: string, name: string): ReadFile | undefined {
  const plain = join(directory, plainName(name));
  const openGzip = (): ReadFile | undefined => disk.openGzip(`${plain}.gz`);
  return name.endsWith('.gz') ? openGzip() ?? disk.openRead(plain) : disk.openRead(plain) ?? openGzip();
}

/**
 * As `openLogFile`, for who must go on whatever somebody made of a file: one that is compressed and cannot be inflated is
 * `unreadable`.
 */
export function tryLogFile(disk: Disk, directory: string, name: string): ReadFile | 'unreadable' | undefined {
  try {
    return openLogFile(disk, directory, name);
  } catch (error) {
    if (name.endsWith('.gz')) return 'unreadable';
    throw error;
  }
}
