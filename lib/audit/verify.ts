/**
 * Checks a chain from its raw bytes: streams, remembers one hash, parses nothing on the good path. Says what is wrong, where
 * (file, line, seq, byte offset) and in which way: edited, deleted, inserted, reordered, cut, a missing file, a torn tail.
 * What a plain chain cannot show, and this does not claim to: a whole rewrite, or entries cut off at the very end.
 */
import type { Disk, ReadFile, Timers } from '../ports.ts';
import { join } from '../base/paths.ts';
import { pieces } from '../journal/lines.ts';
import { claimedHash, createLineHasher, genesisHash, hashLength, seqOf, type LineHasher } from './chain.ts';
import { ChainRunner, roomForLine } from './run.ts';
import { asBuffer } from './tail.ts';

/** What is wrong at a place. */
export type BreakCause =
  | 'edited' | 'deleted' | 'inserted' | 'reordered' | 'missing file' | 'not an entry' | 'torn tail' | 'oldest entries missing' | 'no integrity';

/** One place where a chain does not hold. `line` counts from 1 in its file, `offset` is the byte at which the line begins. */
export interface ChainBreak {
  readonly file: string;
  readonly line: number;
  readonly seq: number | null;
  readonly offset: number;
  readonly cause: BreakCause;
  readonly found: string;
}

/** `ok`; `incomplete`: nothing contradicts, something is not there; `tampered`; `no_integrity`: the chain hash was switched off. */
export type Verdict = 'ok' | 'incomplete' | 'tampered' | 'no_integrity';

export interface ChainReport {
  /** `record`, or `agent:<project id>`, or the path that was asked for. */
  readonly chain: string;
  readonly verdict: Verdict;
  readonly valid: boolean;
  readonly entries_checked: number;
  readonly bytes_checked: number;
  /** Where the files lie. */
  readonly directory: string;
  readonly files: readonly string[];
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  readonly last_hash: string | null;
  /** The first ones, at most a hundred. */
  readonly breaks: readonly ChainBreak[];
}

/** A chain's files, oldest first, below one directory. */
export interface ChainSource {
  readonly chain: string;
  readonly directory: string;
  readonly names: readonly string[];
}

export interface VerifyOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly signal?: AbortSignal;
  /** Called about every megabyte. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

const mostBreaks = 100;
/** Others have their turn after so many bytes. */
const turnBytes = 1 << 20;

/** How severe each cause is. */
const verdictOf: Readonly<Record<BreakCause, Verdict>> = {
  'edited': 'tampered',
  'deleted': 'tampered',
  'inserted': 'tampered',
  'reordered': 'tampered',
  'missing file': 'tampered',
  'not an entry': 'tampered',
  'torn tail': 'incomplete',
  'oldest entries missing': 'incomplete',
  'no integrity': 'no_integrity',
};

const severity: readonly Verdict[] = ['ok', 'no_integrity', 'incomplete', 'tampered'];

/** The worst of several verdicts. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return severity[Math.max(0, ...verdicts.map((verdict) => severity.indexOf(verdict)))] ?? 'ok';
}

interface SizedFile {
  readonly name: string;
  /** Bytes the file had when verification began; what is appended meanwhile is not looked at. */
  readonly size: number;
}

/** Verifies one chain. Lets other work go on between pieces. */
export async function verifyChain(source: ChainSource, options: VerifyOptions): Promise<ChainReport> {
  const sized = sizesOf(source, options.disk);
  const walk = new ChainWalk();
  const total = sized.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const { name, size } of sized) {
    const file = options.disk.openRead(join(source.directory, name));
    if (file === undefined) continue;
    try {
      walk.beginFile(name);
      await walkFile(walk, file, size, options, (bytes) => options.onProgress?.(done + bytes, total));
    } finally {
      file.close();
    }
    done += size;
  }
  return report(source, walk, done);
}

