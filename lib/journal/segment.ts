/**
 * One append-only file of lines that many processes write, one at a time under a lock of the caller's. A segment knows how
 * far it has read; before writing it looks whether others wrote, replaced or removed the file meanwhile. What stands after
 * the last line feed is a torn tail, left by a power cut: it is kept aside, whole, before the file is cut back to its last
 * line, and reported, so that the caller can record it.
 */
import type { Disk, RecordFile } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { basename, join } from '../base/paths.ts';
import { endOfLastLine } from './lines.ts';

/** Where a segment lives and how it is made. */
export interface SegmentOptions {
  readonly disk: Disk;
  /** The directory below which nothing may be a symlink. */
  readonly base: string;
  readonly path: string;
  /** Mode of a new file. */
  readonly mode: number;
  /** Directory that torn tails are kept in. */
  readonly tornDirectory: string;
  /** The longest line that may be written, in bytes with its line feed; a tail is looked for no further back. */
  readonly longestLine: number;
}

/** Bytes that were set aside. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
  readonly keptAs: string;
}

/** What `refresh` found. `grown`: lines from byte `from` to `size()` are new. `replaced`: open another segment. */
export type Refresh =
  | { readonly kind: 'same' }
  | { readonly kind: 'grown'; readonly from: number; readonly torn?: TornTail }
  | { readonly kind: 'replaced'; readonly found: 'missing' | 'another file' | 'shorter' };

export interface Segment {
  readonly path: string;
  /** Bytes of whole lines known to be in the file. */
  size(): number;
  /** Looks at the disk. Call it under the lock before `append`. */
  refresh(): Refresh;
  /** Whether the very file that is open stands under another path: somebody renamed it. */
  isAt(path: string): boolean;
  /**
   * Appends whole lines, durable when it returns. Refuses when the file is not as long as it was: whoever was stopped in
   * the middle of a batch may have lost the lock to another machine. After an error the segment must be closed and opened again.
   */
  append(lines: Uint8Array): void;
  /** All that stands in the file is durable, whoever wrote it. */
  sync(): void;
  read(position: number, length: number): Uint8Array;
  /** Sets everything from `offset` on aside: for a tail that has a line feed and is damaged all the same. */
  setAside(offset: number): TornTail;
  close(): void;
}

/** Opens or creates the file. Nothing is known of its content until `refresh` has been called. */
export function openSegment(options: SegmentOptions): Segment {
  const { disk, path } = options;
  const file = disk.openRecord(options.base, path, options.mode);
  const opened = file.stat();
  let known = 0;

  function refresh(): Refresh {
    const now = disk.stat(path);
    if (now === undefined) return { kind: 'replaced', found: 'missing' };
    if (now.inode !== opened.inode || now.device !== opened.device) return { kind: 'replaced', found: 'another file' };
    if (now.size < known) return { kind: 'replaced', found: 'shorter' };
    if (now.size === known) return { kind: 'same' };
    const from = known;
    // One byte before what is new: the line feed that ends what is known, when nothing that is new has one.
    const end = endOfLastLine(file, now.size, Math.min(options.longestLine, now.size - from + (from > 0 ? 1 : 0)));
    if (end < 0) throw new LokiError('io.failed', { attempted: `append to "${path}"`, found: `its last ${options.longestLine} bytes hold no line feed`, hint: 'This is no file of lines that loki wrote; move it away' });
    known = Math.max(end, from);
    if (known === now.size) return { kind: 'grown', from };
    return { kind: 'grown', from, torn: setAside(known) };
  }

  function setAside(offset: number): TornTail {
    const torn = keepTail(options, file, offset);
    file.cut(offset);
    known = offset;
    return torn;
  }

  return {
    path,
    size: () => known,
    refresh,
    isAt(other) {
      const stat = disk.stat(other);
      return stat !== undefined && stat.inode === opened.inode && stat.device === opened.device;
    },
    append(lines) {
      const { size } = file.stat();
      if (size !== known) throw new LokiError('io.failed', { attempted: `append to "${path}"`, found: `it has ${size} bytes, not ${known}: another process writes it, or it was cut` });
      file.append(lines);
      known += lines.length;
    },
    sync: () => file.sync(),
    read: (position, length) => file.read(position, length),
    setAside,
    close: () => file.close(),
  };
}

/**
 * After a failed `append` to a segment that had `size` bytes: what stands in the file beyond them was acknowledged to nobody,
 * and may never reach the medium. It is set aside through a new descriptor, for the old one's failed sync would not be
 * reported again. `trouble`: the disk did not even take that.
 */
export function takeBack(open: () => Segment, size: number): { readonly torn: readonly TornTail[]; readonly trouble?: unknown } {
  const torn: TornTail[] = [];
  let segment: Segment | undefined;
  try {
    segment = open();
    const refresh = segment.refresh();
    if (refresh.kind === 'grown' && refresh.torn !== undefined) torn.push(refresh.torn);
    if (segment.size() > size) torn.push(segment.setAside(size));
    return { torn };
  } catch (trouble) {
    return { torn, trouble };
  } finally {
    segment?.close();
  }
}

function keepTail(options: SegmentOptions, file: RecordFile, offset: number): TornTail {
  const bytes = file.read(offset, file.stat().size - offset);
  const sha256 = sha256Hex(bytes);
  const keptAs = join(options.tornDirectory, `${basename(options.path)}.torn-${offset}-${sha256.slice(0, 12)}`);
  options.disk.ensureDirectory(options.base, options.tornDirectory, 0o700);
  options.disk.create(options.base, keptAs, bytes, 0o600);
  return { file: basename(options.path), offset, length: bytes.length, sha256, keptAs };
}
