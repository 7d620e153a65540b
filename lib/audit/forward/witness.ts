/**
 * The newest checkpoint's size and root, for messages to carry: whoever keeps them can later prove that the log was cut or
 * rewritten. Read for its text only; who believes it checks the signature of the checkpoint itself.
 */
import type { Disk } from '../../ports.ts';

/** A tree head: how many entries it covers, and the root hash over them in base64. */
export interface Witnessed {
  readonly size: number;
  readonly root: string;
}

/** C2SP checkpoints are a few hundred bytes; with many cosignatures a few thousand. */
const largestCheckpoint = 64 * 1024;

/** Gives what the checkpoint file says now; the file is read again only when it changed. Undefined while there is none. */
export function createWitness(disk: Disk, base: string, path: string): () => Witnessed | undefined {
  let known: { readonly state: string; readonly head: Witnessed | undefined } | undefined;
  return () => {
    try {
      const stat = disk.stat(path);
      const state = stat === undefined ? '' : `${stat.inode} ${stat.size} ${stat.changedMs}`;
      if (known?.state !== state) {
        const bytes = stat === undefined ? undefined : disk.readRecord(base, path, largestCheckpoint);
        known = { state, head: bytes === undefined ? undefined : parseHead(Buffer.from(bytes).toString('utf8')) };
      }
      return known.head;
    } catch {
      // A message without it is still a message.
      return undefined;
    }
  };
}

/** Second and third line of a checkpoint (C2SP tlog-checkpoint). */
export function parseHead(text: string): Witnessed | undefined {
  const [, size, root] = /^[^\n]+\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n/.exec(text) ?? [];
  return size === undefined || root === undefined ? undefined : { size: Number(size), root };
}
