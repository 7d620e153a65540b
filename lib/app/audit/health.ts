/** How the log of record stands, in a few looks that cost nothing: for the commands that show an installation's state. */
import { join } from '../../base/paths.ts';
import { queryLog } from '../../audit/query.ts';
import { messageOf } from '../../errors.ts';
import type { Installation } from '../installation.ts';
import { keyTrouble } from './protection.ts';

/** What `loki status` and `loki enterprise status` say of the log. */
export interface AuditHealth {
  readonly enabled: boolean;
  /** The newest entry; null when there is none. */
  readonly last_seq: number | null;
  readonly last_time: string | null;
  /** Entries that the newest checkpoint covers; null when there is none. */
  readonly checkpoint: number | null;
  /** ISO 8601; null when there is no checkpoint. */
  readonly checkpoint_time: string | null;
  readonly free_bytes: number | null;
  /** What a person should know, in words. */
  readonly troubles: readonly string[];
}

/** With less room than this on the disk somebody should make some. */
const littleFree = 1024 * 1024 * 1024;
/** A signed checkpoint is a few hundred bytes. */
const largestNote = 1 << 16;

export function auditHealth(installation: Installation): AuditHealth {
  const { config, host: { disk }, home } = installation;
  const troubles: string[] = [];
  const quietly = <T>(look: () => T | undefined): T | undefined => {
    try {
      return look();
    } catch (error) {
      troubles.push(messageOf(error));
      return undefined;
    }
  };
  const newest = quietly(() => queryLog(disk, home.audit, {}).next().value ?? undefined);
  const checkpoint = quietly(() => checkpointOf(installation));
  const free = quietly(() => disk.freeBytes(home.home));
  if (!config.audit.enabled) troubles.push('decisions are not recorded');
  const key = quietly(() => keyTrouble(installation));
  if (key !== undefined) troubles.push(config.audit.enabled ? `nothing can be recorded, and actions are ${config.audit.onFailure === 'block' ? 'denied' : 'let pass'}: ${messageOf(key)}` : messageOf(key));
  if (free !== undefined && free < littleFree) troubles.push(`${Math.round(free / 1e6)} MB free`);
  if (newest !== undefined && checkpoint !== undefined && checkpoint.size > newest.seq) troubles.push('the newest checkpoint covers more entries than there are');
  return {
    enabled: config.audit.enabled, last_seq: newest?.seq ?? null, last_time: newest?.timestamp ?? null,
    checkpoint: checkpoint?.size ?? null, checkpoint_time: checkpoint?.time ?? null, free_bytes: free ?? null, troubles,
  };
}

/** The second line of a checkpoint is the number of entries it covers (C2SP tlog-checkpoint). */
function checkpointOf({ host: { disk }, home }: Installation): { readonly size: number; readonly time: string } | undefined {
  const path = join(home.tlog, 'checkpoint');
  const stat = disk.stat(path);
  const line = stat === undefined ? '' : Buffer.from(disk.read(path, largestNote) ?? []).toString('utf8').split('\n')[1] ?? '';
  return stat !== undefined && /^\d{1,16}$/.test(line) ? { size: Number(line), time: new Date(stat.modifiedMs).toISOString() } : undefined;
}

/** In one line, without the troubles. */
export function healthWords({ enabled, last_seq, last_time, checkpoint, checkpoint_time }: AuditHealth): string {
  const entries = last_seq === null ? 'no entry yet' : `entry ${last_seq} of ${last_time}`;
  const covered = checkpoint === null ? last_seq === null ? '' : ', no checkpoint yet' : `, checkpoint at ${checkpoint} of ${checkpoint_time}`;
  return `${enabled ? 'on' : 'OFF'}, ${entries}${covered}`;
}
