/**
 * `file:` as a `Destination`: lines of OTLP/JSON in a folder that a person chose, as the specification's file exporter has them (JSON Lines, one signal a file),
 * so a collector's `otlpjsonfile` receiver reads them. Files are ended by size and by time, and all of them together are bounded: the oldest go. What
 * the disk does not take is counted; nothing is kept in memory for it, and nothing throws.
 */
import { join } from '../../base/paths.ts';
import { quietly } from '../../base/quietly.ts';
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import { messageOf, systemCode } from '../../errors.ts';
import type { Batch, Signal } from '../batch.ts';
import { createAccount, type Account } from './account.ts';
import { bodyInFile } from './body.ts';
import type { FileDestinationOptions, StandingDestination } from './options.ts';
import { readSpoolName } from './spool-name.ts';
import { largestFile } from './spool.ts';
import type { DestinationStand, SignalStand, Tried } from './stand.ts';

const usualFileBytes = 16 * 1024 * 1024;
const usualFileMs = 60 * 60_000;
const usualMaxBytes = 1024 * 1024 * 1024;

/** `loki-20260215T143000Z-0000000a3f9c2d1e.traces.jsonl`: when it was begun (UTC), and a text that no other file has. */
const form = /^loki-\d{8}T\d{6}Z-[0-9a-f]{8,32}\.(?:traces|metrics|logs)\.jsonl$/;

/** The file that lines of a signal are added to. */
interface Current {
  readonly name: string;
  readonly begunMs: number;
  bytes: number;
}

export function createFileDestination(options: FileDestinationOptions): StandingDestination {
  return new FileDestination(options);
}

class FileDestination implements StandingDestination {
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly temporality: StandingDestination['temporality'];
  readonly #options: FileDestinationOptions;
  readonly #account: Account;
  readonly #current = new Map<Signal, Current>();
  readonly #succeeded = new Map<Signal, Tried>();
  /** Of all files there, as far as is known. */
  #bytes: number | undefined;
  #files = 0;
  #count = 0;
  readonly #own: string;
  #trouble: Tried | null = null;
  #failures = 0;

  constructor(options: FileDestinationOptions) {
    this.#options = options;
    this.name = options.name;
    this.signals = options.signals;
    this.temporality = options.temporality;
    this.#account = createAccount(options.countDrops);
    this.#own = Buffer.from(options.random.bytes(4)).toString('hex');
  }

  offer({ signal, items, body }: Batch): void {
    if (items <= 0 || !this.signals.includes(signal)) return;
    if (this.#append(signal, `${body}\n`)) this.#account.delivered(signal, items);
    else this.#account.dropped(signal, 'disk', items);
  }

  adopt(folder: string, file: SpoolFile): boolean {
    const known = readSpoolName(file.name);
    if (known === undefined) return false;
    if (!this.signals.includes(known.signal)) return true;
    const text = quietly(() => this.#options.spoolFiles.read(join(folder, file.name), largestFile));
    if (text === undefined || bodyInFile(known.signal, text) === undefined) {
      this.#account.dropped(known.signal, 'damaged', known.items);
      return true;
    }
    if (!this.#append(known.signal, text)) return false;
    this.#account.delivered(known.signal, known.items);
    return true;
  }

  /** What was offered is written already, or was dropped. */
  async flush(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.#current.clear();
  }

  stand(): DestinationStand {
    const stands: { [signal in Signal]?: SignalStand } = {};
    for (const signal of this.signals) {
      stands[signal] = {
        state: 'direct', ...this.#account.of(signal), lastSuccess: this.#succeeded.get(signal) ?? null, lastFailure: this.#trouble, lastWarning: null, failures: this.#failures, nextTry: null,
      };
    }
    return { name: this.name, kind: 'file', state: 'direct', waiting: { items: 0, files: this.#files, fileBytes: this.#bytes ?? 0, batches: 0, batchBytes: 0, oldest: null }, signals: stands, disk: this.#trouble };
  }

  /** Whole lines at the end of the signal's file. False when the disk does not take them. */
  #append(signal: Signal, lines: string): boolean {
    const { files, folder, clock } = this.#options;
    const size = Buffer.byteLength(lines);
    try {
      this.#bound(size);
      const current = this.#fileFor(signal, size);
      files.append(join(folder, current.name), lines);
      if (current.bytes === 0) this.#files += 1;
      current.bytes += size;
      this.#bytes = (this.#bytes ?? 0) + size;
      this.#failures = 0;
      this.#succeeded.set(signal, { at: clock.now(), words: 'it was written' });
      return true;
    } catch (error) {
      this.#failures += 1;
      this.#trouble = { at: clock.now(), words: `cannot write to the folder: ${systemCode(error) ?? messageOf(error)}` };
      return false;
    }
  }

  #fileFor(signal: Signal, more: number): Current {
    const { clock, fileMs = usualFileMs, maxBytes = usualMaxBytes } = this.#options;
    // Files that are written to are not removed: one a signal must leave room.
    const fileBytes = Math.min(this.#options.fileBytes ?? usualFileBytes, maxBytes / 4);
    const now = clock.now();
    const current = this.#current.get(signal);
    if (current !== undefined && current.bytes + more <= fileBytes && Math.abs(now - current.begunMs) < fileMs) return current;
    this.#count += 1;
    const begun = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
    const next: Current = { name: `loki-${begun}-${this.#count.toString(16).padStart(8, '0')}${this.#own}.${signal}.jsonl`, begunMs: now, bytes: 0 };
    this.#current.set(signal, next);
    return next;
  }

  /** Makes room for so many bytes more: the oldest of our files go, but for those that are written to. Files of others are not touched. */
  #bound(more: number): void {
    const { files, folder, maxBytes = usualMaxBytes } = this.#options;
    if (this.#bytes !== undefined && this.#bytes + more <= maxBytes) return;
    const found = files.list(folder).filter(({ name }) => form.test(name));
    const open = new Set([...this.#current.values()].map(({ name }) => name));
    let bytes = found.reduce((sum, { size }) => sum + size, 0);
    let count = found.length;
    for (const { name, size } of found) {
      if (bytes + more <= maxBytes) break;
      if (open.has(name)) continue;
      files.remove(join(folder, name));
      bytes -= size;
      count -= 1;
    }
    this.#bytes = bytes;
    this.#files = count;
  }
}
