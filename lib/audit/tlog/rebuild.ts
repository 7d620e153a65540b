/**
 * Makes a tree's files anew where they do not give the root that was signed: from the leaf hashes when those are whole, else
 * from the log's lines. Nothing is written before the result is known to be the signed one.
 */
import type { Disk, Timers } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import type { Checkpoint } from '../../base/merkle/checkpoint.ts';
import { Frontier, type OnComplete } from '../../base/merkle/frontier.ts';
import { hashBytes, lostLeaf, sameHash } from '../../base/merkle/hash.ts';
import { createLeafHasher } from '../../base/merkle/hasher.ts';
import { linesOf, pieces } from '../../journal/lines.ts';
import { seqOf } from '../chain.ts';
import { asBuffer } from '../tail.ts';
import { mostLost, type ChainFiles } from './follow.ts';
import { tileHashes, tileLevels, tilePath } from './tiles.ts';

interface RebuildOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly base: string;
  readonly directory: string;
  readonly chain: string;
  readonly files: ChainFiles;
  readonly fileMode: number;
}

/** Takes leaf hashes in order; false when it has enough. */
type TakeLeaf = (memory: Buffer, at: number) => boolean;
/** Gives every leaf hash from the first on; whether there were enough is for the taker to say. */
type LeafSource = (take: TakeLeaf) => Promise<void>;

const leavesATurn = 4096;

/** Whether the tree is whole again. False: the log gives another root. Throws `audit.incomplete` where its lines have been pruned. */
export async function rebuild(options: RebuildOptions, checkpoint: Checkpoint): Promise<boolean> {
  const hashes = leavesOnDisk(options);
  if (await gives(hashes, checkpoint)) return write(options, hashes, checkpoint.size, 1);
  const lines = leavesOfLines(options);
  if (await gives(lines, checkpoint)) return write(options, lines, checkpoint.size, 0);
  const first = firstSeq(options.files);
  if (first <= 1) return false;
  throw new LokiError('audit.incomplete', {
    attempted: `sign a checkpoint of ${options.chain}`, found: `the hash tree is damaged, and the log begins at entry ${first}: the tree cannot be made anew`,
    hint: `Put a copy of "${options.directory}" back`,
  });
}

async function gives(source: LeafSource, { size, root }: Checkpoint): Promise<boolean> {
  const frontier = await grow(source, size, () => undefined);
  return frontier.size === size && sameHash(frontier.root(), root);
}

async function grow(source: LeafSource, size: number, onComplete: OnComplete): Promise<Frontier> {
  const frontier = new Frontier();
  await source((memory, at) => {
    if (frontier.size < size) frontier.append(memory, at, onComplete);
    return frontier.size < size;
  });
  return frontier;
}

/** Level by level from `least` on, each cut to nothing first: what a power cut leaves is found wanting and made again. */
async function write(options: RebuildOptions, source: LeafSource, size: number, least: number): Promise<boolean> {
  const { disk, base, directory, fileMode } = options;
  for (let level = least; level < tileLevels; level += 1) {
    const wanted = tileHashes(level, size);
    if (wanted === 0 && disk.stat(tilePath(directory, level)) === undefined) continue;
    const file = disk.openRecord(base, tilePath(directory, level), fileMode);
    try {
      file.cut(0);
      let waiting: Buffer[] = [];
      await grow(source, size, (at, memory, offset) => {
        if (at !== 8 * level) return;
        waiting.push(Buffer.from(memory.subarray(offset, offset + hashBytes)));
        if (waiting.length < leavesATurn) return;
        file.append(Buffer.concat(waiting));
        waiting = [];
      });
      if (waiting.length > 0) file.append(Buffer.concat(waiting));
    } finally {
      file.close();
    }
  }
  return true;
}

function leavesOnDisk({ disk, directory, timers }: RebuildOptions): LeafSource {
  return async (take) => {
    const file = disk.openRead(tilePath(directory, 0));
    if (file === undefined) return;
    try {
      for (let from = 0; ; from += leavesATurn) {
        const bytes = asBuffer(file.read(from * hashBytes, leavesATurn * hashBytes));
        for (let at = 0; at + hashBytes <= bytes.length; at += hashBytes) if (!take(bytes, at)) return;
        if (bytes.length < leavesATurn * hashBytes) return;
        await timers.yield();
      }
    } finally {
      file.close();
    }
  };
}

/** Lines as they stand, each with the number that is due; the root tells whether they are the ones. */
function leavesOfLines({ files, timers }: RebuildOptions): LeafSource {
  const hasher = createLeafHasher();
  const hash = Buffer.alloc(hashBytes);
  return async (take) => {
    let size = 0;
    for (const name of files.names()) {
      const file = files.open(name);
      if (file === undefined) continue;
      try {
        for (const piece of pieces(file, 0, file.stat().size)) {
          const bytes = asBuffer(piece.bytes);
          for (const [start, end] of piece.complete ? linesOf(bytes) : []) {
            const seq = seqOf(bytes, start, end);
            // Before a file's first line, entries may have been lost and that accepted: the root tells.
            const lost = piece.offset + start === 0 && seq <= size + 1 + mostLost ? seq - 1 - size : 0;
            for (let n = 0; n < lost; n += 1) {
              size += 1;
              if (!take(Buffer.from(lostLeaf), 0)) return;
            }
            if (seq !== size + 1) continue;
            hasher.hash(hash, 0, bytes, start, end);
            size += 1;
            if (!take(hash, 0)) return;
          }
          await timers.yield();
        }
      } finally {
        file.close();
      }
    }
  };
}

function firstSeq(files: ChainFiles): number {
  for (const name of files.names()) {
    const file = files.open(name);
    if (file === undefined) continue;
    try {
      const bytes = asBuffer(file.read(0, 64));
      if (bytes.length > 0) return seqOf(bytes, 0, bytes.length);
    } finally {
      file.close();
    }
  }
  return 0;
}
