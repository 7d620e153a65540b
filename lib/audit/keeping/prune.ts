/**
 * Pruning: the oldest files go, and what they were stays on record. In this order, each step durable before the next: a
 * checkpoint covers their lines; a signed statement says what goes; an `audit.prune` entry says so in the log itself; then
 * blobs and files are removed, the oldest first. A crash leaves a statement whose files are still there, and the next round
 * goes on from it. Seals stay.
 */
import { isPlainObject } from '../../base/json.ts';
import { LokiError, messageOf } from '../../errors.ts';
import { sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';
import type { AuditEvent } from '../entry.ts';
import { openLogFile } from '../log-file.ts';
import { queryLog } from '../query.ts';
import { isoTime } from '../compose.ts';
import { blobsNamedIn } from './blobs.ts';
import { filesWithContent, holds, writeOnce, type Kept, type KeepProblem } from './finished.ts';
import { planPrune, type Doomed, type Retention } from './plan.ts';
import { openingOf, type Opening } from './scan.ts';
import type { Seal } from './seal.ts';
import { newestStatement, statementFor, statementPath, statementText, type OpenNote, type PrunedFile, type PruneStatement } from './statement.ts';

/** What pruning needs besides the log. */
export interface PruneMeans {
  readonly retention: Retention;
  /** Who asked for it, as an audit actor. */
  readonly actor: string;
  /** Makes a checkpoint of what is in the log now; answers how many entries the newest one covers. */
  readonly advance: () => Promise<number>;
  /** `<origin>/loki/audit`: the log's name, as its checkpoints carry it. Asked when there is one. */
  readonly origin: () => string;
  /** The signed note of a text. */
  readonly sign: (text: string) => Promise<Uint8Array>;
  readonly open: OpenNote;
}

/** What a round of pruning did. */
export interface Pruned {
  readonly pruned: readonly PrunedFile[];
  readonly problems: readonly KeepProblem[];
}

const nothing: Pruned = { pruned: [], problems: [] };

/** Finishes what an earlier round began, then takes what the retention says. */
export async function prune(kept: Kept, means: PruneMeans): Promise<Pruned> {
  const begun = await finishBegun(kept, means);
  if (begun.problems.length > 0) return begun;
  const { doomed, problems } = planPrune(kept, means.retention);
  if (doomed.length === 0) return { pruned: begun.pruned, problems };
  const taken = await take(kept, means, doomed);
  return { pruned: [...begun.pruned, ...taken.pruned], problems: [...problems, ...taken.problems] };
}

async function finishBegun(kept: Kept, means: PruneMeans): Promise<Pruned> {
  const statement = newestStatement(kept.disk, kept.base, kept.tlogDirectory, means.open);
  if (statement === undefined || !statement.files.some(({ file }) => isThere(kept, file))) return nothing;
  return carryOut(kept, means, statement, isRecorded(kept, statement));
}

async function take(kept: Kept, means: PruneMeans, doomed: readonly Doomed[]): Promise<Pruned> {
  const misfit = await misfitOf(kept, doomed);
  if (misfit !== undefined) return { pruned: [], problems: [misfit] };
  const statement = statementOf(kept, means, doomed);
  const covered = await means.advance();
  if (covered < statement.last_seq) return { pruned: [], problems: [{ file: 'checkpoint', found: `it covers ${covered} entries, and ${statement.last_seq} would go` }] };
  const note = await means.sign(statementText(means.origin(), statement));
  writeOnce(kept, statementPath(kept.tlogDirectory, statement.last_seq), note);
  return carryOut(kept, means, statement, false);
}

/** What goes must be what was sealed, without a hole; and what stays must go on from it. */
async function misfitOf(kept: Kept, doomed: readonly Doomed[]): Promise<KeepProblem | undefined> {
  let before: Seal | undefined;
  for (const { seal } of doomed) {
    if (before !== undefined && !follows(before, { firstSeq: seal.first_seq, previousHash: seal.previous_hash })) return { file: seal.file, found: `it does not go on from ${before.file}: nothing is pruned until that is looked into` };
    if (!await holds(kept, seal.file, seal.sha256)) return { file: seal.file, found: 'it is not what was sealed: it stays, and so does what came after it' };
    before = seal;
  }
  const next = filesWithContent(kept)[doomed.length];
  const opening = next === undefined ? undefined : openingIn(kept, next.name);
  const isFollowed = before !== undefined && opening !== undefined && follows(before, opening);
  return isFollowed ? undefined : { file: next?.name ?? 'log', found: 'it does not go on from where the files that would go end: nothing is pruned until that is looked into' };
}

function follows(before: Seal, { firstSeq, previousHash }: Opening): boolean {
  return firstSeq === before.last_seq + 1 && previousHash === before.last_hash;
}

function openingIn({ disk, directory }: Kept, name: string): Opening | undefined {
  const file = openLogFile(disk, directory, name);
  try {
    return file === undefined ? undefined : openingOf(file);
  } finally {
    file?.close();
  }
}

/** Counts on from the statement that ends where the files begin. What is gone without one is not signed away. */
function statementOf({ disk, base, tlogDirectory, clock }: Kept, { retention, open }: PruneMeans, doomed: readonly Doomed[]): PruneStatement {
  const [first, last] = [doomed[0]?.seal, doomed.at(-1)?.seal];
  if (first === undefined || last === undefined) throw new LokiError('internal', { attempted: 'prune the log', found: 'there is nothing to prune' });
  const before = statementFor(disk, base, tlogDirectory, open, first.first_seq, first.previous_hash);
  return {
    first_seq: before?.first_seq ?? first.first_seq, last_seq: last.last_seq, last_hash: last.last_hash,
    entries: (before?.entries ?? 0) + doomed.reduce((sum, { seal }) => sum + seal.entries, 0),
    files: doomed.map(({ seal: { file, first_seq, last_seq, sha256 } }) => ({ file, first_seq, last_seq, sha256 })),
    retention_days: retention.days ?? null, max_files: retention.maxFiles ?? null, time: isoTime(clock.now()),
  };
}

/** Removes what a statement says, once the log says so too. A file that is not what the statement says stays. */
async function carryOut(kept: Kept, means: PruneMeans, statement: PruneStatement, isInLog: boolean): Promise<Pruned> {
  const { disk, directory } = kept;
  const there = statement.files.filter(({ file }) => isThere(kept, file));
  if (!isInLog) await kept.record(pruneEvent(statement, means));
  const pruned: PrunedFile[] = [];
  for (const [at, file] of there.entries()) {
    kept.signal?.throwIfAborted();
    kept.onProgress?.('pruning', at, there.length);
    try {
      if (!await holds(kept, file.file, file.sha256)) return { pruned, problems: [{ file: file.file, found: 'it is not what the statement of its pruning says: it stays' }] };
    } catch (error) {
      kept.signal?.throwIfAborted();
      return { pruned, problems: [{ file: file.file, found: messageOf(error) }] };
    }
    await removeBlobs(kept, file.file);
    disk.remove(join(directory, file.file));
    disk.remove(join(directory, `${file.file}.gz`));
    pruned.push(file);
  }
  return { pruned, problems: [] };
}

/** Before the file: afterwards nobody would know their names. */
async function removeBlobs({ disk, directory, blobDirectory, timers }: Kept, name: string): Promise<void> {
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return;
  try {
    for (const blobs of blobsNamedIn(file)) {
      for (const blob of blobs) disk.remove(join(blobDirectory, blob));
      await timers.yield();
    }
  } finally {
    file.close();
  }
}

function isThere({ disk, directory }: Kept, file: string): boolean {
  return disk.stat(join(directory, file)) !== undefined || disk.stat(join(directory, `${file}.gz`)) !== undefined;
}

/** So many names are told in the entry; the statement has them all. */
const mostNames = 100;

function pruneEvent(statement: PruneStatement, { origin, actor }: PruneMeans): AuditEvent {
  const { files, last_seq, last_hash, retention_days, max_files } = statement;
  return {
    event: 'audit.prune', actor, resource: `prune:${last_seq}`,
    details: {
      first_seq: files[0]?.first_seq ?? 1, last_seq, last_hash, files: files.length, names: files.slice(0, mostNames).map(({ file }) => file),
      retention_days, max_files, statement: `prune-${last_seq}`, text_sha256: sha256Hex(statementText(origin(), statement)),
    },
  };
}

function isRecorded({ disk, directory }: Kept, { last_seq }: PruneStatement): boolean {
  for (const { resource, details } of queryLog(disk, directory, { event: 'audit.prune', after: last_seq })) {
    if (resource === `prune:${last_seq}` || (isPlainObject(details) && details['last_seq'] === last_seq)) return true;
  }
  return false;
}
