/** The files of the two kinds of chain, as a tree follows them. */
import type { Disk } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import { agentChainFiles } from '../agent-files.ts';
import { openLogFile, readableFiles } from '../log-file.ts';
import type { ChainFiles } from './follow.ts';

/** Where a chain's files lie. */
export interface ChainPlace {
  readonly disk: Disk;
  /** Directory below which no record file may be reached through a symlink: LOKI_HOME, or the project's. */
  readonly base: string;
  readonly directory: string;
  readonly fileMode: number;
}

/** The log of record. */
export function recordFiles(place: ChainPlace): ChainFiles {
  const { disk, directory } = place;
  return {
    names: () => readableFiles(disk, directory).map(({ name }) => name),
    open: (name) => openLogFile(disk, directory, name),
    sync: (name) => syncFile(place, name),
  };
}

/** A project's agent chain: the files that are finished, and then the one that grows. */
export function agentFiles(place: ChainPlace): ChainFiles {
  const { disk, directory } = place;
  return {
    names: () => agentChainFiles(disk.list(directory)).map(({ name }) => name),
    open: (name) => openLogFile(disk, directory, name),
    sync: (name) => syncFile(place, name),
  };
}

/** Compressed files were durable before their plain ones went. */
function syncFile({ disk, base, directory, fileMode }: ChainPlace, name: string): void {
  const path = join(directory, name);
  if (name.endsWith('.gz') || disk.stat(path) === undefined) return;
  const file = disk.openRecord(base, path, fileMode);
  try {
    file.sync();
  } finally {
    file.close();
  }
}
