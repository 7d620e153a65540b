/** Gzip files read as the bytes they hold. */
import type * as zlib from 'node:zlib';
import type { ReadFile } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';

/** The content of an open gzip file. Closes the file it was given. */
export function openGzip(file: ReadFile, path: string): ReadFile {
  const stat = file.stat();
  let content: Buffer;
  try {
    const { gunzipSync }: typeof zlib = process.getBuiltinModule('node:zlib');
    content = gunzipSync(file.read(0, stat.size));
  } catch (cause) {
    throw new LokiError('io.failed', { attempted: `read "${path}"`, found: messageOf(cause), cause });
  } finally {
    file.close();
  }
  return {
    stat: () => ({ ...stat, size: content.length }),
    read: (position, length) => content.subarray(position, position + length),
    close: () => undefined,
  };
}
