/**
 * Taking entries out of the log of record. That they were taken is on the medium before anybody has them: a file gets its name
 * only after the export is recorded, and a stream begins only then. What is exported is what the log held at that moment.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { createSha256 } from '../../base/digest.ts';
import { dirname, isInside } from '../../base/paths.ts';
import type { UnreadBlobs } from '../../audit/blob.ts';
import type { Recorder } from '../../audit/entry.ts';
import { queryLog, type AuditFilter } from '../../audit/query.ts';
import { renderHits, renderingOf, type ExportCount, type ExportFormat } from '../../audit/export/render.ts';
import type { Installation } from '../installation.ts';
import { filedFor, filterDetails, openReading, recordAccess } from './reading.ts';

/** What is wanted, and by whom. */
export interface ExportRequest {
  readonly format: ExportFormat;
  readonly filter: AuditFilter;
  /** An audit actor. */
  readonly by: string;
  /** CSV: cells that a spreadsheet would take for a formula are left as they are. */
  readonly rawCsv?: boolean;
  /** The number of an access request that this answers. */
  readonly request?: string;
}

export interface ExportTarget {
  /** Absolute. */
  readonly path: string;
  /** Whether a file that is there is replaced. */
  readonly replace: boolean;
}

/** While an export runs. */
export interface ExportWatch {
  readonly signal: AbortSignal;
  /** How far it has come, in entries of the log. */
  readonly progress?: (done: number, total: number) => void;
  /** Hears, once at the end, of entries whose details could not be had. */
  readonly unread?: (unread: UnreadBlobs) => void;
}

export interface ExportReport {
  readonly path: string;
  readonly format: ExportFormat;
  readonly entries: number;
  readonly bytes: number;
  readonly sha256: string;
  /** The audit entry that tells of it; null when audit is switched off. */
  readonly audit_seq: number | null;
  /** Entries whose details lie beside the log and could not be had, where there are any: whether they are about the subject cannot be told. */
  readonly unread?: UnreadBlobs;
}

/** Nobody but its owner reads what was taken out. */
const fileMode = 0o600;

/** Writes a file. Throws `conflict` when it exists, `audit.unwritable` when it could not be recorded; then there is no file. */
export async function exportToFile(installation: Installation, record: Recorder, request: ExportRequest, target: ExportTarget, watch: ExportWatch): Promise<ExportReport> {
  const { host: { disk } } = installation;
  checkTarget(installation, target);
  const { path, replace } = target;
  const file = disk.beginFile(path, fileMode);
  try {
    const count: ExportCount = { entries: 0 };
    const hash = createSha256();
    let bytes = 0;
    let unread: UnreadBlobs = { entries: 0, seqs: [] };
    const snapshot = snapshotOf(installation, request);
    for await (const part of parts(installation, snapshot, { ...watch, unread: (found) => { unread = found; } }, count)) {
      file.write(part);
      hash.add(part);
      bytes += part.byteLength;
    }
    file.settle();
    const sha256 = hash.hex();
    await recordAccess(installation, record, request.by, 'export', request.filter, count.entries);
    const { seq } = await record(exportEvent(installation, request, { entries: count.entries, path, bytes, sha256, up_to_seq: snapshot.upTo, ...(unread.entries === 0 ? {} : { unread: unread.entries }) }));
    file.finish(replace);
    return { path, format: request.format, entries: count.entries, bytes, sha256, audit_seq: seq, ...(unread.entries === 0 ? {} : { unread }) };
  } finally {
    file.abandon();
  }
}

/** The output as a stream, after it was recorded that it begins; its number of entries and its hash are not known by then. */
export async function exportAsStream(installation: Installation, record: Recorder, request: ExportRequest, watch: ExportWatch): Promise<AsyncIterable<Uint8Array>> {
  const snapshot = snapshotOf(installation, request);
  await recordAccess(installation, record, request.by, 'export', request.filter, null);
  await record(exportEvent(installation, request, { entries: null, path: null, bytes: null, sha256: null, up_to_seq: snapshot.upTo }));
  return parts(installation, snapshot, watch, { entries: 0 });
}

interface Snapshot {
  readonly request: ExportRequest;
  /** Number of the newest entry that is taken. */
  readonly upTo: number;
}

/** An export ends where the log ended when it began: otherwise it would run after a log that grows, and hold its own record. */
function snapshotOf({ host: { disk }, home }: Installation, request: ExportRequest): Snapshot {
  for (const { seq } of queryLog(disk, home.audit, {})) return { request, upTo: seq };
  return { request, upTo: 0 };
}

async function* parts(installation: Installation, { request, upTo }: Snapshot, { signal, progress, unread }: ExportWatch, count: ExportCount): AsyncGenerator<Uint8Array> {
  const { timers } = installation.host;
  // An export that leaves out what cannot be read would pass for a whole one.
  const reading = await openReading(installation, (file, error) => {
    throw new LokiError('audit.incomplete', { attempted: 'export the log', found: `${file} cannot be read (${error.message})`, hint: 'Run: loki audit verify. Leave the file\'s days out with --from and --to', cause: error });
  });
  const hits = reading.search({ ...request.filter, before: Math.min(request.filter.before ?? Infinity, upTo + 1) }, 'oldest');
  let done = 0;
  const watched = (function* () {
    for (const hit of hits) {
      done = hit?.entry.seq ?? done;
      yield hit;
    }
  })();
  for (const part of renderHits(watched, renderingOf(request.format, { rawCsv: request.rawCsv ?? false }), count)) {
    progress?.(done, upTo);
    if (part !== undefined) yield part;
    await timers.yield();
    if (signal.aborted) throw new LokiError('interrupted', { attempted: 'export the log', found: 'it was interrupted' });
  }
  unread?.(reading.unread());
}

function exportEvent({ config }: Installation, { format, filter, by, rawCsv, request }: ExportRequest, made: JsonObject): Parameters<Recorder>[0] {
  return {
    event: 'audit.export', actor: by,
    details: { format, ...(rawCsv === true ? { raw_csv: true } : {}), filters: filterDetails(config, filter), ...(request === undefined ? {} : { request }), ...made }, ...filedFor(filter),
  };
}

function checkTarget({ host: { disk }, home }: Installation, { path, replace }: ExportTarget): void {
  const attempted = `export to "${path}"`;
  const kind = disk.stat(path)?.kind;
  if (kind === 'directory') throw new LokiError('usage', { attempted, found: 'it is a directory', hint: 'Name a file in it' });
  if (kind === 'other') throw new LokiError('usage', { attempted, found: 'it is a device or pipe', hint: 'Leave out --output: the export then goes to standard output' });
  if (kind !== undefined && !replace) throw new LokiError('conflict', { attempted, found: 'it exists', hint: 'Choose another name, or replace it with --force' });
  const directory = disk.realpath(dirname(path));
  if (directory === undefined || disk.stat(directory)?.kind !== 'directory') throw new LokiError('usage', { attempted, found: `there is no directory "${dirname(path)}"`, hint: 'Make it first' });
  if (isInside(directory, home.home)) throw new LokiError('usage', { attempted, found: 'it lies among the records and keys themselves', hint: 'Name a file outside LOKI_HOME' });
}
