/**
 * Entries on their way to disk: what `encrypt` and `gdpr_compliance` put envelopes around (docs/formats/erasure.md). Runs
 * under the log's lock. A key that is needed and not there is an error, and the entry is not written: never in clear.
 */
import type { Random } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { AuditEvent, EntryProtection, ProtectedMembers } from '../entry.ts';
import { dayOf } from '../files.ts';
import { sealValue, walk, type DataKey } from './envelope.ts';
import type { Keyring } from './keyring.ts';
import { hasClearDetails, isSubject, subjectOf } from './subjects.ts';

export interface ProtectionOptions {
  readonly ring: Keyring;
  readonly random: Random;
  /** Actor and details of every entry are sealed, under a key of the day where no subject's key is due. */
  readonly encrypt: boolean;
  /** What is personal is sealed under a key of the person. */
  readonly gdpr: boolean;
}

/** Bytes of an envelope beside what it holds, those of its place in the list of keys inside included. */
const envelopeBytes = 200;
/** So many names are sealed each by itself in resource and metadata, and so many in details. */
const mostNames = 50;

export function createProtection({ ring, random, encrypt, gdpr }: ProtectionOptions): EntryProtection {
  /** Unwrapped once a day. */
  let today: { readonly day: string; readonly key: DataKey; readonly check: string | undefined } | undefined;

  function dayKey(time: number): DataKey {
    const day = dayOf(time);
    // A ring that was moved away, or put back, has another key or none: under one that is only in memory nobody could read.
    if (today?.day !== day || today.check === undefined || ring.checkOf(today.key.kid) !== today.check) {
      const key = ring.dayKey(day);
      today = { day, key, check: ring.checkOf(key.kid) };
    }
    return today.key;
  }

  /** Names of people, wherever they stand as a whole value; all but `own`, which is sealed with what is around it. */
  function sealNames(value: JsonValue, path: string, seq: number, own: string | undefined): JsonValue {
    if (!gdpr) return value;
    return walk(value, path, (each, at) => {
      if (!isSubject(each) || each === own) return undefined;
      const isKnown = mayIntroduce(each, at) || ring.kidOf(each) !== undefined;
      return isKnown ? sealValue(each, ring.subjectKey(each), seq, at, random) : undefined;
    });
  }

  function protect(event: AuditEvent, seq: number, time: number): ProtectedMembers {
    const clear = hasClearDetails(event);
    const own = gdpr ? subjectOf(event) : undefined;
    const isLogItself = clear && event.actor === 'system';
    const key = isLogItself ? undefined : keyFor(own, time);
    const sealed = (value: JsonValue, path: string): JsonValue => (key === undefined ? value : sealValue(value, key, seq, path, random));
    const details = sealNames(event.details ?? {}, '/details', seq, clear ? undefined : own);
    const metadata = sealNames(event.metadata ?? {}, '/metadata', seq, undefined);
    return {
      actor: sealed(event.actor, '/actor'),
      ...(event.resource === undefined ? {} : { resource: sealNames(event.resource, '/resource', seq, undefined) }),
      details: clear ? details : sealed(details, '/details'),
      metadata: isObject(metadata) ? metadata : {},
    };
  }

  function keyFor(own: string | undefined, time: number): DataKey | undefined {
    if (own !== undefined) return ring.subjectKey(own);
    return encrypt ? dayKey(time) : undefined;
  }

  return { protect, overhead };
}

/** An agent chooses its action and its session's id: names in there are sealed too, but make no key for whatever they say. */
function mayIntroduce(text: string, path: string): boolean {
  if (/\s/.test(text)) return false;
  return path === '/resource' || path === '/metadata/owner' || (path.startsWith('/details/') && !path.startsWith('/details/action/'));
}

function overhead(event: AuditEvent): number {
  const inHead = namesIn([event.resource ?? null, event.metadata ?? {}]);
  const inDetails = namesIn(event.details ?? {});
  if (inHead > mostNames || inDetails > mostNames) throw new LokiError('request.large', { attempted: `record ${event.event}`, found: `it names more than ${mostNames} people` });
  // Base64 takes four characters for three bytes; a name is sealed by itself, and again with the details around it.
  const sealed = Buffer.byteLength(JSON.stringify([event.actor, event.details ?? {}])) + inDetails * envelopeBytes;
  return Math.ceil(sealed / 3) + (2 + inHead + inDetails) * envelopeBytes;
}

function namesIn(value: JsonValue): number {
  let count = 0;
  walk(value, '', (each) => {
    count += isSubject(each) ? 1 : 0;
    return undefined;
  });
  return count;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
