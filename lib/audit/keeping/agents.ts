/** Finished files of a project's agent chain become gzip files. They have no seals: the plain file goes once the other holds the same. */
import type { ReadFile } from '../../ports.ts';
import { messageOf } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { agentChainFiles } from '../agent-files.ts';
import type { Compressed } from './compress.ts';
import { contentHash, type Kept } from './finished.ts';

/** Where a chain's files lie: `base` is the project's directory. */
export interface AgentFiles {
  readonly base: string;
  readonly directory: string;
  /** Agents can write there: a larger file is left as it is, so that none holds up the keeping of the log of record. */
  readonly mostBytes: number;
}

/** Compresses what is put aside. */
export async function compressAgentFiles(kept: Pick<Kept, 'disk' | 'timers' | 'signal'>, { base, directory, mostBytes }: AgentFiles): Promise<Compressed> {
  const compressed: string[] = [];
  const problems: { file: string; found: string }[] = [];
  for (const { name } of agentChainFiles(kept.disk.list(directory)).filter((file) => file.day !== undefined && !file.compressed)) {
    const plain = join(directory, name);
    try {
      const large = [plain, `${plain}.gz`].find((path) => (kept.disk.stat(path)?.size ?? 0) > mostBytes);
      if (large !== undefined) problems.push({ file: large, found: `it is larger than ${Math.floor(mostBytes / 1e6)} MB, which no agent chain's file is: it stays as it is` });
      else if (await compressFile(kept, base, plain)) compressed.push(plain);
      else problems.push({ file: plain, found: `both it and ${name}.gz are there, and they differ` });
    } catch (error) {
      kept.signal?.throwIfAborted();
      problems.push({ file: plain, found: messageOf(error) });
    }
  }
  return { compressed, problems };
}

/** Whether the compressed file holds the same, so that the plain one went. */
async function compressFile(kept: Pick<Kept, 'disk' | 'timers' | 'signal'>, base: string, plain: string): Promise<boolean> {
  const { disk, timers, signal } = kept;
  const packed = `${plain}.gz`;
  const isPacked = disk.stat(packed) !== undefined;
  // Few compressed bytes can stand for very many.
  if (isPacked && contentSize(disk.openGzip(packed)) !== disk.stat(plain)?.size) return false;
  const sha256 = await contentHash(kept, disk.openRead(plain));
  if (sha256 === undefined) return true;
  if (isPacked) {
    if (await contentHash(kept, disk.openGzip(packed)) !== sha256) return false;
  } else {
    for (const _ of disk.compress(base, plain, packed, sha256)) {
      signal?.throwIfAborted();
      await timers.yield();
    }
  }
  disk.remove(plain);
  return true;
}

function contentSize(file: ReadFile | undefined): number | undefined {
  try {
    return file?.stat().size;
  } finally {
    file?.close();
  }
}
