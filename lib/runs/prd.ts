/** Reads the document a run starts from. Refuses, before anything else happens, what cannot be one. */
import type { Disk } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';

/** A product requirements document, as the run keeps it. */
export interface Prd {
  readonly path: string;
  readonly text: string;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
}

/** Longer than any document a person wrote for one run. */
export const prdBytes: number = 1024 * 1024;

/** The document at an absolute path. Throws `usage`: missing, a directory, unreadable, empty, over 1 MiB, not UTF-8. */
export function readPrd(disk: Pick<Disk, 'read' | 'stat' | 'realpath'>, path: string): Prd {
  const refuse = (found: string, hint: string, cause?: unknown): LokiError =>
    new LokiError('usage', { attempted: `read PRD "${path}"`, found, hint, ...(cause === undefined ? {} : { cause }) });
  const real = disk.realpath(path);
  const stat = real === undefined ? undefined : disk.stat(real);
  if (real === undefined || stat === undefined) throw refuse('there is no such file', 'Name the document: loki start PRD.md');
  if (stat.kind === 'directory') throw refuse('it is a directory', `Name the document in it, for example ${path.replace(/\/+$/, '')}/PRD.md`);
  if (stat.kind !== 'file') throw refuse('it is a device, socket or pipe', 'Name a plain text file');
  if (stat.size > prdBytes) throw refuse(`it has ${stat.size} bytes, at most ${prdBytes} are read`, 'Split it, or name the part to work on');
  const bytes = readBytes(disk, real, (found, cause) => refuse(found, 'Make the file readable for this user', cause));
  const text = decoded(bytes);
  if (text === undefined) throw refuse('it is not UTF-8 text', 'Save it as UTF-8 text');
  if (text.trim() === '') throw refuse('it is empty', 'Write down what is to be built, then start again');
  return { path: real, text, sha256: sha256Hex(bytes) };
}

function readBytes(disk: Pick<Disk, 'read'>, path: string, refuse: (found: string, cause: unknown) => LokiError): Uint8Array {
  try {
    return disk.read(path, prdBytes) ?? new Uint8Array();
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
}

/** The text without a byte order mark; undefined when it is none. */
function decoded(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
