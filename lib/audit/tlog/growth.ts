/**
 * One growing of a tree, from one checkpoint to the next: lines are followed, their hashes kept, and when that was to the
 * end, what is covered is made sure of and signed. Others have their turn between any two steps that take time.
 */
import { LokiError } from '../../errors.ts';
import { isCount, isPlainObject, objectIn } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { fromBase64, toBase64 } from '../../base/merkle/base64.ts';
import { signCheckpoint, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import type { Frontier } from '../../base/merkle/frontier.ts';
import { hashBytes, lostLeaf, sameHash } from '../../base/merkle/hash.ts';
import { createLeafHasher } from '../../base/merkle/hasher.ts';
import { rootOf } from '../../base/merkle/proof.ts';
import { Follower, type ChainFiles, type LeafSink } from './follow.ts';
import { signerOf, type CheckpointKeys } from './key.ts';
import type { TreeState } from './state.ts';
import { TileWriter } from './tiles.ts';
import type { LostEntries, TreeOptions } from './tree.ts';

/** What this process knows of the tree from its last checkpoint; good as long as that is still the newest one. */
export interface Known {
  readonly note: string | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly frontier: Frontier;
  readonly state: TreeState;
  readonly hashIsKnown: boolean;
  /** A newer checkpoint, from the second place, that the tree must come by. */
  readonly mustAgree?: Checkpoint;
}

/** Waiting hashes are written when they are so many bytes. */
const flushBytes = 1 << 21;

const aboutCheckpoints = Buffer.from('"event":"audit.checkpoint"');
/** Bytes of a line before its event, beside the digits of its number, when its time is written as this program writes it. */
const beforeEvent = '{"seq":,"timestamp":"2026-01-01T00:00:00.000Z",'.length;
/** `"event":"audit.ch` in words of four bytes. */
const [event0, event4, event8, event12] = [0, 4, 8, 13].map((at) => aboutCheckpoints.readInt32LE(at));

/** Whether line `seq` may be about a checkpoint. Asked of every line: where its event stands is known in all that are ours. */
function mayTell(bytes: Buffer, start: number, end: number, seq: number): boolean {
  const at = start + beforeEvent + String(seq).length;
  if (at + aboutCheckpoints.length < end && bytes.readInt32LE(at) === event0 && bytes.readInt32LE(at + 4) === event4) {
    return bytes.readInt32LE(at + 8) === event8 && bytes.readInt32LE(at + 13) === event12;
  }
  // After seq and time, which are at most so long.
  return bytes.subarray(start, Math.min(end, start + 120)).includes(aboutCheckpoints);
}

/** One growing of the tree, from one checkpoint to the next. */
export class Growth implements LeafSink {
  /** New entries but those about checkpoints of this chain. */
  fresh = 0;
  readonly missing: LostEntries[] = [];
  readonly #options: TreeOptions;
  readonly #before: Known;
  readonly #frontier: Frontier;
  readonly #tiles: TileWriter;
  readonly #follower: Follower;
  readonly #hasher = createLeafHasher();
  readonly #hash: Buffer = Buffer.alloc(hashBytes);

  constructor(options: TreeOptions, before: Known, acceptLoss: boolean) {
    this.#options = options;
    this.#before = before;
    this.#frontier = before.frontier.copy();
    this.#tiles = new TileWriter(options, before.frontier.size, options.fileMode);
    const { chain, files, timers } = options;
    // Where the state is older than the checkpoint, lines in between are passed over.
    const position = { ...before.state, size: before.frontier.size };
    this.#follower = new Follower({ chain, files, timers, sink: this, acceptLoss }, position, before.hashIsKnown);
  }

  get size(): number {
    return this.#frontier.size;
  }

  /** Whether it followed to the end; else some way beyond `most` new leaves. */
  async follow(signal: AbortSignal | undefined, most: number): Promise<boolean> {
    const isEnd = await this.#follower.toEnd(signal, this.#before.frontier.size + most);
    const { chain, files } = this.#options;
    if (!this.#follower.met) throw refusal('audit.tampered', chain, `${this.size} entries are covered, and the log ends at ${lastSeq(files)}`);
    const { mustAgree } = this.#before;
    if (mustAgree === undefined || mustAgree.size > this.size) return isEnd;
    if (!sameHash(rootOf(mustAgree.size, (part) => this.#tiles.hashOf(part)), mustAgree.root)) {
      throw refusal('audit.tampered', chain, `the checkpoint of ${mustAgree.size} entries at the second place has another root`);
    }
    return isEnd;
  }

  leaf(bytes: Buffer, start: number, end: number): void {
    this.#hasher.hash(this.#hash, 0, bytes, start, end);
    this.#frontier.append(this.#hash, 0, (level, memory, at) => this.#tiles.take(level, memory, at));
    if (this.#tiles.waiting() > flushBytes) this.#tiles.flushAll();
    if (!this.#isAboutUs(bytes, start, end)) this.fresh += 1;
  }

  lost(count: number): void {
    this.missing.push({ first_seq: this.size + 1, last_seq: this.size + count });
    lostLeaf.forEach((byte, at) => { this.#hash[at] = byte; });
    for (let n = 0; n < count; n += 1) {
      this.#frontier.append(this.#hash, 0, (level, memory, at) => this.#tiles.take(level, memory, at));
      if (this.#tiles.waiting() > flushBytes) this.#tiles.flushAll();
    }
  }

  isLeaf(seq: number, bytes: Buffer, start: number, end: number): boolean {
    this.#hasher.hash(this.#hash, 0, bytes, start, end);
    return sameHash(this.#hash, this.#tiles.hashOf({ level: 0, index: seq - 1 }));
  }

  /** Signs and puts everything in its place. Each sync takes as long as a batch of the log's: others have their turn in between. */
  async sign(keys: CheckpointKeys): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
    const { disk, base, directory, fileMode, chain, timers } = this.#options;
    await this.#settle();
    for (const level of this.#tiles.waitingLevels()) {
      this.#tiles.flush(level);
      await timers.yield();
    }
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

  /**
   * What is covered is durable, and nobody takes it back any more. A line can be read before its writer has synced it; when
   * that fails, the writer sets it aside, and that under its lock: whoever was at work is waited for. Our own log's
   * acknowledgement says the same of everything before it: who appends makes what others left durable first.
   */
  async #settle(): Promise<void> {
    const { acknowledged, files, lockTimeoutMs, writers } = this.#options;
    const touched = this.#follower.takeTouched();
    if (acknowledged !== undefined && acknowledged() >= this.size) return;
    await writers.acquire(lockTimeoutMs);
    writers.release();
    for (const name of touched) files.sync(name);
    this.#assertStillThere();
  }

  /** Lines that their writer took back: the newest that was followed must still stand there. */
  #assertStillThere(): void {
    const { file: name, offset } = this.#follower.position;
    const line = this.#follower.newestLine;
    const { files, chain } = this.#options;
    // At the beginning of a file that holds no entry yet: the line is in one before, on which its successor was built.
    const file = name === null || line.length === 0 || offset === 0 ? undefined : files.open(name);
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
    if (chain !== 'record' || !mayTell(bytes, start, end, this.#frontier.size)) return false;
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
  const entry = objectIn(line);
  const details = entry?.['event'] === 'audit.checkpoint' ? entry['details'] : undefined;
  if (!isPlainObject(details) || details['chain'] !== chain) return undefined;
  const { size, root } = details;
  const hash = typeof root === 'string' ? fromBase64(root) : undefined;
  return isCount(size) && hash?.length === hashBytes ? { size, root: hash } : undefined;
}

/** The number of the newest whole line. */
export function lastSeq(files: ChainFiles): number {
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

export function refusal(code: 'audit.tampered' | 'audit.incomplete', chain: string, found: string): LokiError {
  return new LokiError(code, { attempted: `sign a checkpoint of ${chain}`, found, ...(code === 'audit.tampered' ? { hint: 'Keep the files as they are; see: loki audit verify' } : {}) });
}
