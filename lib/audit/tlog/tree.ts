/**
 * Keeps a chain's tree and signs its checkpoints, after the fact: durable lines are read as any reader reads them, checked,
 * and appended as leaves. The order on disk: hashes, then the checkpoint, then where we stand; so that after a power cut at
 * any step hashes may be there that nothing has signed, which are cut off, and never the other way round. Trusts what it
 * signed before, and nothing less: a tree that is smaller, or not what an earlier checkpoint says, is refused with
 * `audit.tampered`, wherever that checkpoint stands (here, at the second place, or told by an entry of the log itself).
 */
import type { Clock, Disk, Lock, Timers } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import { openCheckpoint, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import { Frontier } from '../../base/merkle/frontier.ts';
import { parts } from '../../base/merkle/subtree.ts';
import { sameHash } from '../../base/merkle/hash.ts';
import { appendCopy, newestCopy } from './copy.ts';
import { beginning, type ChainFiles } from './follow.ts';
import { Growth, lastSeq, refusal, type Known } from './growth.ts';
import { keysOf, signerOf, type ChainName, type CheckpointKeys } from './key.ts';
import { largestCheckpoint, newestCheckpoint, openTreeReader, type TreeReader } from './reader.ts';
import { rebuild } from './rebuild.ts';
import { readState, writeState, type TreeState } from './state.ts';
import { fold, tileWidth } from './tiles.ts';

/** Why a checkpoint is made. */
export type Reason = 'entries' | 'interval' | 'rotation' | 'exit' | 'heartbeat' | 'request' | 'prune';

export interface TreeOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Of all trees here; never that of a log. */
  readonly lock: Lock;
  readonly lockTimeoutMs: number;
  /** That of those who write the chain. Taken for an instant only, to let a writer that is at work finish. */
  readonly writers: Lock;
  /** The newest entry that this process's own log has acknowledged: up to there nothing is left to wait for. */
  readonly acknowledged?: () => number;
  /** LOKI_HOME. */
  readonly base: string;
  /** The tree's own folder. */
  readonly directory: string;
  readonly chain: ChainName;
  readonly files: ChainFiles;
  /** The keys of the log of record, made when there are none. Called under the lock. */
  readonly keys: () => CheckpointKeys;
  readonly fileMode: number;
  readonly directoryMode: number;
  /** The second place. */
  readonly copyDirectory?: string;
  /** After so many new leaves one is signed on the way, and others have their turn at the trees. */
  readonly partLeaves?: number;
  /** Told once when a checkpoint could not be copied there. */
  readonly onCopyFailed?: (error: unknown) => void;
  readonly onCopied?: () => void;
}

/** What came of it. */
export interface Advanced {
  /** False: there was nothing new to cover. */
  readonly made: boolean;
  /** The newest checkpoint; undefined for a chain without entries. */
  readonly checkpoint: Checkpoint | undefined;
  readonly note: string | undefined;
  /** The public key that signed it. */
  readonly vkey: string;
  /** Whether that key signed none before this one. */
  readonly keyMade: boolean;
  /** Entries that are gone, and were in no checkpoint before. */
  readonly lost: readonly LostEntries[];
}

/** Entries that were lost, by their numbers. */
export interface LostEntries {
  readonly first_seq: number;
  readonly last_seq: number;
}

