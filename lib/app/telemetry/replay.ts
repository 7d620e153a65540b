/**
 * OTLP files sent to a receiver: what `loki telemetry export` wrote on the other side of an air gap, or a collector's file exporter anywhere. A line is
 * one request and is awaited before the next, so where it ends early it can be said from which line it goes on. A line that is none is told by its
 * number and passed over. What a receiver refuses is counted, and is not sent again.
 */
import type { ReadFile } from '../../ports.ts';
import { signals, type Batch, type CountDrops, type Destination, type Signal } from '../../telemetry/batch.ts';
import { withDrops, type DropCounts } from './account.ts';
import { batchIn, longestLine, readLines } from './otlp-lines.ts';

export interface ReplaySource {
  /** As the person named it. */
  readonly name: string;
  readonly file: ReadFile;
  /** The first line to send, from 1. */
  readonly fromLine: number;
}

export interface ReplayOptions {
  /** Makes the destinations, which tell of drops. None of them has a spool. Left out: nothing is sent. */
  readonly destinations?: (countDrops: CountDrops) => readonly Destination[];
  readonly signal: AbortSignal;
  /** How long a receiver that does not answer is waited for. */
  readonly patienceMs: number;
  readonly progress?: (done: number, total: number) => void;
}

/** A line that was not sent, and why. */
export interface BadLine {
  readonly line: number;
  readonly why: string;
}

export interface FileReplay {
  readonly file: string;
  /** Lines that were sent, or would be. */
  readonly lines: number;
  /** What they hold. */
  readonly items: { readonly [signal in Signal]?: number };
  /** The first of the lines that are none, and how many there are. */
  readonly bad: readonly BadLine[];
  readonly bad_lines: number;
  /** Lines of a signal that no destination takes. */
  readonly unwanted: number;
  /** From where to go on; null when it was read to its end. */
  readonly next_line: number | null;
}

export interface ReplayReport {
  readonly files: readonly FileReplay[];
  readonly dropped: DropCounts;
  /** Why it ended early; null when it did not. */
  readonly ended: 'unreachable' | 'interrupted' | null;
}

const mostBadLines = 20;

export async function replay(sources: readonly ReplaySource[], options: ReplayOptions): Promise<ReplayReport> {
  let dropped: DropCounts = {};
  const destinations = options.destinations?.((signal, reason, items) => { dropped = withDrops(dropped, signal, reason, items); });
  const files: FileReplay[] = [];
  const interrupted = new Promise<false>((resolve) => { options.signal.addEventListener('abort', () => resolve(false), { once: true }); });
  let ended: ReplayReport['ended'] = null;
  for (const source of sources) {
    const one = new OneFile(source, destinations, { ...options, interrupted });
    ended = await one.run();
    files.push(one.report());
    if (ended !== null) break;
  }
  for (const destination of destinations ?? []) await destination.close(0);
  // What waited for a receiver that never answered is not lost: it stands in the file, and is named.
  return { files, dropped: ended === null ? dropped : withoutWaiting(dropped), ended };
}

/** A destination that is closed drops what it still had, which is the line that is told to be sent again. */
function withoutWaiting(dropped: DropCounts): DropCounts {
  return Object.fromEntries(signals.map((signal) => {
    const { shutdown: _shutdown, ...rest } = dropped[signal] ?? {};
    return [signal, rest];
  }));
}

interface FileOptions extends ReplayOptions {
  readonly interrupted: Promise<false>;
}

class OneFile {
  readonly #source: ReplaySource;
  readonly #destinations: readonly Destination[] | undefined;
  readonly #options: FileOptions;
  readonly #items: { [signal in Signal]?: number } = {};
  readonly #bad: BadLine[] = [];
  #lines = 0;
  #badLines = 0;
  #unwanted = 0;
  #nextLine: number | null = null;

  constructor(source: ReplaySource, destinations: readonly Destination[] | undefined, options: FileOptions) {
    [this.#source, this.#destinations, this.#options] = [source, destinations, options];
  }

  async run(): Promise<ReplayReport['ended']> {
    const { file, fromLine } = this.#source;
    const { size } = file.stat();
    for (const { number, text, end } of readLines(file)) {
      if (this.#options.signal.aborted) return this.#endAt(number, 'interrupted');
      this.#options.progress?.(end, size);
      if (number < fromLine) continue;
      const batch = text === undefined ? { wrong: `it is longer than ${longestLine >> 20} MiB` } : batchIn(text);
      if ('wrong' in batch) this.#note(number, batch.wrong);
      else if (batch.items > 0 && !await this.#send(batch)) return this.#endAt(number, this.#options.signal.aborted ? 'interrupted' : 'unreachable');
    }
    return null;
  }

  #endAt<Why>(line: number, why: Why): Why {
    this.#nextLine = line;
    return why;
  }

  #note(line: number, why: string): void {
    this.#badLines += 1;
    if (this.#bad.length < mostBadLines) this.#bad.push({ line, why });
  }

  /** True when every destination that wants it has it, or refused it. */
  async #send(batch: Batch): Promise<boolean> {
    const wanting = this.#destinations?.filter((destination) => destination.signals.includes(batch.signal));
    if (wanting?.length === 0) {
      this.#unwanted += 1;
      return true;
    }
    for (const destination of wanting ?? []) destination.offer(batch);
    const taken = await Promise.all((wanting ?? []).map((destination) => Promise.race([destination.flush(this.#options.patienceMs), this.#options.interrupted])));
    if (!taken.every(Boolean)) return false;
    this.#lines += 1;
    this.#items[batch.signal] = (this.#items[batch.signal] ?? 0) + batch.items;
    return true;
  }


  report(): FileReplay {
    return { file: this.#source.name, lines: this.#lines, items: this.#items, bad: this.#bad, bad_lines: this.#badLines, unwanted: this.#unwanted, next_line: this.#nextLine };
  }
}