async function walkFile(walk: ChainWalk, file: ReadFile, size: number, { signal, timers }: VerifyOptions, onProgress: (bytes: number) => void): Promise<void> {
  let nextTurn = 0;
  for (const piece of pieces(file, 0, size, roomForLine)) {
    signal?.throwIfAborted();
    const end = piece.offset + piece.bytes.length;
    if (piece.complete) walk.piece(piece.bytes, piece.offset);
    else if (end < size && end < file.stat().size) walk.endless(piece.offset, piece.bytes.length);
    else await tornOrLive(walk, file, piece.offset, piece.bytes.length, timers);
    if (end < nextTurn && end < size) continue;
    nextTurn = end + turnBytes;
    onProgress(end);
    await timers.yield();
  }
}

/**
 * All sizes are taken first, so that a log being written is seen as it was at one moment. The files are opened one at a
 * time: a log of several years has more of them than a process may have open.
 */
function sizesOf({ directory, names }: ChainSource, disk: Disk): readonly SizedFile[] {
  return names.flatMap((name) => {
    const stat = disk.stat(join(directory, name));
    return stat === undefined ? [] : [{ name, size: stat.size }];
  });
}

/** A tail without a line feed may be a batch that is being written this moment: look again a little later. */
async function tornOrLive(walk: ChainWalk, file: ReadFile, offset: number, length: number, timers: Timers): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await timers.sleep(25);
    const bytes = asBuffer(file.read(offset, 1 << 17));
    if (bytes.length === 0) return;
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) return walk.lines(bytes.subarray(0, end), offset);
  }
  walk.torn(offset, length);
}

function report(source: ChainSource, walk: ChainWalk, bytes: number): ChainReport {
  const breaks = walk.finish();
  const verdict = worst(breaks.map(({ cause }) => verdictOf[cause]));
  return {
    chain: source.chain,
    verdict,
    valid: verdict === 'ok',
    entries_checked: walk.entries,
    bytes_checked: bytes,
    directory: source.directory,
    files: source.names,
    first_seq: walk.firstSeq,
    last_seq: walk.lastSeq,
    last_hash: walk.entries === 0 ? null : walk.hash,
    breaks: breaks.slice(0, mostBreaks),
  };
}

/** A break as first seen; its cause may become clearer by what follows. */
interface OpenBreak {
  file: string;
  line: number;
  seq: number | null;
  offset: number;
  cause: BreakCause;
  found: string;
  /** Sequence numbers that were expected here and did not come. */
  missing?: { from: number; to: number };
}

/** The state of a walk along a chain: one hash, one number, and what was found wrong. */
class ChainWalk {
  entries = 0;
  firstSeq: number | null = null;
  lastSeq: number | null = null;
  hash: string = genesisHash;
  readonly #hasher: LineHasher = createLineHasher();
  readonly #breaks: OpenBreak[] = [];
  #file = '';
  #previousFile: string | undefined;
  #line = 0;
  readonly #runner = new ChainRunner();
  /** Hash before the newest line, to tell an inserted line from an edited one. */
  #hashBefore: string = genesisHash;

  beginFile(name: string): void {
    this.#previousFile = this.#file === '' ? undefined : this.#file;
    this.#file = name;
    this.#line = 0;
  }

