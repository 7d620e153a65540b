/**
 * A walk along a chain's lines: fast where each follows the one before, and looking closely at the first that does not. Holds
 * one hash, one number, and what was found wrong, with its cause as far as the lines that follow can tell it.
 */
import { parseLogFileName, plainName } from '../files.ts';
import { claimedHash, createLineHasher, genesisHash, hashLength, sealLength, seqOf, type LineHasher } from '../chain.ts';
import { ChainRunner, roomForLine } from '../run.ts';
import { Breaks, type BreakCause, type ChainBreak } from './causes.ts';
import type { AcceptedLoss, Acceptance } from './accepted.ts';
import { oddityOf } from './form.ts';
import { readOpening, timeOf, type Opening } from './opening.ts';

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

/** A file's lines as they were found to follow each other; hashes before the first and after the last. */
export interface FileSummary {
  readonly name: string;
  /** Bytes of lines that were looked at. */
  readonly size: number;
  readonly entries: number;
  readonly firstSeq: number;
  readonly previousHash: string;
  readonly lastSeq: number;
  readonly lastHash: string;
}

/** One line, and what was found on the way to it. */
interface Line {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Of its start in its file. */
  readonly offset: number;
}

/** A line's day may be later than its file's by as long as a batch may take over midnight. */
const overMidnightMs = 60_000;

export class ChainWalk {
  entries = 0;
  firstSeq: number | null = null;
  lastSeq: number | null = null;
  hash: string = genesisHash;
  /** Hash before the first entry, where that says what it is. */
  beginsAfter: string = genesisHash;
  /** Losses that were passed over, for they were accepted. */
  readonly accepted: AcceptedLoss[] = [];
  readonly #accepts: Acceptance;
  readonly #breaks: Breaks<OpenBreak> = new Breaks();
  readonly #hasher: LineHasher = createLineHasher();
  readonly #runner: ChainRunner = new ChainRunner();
  #file = '';
  #previousFile: string | undefined;
  #line = 0;
  /** Hash before the newest line, to tell an inserted line from an edited one. */
  #hashBefore: string = genesisHash;
  /** Whether the next file's opening is believed: a file before it could not be read, or is another's. */
  #lost = false;
  #opening: Opening | undefined;
  /** The stretch without chain hashes that the newest line belongs to. */
  #unchained: OpenBreak | undefined;
  #lastTime: string | undefined;
  #converted = false;
  #fileStart = { entries: 0, hash: genesisHash, tampered: 0 };

  /** `accepts` is asked of entries that are missing between two files. */
  constructor(accepts: Acceptance = () => undefined) {
    this.#accepts = accepts;
  }

