/**
 * What was found before and is known: by the path, relative to the baseline's own directory, and the fingerprint of what was
 * found. The same secret in another file is new. The format is docs/formats/scan.md.
 */
import { LokiError } from '../../errors.ts';
import type { Disk } from '../../ports.ts';
import { isPlainObject } from '../../base/json.ts';
import { dirname } from '../../base/paths.ts';
import type { Found } from './scan.ts';

const largest = 64 * 1024 * 1024;
const version = 1;

export interface Baseline {
  has(path: string, fingerprint: string): boolean;
}

/** `..` as often as needed. */
export function relativeTo(directory: string, path: string): string {
  const [from, to] = [directory.split('/').filter(Boolean), path.split('/').filter(Boolean)];
  let shared = 0;
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared += 1;
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}

/** Throws for a file that is missing or is none. */
export function readBaseline(disk: Disk, path: string): Baseline {
  const refuse = (found: string): LokiError => new LokiError('usage', { attempted: `read the baseline "${path}"`, found, hint: 'Write one with: loki scan --write-baseline FILE' });
  const bytes = disk.read(path, largest);
  if (bytes === undefined) throw refuse('there is no such file');
  const directory = directoryOf(disk, path);
  const known = new Set<string>();
  for (const [at, entry] of entriesIn(bytes, refuse).entries()) {
    if (!isPlainObject(entry) || typeof entry['path'] !== 'string' || typeof entry['fingerprint'] !== 'string') throw refuse(`entry ${at + 1} has no "path" and "fingerprint"`);
    known.add(`${entry['fingerprint']} ${entry['path']}`);
  }
  return { has: (file, fingerprint) => known.has(`${fingerprint} ${relativeTo(directory, file)}`) };
}

function entriesIn(bytes: Uint8Array, refuse: (found: string) => LokiError): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The words of the parser hold what it found, which may be a secret.
    throw refuse('it is no JSON');
  }
  if (!isPlainObject(value) || value['version'] !== version || !Array.isArray(value['findings'])) throw refuse(`it is no baseline of version ${version}`);
  return value['findings'];
}

/** Written whole or not at all, in an order that keeps differences small. Throws in place of writing over a file that is no baseline. */
export function writeBaseline(disk: Disk, path: string, found: readonly Found[]): number {
  const directory = directoryOf(disk, path);
  const before = disk.read(path, largest);
  if (before !== undefined && before.length > 0) entriesIn(before, (what) => new LokiError('usage', { attempted: `write the baseline "${path}"`, found: `a file is there, and ${what}`, hint: 'Name another file, or remove this one first' }));
  const lines = [...new Set(found.map(({ path: file, rule, fingerprint }) => JSON.stringify({ path: relativeTo(directory, file), rule, fingerprint })))].sort();
  const making = disk.beginFile(path, 0o644);
  try {
    making.write(new TextEncoder().encode(`{\n  "version": ${version},\n  "findings": [\n${lines.map((line) => `    ${line}`).join(',\n')}\n  ]\n}\n`));
    making.settle();
    making.finish(true);
  } finally {
    making.abandon();
  }
  return lines.length;
}

function directoryOf(disk: Disk, path: string): string {
  return disk.realpath(dirname(path)) ?? dirname(path);
}
