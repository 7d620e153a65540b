/** The log's files as readers see them: which names stand for one, and how each is opened, compressed or not. */
import type { Disk, ReadFile } from '../ports.ts';
import { join } from '../base/paths.ts';
import { logFiles, type LogFileName } from './files.ts';

/**
 * The files to be read, oldest first, each once: while one is being compressed, and after a crash in between, the plain file
 * stands beside the compressed one, and then the plain one is read.
 */
export function readableFiles(disk: Disk, directory: string): readonly LogFileName[] {
  const files = logFiles(disk.list(directory));
  const plain = new Set(files.filter(({ compressed }) => !compressed).map(({ name }) => name));
  return files.filter(({ name, compressed }) => !compressed || !plain.has(name.slice(0, -'.gz'.length)));
}

/** Opens a file of the log as the lines it holds; undefined when it is gone. */
export function openLogFile(disk: Disk, directory: string, name: string): ReadFile | undefined {
  const path = join(directory, name);
  return name.endsWith('.gz') ? disk.openGzip(path) : disk.openRead(path);
}
