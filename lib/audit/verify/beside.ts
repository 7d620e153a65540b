/** What lies beside a log's files and must agree with them: the compressed or plain twin of a file, and the seals of finished ones. */
import type { Disk, ReadFile, Timers } from '../../ports.ts';
import { unreadBecause } from '../../errors.ts';
import { isPlainObject, objectIn } from '../../base/json.ts';
import { createSha256, sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';
import { pieces } from '../../journal/lines.ts';
import { logFiles, plainName } from '../files.ts';
import { sealText, type Seal } from '../keeping/seal.ts';
import { openLogFile } from '../log-file.ts';
import { asBuffer } from '../tail.ts';
import type { BreakCause, ChainBreak } from './causes.ts';
import type { FileSummary } from './walk.ts';

const pieceBytes = 1 << 20;

/** Names of which both forms are there: the plain one is read. */
export function twinsIn(disk: Disk, directory: string, names: readonly string[]): readonly string[] {
  const gz = new Set(logFiles(disk.list(directory)).filter(({ compressed }) => compressed).map(({ name }) => plainName(name)));
  return names.filter((name) => gz.has(name));
}

/** Whether both forms of a file hold the same. A crash between compressing and removing leaves two that do. */
export async function compareTwin(disk: Disk, directory: string, name: string, timers: Timers): Promise<ChainBreak | 'same'> {
  const differs = (offset: number, found: string): ChainBreak => ({ file: `${name}.gz`, line: 0, seq: null, offset, cause: 'two versions', found });
  let [plain, packed]: (ReadFile | undefined)[] = [];
  try {
    plain = disk.openRead(join(directory, name));
    packed = disk.openGzip(join(directory, `${name}.gz`));
    if (plain === undefined || packed === undefined) return 'same';
    const [size, other] = [plain.stat().size, packed.stat().size];
    if (size !== other) return differs(Math.min(size, other), `it holds ${other} bytes, and ${name} beside it ${size}`);
    for (let at = 0; at < size; at += pieceBytes) {
      const pieces = [plain.read(at, pieceBytes), packed.read(at, pieceBytes)].map((piece) => Buffer.from(piece));
      if (pieces[0]?.equals(pieces[1] ?? Buffer.alloc(0)) !== true) return differs(at, `it does not hold the same as ${name} beside it`);
      await timers.yield();
    }
    return 'same';
  } catch (error) {
    return differs(0, unreadBecause(error));
  } finally {
    plain?.close();
    packed?.close();
  }
}

/** The seal of a file, by its name; undefined when it has none. */
export type SealOf = (name: string) => Seal | undefined;

/** Where files are read. */
interface Place {
  readonly disk: Disk;
  readonly directory: string;
  readonly timers: Timers;
}

/**
 * Finished files against their seals. What a seal says of the chain is always compared, and all of it with what the log's
 * own entry says of the seal: readers pass over files by what else stands in it. Its digest of all bytes when `full`. Files
 * are sealed in order, so one without a seal among sealed ones has lost it; so has one of which the log says that it was sealed.
 */
export async function checkSeals(place: Place, files: readonly FileSummary[], sealOf: SealOf, full: boolean): Promise<readonly ChainBreak[]> {
  const told = await toldSeals(place, files);
  const sealed = files.map((file) => ({ file, seal: sealOf(file.name) }));
  const newest = sealed.findLastIndex(({ seal }) => seal !== undefined);
  const breaks: ChainBreak[] = [];
  for (const [at, { file, seal }] of sealed.entries()) {
    const tell = (cause: BreakCause, found: string): void => { breaks.push({ file: file.name, line: file.entries, seq: file.lastSeq, offset: file.size, cause, found }); };
    const isTold = told.has(plainName(file.name));
    if (seal === undefined && (at < newest || isTold)) tell('missing seal', isTold ? 'the log tells of its seal, and it is gone' : 'its seal is gone, and newer files have theirs');
    if (seal === undefined) continue;
    const differing = differences(file, seal);
    const digest = told.get(plainName(file.name));
    if (differing.length > 0) tell('seal differs', `its seal says otherwise: ${differing.join(', ')}`);
    else if (digest !== undefined && digest !== sha256Hex(sealText(seal))) tell('seal differs', 'its seal is another one than the log tells of');
    else if (full && await digestOf(place, file) !== seal.sha256) tell('seal differs', 'its bytes do not give the digest in its seal');
  }
  return breaks;
}

const aboutSeals = Buffer.from('"event":"audit.rotate"');

/**
 * The digests of seals as the log's entries tell of them, by file; undefined where an entry keeps it encrypted. An entry
 * stands in a file after the one it speaks of, mostly near the beginning of the next: nothing is read beyond the last one that is wanted.
 */
async function toldSeals({ disk, directory, timers }: Place, files: readonly FileSummary[]): Promise<ReadonlyMap<string, string | undefined>> {
  const told = new Map<string, string | undefined>();
  const wanted = new Set<string>();
  for (const { name, size } of files) {
    const file = wanted.size === 0 ? undefined : openLogFile(disk, directory, name);
    try {
      for (const piece of file === undefined ? [] : pieces(file, 0, size)) {
        for (const { about, digest } of sealsIn(asBuffer(piece.bytes))) if (wanted.delete(about)) told.set(about, digest);
        if (wanted.size === 0) break;
        await timers.yield();
      }
    } finally {
      file?.close();
    }
    wanted.add(plainName(name));
  }
  return told;
}

/** What whole lines tell of seals. */
function* sealsIn(bytes: Buffer): Generator<{ readonly about: string; readonly digest: string | undefined }> {
  for (let at = bytes.indexOf(aboutSeals); at >= 0; at = bytes.indexOf(aboutSeals, at)) {
    const end = bytes.indexOf(10, at);
    const entry = end < 0 ? undefined : objectIn(bytes.subarray(bytes.lastIndexOf(10, at) + 1, end));
    at = end < 0 ? bytes.length : end;
    const resource = entry?.['event'] === 'audit.rotate' ? entry['resource'] : undefined;
    if (typeof resource !== 'string' || !resource.startsWith('file:')) continue;
    const digest = isPlainObject(entry?.['details']) ? entry['details']['seal_sha256'] : undefined;
    yield { about: resource.slice('file:'.length), digest: typeof digest === 'string' ? digest : undefined };
  }
}

function differences(file: FileSummary, seal: Seal): readonly string[] {
  const pairs = [
    ['first_seq', file.firstSeq, seal.first_seq], ['last_seq', file.lastSeq, seal.last_seq], ['entries', file.entries, seal.entries],
    ['bytes', file.size, seal.bytes], ['previous_hash', file.previousHash, seal.previous_hash], ['last_hash', file.lastHash, seal.last_hash],
  ] as const;
  return pairs.filter(([, found, said]) => found !== said).map(([name, found, said]) => `${name} ${said}, found ${found}`);
}

async function digestOf({ disk, directory, timers }: Place, { name, size }: FileSummary): Promise<string> {
  const file = openLogFile(disk, directory, name);
  const hash = createSha256();
  try {
    for (let at = 0; file !== undefined && at < size; at += pieceBytes) {
      hash.add(file.read(at, Math.min(pieceBytes, size - at)));
      await timers.yield();
    }
    return hash.hex();
  } finally {
    file?.close();
  }
}
