/**
 * A finished file of lines -> the same lines as a gzip file beside it. Written under another name, made durable, read back
 * through the very reader that will read it from now on, and only then given its name: a power cut leaves no such file, or
 * the whole of it. What it leaves under the other name is never read, and is removed by the next try.
 */
import type { Files, ReadFile } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { createSha256 } from '../base/digest.ts';
import { basename, dirname } from '../base/paths.ts';
import { gzipMember, memberBytes, openGzip } from './gzip.ts';

/** What becomes what. `sha256` is that of the content; `mode` what the new file gets, whatever the umask. */
export interface Compression {
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
  readonly mode: number;
}

const lineFeed = 10;

/** Answers after each member how many bytes of `from` are done. */
export function* compressFile(files: Files, { from, to, sha256, mode }: Compression, open: (path: string) => ReadFile): Generator<number> {
  if (files.stat(to) !== undefined) throw new LokiError('conflict', { attempted: `compress "${from}"`, found: `"${to}" exists` });
  const temporary = `${dirname(to)}/.tmp-${basename(to)}`;
  if (files.stat(temporary) !== undefined) files.unlink(temporary);
  const plain = open(from);
  let isDone = false;
  try {
    yield* writeMembers(files, plain, temporary, mode);
    yield* compare(openGzip(open(temporary), temporary), sha256, from);
    files.rename(temporary, to);
    isDone = true;
    files.syncDirectory(dirname(to));
  } finally {
    plain.close();
    if (!isDone) clear(files, temporary);
  }
}

/** create, write, chmod, fdatasync. */
function* writeMembers(files: Files, plain: ReadFile, path: string, mode: number): Generator<number> {
  const { size } = plain.stat();
  const handle = files.open(path, 'create-new', mode);
  try {
    let [at, ordinal] = [0, 0];
    do {
      const content = member(plain, at, size);
      at += content.length;
      const packed = gzipMember(content, ordinal, at >= size);
      for (let written = 0; written < packed.length;) written += files.write(handle, written === 0 ? packed : packed.subarray(written));
      ordinal += 1;
      yield at;
    } while (at < size);
    files.chmod(path, mode);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}

/** About a megabyte from `at` on, up to a line's end where there is one. */
function member(plain: ReadFile, at: number, size: number): Uint8Array {
  const wanted = Math.min(memberBytes, size - at);
  const bytes = plain.read(at, wanted);
  if (bytes.length < wanted) throw new LokiError('io.failed', { attempted: 'compress a log file', found: `it was cut at byte ${at + bytes.length} meanwhile` });
  const end = at + wanted === size ? 0 : bytes.lastIndexOf(lineFeed) + 1;
  return end === 0 ? bytes : bytes.subarray(0, end);
}

function* compare(packed: ReadFile, sha256: string, from: string): Generator<number> {
  try {
    const hash = createSha256();
    const { size } = packed.stat();
    const memory = Buffer.allocUnsafeSlow(Math.min(memberBytes, size));
    for (let at = 0; at < size;) {
      const bytes = packed.read(at, Math.min(memberBytes, size - at), memory);
      hash.add(bytes);
      at += bytes.length;
      yield size;
    }
    const found = hash.hex();
    if (found !== sha256) throw new LokiError('io.failed', { attempted: `compress "${from}"`, found: `what was written has SHA-256 ${found}, and its seal says ${sha256}`, hint: 'The file was changed, or the disk fails: run loki audit verify --full' });
  } finally {
    packed.close();
  }
}

/** Best effort: the next try removes it too. */
function clear(files: Files, path: string): void {
  try {
    files.unlink(path);
  } catch {
    return;
  }
}
