/** Proofs out of the tiles of ten million entries, and of entries that must be found in the log's files first. */
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signCheckpoint } from '../../lib/base/merkle/checkpoint.ts';
import { leafHash, nodeHash } from '../../lib/base/merkle/hash.ts';
import { noteSigner } from '../../lib/base/merkle/note.ts';
import { verifyInclusion } from '../../lib/base/merkle/proof.ts';
import { sealLine } from '../../lib/audit/chain.ts';
import { recordFiles } from '../../lib/audit/tlog/chain-files.ts';
import { proveEntry } from '../../lib/audit/tlog/prove.ts';
import { openTreeReader } from '../../lib/audit/tlog/reader.ts';
import { fold, tileHashes, tileLevels, tilePath, tileWidth } from '../../lib/audit/tlog/tiles.ts';
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

/** Entries of a file: three tiles of level 2, and about the hundred megabytes at which a file is full. */
const fileEntries = 3 * 65_536;
/** The files that are asked for; of the others there is the first line, which is all that is read of them. */
const [plainFile, compressedFile] = [12, 38];

interface Written {
  readonly name: string;
  readonly sha256: string;
  /** The files' leaf hashes, one after the other. */
  readonly leaves: Buffer;
}

function writeFile(directory: string, file: number, lines: number): Written {
  const name = `audit-${new Date(Date.UTC(2026, 0, 1 + file)).toISOString().slice(0, 10)}.jsonl`;
  const leaves = Buffer.alloc(32 * lines);
  const handle = openSync(join(directory, name), 'w');
  const sha256 = createHash('sha256');
  let [previous, text] = ['0'.repeat(64), ''];
  for (let n = 0; n < lines; n += 1) {
    const seq = file * fileEntries + n + 1;
    const sealed = sealLine(previous, JSON.stringify({ seq, timestamp: '2026-01-01T00:00:00.000Z', event: 'policy.allow', level: 'info', actor: 'agent:claude', resource: 'session:ses_01J00000000000000000000000', details: { action: { kind: 'fs.write', file_path: '/home/user/project/src/index.ts', content: { sha256: previous, bytes: n } }, decision: 'ALLOW' }, metadata: { hostname: 'dev-machine', pid: 12345, version: '0.1.0' } }));
    previous = sealed.hash;
    text += sealed.line;
    leaves.set(leafHash(Buffer.from(sealed.line.slice(0, -1))), 32 * n);
    if (text.length > 1e6 || n === lines - 1) { writeSync(handle, text); sha256.update(text); text = ''; }
  }
  closeSync(handle);
  return { name, sha256: sha256.digest('hex'), leaves };
}

/** Puts the hashes of a whole file into the tiles. */
function patchTiles(directory: string, file: number, leaves: Buffer): void {
  for (let [level, hashes] = [0, leaves]; level <= 2; level += 1) {
    const handle = openSync(tilePath(directory, level), 'r+');
    writeSync(handle, hashes, 0, hashes.length, (file * leaves.length) / 256 ** level);
    closeSync(handle);
    const above = hashes.length / tileWidth;
    hashes = level < 2 ? Buffer.concat(Array.from({ length: above / 32 }, (_, n) => fold(hashes.subarray(32 * tileWidth * n, 32 * tileWidth * (n + 1))))) : hashes;
  }
}

const found: Bench = {
  name: 'audit-prove', unit: 'proofs', rounds: 7, promise: { kind: 'at most plus', milliseconds: 1000 },
  async prepare() {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
    const [directory, audit] = [join(base, 'tlog'), join(base, 'audit')];
    for (const path of [directory, audit]) mkdirSync(path, { mode: 0o700 });
    writeTiles(directory);
    const { disk } = createHost(() => base);
    for (let file = 0; file * fileEntries < entries; file += 1) {
      const isAsked = file === plainFile || file === compressedFile;
      const { name, sha256, leaves } = writeFile(audit, file, isAsked ? fileEntries : 1);
      if (isAsked) patchTiles(directory, file, leaves);
      if (file !== compressedFile) continue;
      for (const _ of disk.compress(base, join(audit, name), join(audit, `${name}.gz`), sha256));
      rmSync(join(audit, name));
    }
    const signer = noteSigner('bench/loki/audit', new Uint8Array(32));
    const place = { disk, base, directory, keys: [signer.key] };
    const first = openTreeReader(place);
    writeFileSync(join(directory, 'checkpoint'), signCheckpoint({ size: entries, root: first.rootAt(entries) }, signer));
    first.close();
    const files = recordFiles({ disk, base, directory: audit, fileMode: 0o600 });
    let count = 1;
    return {
      subject: {
        name: `entry among ${entries.toLocaleString('en')} found in a plain and in a compressed file of 100 MB, proven`,
        run() {
          for (const file of [plainFile, compressedFile]) {
            count += 1;
            const tree = openTreeReader(place);
            const proven = proveEntry(tree, files, file * fileEntries + 1 + (count * 48_271) % fileEntries);
            tree.close();
            if (proven?.line === undefined) throw new Error('there is no proof');
          }
          return 2;
        },
      },
      floor: { name: 'one hash', run: () => leafHash(Buffer.from('entry')).length / 32 },
      clean: () => rmSync(base, { recursive: true }),
    };
  },
};

export const merkleBenches: readonly Bench[] = [proof, found];
