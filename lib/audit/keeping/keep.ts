/** One round of looking after a log: seal what is finished, compress what is over, prune what is old. In this order. */
import { compressSealed } from './compress.ts';
import type { Kept, KeepProblem } from './finished.ts';
import { prune, type PruneMeans } from './prune.ts';
import { sealFinished } from './sealing.ts';

/** What is wanted of a round. */
export interface KeepRound {
  readonly compress: boolean;
  readonly prune: PruneMeans | undefined;
}

/** What it did, by the plain names of files. */
export interface RoundReport {
  readonly sealed: readonly string[];
  readonly compressed: readonly string[];
  readonly pruned: readonly string[];
  readonly problems: readonly KeepProblem[];
}

/** Nothing is compressed or pruned before every seal is in the log that should be. */
export async function keepRound(kept: Kept, { compress, prune: means }: KeepRound): Promise<RoundReport> {
  const { sealed, isSure, problems } = await sealFinished(kept);
  if (!isSure) return { sealed, compressed: [], pruned: [], problems };
  const packing = compress ? await compressSealed(kept) : { compressed: [], problems: [] };
  const pruning = means === undefined ? { pruned: [], problems: [] } : await prune(kept, means);
  return {
    sealed, compressed: packing.compressed, pruned: pruning.pruned.map(({ file }) => file),
    problems: [...problems, ...packing.problems, ...pruning.problems],
  };
}
