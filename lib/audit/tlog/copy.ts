/**
 * The second place that checkpoints are carried to (`checkpoint_copy`): one file a log, to which each checkpoint is appended,
 * followed by an empty line. It is best on another machine: what stands there is out of reach for whoever rewrites the log
 * here. It stands in nobody's way: what fails here is told and passed over.
 */
import type { Disk } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { openCheckpoint, splitNotes, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import type { NoteKey } from '../../base/merkle/note.ts';

/** A note of ours is far shorter. */
const tailBytes = 4096;

/** `<directory>/<origin, with all but letters, digits, "." and "-" as "_">.checkpoints`. */
export function copyPath(directory: string, origin: string): string {
  return join(directory, `${origin.replaceAll(/[^A-Za-z0-9.-]/g, '_').slice(0, 200)}.checkpoints`);
}

/** Appends a checkpoint. The directory must be there: a missing one is most likely a volume that is not mounted. */
export function appendCopy(disk: Disk, directory: string, origin: string, note: string): void {
  const stat = disk.stat(disk.realpath(directory) ?? directory);
  if (stat?.kind !== 'directory') throw new LokiError('io.failed', { attempted: `copy the checkpoint to "${directory}"`, found: 'it is no directory', hint: 'Make it, or mount it; the checkpoint itself is made all the same' });
  const base = disk.realpath(directory) ?? directory;
  const file = disk.openRecord(base, copyPath(base, origin), 0o600);
  try {
    file.append(Buffer.from(`${note}\n`));
  } finally {
    file.close();
  }
}

/** The newest checkpoint there that our keys signed; undefined when there is none, or it cannot be read. */
export function newestCopy(disk: Disk, directory: string, origin: string, keys: readonly NoteKey[]): Checkpoint | undefined {
  return newestCopied(disk, directory, origin, keys)?.checkpoint;
}

/** The same, as the note it came in. */
export function newestCopied(disk: Disk, directory: string, origin: string, keys: readonly NoteKey[]): { readonly note: string; readonly checkpoint: Checkpoint } | undefined {
  try {
    const file = disk.openRead(copyPath(disk.realpath(directory) ?? directory, origin));
    if (file === undefined) return undefined;
    try {
      const { size } = file.stat();
      const text = Buffer.from(file.read(Math.max(0, size - tailBytes), tailBytes)).toString('utf8');
      // The end of the file as far as a note of this log begins in it.
      const notes = splitNotes(text.slice(Math.max(0, text.indexOf(`${origin}\n`))));
      const opened = notes.map((note) => openCheckpoint(note, keys)).filter((each) => each.ok);
      return opened.filter(({ checkpoint }) => checkpoint.origin === origin).at(-1);
    } finally {
      file.close();
    }
  } catch {
    return undefined;
  }
}
