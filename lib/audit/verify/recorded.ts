/** The checkpoints that the log's own entries tell of: the newest one of each chain. */
import type { Disk } from '../../ports.ts';
import { isCount, isPlainObject, objectIn } from '../../base/json.ts';
import { linesBackward } from '../lines-backward.ts';
import { readableFiles, tryLogFile } from '../log-file.ts';
import type { RecordedCheckpoint } from './checkpoints.ts';

/** Further back than this nobody looks: by then a checkpoint is missing anyway. */
const mostLines = 50_000;

/** By chain: `record`, `agent:<project id>`. */
export function recordedCheckpoints(disk: Disk, directory: string): ReadonlyMap<string, RecordedCheckpoint> {
  const found = new Map<string, RecordedCheckpoint>();
  for (const line of newestLines(disk, directory)) {
    const read = line.includes('"event":"audit.checkpoint"') ? readCheckpoint(line.toString('utf8')) : undefined;
    if (read !== undefined && !found.has(read.chain)) found.set(read.chain, read);
  }
  return found;
}

function* newestLines(disk: Disk, directory: string): Generator<Buffer> {
  let count = 0;
  for (const { name } of readableFiles(disk, directory).toReversed()) {
    const file = tryLogFile(disk, directory, name);
    if (file === undefined || file === 'unreadable') continue;
    try {
      for (const line of linesBackward(file, file.stat().size)) {
        count += 1;
        if (count > mostLines) return;
        yield line;
      }
    } finally {
      file.close();
    }
  }
}

function readCheckpoint(text: string): (RecordedCheckpoint & { readonly chain: string }) | undefined {
  const entry = objectIn(text);
  if (entry?.['event'] !== 'audit.checkpoint' || !isPlainObject(entry['details'])) return undefined;
  const { chain, size, root } = entry['details'];
  const time = Date.parse(String(entry['timestamp']));
  return typeof chain === 'string' && isCount(size) && typeof root === 'string' && !Number.isNaN(time) ? { chain, size, root, time } : undefined;
}
