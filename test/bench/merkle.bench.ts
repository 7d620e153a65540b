/** Proofs out of the tiles of ten million entries. */
import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signCheckpoint } from '../../lib/base/merkle/checkpoint.ts';
import { leafHash, nodeHash } from '../../lib/base/merkle/hash.ts';
import { noteSigner } from '../../lib/base/merkle/note.ts';
import { verifyInclusion } from '../../lib/base/merkle/proof.ts';
import { openTreeReader } from '../../lib/audit/tlog/reader.ts';
import { tileHashes, tileLevels, tilePath } from '../../lib/audit/tlog/tiles.ts';
import { createHost } from '../../lib/host/host.ts';
import type { Bench } from './harness.ts';

const entries = 10_000_000;

/** A tree all of whose leaves are the same: then so are all hashes of a level, and its files are soon written. */
function writeTiles(directory: string): void {
  let hash = leafHash(Buffer.from('entry'));
  for (let level = 0; level < tileLevels; level += 1) {
    const block = Buffer.alloc(1 << 20);
    for (let at = 0; at < block.length; at += hash.length) block.set(hash, at);
    const handle = openSync(tilePath(directory, level), 'w');
    for (let left = tileHashes(level, entries) * hash.length; left > 0; left -= block.length) writeSync(handle, block, 0, Math.min(left, block.length));
    closeSync(handle);
    for (let step = 0; step < 8; step += 1) hash = nodeHash(hash, hash);
  }
}

const proof: Bench = {
  name: 'merkle-proof', unit: 'proofs', rounds: 7, promise: { kind: 'at most plus', milliseconds: 1000 },
  async prepare() {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
    const directory = join(base, 'tlog');
    mkdirSync(directory);
    writeTiles(directory);
    const signer = noteSigner('bench/loki/audit', new Uint8Array(32));
    const { disk } = createHost(() => base);
    const place = { disk, base, directory, keys: [signer.key] };
    const first = openTreeReader(place);
    writeFileSync(join(directory, 'checkpoint'), signCheckpoint({ size: entries, root: first.rootAt(entries) }, signer));
    first.close();
    let index = 1;
    return {
      subject: {
        name: `checkpoint read and checked, proof of one entry among ${entries.toLocaleString('en')} made and checked`,
        run() {
          index = (index * 48_271) % entries;
          const tree = openTreeReader(place);
          const newest = tree.newest();
          if (newest.kind !== 'good') throw new Error('the checkpoint is not good');
          const claim = { leafHash: tree.leafHash(index), index, size: entries, proof: tree.inclusionProof(index, entries), root: newest.checkpoint.root };
          tree.close();
          if (!verifyInclusion(claim)) throw new Error('the proof does not hold');
          return 1;
        },
      },
      floor: { name: 'one hash', run: () => leafHash(Buffer.from('entry')).length / 32 },
      clean: () => rmSync(base, { recursive: true }),
    };
  },
};

export const merkleBenches: readonly Bench[] = [proof];
