/** Finished files of a project's agent chain become gzip files. They have no seals: the plain file goes once the other holds the same. */
import { messageOf } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { agentChainFiles } from '../agent-files.ts';
import type { Compressed } from './compress.ts';
import { contentHash, type Kept } from './finished.ts';

/** Where a chain's files lie: `base` is the project's directory. */
export interface AgentFiles {
  readonly base: string;
  readonly directory: string;
}

/** Compresses what is put aside. */
export async function compressAgentFiles(kept: Pick<Kept, 'disk' | 'timers' | 'signal'>, { base, directory }: AgentFiles): Promise<Compressed> {
  const compressed: string[] = [];
  const problems: { file: string; found: string }[] = [];
  for (const { name } of agentChainFiles(kept.disk.list(directory)).filter((file) => file.day !== undefined && !file.compressed)) {
    const plain = join(directory, name);
    try {
      if (await compressFile(kept, base, plain)) compressed.push(plain);
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
  const sha256 = await contentHash(kept, disk.openRead(plain));
  if (sha256 === undefined) return true;
  if (disk.stat(packed) !== undefined) {
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
