/**
 * Details that were too long for their line: they lie in a blob beside the log, and the entry holds a pointer
 * (docs/formats/audit.md). Read where an entry's own words must be known, such as for somebody's request for access.
 */
import { LokiError } from '../errors.ts';
import type { Disk } from '../ports.ts';
import { sha256Hex } from '../base/digest.ts';
import { isCount, isPlainObject, jsonIn, type JsonObject, type JsonValue } from '../base/json.ts';
import { join } from '../base/paths.ts';

/** What stands in `details` in place of them: the blob's name, the salt that was hashed before it, its bytes. */
export interface BlobPointer extends JsonObject {
  readonly sha256: string;
  readonly salt: string;
  readonly bytes: number;
}

/** Why the details are not to be had: there is no such file; it is another one; it may not be read, or is too large. */
export type BlobTrouble = 'missing' | 'changed' | 'unreadable';

export interface BlobReader {
  /** An entry as its line would have held it, with the pointer in `blob`; with `blob.trouble` where it could not be read. One without a pointer is given back as it is. */
  withBlob(entry: JsonObject): JsonObject;
  /** How many blobs could not be read, and the numbers of the first entries of them. */
  readonly unread: UnreadBlobs;
}

export interface UnreadBlobs {
  readonly entries: number;
  readonly seqs: readonly number[];
}

/** What every line with a pointer contains. */
export const blobMark = '"details":{"blob":{"sha256":"';

/** Larger than any details that the program records. */
const largestBlob = 64 * 1024 * 1024;
const mostNamed = 20;

/** Only what stands where the writer puts it: an agent's own words are further inside, or escaped. */
export function blobPointerIn({ details }: JsonObject): BlobPointer | undefined {
  const blob: unknown = isPlainObject(details) && Object.keys(details).length === 1 ? details['blob'] : undefined;
  if (!isPlainObject(blob) || Object.keys(blob).join() !== 'sha256,salt,bytes') return undefined;
  const { sha256, salt, bytes } = blob;
  const isOne = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) && typeof salt === 'string' && /^[0-9a-f]{32}$/.test(salt) && isCount(bytes);
  return isOne ? { sha256, salt, bytes } : undefined;
}

/** Reads the blobs in `directory` below `base`. Make one for a query. */
export function createBlobReader(disk: Disk, base: string, directory: string): BlobReader {
  const seqs = new Set<number>();
  let entries = 0;

  function contentOf({ sha256, salt, bytes }: BlobPointer): { readonly details: JsonValue } | BlobTrouble {
    if (bytes > largestBlob) return 'unreadable';
    try {
      const path = join(directory, sha256);
      const size = disk.stat(path)?.size;
      if (size === undefined) return 'missing';
      if (size !== bytes) return 'changed';
      const content = disk.readRecord(base, path, bytes);
      if (content === undefined) return 'missing';
      const details = sha256Hex(Buffer.concat([Buffer.from(salt), content])) === sha256 ? jsonIn(content) : undefined;
      return details === undefined ? 'changed' : { details };
    } catch (error) {
      if (error instanceof LokiError) return 'unreadable';
      throw error;
    }
  }

  return {
    withBlob(entry) {
      const pointer = blobPointerIn(entry);
      if (pointer === undefined) return entry;
      const content = contentOf(pointer);
      if (typeof content !== 'string') return { ...entry, details: content.details, blob: pointer };
      entries += 1;
      if (seqs.size < mostNamed && typeof entry['seq'] === 'number') seqs.add(entry['seq']);
      return { ...entry, blob: { ...pointer, trouble: content } };
    },
    get unread() { return { entries, seqs: [...seqs] }; },
  };
}

/** In a sentence. */
export function unreadWords({ entries, seqs }: UnreadBlobs): string {
  const [are, kept] = entries === 1 ? ['entry has', 'its'] : ['entries have', 'their'];
  return `${entries} ${are} ${kept} details beside the log, where they are missing, changed or unreadable (seq ${seqs.join(', ')}${entries > seqs.length ? ', …' : ''}): whether they name somebody cannot be told`;
}
