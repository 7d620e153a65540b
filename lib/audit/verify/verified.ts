/**
 * What was verified, and when: so that the next verification reads only the files that changed since. A signed note in
 * `tlog/verified.json`, by the key that signs checkpoints: whoever cannot sign cannot have files passed over. Its text is the
 * log's name, `loki/verified/v1`, and one JSON object.
 */
import type { Disk, FileStat } from '../../ports.ts';
import { isPlainObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { longestNote, openNote, signNote, type NoteKey, type NoteSigner } from '../../base/merkle/note.ts';
import type { SeenFile } from './walk-files.ts';
import type { FileSummary } from './walk.ts';

/** One file as it was, and what was found in it. */
interface VerifiedFile {
  readonly name: string;
  readonly size: number;
  readonly inode: number;
  readonly device: number;
  readonly changed_ms: number;
  readonly content: number;
  readonly entries: number;
  readonly first_seq: number;
  readonly previous_hash: string;
  readonly last_seq: number;
  readonly last_hash: string;
}

/** What is known of every chain. */
export interface Verified {
  /** Milliseconds since the epoch, when that verification began. */
  readonly time: number;
  readonly chains: ReadonlyMap<string, readonly VerifiedFile[]>;
}

const kind = 'loki/verified/v1';
const fileName = 'verified.json';
/** File systems date changes by the tick, some by the second: a file changed so shortly before may have changed again since. */
const settledAfterMs = 3000;

export interface VerifiedPlace {
  readonly disk: Disk;
  readonly base: string;
  readonly tlog: string;
}

/** The newest state that one of the keys signed; undefined when there is none to be believed. */
export function readVerified({ disk, base, tlog }: VerifiedPlace, keys: readonly NoteKey[]): Verified | undefined {
  try {
    const note = disk.readRecord(base, join(tlog, fileName), longestNote);
    const opened = note === undefined ? undefined : openNote(note, keys);
    if (opened?.ok !== true) return undefined;
    const [origin, second, json = ''] = opened.text.split('\n');
    if (second !== kind || !keys.some(({ name, vkey }) => name === origin && opened.signedBy.includes(vkey))) return undefined;
    return parse(JSON.parse(json));
  } catch {
    // It only saves time.
    return undefined;
  }
}

function parse(value: unknown): Verified | undefined {
  if (!isPlainObject(value) || typeof value['time'] !== 'number' || !isPlainObject(value['chains'])) return undefined;
  const chains = Object.entries(value['chains']).map(([chain, files]): [string, readonly VerifiedFile[]] => [chain, Array.isArray(files) ? files.filter(isVerifiedFile) : []]);
  return { time: value['time'], chains: new Map(chains) };
}

const numbers = ['size', 'inode', 'device', 'changed_ms', 'content', 'entries', 'first_seq', 'last_seq'] as const;
const texts = ['name', 'previous_hash', 'last_hash'] as const;

function isVerifiedFile(value: unknown): value is VerifiedFile & Record<string, unknown> {
  return isPlainObject(value) && numbers.every((name) => typeof value[name] === 'number') && texts.every((name) => typeof value[name] === 'string');
}

/** What was found in a file that has not changed since. */
export function knownFile({ time, chains }: Verified, chain: string, name: string, stat: FileStat): FileSummary | undefined {
  const file = chains.get(chain)?.find((each) => each.name === name);
  const isSame = file !== undefined && file.size === stat.size && file.inode === stat.inode && file.device === stat.device
    && file.changed_ms === stat.changedMs && stat.changedMs < time - settledAfterMs;
  if (!isSame) return undefined;
  const { content, entries, first_seq: firstSeq, previous_hash: previousHash, last_seq: lastSeq, last_hash: lastHash } = file;
  return { name, size: content, entries, firstSeq, previousHash, lastSeq, lastHash };
}

/** Keeps what was found, signed. The caller has found nothing wrong with any of the chains. */
export function writeVerified({ disk, base, tlog }: VerifiedPlace, signer: NoteSigner, time: number, chains: ReadonlyMap<string, readonly SeenFile[]>): void {
  const files = Object.fromEntries([...chains].map(([chain, seen]) => [chain, seen.flatMap(rowOf)]));
  const note = Buffer.from(signNote(`${signer.key.name}\n${kind}\n${JSON.stringify({ time, chains: files })}\n`, signer));
  if (note.length <= longestNote) disk.replace(base, join(tlog, fileName), note, 0o600);
}

function rowOf({ name, stat, summary }: SeenFile): readonly VerifiedFile[] {
  if (summary === undefined) return [];
  return [{
    name, size: stat.size, inode: stat.inode, device: stat.device, changed_ms: stat.changedMs, content: summary.size, entries: summary.entries,
    first_seq: summary.firstSeq, previous_hash: summary.previousHash, last_seq: summary.lastSeq, last_hash: summary.lastHash,
  }];
}
