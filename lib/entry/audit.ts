/** `loki-enterprise/audit`: write, read and verify a log of record in any directory (docs/formats/audit.md). */
import type { AuditEvent, AuditReceipt } from '../audit/entry.ts';
import { logFiles } from '../audit/files.ts';
import { openAuditLog as openLog } from '../audit/log.ts';
import { queryLog, type AuditFilter, type LoggedEntry } from '../audit/query.ts';
import { verifyChain, type ChainReport } from '../audit/verify.ts';
import { dirname, join, resolveFrom } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import { createHost } from '../host/host.ts';
import { version } from '../app/version.ts';
import { ownSurroundings } from './surroundings.ts';

export interface AuditLogDirectory {
  /** The log's directory; made, private to its owner, on the first entry. What lies beside it: `blobs`, `torn`, `legacy`, `run`. */
  readonly dir: string;
  /** Further members of every entry's `metadata`. */
  readonly metadata?: JsonObject;
  /** A day's file that has reached this many bytes is followed by another; 100 MiB when left out. */
  readonly maxFileBytes?: number;
}

export interface OpenedAuditLog {
  /** Resolves when the entry is durable. Rejects with `audit.unwritable` when it could not be recorded. */
  append(entry: AuditEvent): Promise<AuditReceipt>;
  /** Matching entries, the newest first. */
  query(filter?: AuditFilter): AsyncIterable<LoggedEntry>;
  /** Checks the whole chain. */
  verify(options?: { readonly signal?: AbortSignal }): Promise<ChainReport>;
  close(): Promise<void>;
}

/** Opens a log. Nothing is touched on disk before the first entry; several processes may write one log. */
export function openAuditLog(options: AuditLogDirectory): OpenedAuditLog {
  const directory = resolveFrom(ownSurroundings().cwd, options.dir);
  const base = { path: dirname(directory) };
  const host = createHost(() => base.path);
  base.path = host.disk.realpath(base.path) ?? base.path;
  const place = join(base.path, directory.slice(dirname(directory).length));
  const log = openLog({
    disk: host.disk, clock: host.clock, timers: host.timers, random: host.random, lock: host.lock(join(base.path, 'run', 'audit')), lockTimeoutMs: 10_000,
    base: base.path, directory: place, blobDirectory: join(base.path, 'blobs'), tornDirectory: join(base.path, 'torn'), legacyDirectory: join(base.path, 'legacy'),
    metadata: { hostname: host.facts.hostname, pid: host.facts.pid, version, ...options.metadata }, level: 'debug', exclude: new Set(),
    maxFileBytes: options.maxFileBytes ?? 100 * 1024 * 1024, fileMode: 0o600, directoryMode: 0o700,
    prepare: () => host.disk.ensureDirectory(base.path, join(base.path, 'run'), 0o700),
  });
  return {
    append: (entry) => log.append(entry),
    async *query(filter = {}) { yield* queryLog(host.disk, place, filter); },
    verify: (how = {}) => verifyChain(
      { chain: 'record', directory: place, names: logFiles(host.disk.list(place)).map((file) => file.name) },
      { disk: host.disk, timers: host.timers, ...(how.signal === undefined ? {} : { signal: how.signal }) },
    ),
    close: () => log.close(),
  };
}

export type { AuditEvent, AuditReceipt } from '../audit/entry.ts';
export type { AuditFilter, LoggedEntry } from '../audit/query.ts';
export type { ChainBreak, ChainReport, Verdict } from '../audit/verify.ts';
export { LokiError } from '../errors.ts';
