/** A sealed log in memory, cheap to change and to verify thousands of times. */
import { verifyChain, type ChainReport } from '../../lib/audit/verify.ts';
import { checkpointText } from '../../lib/base/merkle/checkpoint.ts';
import { root } from '../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../lib/base/merkle/hash.ts';
import { noteSigner, signNote } from '../../lib/base/merkle/note.ts';
import type { Disk, FileStat } from '../../lib/ports.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { createTestClock, realTimers } from '../support/fakes.ts';
import { directory, home, logOn } from './support.ts';

export type Contents = ReadonlyMap<string, Buffer>;

/** 200 entries in four days' files. */
export async function sealedLog(): Promise<Contents> {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const disk = faultDisk(files);
  const clock = createTestClock();
  const log = logOn(disk, { clock });
  for (let day = 0; day < 4; day += 1) {
    for (let n = 0; n < 49; n += 1) await log.append({ event: 'policy.deny', actor: 'agent:a', details: { n, text: 'schön "quoted"' } });
    clock.advance(24 * 3600_000);
  }
  await log.close();
  return new Map(disk.list(directory).map((name) => [name, Buffer.from(disk.read(`${directory}/${name}`, 1e6) ?? [])]));
}

export const linesOf = (contents: Contents): readonly string[] => [...contents.values()].flatMap((bytes) => bytes.toString('utf8').split('\n').slice(0, -1));

const signer = noteSigner('test/loki/audit', new Uint8Array(32).fill(1));

/** The signed checkpoint over all of a log. */
export function checkpointOf(contents: Contents): Buffer {
  const leaves = linesOf(contents).map((line) => leafHash(Buffer.from(line)));
  return Buffer.from(signNote(checkpointText({ origin: signer.key.name, size: leaves.length, root: root(leaves) }), signer));
}

/** Verifies these bytes; against a checkpoint, when one is given. */
export function verifyBytes(contents: Contents, checkpoint?: Buffer): Promise<ChainReport> {
  const disk = diskOf(contents);
  const tree = { path: 'checkpoint', reader: undefined, keys: [signer.key], against: [], look: () => ({ newest: checkpoint, recorded: undefined }) };
  return verifyChain({ chain: 'record', directory, names: [...contents.keys()] }, {
    disk, timers: { ...realTimers, yield: () => Promise.resolve(), sleep: () => Promise.resolve() }, ...(checkpoint === undefined ? {} : { tree }),
  });
}

function diskOf(contents: Contents): Disk {
  const bytesAt = (path: string): Buffer | undefined => contents.get(path.slice(directory.length + 1));
  const statOf = (bytes: Buffer): FileStat => ({ kind: 'file', size: bytes.length, inode: 1, device: 1, links: 1, owner: 0, mode: 0o600, modifiedMs: 0, changedMs: 0 });
  return {
    ...faultDisk(createFaultFiles()),
    list: () => [...contents.keys()],
    stat(path) { const bytes = bytesAt(path); return bytes === undefined ? undefined : statOf(bytes); },
    openRead(path) {
      const bytes = bytesAt(path);
      if (bytes === undefined) return undefined;
      return {
        stat: () => statOf(bytes),
        read(position, length, into) {
          const memory = into ?? Buffer.alloc(length);
          return memory.subarray(0, bytes.copy(memory, 0, position, position + length));
        },
        close: () => undefined,
      };
    },
  };
}

/** The log with one file's bytes put in place of its own. */
export function withFile(contents: Contents, name: string, bytes: Buffer): Contents {
  return new Map([...contents].map(([each, old]) => [each, each === name ? bytes : old]));
}

/** The log with one file's lines changed. */
export function withLines(contents: Contents, name: string, change: (lines: readonly string[]) => readonly string[]): Contents {
  const lines = (contents.get(name)?.toString('utf8') ?? '').split('\n').slice(0, -1);
  return withFile(contents, name, Buffer.from(change(lines).map((line) => `${line}\n`).join('')));
}

/** A byte of a file with one bit flipped. */
export function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

