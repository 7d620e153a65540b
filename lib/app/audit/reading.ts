/** Reading the log of record: what was protected is opened where its keys are, and reading is recorded where that is asked for. */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { createBlobReader, type BlobReader, type UnreadBlobs } from '../../audit/blob.ts';
import type { AuditEvent, Recorder } from '../../audit/entry.ts';
import type { EntryOpener } from '../../audit/protection/opener.ts';
import { searchHits, type AuditFilter, type Hit, type LoggedEntry } from '../../audit/query.ts';
import { summarize, summarizeHits, type AuditSummary } from '../../audit/summary.ts';
import type { Installation } from '../installation.ts';

/** Hears of a file that cannot be read; what is read goes on without it, unless it throws. */
export type OnUnreadable = (file: string, error: LokiError) => void;

/** One look into the log. Make a new one for each: a key that was destroyed since must not be used on. */
export interface LogReading {
  /**
   * Matching entries; an undefined now and then lets others have a turn. Where they are about a subject, details that lie
   * beside the log are looked into, and stand in the entry: an answer to a request for access is complete.
   */
  search(filter: AuditFilter, order?: 'newest' | 'oldest'): Generator<Hit | undefined>;
  /** An entry that was read elsewhere, opened. */
  open(entry: LoggedEntry): JsonObject;
  /** Entries so far of which something is closed: its key is not here, or was destroyed. */
  closed(): number;
  /** Entries so far whose details lie beside the log, were looked for, and could not be had. */
  unread(): UnreadBlobs;
  /** Counts; each step but the last lets others have a turn. */
  summarize(range: { readonly from?: string; readonly to?: string; readonly tenant?: string }): Generator<undefined, AuditSummary>;
}

/** With `closed`, nothing protected is opened, whatever keys are here. */
export async function openReading(installation: Installation, onUnreadable: OnUnreadable = () => undefined, closed = false): Promise<LogReading> {
  const { host: { disk }, home } = installation;
  const protection = await protectionOf(installation, closed);
  // What hashes is loaded where somebody's entries are asked for, and not for every look at the newest ones.
  let blobs: BlobReader | undefined;
  const opener = protection?.opener;
  return {
    search: (filter, order = 'newest') => searchHits(disk, home.audit, filter, {
      order, onUnreadable, ...(opener === undefined ? {} : { opener }), ...(filter.subject === undefined ? {} : { blobs: blobs ??= createBlobReader(disk, home.home, home.blobs) }),
    }),
    open: (entry) => opener?.open(entry) ?? entry,
    closed: () => opener?.closed ?? 0,
    unread: () => blobs?.unread ?? { entries: 0, seqs: [] },
    summarize(range) {
      const options = { onUnreadable, ...(protection === undefined ? {} : { actorOf: protection.actorOf }) };
      return range.tenant === undefined ? summarize(disk, home.audit, range, options) : summarizeHits(searchHits(disk, home.audit, range, { onUnreadable }), options);
    },
  };
}

interface Protection {
  readonly opener: EntryOpener;
  readonly actorOf: (entry: LoggedEntry) => string;
}

/** Nothing where nothing was ever protected: then names can be looked for as they stand. */
async function protectionOf(installation: Installation, closed: boolean): Promise<Protection | undefined> {
  const keys = keysFor(installation);
  if (keys === 'none') return undefined;
  const { openEntries, openRing } = await import('./protection.ts');
  const opener = openEntries(installation, closed || keys === 'hidden');
  const ring = keys === 'hidden' ? undefined : openRing(installation);
  const actorOf = (entry: LoggedEntry): string => {
    const { actor } = opener.open(entry);
    const kid = typeof actor === 'string' ? /^sealed:(.*)$/.exec(actor)?.[1] : undefined;
    if (typeof actor === 'string' && kid === undefined) return actor;
    return kid !== undefined && ring?.find(kid).kind === 'gone' ? '(erased)' : '(encrypted)';
  };
  return { opener, actorOf };
}

/** Whether there are keys. Who may read the log need not be let into their folder (`group_readable`): then what is protected stays closed. */
function keysFor({ host: { disk }, home }: Installation): 'none' | 'there' | 'hidden' {
  try {
    return disk.list(home.ring).length === 0 ? 'none' : 'there';
  } catch (error) {
    if (error instanceof LokiError && error.code === 'io.failed') return 'hidden';
    throw error;
  }
}

/** How records were read. */
export type Access = 'search' | 'tail' | 'export' | 'api' | 'simulate';

/**
 * Records that somebody reads entries, when the setting asks for it; before they see the first one. `entries` is null where
 * their number is not known beforehand. Throws `audit.unwritable` when that cannot be recorded: then nothing is shown.
 */
export async function recordAccess({ config }: Installation, record: Recorder, by: string, how: Access, filter: AuditFilter, entries: number | null): Promise<void> {
  if (!config.audit.logDataAccess) return;
  await record({ event: 'data.access', actor: by, resource: 'log:audit', details: { how, filter: filterDetails(config, filter), entries }, ...filedFor(filter) });
}

/** Who may see one tenant's entries alone does it as that tenant's. */
export function filedFor({ tenant }: AuditFilter): Pick<AuditEvent, 'metadata'> {
  return tenant === undefined ? {} : { metadata: { tenant_id: tenant } };
}

/** `recordAccess` for a process that holds no log open. */
export async function recordAccessOnce(installation: Installation, by: string, how: Access, filter: AuditFilter, entries: number | null): Promise<void> {
  if (!installation.config.audit.logDataAccess) return;
  // What writes is loaded only where something is written.
  const log = (await import('./record.ts')).openRecord(installation);
  try {
    await recordAccess(installation, log.record, by, how, filter, entries);
  } finally {
    await log.close();
  }
}

/**
 * A filter as it is recorded. Where people have keys of their own, names in it are sealed as others are, so they are written
 * as names; a text that is searched for may be anybody's, and is not written down.
 */
export function filterDetails({ audit: { gdprCompliance } }: Installation['config'], filter: AuditFilter): JsonObject {
  const { actor, text } = filter;
  return {
    ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    ...(gdprCompliance && actor !== undefined && !actor.includes(':') ? { actor: `user:${actor}` } : {}),
    ...(gdprCompliance && text !== undefined ? { text: '(withheld)' } : {}),
  };
}
