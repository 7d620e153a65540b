/**
 * Sealed files whose day is over become gzip files. The compressed file is whole, durable and compared with the seal before
 * the plain one goes, so every crash leaves at least one of the two; where both stand, the next round looks whether they
 * hold the same, and finishes, or leaves both.
 */
import { LokiError, messageOf, unreadBecause } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { dayOf, plainName } from '../files.ts';
import { contentHash, filesWithContent, type Kept, type KeepProblem } from './finished.ts';
import { readSeal, type Seal } from './seal.ts';

/** What a round of compressing did. */
export interface Compressed {
  readonly compressed: readonly string[];
  readonly problems: readonly KeepProblem[];
}

/** Compresses what is sealed and older than today. */
export async function compressSealed(kept: Kept): Promise<Compressed> {
  const today = dayOf(kept.clock.now());
  const compressed: string[] = [];
  const problems: KeepProblem[] = [];
  for (const { name, day } of filesWithContent(kept).slice(0, -1).filter((file) => !file.compressed)) {
    const seal = day < today ? readSeal(kept.disk, kept.base, kept.tlogDirectory, name) : undefined;
    if (seal === undefined) continue;
    try {
      const problem = await compressOne(kept, name, seal);
      if (problem === undefined) compressed.push(name);
      else problems.push({ file: name, found: problem });
    } catch (error) {
      kept.signal?.throwIfAborted();
      problems.push({ file: name, found: messageOf(error) });
      // A full disk is full for the next file too.
      if (error instanceof LokiError && error.code === 'io.failed' && /ENOSPC|EDQUOT/.test(messageOf(error))) break;
    }
  }
  return { compressed, problems };
}

/** Says what stands in the way. */
async function compressOne(kept: Kept, name: string, seal: Seal): Promise<string | undefined> {
  const { disk, base, directory, timers, signal } = kept;
  const plain = join(directory, name);
  const packed = `${plain}.gz`;
  if (disk.stat(packed) === undefined) {
    for (const done of disk.compress(base, plain, packed, seal.sha256)) {
      signal?.throwIfAborted();
      kept.onProgress?.(`compressing ${plainName(name)}`, done, seal.bytes);
      await timers.yield();
    }
  } else {
    const misfit = await misfitOf(kept, name, seal);
    if (misfit !== undefined) return misfit;
  }
  disk.remove(plain);
  return undefined;
}

/** Both stand there: of an earlier round that ended in the middle, or because somebody made one of them. */
async function misfitOf(kept: Kept, name: string, seal: Seal): Promise<string | undefined> {
  const { disk, directory } = kept;
  const path = join(directory, name);
  if (await contentHash(kept, disk.openRead(path)) !== seal.sha256) return `both ${name} and ${name}.gz are there, and the first is not what was sealed`;
  try {
    if (await contentHash(kept, disk.openGzip(`${path}.gz`)) === seal.sha256) return undefined;
  } catch (error) {
    kept.signal?.throwIfAborted();
    return `both ${name} and ${name}.gz are there: ${unreadBecause(error)}`;
  }
  return `both ${name} and ${name}.gz are there, and the second is not what was sealed`;
}