export interface AdvanceOptions {
  /** Cover what is there even if only the log's own entries about checkpoints are new: a heartbeat, or one of those is to be proven. */
  readonly all?: boolean;
  /** Go on where whole files are gone that no checkpoint covers: in the tree `lostLeaf` stands for each of their entries. */
  readonly acceptLoss?: boolean;
  /** Hears of what is lost before anything is signed; when it fails, nothing is. */
  readonly onLoss?: (lost: readonly LostEntries[]) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface Tree {
  /** Covers every durable line by a checkpoint. Throws `audit.tampered`, `audit.incomplete` (nothing is signed then), `lock.timeout`, `io.failed`. */
  advance(options?: AdvanceOptions): Promise<Advanced>;
  /** Writes down where the tree stands. */
  close(): void;
  /** Makes the tree's files anew, whatever they hold, from what gives the newest checkpoint's root. Throws as `advance`. */
  repair(): Promise<void>;
}

/** Under load a checkpoint comes every few milliseconds; the state is a convenience, and is not written so often. */
const stateEveryMs = 1000;
/** A few seconds' work: others wait ten for the trees. */
const usualPart = 500_000;
/** Those who wait for a lock look again every few milliseconds. */
const turnMs = 25;

export function openTree(options: TreeOptions): Tree {
  let known: Known | undefined;
  let stateWritten = -stateEveryMs;
  let unwritten: TreeState | undefined;
  let copyFailed = false;

  async function saveState(state: TreeState, always: boolean): Promise<void> {
    unwritten = state;
    if (!always && options.clock.monotonic() - stateWritten < stateEveryMs) return;
    await options.timers.yield();
    writeUnwritten();
  }

  function writeUnwritten(): void {
    const { disk, base, directory, fileMode, clock } = options;
    if (unwritten === undefined) return;
    stateWritten = clock.monotonic();
    try {
      writeState(disk, base, directory, unwritten, fileMode);
      unwritten = undefined;
    } catch {
      // The checkpoint stands, and is what was asked for; where it stands is found again without this.
    }
  }

  function copy(note: string, checkpoint: Checkpoint): void {
    if (options.copyDirectory === undefined) return;
    try {
      appendCopy(options.disk, options.copyDirectory, checkpoint.origin, note);
      copyFailed = false;
      options.onCopied?.();
    } catch (error) {
      if (!copyFailed) options.onCopyFailed?.(error);
      copyFailed = true;
    }
  }

  /**
   * A log that has grown for long is covered in parts, each by a checkpoint of its own: others need not wait for the whole,
   * and whoever is killed has not worked in vain.
   */
  async function advance(wanted: AdvanceOptions = {}): Promise<Advanced> {
    let keyMade = false;
    let signed: string | undefined;
    for (;;) {
      const { isEnd, ...part } = await advancePart(wanted);
      keyMade ||= part.keyMade;
      if (part.made) signed = part.note;
      // Nothing may be left for the last part; or another process has done it meanwhile, and tells of it.
      if (isEnd) return { ...part, made: signed !== undefined && signed === part.note, keyMade };
      await options.timers.sleep(turnMs);
    }
  }

  async function advancePart({ all = false, acceptLoss = false, onLoss, signal }: AdvanceOptions): Promise<Advanced & { readonly isEnd: boolean }> {
    await options.lock.acquire(options.lockTimeoutMs);
    try {
      options.disk.ensureDirectory(options.base, options.directory, options.directoryMode);
      const keys = options.keys();
      const before = await current(options, keys, known);
      known = undefined;
      const growth = new Growth(options, before, acceptLoss);
      try {
        // What is lost is told with the last checkpoint, and what must come by another one is not signed before it did.
        const inOne = acceptLoss || before.mustAgree !== undefined;
        const isEnd = await growth.follow(signal, inOne ? Number.POSITIVE_INFINITY : options.partLeaves ?? usualPart);
        const vkey = signerOf(keys.signer, options.chain).key.vkey;
        if (isEnd && growth.fresh === 0 && (!all || growth.size === before.frontier.size)) {
          // Lines that need no checkpoint are read again next time: their hashes were not written.
          known = before.frontier.size === growth.size ? growth.known(before.note, before.checkpoint) : before;
          return { made: false, checkpoint: before.checkpoint, note: before.note, vkey, keyMade: keys.made, lost: [], isEnd };
        }
        if (growth.missing.length > 0) await onLoss?.(growth.missing);
        const { note, checkpoint } = await growth.sign(keys);
        known = growth.known(note, checkpoint);
        copy(note, checkpoint);
        await saveState(known.state, !isEnd || known.state.size - before.state.size < 100);
        return { made: true, checkpoint, note, vkey, keyMade: keys.made || !isSignedBy(before.note, keys, options.chain), lost: growth.missing, isEnd };
      } finally {
        growth.close();
      }
    } finally {
      options.lock.release();
    }
  }

  async function repair(): Promise<void> {
    await options.lock.acquire(options.lockTimeoutMs);
    try {
      known = undefined;
      const newest = newestCheckpoint({ ...options, keys: keysOf(options.keys().known, options.chain) });
      if (newest.kind === 'good' && await rebuild(options, newest.checkpoint)) return;
      throw refusal('audit.tampered', options.chain, newest.kind === 'bad' ? newest.found : 'neither the hash tree nor the log gives the root that was signed');
    } finally {
      options.lock.release();
    }
  }

  return {
    advance,
    repair,
    close() {
      const { disk, base, directory } = options;
      // Another process may have gone further since, and said so.
      if ((readState(disk, base, directory)?.size ?? 0) < (unwritten?.size ?? 0)) writeUnwritten();
    },
  };
}

/** Where the tree stands on disk. What this process remembers is believed as long as the checkpoint on disk is its own. */
async function current(options: TreeOptions, keys: CheckpointKeys, known: Known | undefined): Promise<Known> {
  if (known?.note !== undefined && known.note === noteAt(options)) return known;
  const chainKeys = keysOf(keys.known, options.chain);
  const reader = openTreeReader({ ...options, keys: chainKeys });
  try {
    const newest = reader.newest();
    if (newest.kind === 'bad') throw refusal('audit.tampered', options.chain, `the newest checkpoint is not to be believed: ${newest.found}`);
    const state = readState(options.disk, options.base, options.directory);
    const checkpoint = newest.kind === 'good' ? newest.checkpoint : undefined;
    const size = checkpoint?.size ?? 0;
    const fits = checkpoint === undefined || await restored(options, reader, checkpoint);
    if (!fits) throw refusal('audit.tampered', options.chain, `the log does not give the root of the checkpoint of ${size} entries`);
    const mustAgree = newerElsewhere(options, reader, chainKeys, state, size);
    return {
      note: newest.kind === 'good' ? newest.note : undefined, checkpoint,
      frontier: Frontier.of(size, parts(size).map((part) => reader.hashOf(part))),
      state: state !== undefined && state.size <= size ? state : { ...beginning, size, time: null },
      hashIsKnown: state?.size === size,
      ...(mustAgree === undefined ? {} : { mustAgree }),
    };
  } finally {
    reader.close();
  }
}

/** Whether the key that signs now signed the checkpoint before. It may have been made for an attempt that came to nothing. */
function isSignedBy(note: string | undefined, { signer }: CheckpointKeys, chain: ChainName): boolean {
  return note !== undefined && openCheckpoint(note, [signerOf(signer, chain).key]).ok;
}

/** The newest checkpoint's note as it stands, unchecked. */
function noteAt({ disk, base, directory }: TreeOptions): string | undefined {
  const bytes = disk.readRecord(base, join(directory, 'checkpoint'), largestCheckpoint);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

/** Whether the tiles give the checkpoint's root, if need be after they were made anew. */
async function restored(options: TreeOptions, reader: TreeReader, checkpoint: Checkpoint): Promise<boolean> {
  if (reader.agrees(checkpoint) && isNewestLeafRight(reader, checkpoint.size)) return true;
  reader.close();
  return rebuild(options, checkpoint);
}

/** The root of a tree may not depend on the file of its newest leaf, by which the log is met; then the level above tells. */
function isNewestLeafRight(reader: TreeReader, size: number): boolean {
  if (size === 0 || size % tileWidth !== 0) return true;
  try {
    const leaves = Array.from({ length: tileWidth }, (_, at) => reader.leafHash(size - tileWidth + at));
    return sameHash(fold(Buffer.concat(leaves)), reader.hashOf({ level: 8, index: size / tileWidth - 1 }));
  } catch {
    return false;
  }
}

/**
 * A checkpoint that was exchanged for an older one, together with the log: the state and the second place may still tell.
 * What the log itself tells is looked at while it is followed.
 */
function newerElsewhere(options: TreeOptions, reader: TreeReader, keys: CheckpointKeys['known'], state: TreeState | undefined, size: number): Checkpoint | undefined {
  const { files, copyDirectory, disk, chain } = options;
  const origin = keys.at(-1)?.name ?? '';
  const copied = copyDirectory === undefined ? undefined : newestCopy(disk, copyDirectory, origin, keys);
  const seen = Math.max(copied?.size ?? 0, state?.size ?? 0);
  if (copied !== undefined && copied.size <= size && !reader.agrees(copied)) throw refusal('audit.tampered', chain, `the checkpoint of ${copied.size} entries at the second place has another root`);
  const last = seen <= size ? seen : lastSeq(files);
  if (last < seen) throw refusal('audit.tampered', chain, `${seen} entries have been covered before, and the log ends at ${last}`);
  return copied !== undefined && copied.size > size ? copied : undefined;
}
