/** The formats of an export: what comes first, how an entry is written, what comes last. */
import type { Hit } from '../query.ts';
import { cefLine } from './cef.ts';
import { csvHeader, csvLine } from './csv.ts';
import { ocsfEvent } from './ocsf.ts';

export const exportFormats = ['json', 'jsonl', 'csv', 'cef', 'ocsf'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export function isExportFormat(text: string | undefined): text is ExportFormat {
  return exportFormats.some((format) => format === text);
}

/** How one format is written. Parts put together are the whole output. */
export interface Rendering {
  readonly mediaType: string;
  /** Of a file's name. */
  readonly extension: string;
  readonly opening: string;
  readonly closing: string;
  /** Between two entries. */
  readonly between: string;
  /** All of it, where there is no entry; opening and closing when left out. */
  readonly empty?: string;
  entry(hit: Hit): string | Uint8Array;
}

export interface RenderOptions {
  /** CSV: cells that a spreadsheet would take for a formula are left as they are. */
  readonly rawCsv?: boolean;
}

const json = 'application/json; charset=utf-8';
const jsonLines = 'application/jsonl; charset=utf-8';
const none = { opening: '', closing: '', between: '' } as const;

export function renderingOf(format: ExportFormat, { rawCsv = false }: RenderOptions = {}): Rendering {
  const renderings: Readonly<Record<ExportFormat, () => Rendering>> = {
    json: () => ({ mediaType: json, extension: 'json', opening: '[\n', closing: '\n]\n', between: ',\n', empty: '[]\n', entry: lineOf }),
    jsonl: () => ({ mediaType: jsonLines, extension: 'jsonl', ...none, entry: lineWithEnd }),
    csv: () => ({ mediaType: 'text/csv; charset=utf-8; header=present', extension: 'csv', ...none, opening: csvHeader, entry: ({ entry }) => csvLine(entry, rawCsv) }),
    cef: () => ({ mediaType: 'text/plain; charset=utf-8', extension: 'cef', ...none, entry: ({ entry }) => `${cefLine(entry)}\n` }),
    ocsf: () => ({ mediaType: jsonLines, extension: 'ocsf.jsonl', ...none, entry: ({ entry }) => `${JSON.stringify(ocsfEvent(entry))}\n` }),
  };
  return renderings[format]();
}


/** The entry byte for byte as it stands in the log, so that its seal holds; one that was opened as it reads now. */
function lineOf({ entry, line, isOpened }: Hit): Buffer {
  return isOpened ? Buffer.from(JSON.stringify(entry)) : line;
}

function lineWithEnd(hit: Hit): Buffer {
  const line = lineOf(hit);
  const bytes = Buffer.allocUnsafe(line.length + 1);
  line.copy(bytes);
  bytes[line.length] = 10;
  return bytes;
}

/** About so many bytes make one part. */
const partBytes = 1 << 16;

/** What was written so far. */
export interface ExportCount {
  entries: number;
}

/** The output in parts; an undefined now and then lets others have a turn. */
export function* renderHits(hits: Iterable<Hit | undefined>, rendering: Rendering, count: ExportCount): Generator<Uint8Array | undefined> {
  let parts: (string | Uint8Array)[] = [];
  let length = 0;
  for (const hit of hits) {
    if (hit === undefined) {
      yield undefined;
      continue;
    }
    const rendered = rendering.entry(hit);
    const before = count.entries === 0 ? rendering.opening : rendering.between;
    if (before !== '') parts.push(before);
    // Copied: a line is good until the next one is asked for.
    parts.push(typeof rendered === 'string' ? rendered : Buffer.from(rendered));
    count.entries += 1;
    length += rendered.length;
    if (length < partBytes) continue;
    yield joined(parts);
    [parts, length] = [[], 0];
  }
  yield joined(count.entries === 0 ? [rendering.empty ?? `${rendering.opening}${rendering.closing}`] : [...parts, rendering.closing]);
}

/** Text is turned into bytes many entries at a time, which costs a fraction of one by one. */
function joined(parts: readonly (string | Uint8Array)[]): Uint8Array {
  if (parts.every((part) => typeof part === 'string')) return Buffer.from(parts.join(''));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
