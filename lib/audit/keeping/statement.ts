/**
 * What pruning took, signed, so that a log that begins later than at seq 1 still says how: a C2SP signed note in
 * `tlog/prune-<last_seq>` whose text is the log's origin, `loki/prune/v1`, and one JSON object. Each statement counts from
 * the beginning, so the newest one is enough.
 */
import type { Disk } from '../../ports.ts';
import { isPlainObject, objectIn } from '../../base/json.ts';
import { longestNote, openNote, type NoteKey } from '../../base/merkle/note.ts';
import { join } from '../../base/paths.ts';
import { parseLogFileName } from '../files.ts';

/** One file that went. */
export interface PrunedFile {
  readonly file: string;
  readonly first_seq: number;
  readonly last_seq: number;
  /** Of its lines, uncompressed. */
  readonly sha256: string;
}

export interface PruneStatement {
  /** 1; a later one where entries before it were gone already, which no pruning took. */
  readonly first_seq: number;
  readonly last_seq: number;
  /** The chain's hash after `last_seq`. */
  readonly last_hash: string;
  /** Entries that are gone, all rounds of pruning together. */
  readonly entries: number;
  /** Those of this round, oldest first. */
  readonly files: readonly PrunedFile[];
  /** The settings it was done by; null for one that was not set. */
  readonly retention_days: number | null;
  readonly max_files: number | null;
  readonly time: string;
}

/** The text of a signed note, when one of this log's keys signed it; undefined otherwise. */
export type OpenNote = (note: Uint8Array) => string | undefined;

const kind = 'loki/prune/v1';
/** More files in one statement would not fit a note. */
export const mostFiles = 2000;

/** Opens notes that one of these keys signed for the log of its own name. */
export function noteOpener(keys: readonly NoteKey[]): OpenNote {
  return (note) => {
    const opened = openNote(note, keys);
    if (!opened.ok) return undefined;
    const origin = opened.text.slice(0, opened.text.indexOf('\n'));
    return keys.some(({ name, vkey }) => name === origin && opened.signedBy.includes(vkey)) ? opened.text : undefined;
  };
}

/** The path of the statement that ends at this number. */
export function statementPath(tlogDirectory: string, lastSeq: number): string {
  return join(tlogDirectory, `prune-${lastSeq}`);
}

/** The text that is signed. */
export function statementText(origin: string, statement: PruneStatement): string {
  return `${origin}\n${kind}\n${JSON.stringify(statement)}\n`;
}

/** A statement from its signed text; undefined when it is none. Who signed it, and for which log, is `OpenNote`'s concern. */
export function parseStatement(text: string): PruneStatement | undefined {
  const [, second, json = '', rest, ...more] = text.split('\n');
  if (second !== kind || rest !== '' || more.length > 0) return undefined;
  const value = objectIn(json);
  return isStatement(value) ? value : undefined;
}

/** The statement that reaches furthest and is signed. */
export function newestStatement(disk: Disk, base: string, tlogDirectory: string, open: OpenNote): PruneStatement | undefined {
  for (const statement of statements(disk, base, tlogDirectory, open)) return statement;
  return undefined;
}

/**
 * The statement by which a log may begin at `firstSeq`, after `previousHash`: the one that ends just before it; or, while
 * the files of a statement are being removed, one that lists a file that begins there.
 */
export function statementFor(disk: Disk, base: string, tlogDirectory: string, open: OpenNote, firstSeq: number, previousHash: string): PruneStatement | undefined {
  for (const statement of statements(disk, base, tlogDirectory, open)) {
    if (statement.last_seq + 1 < firstSeq) return undefined;
    if (statement.last_seq + 1 === firstSeq) return statement.last_hash === previousHash ? statement : undefined;
    if (statement.files.some((file) => file.first_seq === firstSeq)) return statement;
  }
  return undefined;
}

/** The signed ones, newest first. One whose name says another number than its text is passed over. */
function* statements(disk: Disk, base: string, tlogDirectory: string, open: OpenNote): Generator<PruneStatement> {
  const numbers = disk.list(tlogDirectory).map((name) => Number(/^prune-([1-9]\d{0,15})$/.exec(name)?.[1] ?? 0)).filter((number) => number > 0);
  for (const number of numbers.toSorted((a, b) => b - a)) {
    const note = disk.readRecord(base, statementPath(tlogDirectory, number), longestNote);
    const text = note === undefined ? undefined : open(note);
    const statement = text === undefined ? undefined : parseStatement(text);
    if (statement?.last_seq === number) yield statement;
  }
}

const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
const isLimit = (value: unknown): boolean => value === null || isNumber(value);

function isFile(value: unknown): boolean {
  return isPlainObject(value) && typeof value['file'] === 'string' && parseLogFileName(value['file'])?.compressed === false
    && isNumber(value['first_seq']) && isNumber(value['last_seq']) && isHash(value['sha256']);
}

function isStatement(value: unknown): value is PruneStatement & Record<string, unknown> {
  if (!isPlainObject(value)) return false;
  const { first_seq: first, last_seq: last, last_hash: hash, entries, files, retention_days: days, max_files: most, time } = value;
  return isNumber(first) && isNumber(last) && isHash(hash) && isNumber(entries) && Array.isArray(files) && files.every(isFile)
    && isLimit(days) && isLimit(most) && typeof time === 'string';
}
