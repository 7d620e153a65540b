/** The blobs that the entries of a log file name. Each name is a salted hash, so no other entry names the same one. */
import type { ReadFile } from '../../ports.ts';
import { objectIn } from '../../base/json.ts';
import { pieces } from '../../journal/lines.ts';
import { blobMark, blobPointerIn } from '../blob.ts';
import { asBuffer } from '../tail.ts';

const needle = Buffer.from(blobMark);

/** Names of blobs, by the lines of one piece after the other. */
export function* blobsNamedIn(file: ReadFile): Generator<readonly string[]> {
  for (const piece of pieces(file, 0, file.stat().size)) yield blobsOf(asBuffer(piece.bytes));
}

/** Only what stands where the writer puts it: an agent's own words are further inside, or escaped. */
function blobsOf(bytes: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = bytes.indexOf(needle); at >= 0;) {
    const start = bytes.lastIndexOf(10, at) + 1;
    const end = bytes.indexOf(10, at);
    const name = end < 0 ? undefined : blobOf(bytes.toString('utf8', start, end));
    if (name !== undefined) names.push(name);
    at = end < 0 ? -1 : bytes.indexOf(needle, end);
  }
  return names;
}

function blobOf(line: string): string | undefined {
  const entry = objectIn(line);
  return entry === undefined ? undefined : blobPointerIn(entry)?.sha256;
}
