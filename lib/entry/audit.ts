/** `loki-enterprise/audit`: write, read and verify a log of record in any directory (docs/formats/audit.md). */
import type { AuditEvent, AuditReceipt } from '../audit/entry.ts';
import { openAuditLog as openLog } from '../audit/log.ts';
import { queryLog } from '../audit/query.ts';
import type { AuditFilter, LoggedEntry } from '../audit/query/wanted.ts';
import type { ChainReport, VerifyLogOptions } from '../audit/verify/report.ts';
import { verifyAndTell } from '../app/audit/verify-directory.ts';
import { recordFiles } from '../audit/tlog/chain-files.ts';
import { keepKeys } from '../audit/tlog/key.ts';
import { openTree, type Tree } from '../audit/tlog/tree.ts';
import { toBase64 } from '../base/merkle/base64.ts';
import { dirname, join, resolveFrom } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import { createHost } from '../host/host.ts';
import { version } from '../app/version.ts';
import { ownSurroundings } from './surroundings.ts';

export interface AuditLogDirectory {
  /** The log's directory; made, private to its owner, on the first entry. What lies beside it: `blobs`, `torn`, `legacy`, `run`, and with checkpoints `tlog` and `keys`. */
  readonly dir: string;
  /** Further members of every entry's `metadata`. */
  readonly metadata?: JsonObject;
  /** A day's file that has reached this many bytes is followed by another; 100 MiB when left out. */
  readonly maxFileBytes?: number;
  /** The name that checkpoints carry, `<origin>/loki/audit`; that of the key when there is one, else the host's, when left out. */
  readonly origin?: string;
}

/** A signed checkpoint (docs/formats/checkpoint.md). */
export interface SignedCheckpoint {
  readonly origin: string;
  /** Entries that it covers. */
  readonly size: number;
  /** The root of their Merkle tree. */
  readonly root: Uint8Array;
  /** The note, to be kept where this machine cannot change it. */
  readonly note: string;
  /** The public key that checks it. */
  readonly vkey: string;
}

export interface OpenedAuditLog {
  /** Resolves when the entry is durable. Rejects with `audit.unwritable` when it could not be recorded. */
  append(entry: AuditEvent): Promise<AuditReceipt>;
  /** Matching entries, the newest first. */
  query(filter?: AuditFilter): AsyncIterable<LoggedEntry>;
  /** Checks the whole chain, and its newest checkpoint when there is one. That it was verified is recorded, when that is possible. */
  verify(options?: VerifyLogOptions): Promise<ChainReport>;
  /**
   * Signs a checkpoint over every entry, if there are any that the newest one does not cover, and gives the newest one; undefined for
   * a log without entries. Rejects with `audit.tampered` when the log contradicts an earlier checkpoint. None is signed unasked.
   */
  checkpoint(): Promise<SignedCheckpoint | undefined>;
  close(): Promise<void>;
}

/** Opens a log. Nothing is touched on disk before the first entry; several processes may write one log. */
export function openAuditLog(options: AuditLogDirectory): OpenedAuditLog {
  const directory = resolveFrom(ownSurroundings().cwd, options.dir);
  const base = { path: dirname(directory) };
  const host = createHost(() => base.path);
  base.path = host.disk.realpath(base.path) ?? base.path;
  const place = join(base.path, directory.slice(dirname(directory).length));
  let acknowledged = 0;
  const log = openLog({
    disk: host.disk, clock: host.clock, timers: host.timers, random: host.random, lock: host.lock(join(base.path, 'run', 'audit')), lockTimeoutMs: 10_000,
    base: base.path, directory: place, blobDirectory: join(base.path, 'blobs'), tornDirectory: join(base.path, 'torn'), legacyDirectory: join(base.path, 'legacy'),
    metadata: { hostname: host.facts.hostname, pid: host.facts.pid, version, ...options.metadata }, level: 'debug', exclude: new Set(),
    maxFileBytes: options.maxFileBytes ?? 100 * 1024 * 1024, fileMode: 0o600, directoryMode: 0o700, everyEventDurable: true,
    prepare: () => prepareRun(), onAppended: (_, seq) => { acknowledged = seq; },
  });
  const prepareRun = (): void => host.disk.ensureDirectory(base.path, join(base.path, 'run'), 0o700);
  let tree: Tree | undefined;
  async function checkpoint(): Promise<SignedCheckpoint | undefined> {
    if (host.disk.stat(place) === undefined) return undefined;
    prepareRun();
    tree ??= openTree({
      disk: host.disk, clock: host.clock, timers: host.timers, lock: host.lock(join(base.path, 'run', 'tlog')), lockTimeoutMs: 10_000,
      writers: host.lock(join(base.path, 'run', 'audit')), acknowledged: () => acknowledged,
      base: base.path, directory: join(base.path, 'tlog'), chain: 'record', files: recordFiles({ disk: host.disk, base: base.path, directory: place, fileMode: 0o600 }),
      keys: keepKeys({ disk: host.disk, base: base.path, directory: join(base.path, 'keys') }, { name: options.origin ?? host.facts.hostname, chosen: options.origin !== undefined }, host.random),
      fileMode: 0o600, directoryMode: 0o700,
    });
    const { made, checkpoint: newest, note, vkey } = await tree.advance();
    if (newest === undefined || note === undefined) return undefined;
    const { origin, size, root } = newest;
    if (made) await log.append({ event: 'audit.checkpoint', actor: 'system', details: { chain: 'record', size, root: toBase64(root), reason: 'request' } });
    return { origin, size, root, note, vkey };
  }
  return {
    checkpoint,
    append: (entry) => log.append(entry),
    async *query(filter = {}) { yield* queryLog(host.disk, place, filter); },
    verify: (how = {}) => verifyAndTell({ disk: host.disk, timers: host.timers, base: base.path, directory: place, record: (event) => log.append(event) }, how),
    async close() {
      tree?.close();
      await log.close();
    },
  };
}

export type { AuditEvent, AuditReceipt } from '../audit/entry.ts';
export type { AuditFilter, LoggedEntry } from '../audit/query/wanted.ts';
export type { ChainBreak, Verdict } from '../audit/verify/causes.ts';
export type { ChainReport, VerifyLogOptions } from '../audit/verify/report.ts';
export { LokiError } from '../errors.ts';
