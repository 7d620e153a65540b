/**
 * Messages that wait for their receiver, a file each in `spool/webhooks/`: on the medium before anybody is told that the
 * change was made, removed once the receiver has taken the message. Bounded: a receiver that is away for long costs a
 * folder of small files, and what no longer fits is told.
 */
import type { Disk } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { isCount, objectIn } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import type { Message } from './message.ts';

export interface SpoolPlace {
  readonly disk: Disk;
  /** LOKI_HOME. */
  readonly base: string;
  readonly directory: string;
}

/** A message, where it goes, and how sending it went so far. */
export interface Waiting {
  readonly id: string;
  readonly type: string;
  readonly approvalId: string;
  readonly url: string;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly spooledAt: number;
  readonly attempts: number;
  /** Not tried before then; never again while it is null. */
  readonly nextTry: number | null;
  /** What became of the last attempt. */
  readonly trouble: string | null;
}

const mostFiles = 1000;
const largestFile = 1 << 16;
const fileName = /^apr_[0-9A-Z]{26}_\d{1,3}_[a-z]{1,20}\.json$/;

/** Puts a message in. One that is there already stays as it is. Throws `io.failed` when the spool is full. */
export function spool(place: SpoolPlace, message: Message, url: string, nowMs: number): void {
  const { disk, base, directory } = place;
  const path = join(directory, `${message.id}.json`);
  if (disk.stat(path) !== undefined) return;
  if (waitingNames(place).length >= mostFiles) {
    throw new LokiError('io.failed', { attempted: `keep message ${message.id} for its webhook`, found: `${mostFiles} messages wait already`, hint: 'See loki doctor approvals for what is wrong with the receiver' });
  }
  disk.ensureDirectory(base, directory, 0o700);
  write(place, { ...message, url, spooledAt: nowMs, attempts: 0, nextTry: nowMs, trouble: null });
}

/** Names of the files that wait, the oldest approval's first and in the order of its changes. */
export function waitingNames({ disk, directory }: Pick<SpoolPlace, 'disk' | 'directory'>): readonly string[] {
  return disk.list(directory).filter((name) => fileName.test(name));
}

/** One that waits; undefined when another process has just sent it, or the file is not one of ours. */
export function readWaiting({ disk, base, directory }: SpoolPlace, name: string): Waiting | undefined {
  const bytes = disk.readRecord(base, join(directory, name), largestFile);
  const value = bytes === undefined ? undefined : objectIn(bytes);
  return value === undefined ? undefined : waitingIn(value, name);
}

export function write({ disk, base, directory }: SpoolPlace, waiting: Waiting): void {
  const { id, type, approvalId, url, body, spooledAt, attempts, nextTry, trouble } = waiting;
  const document: JsonObject = { v: 1, id, type, approval_id: approvalId, url, body, spooled_at: spooledAt, attempts, next_try: nextTry, trouble };
  disk.replace(base, join(directory, `${id}.json`), Buffer.from(`${JSON.stringify(document)}\n`), 0o600);
}

export function drop({ disk, directory }: SpoolPlace, { id }: Pick<Waiting, 'id'>): void {
  disk.remove(join(directory, `${id}.json`));
}

function waitingIn(value: JsonObject, name: string): Waiting | undefined {
  const { v, id, type, approval_id: approvalId, url, body, spooled_at: spooledAt, attempts, next_try: nextTry, trouble } = value;
  if (v !== 1 || typeof id !== 'string' || `${id}.json` !== name || typeof type !== 'string' || typeof approvalId !== 'string' || typeof url !== 'string' || typeof body !== 'string') return undefined;
  if (!isCount(spooledAt) || !isCount(attempts) || !(nextTry === null || isCount(nextTry)) || !(trouble === null || typeof trouble === 'string')) return undefined;
  return { id, type, approvalId, url, body, spooledAt, attempts, nextTry, trouble };
}