  beginFile(name: string): void {
    this.#previousFile = this.#file === '' ? undefined : this.#file;
    this.#file = name;
    this.#line = 0;
    [this.#opening, this.#unchained, this.#lastTime, this.#converted] = [undefined, undefined, undefined, false];
    this.#fileStart = { entries: this.entries, hash: this.hash, tampered: this.#breaks.tampered };
  }

  /** The file's summary, when nothing in it speaks of tampering. `size` are the bytes that were looked at. */
  endFile(size: number): FileSummary | undefined {
    this.#judgeDay(this.#lastTime, { file: this.#file, line: this.#line, seq: this.lastSeq, offset: size });
    const entries = this.entries - this.#fileStart.entries;
    if (entries === 0 || this.#breaks.tampered > this.#fileStart.tampered || this.lastSeq === null) return undefined;
    const firstSeq = this.lastSeq - entries + 1;
    const previousHash = this.#fileStart.entries === 0 ? this.beginsAfter : this.#fileStart.hash;
    return { name: this.#file, size, entries, firstSeq, previousHash, lastSeq: this.lastSeq, lastHash: this.hash };
  }

  /** Takes a file's lines as read, when they follow; false when they do not, or a look at them is needed. */
  skip(summary: FileSummary): boolean {
    const isFirst = this.entries === 0 && !this.#lost && this.#breaks.list.length === 0;
    if (!isFirst && (summary.firstSeq !== (this.lastSeq ?? 0) + 1 || summary.previousHash !== this.hash)) return false;
    if (isFirst) [this.firstSeq, this.beginsAfter] = [summary.firstSeq, summary.previousHash];
    [this.#previousFile, this.#file, this.#line] = [this.#file, summary.name, summary.entries];
    [this.lastSeq, this.hash, this.entries] = [summary.lastSeq, summary.lastHash, this.entries + summary.entries];
    return true;
  }

  /** A file cannot be read: what follows it is taken up where it says it begins. */
  lose(name: string, cause: BreakCause, found: string): void {
    this.beginFile(name);
    this.#lost = true;
    this.add({ file: name, line: 0, seq: null, offset: 0, cause, found });
  }

  /** What comes next begins where its own opening says: other lines of the chain are looked at elsewhere. */
  takeUpNext(): void {
    this.#lost = true;
  }

  /** Whole lines as `pieces` gave them, with room before them; the first begins at byte `offset` of the file. */
  piece(bytes: Uint8Array, offset: number): void {
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset - roomForLine, roomForLine + bytes.byteLength);
    for (let at = roomForLine; at < memory.length;) {
      if (this.#line > 0) at = this.#run(memory, at);
      if (at < memory.length) at = this.#lookAt(memory, at, offset + at - roomForLine);
    }
    const lastStart = memory.lastIndexOf(10, memory.length - 2) + 1;
    this.#lastTime = timeOf(memory, Math.max(roomForLine, lastStart), memory.length) ?? this.#lastTime;
  }

  /** Whole lines, the first of which begins at byte `offset` of the file. */
  lines(bytes: Buffer, offset: number): void {
    for (let at = 0; at < bytes.length;) at = this.#lookAt(bytes, at, offset + at);
  }

  torn(offset: number, length: number): void {
    this.#line += 1;
    this.#add(this.#place(offset, null), 'torn tail', `${length} bytes after the last line feed`);
  }

  /** A line too long to be read; what follows it in its file is not looked at. */
  endless(offset: number, length: number): void {
    this.#line += 1;
    this.#add(this.#place(offset, null), 'not an entry', `${length} bytes without a line feed`);
  }

  add(found: ChainBreak): void {
    this.#breaks.add({ ...found });
  }

  /** The breaks, with causes that only the whole chain can tell. */
  finish(): readonly ChainBreak[] {
    return this.#breaks.list.map(({ missing: _, ...rest }) => rest);
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
  #lookAt(bytes: Buffer, lineStart: number, lineOffset: number): number {
    const lineEnd = bytes.indexOf(10, lineStart);
    this.#line += 1;
    const line = this.#unconverted({ bytes, start: lineStart, end: lineEnd, offset: lineOffset });
    const { start, end } = line;
    if (this.#line === 1) this.#begin(line);
    const claimed = claimedHash(bytes, start, end);
    if (claimed === undefined) {
      this.#unsealed(line);
      return lineEnd + 1;
    }
    const seq = seqOf(bytes, start, end);
    const fits = this.#hasher.hash(this.hash, bytes, start, end) === claimed;
    if (!fits || seq !== (this.lastSeq ?? 0) + 1) this.#wrong(line, seq, claimed, fits);
    else if (this.#line === 1) this.#judgeFirst(line, seq);
    this.#accept(seq, claimed);
    return lineEnd + 1;
  }

  /** The line without what a program that converted the file put around it, which is told once for a file. */
  #unconverted(line: Line): Line {
    const { bytes, start, end } = line;
    const mark = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? 3 : 0;
    const carriage = end > start && bytes[end - 1] === 13 ? 1 : 0;
    if (mark + carriage === 0) return line;
    if (!this.#converted) this.#add(this.#place(line.offset, null), mark > 0 ? 'edited' : 'not an entry', mark > 0 ? 'it begins with a byte order mark' : 'it ends in CR LF: a program has converted its line ends');
    this.#converted = true;
    return { ...line, start: start + mark, end: end - carriage };
  }

  /** A file's first line: of the log's own files, it must be the one that opens this one. */
  #begin(line: Line): void {
    const { bytes, start, end, offset } = line;
    const opening = readOpening(bytes, start, end);
    this.#opening = opening;
    if (parseLogFileName(plainName(this.#file)) === undefined) return;
    const place = this.#place(offset, seqOf(bytes, start, end));
    const isOther = opening?.file !== undefined && opening.file !== plainName(this.#file);
    if (isOther) this.#add(place, 'wrong file', `it begins as ${opening.file} does`);
    const expected = (this.lastSeq ?? 0) + 1;
    const isElsewhere = opening !== undefined && (opening.firstSeq !== expected || opening.previousHash !== this.hash);
    if (isOther || (this.#lost && isElsewhere)) this.#takeUp(opening);
    if (isOther) this.#lost = true;
  }

  /** A first line that follows the file before may still have been moved here. */
  #judgeFirst({ bytes, start, end, offset }: Line, seq: number): void {
    const isOurs = parseLogFileName(plainName(this.#file)) !== undefined;
    if (isOurs && this.#opening === undefined) this.#add(this.#place(offset, seq), 'wrong file', 'the file does not begin with the entry that opens it');
    else this.#judgeDay(timeOf(bytes, start, end), this.#place(offset, seq));
  }

  #takeUp(opening: Opening | undefined): void {
    if (opening === undefined || !Number.isSafeInteger(opening.firstSeq)) return;
    [this.lastSeq, this.hash, this.#hashBefore] = [opening.firstSeq - 1, opening.previousHash, opening.previousHash];
    this.#fileStart = { ...this.#fileStart, hash: opening.previousHash };
    if (this.entries === 0) this.beginsAfter = opening.previousHash;
  }

  #judgeDay(time: string | undefined, place: Omit<OpenBreak, 'cause' | 'found'>): void {
    const day = parseLogFileName(plainName(this.#file))?.day;
    if (time === undefined || day === undefined || time.slice(0, 10) === day) return;
    // Told already, of the file as a whole or of its first line.
    if (this.#breaks.list.some(({ file, cause }) => file === this.#file && cause === 'wrong file')) return;
    const late = Date.parse(time) - Date.parse(`${day}T00:00:00.000Z`) - 86_400_000;
    if (late >= 0 && late < overMidnightMs) return;
    this.#add({ ...place }, 'wrong file', `an entry of ${time.slice(0, 10)} in the file of ${day}`);
  }

  #accept(seq: number, claimed: string): void {
    this.#hashBefore = this.hash;
    this.hash = claimed;
    this.#unchained = undefined;
    this.#count(seq);
    // Moved lines must not move the count back, and a line whose number is spoiled stands for the one that was due.
    this.lastSeq = seq < 0 ? (this.lastSeq ?? 0) + 1 : Math.max(seq, this.lastSeq ?? 0);
  }

  #count(seq: number): void {
    this.firstSeq ??= seq;
    this.entries += 1;
  }

  #unsealed(line: Line): void {
    const { bytes, start, end, offset } = line;
    const seq = seqOf(bytes, start, end);
    const isEntry = timeOf(bytes, start, end) !== undefined && bytes[end - 1] === 0x7d && !bytes.subarray(start, end).includes('"chain_hash"');
    const isOurs = parseLogFileName(plainName(this.#file)) !== undefined;
    if (!isEntry) return this.#add(this.#place(offset, null), 'not an entry', start === end ? 'an empty line' : 'a line that is no sealed entry');
    if (isOurs && this.#opening?.unchained !== true) {
      this.#add(this.#place(offset, seq), 'edited', 'its chain hash is gone');
      if (seq === (this.lastSeq ?? 0) + 1) this.lastSeq = seq;
      return this.#count(seq);
    }
    if (this.entries === 0 && seq > 1) this.#takeUp(this.#opening);
    const expected = (this.lastSeq ?? 0) + 1;
    if (seq !== expected) this.#add(this.#place(offset, seq), seq > expected ? 'deleted' : 'inserted', seq > expected ? gap(expected, seq - 1) : `seq ${seq} comes again after ${expected - 1}`);
    this.#count(seq);
    this.lastSeq = Math.max(seq, this.lastSeq ?? 0);
    if (this.#unchained === undefined) {
      this.#unchained = { ...this.#place(offset, seq), cause: 'no integrity', found: '' };
      this.#breaks.add(this.#unchained);
    }
    const from = this.#unchained.seq ?? seq;
    this.#unchained.found = from === seq ? 'an entry without a chain hash' : `seq ${from} to ${seq} carry no chain hash`;
  }

  /** Something does not fit: find out what. */
  #wrong(line: Line, seq: number, claimed: string, follows: boolean): void {
    const { bytes, start, end, offset } = line;
    const expected = (this.lastSeq ?? 0) + 1;
    const place = this.#place(offset, seq);
    const fits = (hash: string): boolean => this.#hasher.hash(hash, bytes, start, end) === claimed;
    if (this.entries === 0 && this.lastSeq === null) return this.#wrongStart(line, place, fits);
    if (follows && (seq < 0 || seq > expected)) return this.#add(place, 'edited', `seq ${seq} where ${expected} was expected, in a chain that fits: it was rewritten`);
    if (seq < 0) return this.#add(place, 'edited', 'it does not begin with its seq');
    if (seq === (this.lastSeq ?? 0) && fits(this.#hashBefore)) return this.#blameInsertion(place);
    if (this.#fillsGap(seq, place)) return undefined;
    if (seq > expected && this.#wasAccepted(place, expected, seq, fits)) return undefined;
    if (seq > expected) return this.#breaks.add({ ...place, cause: this.#line === 1 ? this.#gapBetweenFiles() : 'deleted', found: gap(expected, seq - 1), missing: { from: expected, to: seq - 1 } });
    if (seq < expected) return this.#add(place, 'inserted', `seq ${seq} comes again after ${expected - 1}`);
    if (this.#followsBreak(offset)) return undefined;
    return this.#add(place, 'edited', `its bytes do not give the hash it carries${oddity(line)}`);
  }

  /** Whole files are gone, the next one goes on from where it says, and somebody accepted that in their name. */
  #wasAccepted(place: OpenBreak, expected: number, seq: number, fits: (hash: string) => boolean): boolean {
    const before = this.#opening?.previousHash;
    if (this.#line !== 1 || before === undefined || this.#opening?.firstSeq !== seq || !fits(before)) return false;
    const loss = this.#accepts(expected, seq - 1);
    if (loss === undefined) return false;
    this.accepted.push(loss);
    this.#fileStart = { ...this.#fileStart, hash: before };
    this.#add(place, 'accepted loss', `entries ${loss.from} to ${loss.to} are missing; accepted by ${loss.by} on ${loss.time}`);
    return true;
  }

  /** The chain may rightly begin later, where older files were removed; the first entry says after what. */
  #wrongStart(line: Line, place: OpenBreak, fits: (hash: string) => boolean): void {
    const seq = place.seq ?? 0;
    const before = this.#opening?.previousHash;
    if (seq > 1 && before !== undefined && fits(before)) {
      this.beginsAfter = before;
      return;
    }
    const isOurs = parseLogFileName(plainName(this.#file)) !== undefined;
    if (seq > 1 && isOurs) return this.#add(place, 'deleted', gap(1, seq - 1));
    // Files of an agent chain do not say what came before them.
    if (seq > 1) return this.#add(place, 'oldest entries missing', gap(1, seq - 1));
    return this.#add(place, 'edited', `its bytes do not give the hash it carries${oddity(line)}`);
  }

  /** The line before carries the number of this one, and without it this one fits: it was put in. */
  #blameInsertion(place: OpenBreak): void {
    const previous = this.#breaks.list.at(-1);
    const blamed = previous !== undefined && previous.file === place.file && previous.line === place.line - 1;
    if (blamed) this.#breaks.list.pop();
    this.#add({ ...place, line: Math.max(1, place.line - 1), ...(blamed ? { offset: previous.offset } : {}) }, 'inserted', `a line before the true seq ${place.seq} carries its number`);
  }

  /** An entry that an earlier gap was waiting for: the lines were moved, not deleted. */
  #fillsGap(seq: number, place: OpenBreak): boolean {
    for (const open of this.#breaks.list) {
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
    const last = this.#breaks.list.at(-1);
    return last !== undefined && last.cause === 'reordered' && last.file === this.#file && offset > last.offset;
  }

  #gapBetweenFiles(): BreakCause {
    const named = this.#opening?.previousFile;
    return named !== undefined && named !== plainName(this.#previousFile ?? '') ? 'missing file' : 'deleted';
  }

  #place(offset: number, seq: number | null): OpenBreak {
    return { file: this.#file, line: this.#line, seq: seq === -1 ? null : seq, offset, cause: 'edited', found: '' };
  }

  #add(place: Omit<OpenBreak, 'cause' | 'found'>, cause: BreakCause, found: string): void {
    this.#breaks.add({ ...place, cause, found });
  }
}

function gap(from: number, to: number): string {
  return from === to ? `seq ${from} is missing before it` : `seq ${from} to ${to} are missing before it`;
}

/** What else is odd about the line's own JSON, its seal left off. */
function oddity({ bytes, start, end }: Line): string {
  const found = oddityOf(`${bytes.toString('utf8', start, end - sealLength)}}`);
  return found === undefined ? '' : `; ${found}`;
}
