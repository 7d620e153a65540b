/**
 * What waits on disk, taken out as OTLP files for carrying it to where a receiver is: one signal a file, a batch a line, the oldest first, as a
 * collector's `otlpjsonfile` receiver and `loki telemetry replay` read them (OpenTelemetry, file-exporter.md). What waits for several receivers is
 * taken out once. Files appear whole; what is taken out goes from the spool only when somebody asks for that, and then after they are on the medium.
 */
import { LokiError } from '../../errors.ts';
import type { FileInMaking } from '../../ports.ts';
import { sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';
import { spoolDrivers } from '../../host/spool-files.ts';
import { signals, type Signal } from '../../telemetry/batch.ts';
import { bodyInFile } from '../../telemetry/export/body.ts';
import { readSpoolName } from '../../telemetry/export/spool-name.ts';
import { largestFile } from '../../telemetry/export/spool.ts';
import type { Installation } from '../installation.ts';
import { readNames } from './handover-names.ts';
import { telemetryPlaces } from './places.ts';
import { isSpoolFolder } from './status.ts';

export interface TakeOutRequest {
  /** All of them when left out. */
  readonly signal?: Signal;
  /** Only what was made since then: milliseconds since 1970. */
  readonly since?: number;
}

/** Where it goes: a folder for a file of each signal, one file, or whoever takes lines. */
export type TakeOutTarget = { readonly folder: string } | { readonly file: string } | { write(line: string): void };

export interface TakenOut {
  readonly signal: Signal;
  /** Null where it went to standard output. */
  readonly file: string | null;
  readonly batches: number;
  readonly items: number;
  readonly bytes: number;
}

export interface TakeOutReport {
  readonly files: readonly TakenOut[];
  /** Files of the spool that hold no batch, and were left where they are. */
  readonly damaged: number;
  /** Files of the spool that were removed. */
  readonly removed: number;
}

interface Found {
  readonly path: string;
  readonly name: string;
  readonly signal: Signal;
  readonly items: number;
}

/** Throws `usage` where the folder is not there, `conflict` where a file is there already, and `io.failed` where none can be written; then nothing was removed. */
export function takeOut(installation: Installation, request: TakeOutRequest, target: TakeOutTarget, remove: boolean): TakeOutReport {
  const { host } = installation;
  const { spoolFiles } = spoolDrivers(host);
  const found = findWaiting(installation, request);
  const writer = new Writer(installation, target);
  const done: string[] = [];
  let damaged = 0;
  try {
    for (const { path, signal, items } of found) {
      const text = spoolFiles.read(path, largestFile);
      // Whoever sends has delivered it meanwhile.
      if (text === undefined) continue;
      const body = bodyInFile(signal, text);
      if (body === undefined) damaged += 1;
      else {
        writer.add(signal, body, items);
        done.push(path);
      }
    }
    const files = writer.finish();
    for (const path of remove ? done : []) spoolFiles.remove(path);
    return { files, damaged, removed: remove ? done.length : 0 };
  } finally {
    writer.abandon();
  }
}

/** The oldest first. */
function findWaiting({ host, home }: Installation, { signal, since = 0 }: TakeOutRequest): readonly Found[] {
  const { folder, handedOver } = telemetryPlaces(home);
  const { spoolFiles } = spoolDrivers(host);
  const handed = readNames(host.disk.list(handedOver)).batches.map(({ name }) => ({ folder: handedOver, name }));
  const spooled = host.disk.list(folder).filter(isSpoolFolder).flatMap((id) => spoolFiles.list(join(folder, id)).map(({ name }) => ({ folder: join(folder, id), name })));
  return [...handed, ...spooled].flatMap((each) => {
    const told = readSpoolName(each.name);
    const isWanted = told !== undefined && told.madeMs >= since && (signal === undefined || told.signal === signal);
    return isWanted ? [{ path: join(each.folder, each.name), name: each.name, signal: told.signal, items: told.items }] : [];
  }).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Writing {
  readonly path: string | null;
  readonly making: FileInMaking | undefined;
  batches: number;
  items: number;
  bytes: number;
}

/** Readable by their owner alone. */
const fileMode = 0o600;

class Writer {
  readonly #installation: Installation;
  readonly #target: TakeOutTarget;
  readonly #open = new Map<Signal, Writing>();
  /** Digests of lines: what waits for two receivers lies there twice. */
  readonly #seen = new Set<string>();

  constructor(installation: Installation, target: TakeOutTarget) {
    [this.#installation, this.#target] = [installation, target];
  }

  add(signal: Signal, body: string, items: number): void {
    const digest = sha256Hex(body);
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    const writing = this.#open.get(signal) ?? this.#begin(signal);
    const line = `${body}\n`;
    const bytes = Buffer.from(line);
    if (writing.making !== undefined) writing.making.write(bytes);
    else if ('write' in this.#target) this.#target.write(line);
    [writing.batches, writing.items, writing.bytes] = [writing.batches + 1, writing.items + items, writing.bytes + bytes.length];
  }

  #begin(signal: Signal): Writing {
    const path = this.#pathOf(signal);
    const { disk } = this.#installation.host;
    // A folder that is not there is not made: mostly it is a medium that is not mounted.
    if (path !== null && disk.realpath(path.slice(0, path.lastIndexOf('/')) || '/') === undefined) throw new LokiError('usage', { attempted: `write "${path}"`, found: 'its folder does not exist', hint: 'Make the folder, or mount the medium, then try again' });
    if (path !== null && disk.stat(path) !== undefined) throw new LokiError('conflict', { attempted: `write "${path}"`, found: 'it exists', hint: 'Name another place with --output' });
    const writing = { path, making: path === null ? undefined : disk.beginFile(path, fileMode), batches: 0, items: 0, bytes: 0 };
    this.#open.set(signal, writing);
    return writing;
  }

  #pathOf(signal: Signal): string | null {
    const target = this.#target;
    if ('file' in target) return target.file;
    if ('write' in target) return null;
    const { clock, facts } = this.#installation.host;
    // Those of several machines are carried in one folder.
    return join(target.folder, `loki-${facts.hostname.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 64)}-${new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')}.${signal}.jsonl`);
  }

  /** All files are on the medium and have their names. */
  finish(): readonly TakenOut[] {
    for (const { making } of this.#open.values()) making?.settle();
    for (const { making } of this.#open.values()) making?.finish(false);
    return signals.flatMap((signal) => {
      const writing = this.#open.get(signal);
      return writing === undefined ? [] : [{ signal, file: writing.path, batches: writing.batches, items: writing.items, bytes: writing.bytes }];
    });
  }

  abandon(): void {
    for (const { making } of this.#open.values()) making?.abandon();
  }
}
