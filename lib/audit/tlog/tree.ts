/**
 * Keeps a chain's tree and signs its checkpoints, after the fact: durable lines are read as any reader reads them, checked,
 * and appended as leaves. The order on disk: hashes, then the checkpoint, then where we stand; so that after a power cut at
 * any step hashes may be there that nothing has signed, which are cut off, and never the other way round. Trusts what it
 * signed before, and nothing less: a tree that is smaller, or not what an earlier checkpoint says, is refused with
 * `audit.tampered`, wherever that checkpoint stands (here, at the second place, or told by an entry of the log itself).
 */
import type { Clock, Disk, Lock, Timers } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { isPlainObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { fromBase64, toBase64 } from '../../base/merkle/base64.ts';
import { signCheckpoint, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import { Frontier } from '../../base/merkle/frontier.ts';
import { parts } from '../../base/merkle/subtree.ts';
import { hashBytes, sameHash } from '../../base/merkle/hash.ts';
import { createLeafHasher } from '../../base/merkle/hasher.ts';
import { rootOf } from '../../base/merkle/proof.ts';
import { appendCopy, newestCopy } from './copy.ts';
import { beginning, Follower, type ChainFiles, type LeafSink } from './follow.ts';
import { keysOf, signerOf, type ChainName, type CheckpointKeys } from './key.ts';
import { newestCheckpoint, openTreeReader, type TreeReader } from './reader.ts';
import { rebuild } from './rebuild.ts';
import { readState, writeState, type TreeState } from './state.ts';
import { fold, TileWriter, tileWidth } from './tiles.ts';

/** Why a checkpoint is made. */
export type Reason = 'entries' | 'interval' | 'rotation' | 'exit' | 'heartbeat' | 'request' | 'prune';

export interface TreeOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Of all trees here; never that of a log. */
  readonly lock: Lock;
  readonly lockTimeoutMs: number;
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
  /** Whether that key was made just now. */
  readonly keyMade: boolean;
}

export interface AdvanceOptions {
  /** Cover what is there even if only the log's own entries about checkpoints are new: a heartbeat, or one of those is to be proven. */
  readonly all?: boolean;
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

/** Waiting hashes are written when they are so many bytes. */
const flushBytes = 1 << 21;
/** Under load a checkpoint comes every few milliseconds; the state is a convenience, and is not written so often. */
const stateEveryMs = 1000;

/** What this process knows of the tree from its last checkpoint; good as long as that is still the newest one. */
interface Known {
  readonly note: string | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly frontier: Frontier;
  readonly state: TreeState;
  readonly hashIsKnown: boolean;
  /** A newer checkpoint, from the second place, that the tree must come by. */
  readonly mustAgree?: Checkpoint;
}

export function openTree(options: TreeOptions): Tree {
  let known: Known | undefined;
  let stateWritten = -stateEveryMs;
  let unwritten: TreeState | undefined;
  let copyFailed = false;

  function saveState(state: TreeState, always: boolean): void {
    const { disk, base, directory, fileMode, clock } = options;
    unwritten = state;
    if (!always && clock.monotonic() - stateWritten < stateEveryMs) return;
    writeState(disk, base, directory, state, fileMode);
    [unwritten, stateWritten] = [undefined, clock.monotonic()];
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

  async function advance({ all = false, signal }: AdvanceOptions = {}): Promise<Advanced> {
    await options.lock.acquire(options.lockTimeoutMs);
    try {
      options.disk.ensureDirectory(options.base, options.directory, options.directoryMode);
      const keys = options.keys();
      const before = await current(options, keys, known);
      known = undefined;
      const growth = new Growth(options, before);
      try {
        await growth.follow(signal);
        const vkey = signerOf(keys.signer, options.chain).key.vkey;
        if (growth.fresh === 0 && (!all || growth.size === before.frontier.size)) {
          // Lines that need no checkpoint are read again next time: their hashes were not written.
          known = before.frontier.size === growth.size ? growth.known(before.note, before.checkpoint) : before;
          return { made: false, checkpoint: before.checkpoint, note: before.note, vkey, keyMade: keys.made };
        }
        const { note, checkpoint } = growth.sign(keys);
        known = growth.known(note, checkpoint);
        copy(note, checkpoint);
        saveState(known.state, known.state.size - before.state.size < 100);
        return { made: true, checkpoint, note, vkey, keyMade: keys.made };
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
      if (unwritten !== undefined) saveState(unwritten, true);
    },
  };
}

/** Where the tree stands on disk. What this process remembers is believed as long as the checkpoint on disk is its own. */
async function current(options: TreeOptions, keys: CheckpointKeys, known: Known | undefined): Promise<Known> {
  const chainKeys = keysOf(keys.known, options.chain);
  const reader = openTreeReader({ ...options, keys: chainKeys });
  try {
    const newest = reader.newest();
    if (newest.kind === 'bad') throw refusal('audit.tampered', options.chain, `the newest checkpoint is not to be believed: ${newest.found}`);
    if (newest.kind === 'good' && known !== undefined && newest.note === known.note) return known;
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

/** The number of the newest whole line. */
function lastSeq(files: ChainFiles): number {
  for (const name of files.names().toReversed()) {
    const file = files.open(name);
    if (file === undefined) continue;
    try {
      const { size } = file.stat();
      const from = Math.max(0, size - (1 << 18));
      const text = Buffer.from(file.read(from, size - from)).toString('latin1');
      const last = [...text.slice(0, text.lastIndexOf('\n') + 1).matchAll(/(?:^|\n)\{"seq":(\d{1,16}),/g)].at(-1)?.[1];
      if (last !== undefined) return Number(last);
    } finally {
      file.close();
    }
  }
  return 0;
}

function refusal(code: 'audit.tampered' | 'audit.incomplete', chain: string, found: string): LokiError {
  return new LokiError(code, { attempted: `sign a checkpoint of ${chain}`, found, ...(code === 'audit.tampered' ? { hint: 'Keep the files as they are; see: loki audit verify' } : {}) });
}

const aboutCheckpoints = Buffer.from('"event":"audit.checkpoint"');

/** One growing of the tree, from one checkpoint to the next. */
class Growth implements LeafSink {
  /** New entries but those about checkpoints of this chain. */
  fresh = 0;
  readonly #options: TreeOptions;
  readonly #before: Known;
  readonly #frontier: Frontier;
  readonly #tiles: TileWriter;
  readonly #follower: Follower;
  readonly #hasher = createLeafHasher();
  readonly #hash: Buffer = Buffer.alloc(hashBytes);

  constructor(options: TreeOptions, before: Known) {
    this.#options = options;
    this.#before = before;
    this.#frontier = before.frontier.copy();
    this.#tiles = new TileWriter(options, before.frontier.size, options.fileMode);
    const { chain, files, timers } = options;
    // Where the state is older than the checkpoint, lines in between are passed over.
    const position = { ...before.state, size: before.frontier.size };
    this.#follower = new Follower({ chain, files, timers, sink: this }, position, before.hashIsKnown);
  }

  get size(): number {
    return this.#frontier.size;
  }

  async follow(signal?: AbortSignal): Promise<void> {
    await this.#follower.toEnd(signal);
    const { chain, files } = this.#options;
    if (!this.#follower.met) throw refusal('audit.tampered', chain, `${this.size} entries are covered, and the log ends at ${lastSeq(files)}`);
    const { mustAgree } = this.#before;
    if (mustAgree === undefined || mustAgree.size > this.size) return;
    if (!sameHash(rootOf(mustAgree.size, (part) => this.#tiles.hashOf(part)), mustAgree.root)) {
      throw refusal('audit.tampered', chain, `the checkpoint of ${mustAgree.size} entries at the second place has another root`);
    }
  }

  leaf(bytes: Buffer, start: number, end: number): void {
    this.#hasher.hash(this.#hash, 0, bytes, start, end);
    this.#frontier.append(this.#hash, 0, (level, memory, at) => this.#tiles.take(level, memory, at));
    if (this.#tiles.waiting() > flushBytes) this.#tiles.flush();
    if (!this.#isAboutUs(bytes, start, end)) this.fresh += 1;
  }

  isLeaf(seq: number, bytes: Buffer, start: number, end: number): boolean {
    this.#hasher.hash(this.#hash, 0, bytes, start, end);
    return sameHash(this.#hash, this.#tiles.hashOf({ level: 0, index: seq - 1 }));
  }

  /** Signs and puts everything in its place. */
  sign(keys: CheckpointKeys): { readonly note: string; readonly checkpoint: Checkpoint } {
    const { disk, base, directory, files, fileMode, chain } = this.#options;
    const touched = this.#follower.takeTouched();
    for (const name of touched) files.sync(name);
    this.#assertStillThere();
    this.#tiles.flush();
    const signer = signerOf(keys.signer, chain);
    const checkpoint: Checkpoint = { origin: signer.key.name, size: this.#frontier.size, root: this.#frontier.root() };
    const note = signCheckpoint(checkpoint, signer);
    disk.replace(base, join(directory, 'checkpoint'), Buffer.from(note), fileMode);
    return { note, checkpoint };
  }

  known(note: string | undefined, checkpoint: Checkpoint | undefined): Known {
    const time = /"timestamp":"([^"]{20,30})"/.exec(this.#follower.newestLine.toString('latin1', 0, 200))?.[1] ?? this.#before.state.time;
    return { note, checkpoint, frontier: this.#frontier, state: { ...this.#follower.position, time }, hashIsKnown: true };
  }

  close(): void {
    this.#tiles.close();
  }

  /** A writer whose disk is full takes back what it began to write: the newest line that was followed must still stand there. */
  #assertStillThere(): void {
    const { file: name, offset } = this.#follower.position;
    const line = this.#follower.newestLine;
    const { files, chain } = this.#options;
    const file = name === null || line.length === 0 ? undefined : files.open(name);
    if (file === undefined) return;
    try {
      if (line.equals(Buffer.from(file.read(offset - line.length - 1, line.length)))) return;
    } finally {
      file.close();
    }
    throw new LokiError('io.failed', { attempted: `sign a checkpoint of ${chain}`, found: 'its newest entries were taken back by their writer', hint: 'Nothing is lost: the next checkpoint is made without them' });
  }

  /** An entry about a checkpoint of this very chain; it must not tell of a tree that was another one. */
  #isAboutUs(bytes: Buffer, start: number, end: number): boolean {
    const { chain } = this.#options;
    // Its place in the line is known: after seq and time, which are at most so long.
    const found = bytes.subarray(start, Math.min(end, start + 120)).indexOf(aboutCheckpoints);
    if (chain !== 'record' || found < 0) return false;
    const told = toldCheckpoint(bytes.toString('utf8', start, end), chain);
    if (told === undefined) return false;
    const { checkpoint } = this.#before;
    if (told.size === checkpoint?.size && sameHash(told.root, checkpoint.root)) return true;
    const root = told.size < this.#frontier.size ? rootOf(told.size, (part) => this.#tiles.hashOf(part)) : undefined;
    if (root !== undefined && sameHash(root, told.root)) return true;
    throw refusal('audit.tampered', chain, `entry ${this.#frontier.size} tells of a checkpoint of ${told.size} entries with the root ${toBase64(told.root)}, and the log gives another one`);
  }
}

/** What an `audit.checkpoint` entry tells of a chain's tree; undefined when it tells of another's, or of a refusal. */
function toldCheckpoint(line: string, chain: string): { readonly size: number; readonly root: Uint8Array } | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    const details = isPlainObject(entry) && entry['event'] === 'audit.checkpoint' ? entry['details'] : undefined;
    if (!isPlainObject(details) || details['chain'] !== chain) return undefined;
    const { size, root } = details;
    const hash = typeof root === 'string' ? fromBase64(root) : undefined;
    return typeof size === 'number' && Number.isSafeInteger(size) && hash?.length === hashBytes ? { size, root: hash } : undefined;
  } catch {
    return undefined;
  }
}
