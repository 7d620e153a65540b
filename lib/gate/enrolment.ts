/**
 * Enrolment: what a person confirmed about a project, kept in LOKI_HOME where the repository cannot reach it. It pins the
 * digests of its policy file and of agents' hook settings; while one is missing or differs, everything is denied until a person
 * enrols the project again. It also remembers which commands of the project's configuration a person has read and confirmed.
 */
import { LokiError } from '../errors.ts';
import type { Disk } from '../ports.ts';
import type { Pins } from './pins.ts';
import { dirname, join } from '../base/paths.ts';
import { isPlainObject } from '../base/json.ts';

/** An enrolment file, `projects/<id>.json`. */
export interface Enrolment {
  readonly version: 1;
  readonly id: string;
  /** The project's real path. */
  readonly path: string;
  /** ISO 8601. */
  readonly enrolled_at: string;
  readonly enrolled_by: string;
  /** What is pinned of each file, see `pins.ts`. */
  readonly files: Pins;
  /** Digest of the list of commands that a person confirmed; null when none was. */
  readonly commands_digest: string | null;
}

/** Far larger than any enrolment. */
const largestEnrolment = 1 << 20;

/** The enrolment at `path`, or undefined. A file that cannot be understood is an error: guessing would open the project. */
export function readEnrolment(disk: Disk, home: string, path: string): Enrolment | undefined {
  const bytes = disk.readRecord(home, path, largestEnrolment);
  if (bytes === undefined) return undefined;
  const value = parse(Buffer.from(bytes).toString('utf8'));
  if (value === undefined) throw new LokiError('project.changed', { attempted: `read the enrolment "${path}"`, found: 'it is not a valid enrolment file' });
  return value;
}

export function writeEnrolment(disk: Disk, home: string, path: string, enrolment: Enrolment): void {
  disk.ensureDirectory(home, dirname(path), 0o700);
  disk.replace(home, path, Buffer.from(`${JSON.stringify(enrolment, null, 2)}\n`), 0o600);
}

function parse(text: string): Enrolment | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEnrolment(value) ? value : undefined;
}

function isEnrolment(value: unknown): value is Enrolment {
  if (!isPlainObject(value) || value['version'] !== 1) return false;
  const texts = ['id', 'path', 'enrolled_at', 'enrolled_by'].every((name) => typeof value[name] === 'string');
  const files = value['files'];
  const commands = value['commands_digest'];
  return texts && isPlainObject(files) && Object.values(files).every((digest) => typeof digest === 'string')
    && (commands === null || typeof commands === 'string');
}

/** Every enrolment on this machine, in the order of their ids. One that cannot be understood is left out: this is for looking. */
export function listEnrolments(disk: Disk, home: string, directory: string): readonly Enrolment[] {
  return disk.list(directory).filter((name) => name.endsWith('.json')).flatMap((name) => {
    const bytes = disk.readRecord(home, join(directory, name), largestEnrolment);
    const enrolment = bytes === undefined ? undefined : parse(Buffer.from(bytes).toString('utf8'));
    return enrolment === undefined ? [] : [enrolment];
  });
}
