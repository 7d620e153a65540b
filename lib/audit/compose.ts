/** An event and its stamp -> the JSON text of the entry, without its seal. Details too large for a line go to a blob. */
import type { Disk, Random } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { sealLength } from './chain.ts';
import type { AuditEvent, EntryProtection, ProtectedMembers } from './entry.ts';
import { usualLevel } from './events.ts';

/** What the writer adds to an event. */
export interface EntryStamp {
  readonly seq: number;
  /** Milliseconds since the epoch, never before the entry before. */
  readonly time: number;
  /** How far this machine's clock stood behind the newest entry. */
  readonly behindMs: number;
}

interface BlobPlace {
  readonly disk: Disk;
  readonly random: Random;
  readonly base: string;
  readonly blobDirectory: string;
  readonly metadata: JsonObject;
  /** Puts envelopes around what is protected; everything is written in clear when left out. */
  readonly protection?: EntryProtection;
}

let isoCache = { time: -1, text: '' };

/** ISO 8601 with milliseconds; many entries share a millisecond. */
export function isoTime(time: number): string {
  if (isoCache.time !== time) isoCache = { time, text: new Date(time).toISOString() };
  return isoCache.text;
}

/** The entry's JSON, its members in the order of contract section 4. */
export function composeEntry(event: AuditEvent, stamp: EntryStamp, place: BlobPlace, longestLine: number): string {
  const members = place.protection?.protect(event, stamp.seq, stamp.time) ?? plain(event);
  const json = stringify(event, stamp, place, members, members.details);
  // The seal takes the place of the closing brace, which leaves a byte for the line feed.
  if (Buffer.byteLength(json) + sealLength <= longestLine) return json;
  const short = stringify(event, stamp, place, members, moveToBlob(members.details, place));
  const bytes = Buffer.byteLength(short) + sealLength;
  if (bytes > longestLine) throw new LokiError('request.large', { attempted: `record ${event.event}`, found: `it takes ${bytes} bytes without its details; an entry has at most ${longestLine}` });
  return short;
}

function plain({ actor, resource, details = {}, metadata = {} }: AuditEvent): ProtectedMembers {
  return { actor, ...(resource === undefined ? {} : { resource }), details, metadata };
}

function stringify(event: AuditEvent, stamp: EntryStamp, place: BlobPlace, { actor, resource, metadata }: ProtectedMembers, details: JsonValue): string {
  const behind = stamp.behindMs === 0 ? {} : { clock_behind_ms: stamp.behindMs };
  return JSON.stringify({
    seq: stamp.seq,
    timestamp: isoTime(stamp.time),
    event: event.event,
    level: event.level ?? usualLevel(event.event),
    actor,
    // Left out where there is none.
    resource,
    details,
    metadata: { ...place.metadata, ...metadata, ...behind },
  });
}

/**
 * The salt keeps the name from telling what is inside: small details could be guessed from a bare hash. The blob is
 * durable before the entry that points to it. It holds what the line would have held: an envelope where details are protected.
 */
function moveToBlob(details: JsonValue, place: BlobPlace): JsonObject {
  const content = JSON.stringify(details);
  const salt = Buffer.from(place.random.bytes(16)).toString('hex');
  const sha256 = sha256Hex(salt + content);
  place.disk.ensureDirectory(place.base, place.blobDirectory, 0o700);
  place.disk.create(place.base, join(place.blobDirectory, sha256), Buffer.from(content), 0o600);
  return { blob: { sha256, salt, bytes: Buffer.byteLength(content) } };
}