  /** Whole lines as `pieces` gave them, with room before them; the first begins at byte `offset` of the file. */
  piece(bytes: Uint8Array, offset: number): void {
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset - roomForLine, roomForLine + bytes.byteLength);
    for (let at = roomForLine; at < memory.length;) {
      at = this.#run(memory, at);
      if (at < memory.length) at = this.#lookAt(memory, at, offset + at - roomForLine);
    }
  }

  /** Whole lines, the first of which begins at byte `offset` of the file. */
  lines(bytes: Buffer, offset: number): void {
    for (let at = 0; at < bytes.length;) at = this.#lookAt(bytes, at, offset + at);
  }

  /** Passes the lines that follow each other as they should; answers where the first one begins that does not. */
  #run(memory: Buffer, start: number): number {
    const { end, count, hashAt, hashBeforeAt } = this.#runner.run(memory, start, memory.length, (this.lastSeq ?? 0) + 1, this.hash);
    if (count === 0) return start;
    const hashIn = (at: number): string => memory.toString('latin1', at, at + hashLength);
    this.#hashBefore = count === 1 ? this.hash : hashIn(hashBeforeAt);
    this.hash = hashIn(hashAt);
    this.firstSeq ??= (this.lastSeq ?? 0) + 1;
    this.lastSeq = (this.lastSeq ?? 0) + count;
    this.entries += count;
    this.#line += count;
    return end;
  }

  /** Takes one line, whatever it is; answers where the next one begins. */
  #lookAt(bytes: Buffer, start: number, offset: number): number {
    const end = bytes.indexOf(10, start);
    this.#line += 1;
    const claimed = claimedHash(bytes, start, end);
    if (claimed === undefined) {
      this.#unsealed(bytes, start, end, offset);
      return end + 1;
    }
    const seq = seqOf(bytes, start, end);
    const fits = this.#hasher.hash(this.hash, bytes, start, end) === claimed;
    if (!fits || seq !== (this.lastSeq ?? 0) + 1) this.#wrong(bytes, start, end, offset, seq, claimed, fits);
    this.#accept(seq, claimed);
    return end + 1;
  }

  torn(offset: number, length: number): void {
    this.#line += 1;
    this.#add({ ...this.#place(offset, null), cause: 'torn tail', found: `${length} bytes after the last line feed` });
  }

  /** A line too long to be read; what follows it in its file is not looked at. */
  endless(offset: number, length: number): void {
    this.#line += 1;
    this.#add({ ...this.#place(offset, null), cause: 'not an entry', found: `${length} bytes without a line feed` });
  }

  /** The breaks, with causes that only the whole chain can tell. */
  finish(): readonly ChainBreak[] {
    return this.#breaks.map(({ missing: _, ...rest }) => rest);
  }

  #accept(seq: number, claimed: string): void {
    this.#hashBefore = this.hash;
    this.hash = claimed;
    this.firstSeq ??= seq;
    // Moved lines must not move the count back, and a line whose number is spoiled stands for the one that was due.
    this.lastSeq = seq < 0 ? (this.lastSeq ?? 0) + 1 : Math.max(seq, this.lastSeq ?? 0);
    this.entries += 1;
  }

  #unsealed(bytes: Buffer, start: number, end: number, offset: number): void {
    const text = bytes.subarray(start, Math.min(end, start + 64)).toString('utf8');
    const entry = /^\{"seq":\d+,"timestamp":"/.test(text) && bytes[end - 1] === 0x7d;
    if (entry && !bytes.subarray(start, end).includes('"chain_hash"')) {
      const seq = seqOf(bytes, start, end);
      this.entries += 1;
      this.firstSeq ??= seq;
      this.lastSeq = seq;
      this.#add({ ...this.#place(offset, seq), cause: 'no integrity', found: 'an entry without a chain hash' });
      return;
    }
    this.#add({ ...this.#place(offset, null), cause: 'not an entry', found: start === end ? 'an empty line' : 'a line that is no sealed entry' });
  }

  /** Something does not fit: find out what. */
  #wrong(bytes: Buffer, start: number, end: number, offset: number, seq: number, claimed: string, follows: boolean): void {
    const expected = (this.lastSeq ?? 0) + 1;
    const place = this.#place(offset, seq);
    const fits = (hash: string): boolean => this.#hasher.hash(hash, bytes, start, end) === claimed;
    if (this.entries === 0) return this.#wrongStart(bytes, start, end, place, fits);
    if (follows && (seq < 0 || seq > expected)) return this.#add({ ...place, cause: 'edited', found: `seq ${seq} where ${expected} was expected, in a chain that fits: it was rewritten` });
    if (seq < 0) return this.#add({ ...place, cause: 'edited', found: 'it does not begin with its seq' });
    if (seq === (this.lastSeq ?? 0) && fits(this.#hashBefore)) return this.#blameInsertion(place);
    if (this.#fillsGap(seq, place)) return undefined;
    if (seq > expected) return this.#add({ ...place, cause: this.#line === 1 ? this.#gapBetweenFiles(bytes, start, end) : 'deleted', found: gap(expected, seq - 1), missing: { from: expected, to: seq - 1 } });
    if (seq < expected) return this.#add({ ...place, cause: 'inserted', found: `seq ${seq} comes again after ${expected - 1}` });
    if (this.#followsBreak(offset)) return undefined;
    return this.#add({ ...place, cause: 'edited', found: 'its bytes do not give the hash it carries' });
  }

  /** The chain may rightly begin later, where older files were removed; the first entry says after what. */
  #wrongStart(bytes: Buffer, start: number, end: number, place: OpenBreak, fits: (hash: string) => boolean): void {
    const before = isOpening(bytes, start, end) ? memberOf(bytes, start, end, 'previous_hash') : undefined;
    const seq = place.seq ?? 0;
    if (seq > 1 && before !== undefined && fits(before)) return this.#add({ ...place, cause: 'oldest entries missing', found: `the log begins at seq ${seq}` });
    if (seq > 1) return this.#add({ ...place, cause: 'deleted', found: gap(1, seq - 1) });
    return this.#add({ ...place, cause: 'edited', found: 'its bytes do not give the hash it carries' });
  }

  /** The line before carries the number of this one, and without it this one fits: it was put in. */
  #blameInsertion(place: OpenBreak): void {
    const previous = this.#breaks.at(-1);
    const blamed = previous !== undefined && previous.file === place.file && previous.line === place.line - 1;
    if (blamed) this.#breaks.pop();
    this.#add({ ...place, line: Math.max(1, place.line - 1), ...(blamed ? { offset: previous.offset } : {}), cause: 'inserted', found: `a line before the true seq ${place.seq} carries its number` });
  }

  /** An entry that an earlier gap was waiting for: the lines were moved, not deleted. */
  #fillsGap(seq: number, place: OpenBreak): boolean {
    for (const open of this.#breaks) {
      if (open.missing === undefined || seq < open.missing.from || seq > open.missing.to) continue;
      if (open.cause !== 'reordered') {
        open.cause = 'reordered';
        open.found = `seq ${open.seq} stands before seq ${seq} (line ${place.line} of ${place.file})`;
      }
      return true;
    }
    return false;
  }

  /** After lines were moved, the first one back in place follows a line that is not its neighbour: no new finding. */
  #followsBreak(offset: number): boolean {
    const last = this.#breaks.at(-1);
    return last !== undefined && last.cause === 'reordered' && last.file === this.#file && offset > last.offset;
  }

  #gapBetweenFiles(bytes: Buffer, start: number, end: number): BreakCause {
    const named = memberOf(bytes, start, end, 'previous_file');
    return named !== undefined && named !== this.#previousFile ? 'missing file' : 'deleted';
  }

  #place(offset: number, seq: number | null): OpenBreak {
    return { file: this.#file, line: this.#line, seq: seq === -1 ? null : seq, offset, cause: 'edited', found: '' };
  }

  /** Beyond the limit only the severity of the worst one still matters, and those before tell it. */
  #add(found: OpenBreak): void {
    const sameKind = this.#breaks.length >= mostBreaks && this.#breaks.some(({ cause }) => verdictOf[cause] === verdictOf[found.cause]);
    if (!sameKind) this.#breaks.push(found);
  }
}

function gap(from: number, to: number): string {
  return from === to ? `seq ${from} is missing before it` : `seq ${from} to ${to} are missing before it`;
}

/** Only the log's own `audit.open` may say what came before; details of other entries are what callers chose. */
function isOpening(bytes: Buffer, start: number, end: number): boolean {
  return /^\{"seq":\d+,"timestamp":"[^"]*","event":"audit\.open",/.test(bytes.toString('utf8', start, Math.min(end, start + 160)));
}

function memberOf(bytes: Buffer, start: number, end: number, name: string): string | undefined {
  const text = bytes.subarray(start, Math.min(end, start + 4096)).toString('utf8');
  return new RegExp(`"${name}":"([^"]{1,200})"`).exec(text)?.[1];
}
