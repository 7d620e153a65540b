/**
 * Log files of another format that stand where ours belong: those of the predecessor, whose chain began anew in every file
 * and whose entries carry no sequence number. They are moved aside, whole, and the next `audit.open` names their hashes.
 */
import type { Disk } from '../ports.ts';
import { sha256Hex } from '../base/digest.ts';
import { join } from '../base/paths.ts';
import { logFiles } from './files.ts';
import { tryLogFile } from './log-file.ts';

export interface LegacyFile {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

interface LegacyPlaces {
  readonly disk: Disk;
  readonly base: string;
  readonly directory: string;
  readonly legacyDirectory: string;
  readonly directoryMode: number;
}

const ourOpening = '{"seq":';
const largestLegacyFile = 2 ** 31;

/**
 * Moves them and says what was moved. While the log has no entry yet, that includes those moved before: whoever moved them
 * may have died, or met a full disk, before it was recorded. Costs one short read of the newest file when there is nothing to do.
 */
export function moveLegacyFiles(places: LegacyPlaces): readonly LegacyFile[] {
  const { disk, directory, legacyDirectory } = places;
  const names = logFiles(disk.list(directory)).map((file) => file.name);
  const newest = names.at(-1);
  if (newest !== undefined && isOurs(places, newest) && !isEmpty(places, newest)) return [];
  const foreign = names.filter((name) => !isOurs(places, name));
  const isFirst = names.every((name) => foreign.includes(name) || isEmpty(places, name));
  const before = isFirst ? disk.list(legacyDirectory).map((name) => describe(places, legacyDirectory, name)) : [];
  return [...before, ...foreign.map((name) => move(places, name))];
}

function isEmpty({ disk, directory }: LegacyPlaces, name: string): boolean {
  return (disk.stat(join(directory, name))?.size ?? 0) === 0;
}

/**
 * An empty file, or one torn before its first line was whole, is ours to write. A compressed one that cannot be inflated may
 * be ours, damaged: it stays where verification finds it.
 */
function isOurs({ disk, directory }: LegacyPlaces, name: string): boolean {
  const file = tryLogFile(disk, directory, name);
  if (file === undefined || file === 'unreadable') return true;
  try {
    const start = Buffer.from(file.read(0, ourOpening.length)).toString('latin1');
    return ourOpening.startsWith(start) || start.startsWith('\0');
  } catch (error) {
    if (name.endsWith('.gz')) return true;
    throw error;
  } finally {
    file.close();
  }
}

/** A file moved before under the same name stays what it is. */
function move(places: LegacyPlaces, name: string): LegacyFile {
  const { disk, base, directory, legacyDirectory } = places;
  const file = describe(places, directory, name);
  disk.ensureDirectory(base, legacyDirectory, places.directoryMode);
  const taken = disk.stat(join(legacyDirectory, name)) !== undefined;
  const moved = { ...file, name: taken ? `${name}.${file.sha256.slice(0, 12)}` : name };
  disk.move(join(directory, name), join(legacyDirectory, moved.name));
  return moved;
}

function describe({ disk }: LegacyPlaces, directory: string, name: string): LegacyFile {
  const bytes = disk.read(join(directory, name), largestLegacyFile) ?? new Uint8Array();
  return { name, sha256: sha256Hex(bytes), bytes: bytes.length };
}
