/**
 * Where the files of the embedded store are (contract section 1): `dashboard/store/journal-<n>.jsonl` and
 * `snapshot-<n>.jsonl` below the base directory. Generation n is the snapshot with what stood before it, and the journal
 * with what came after; generation 1 has no snapshot.
 */
import type { Disk } from '../ports.ts';
import { join } from '../base/paths.ts';

const fileShape = /^(journal|snapshot)-([1-9][0-9]{0,14})\.jsonl(\.tmp)?$/;

/** A file of the store, by its name. */
export interface StoreFile {
  readonly name: string;
  readonly kind: 'journal' | 'snapshot';
  readonly generation: number;
  /** Still being written, or left behind by a crash. */
  readonly temporary: boolean;
}

/** Paths below a base directory. */
export interface Layout {
  readonly directory: string;
  readonly torn: string;
  /** What a file is called after another store took the place of its own: in the same folder, where one rename is one step. */
  replaced(stamp: string, name: string): string;
  journal(generation: number): string;
  snapshot(generation: number): string;
}

export function layoutBelow(base: string): Layout {
  const directory = join(base, 'dashboard/store');
  return {
    directory,
    torn: join(base, 'dashboard/torn'),
    replaced: (stamp, name) => `${directory}/replaced-${stamp}.${name}`,
    journal: (generation) => `${directory}/journal-${generation}.jsonl`,
    snapshot: (generation) => `${directory}/snapshot-${generation}.jsonl`,
  };
}

/** The store's files that are there, lowest generation first, a journal before a snapshot. Other names are not ours. */
export function storeFiles(disk: Disk, layout: Layout): readonly StoreFile[] {
  return disk.list(layout.directory).flatMap(fileOf).toSorted((a, b) => a.generation - b.generation || (a.kind < b.kind ? -1 : 1));
}

function fileOf(name: string): readonly StoreFile[] {
  const [, kind, generation, temporary] = fileShape.exec(name) ?? [];
  if (kind !== 'journal' && kind !== 'snapshot') return [];
  return [{ name, kind, generation: Number(generation), temporary: temporary !== undefined }];
}
