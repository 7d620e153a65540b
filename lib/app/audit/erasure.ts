/**
 * Erasing a person from the log of record (docs/formats/erasure.md): the key of the subject is destroyed, and with it what
 * stands sealed under it, while the chain stays as it is. In this order, so that a run that was cut short is ended by the
 * next one: the intent is recorded, the key destroyed, that it is done recorded, and then the name of the key forgotten.
 */
import { LokiError } from '../../errors.ts';
import type { Lock } from '../../ports.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { atTerminal, type Prove } from '../../approvals/proof.ts';
import type { Recorder } from '../../audit/entry.ts';
import { createBlobReader } from '../../audit/blob.ts';
import { queryLog, searchHits } from '../../audit/query.ts';
import { walk } from '../../audit/protection/envelope.ts';
import type { Keyring } from '../../audit/protection/keyring.ts';
import { createOpener } from '../../audit/protection/opener.ts';
import { isSubject } from '../../audit/protection/subjects.ts';
import { findCopies, type Copy } from './erasure-copies.ts';
import { proven } from '../approver.ts';
import type { Installation } from '../installation.ts';
import { openEntries, openRing } from './protection.ts';

/** Entries of some kind: how many, and between which numbers. */
export interface Stretch {
  readonly entries: number;
  readonly first_seq: number | null;
  readonly last_seq: number | null;
}

/** What erasing a subject would do. */
export interface ErasurePlan {
  /** `user:NAME`. */
  readonly subject: string;
  readonly request: string;
  /** Keys to destroy: the subject's, and those that an earlier run under the same request began with. */
  readonly keys: readonly { readonly kid: string; readonly check: string | null; readonly begun: boolean }[];
  /** Entries that are sealed under them, in whole or in part. */
  readonly sealed: Stretch;
  /** Entries in which the name stands all the same: written before the setting, or in a text of another entry. */
  readonly left: Stretch;
  /** Of those, the ones in which the subject acts or is named as such. */
  readonly exact: number;
  readonly copies: readonly Copy[];
  /** A key that was destroyed and recorded, and is still named. */
  readonly stale: string | undefined;
}

const lockTimeoutMs = 10_000;
const longestWords = 500;

/** `alice` and `user:alice` as a subject. Throws `usage` for what cannot be one. */
export function subjectNamed(text: string): string {
  const subject = text.includes(':') ? text : `user:${text}`;
  if (isSubject(subject)) return subject;
  throw new LokiError('usage', { attempted: `erase "${text}"`, found: 'a subject is a user', hint: 'Name it as it stands in entries: user:alice' });
}

/** The number of the request, and the ground of a refusal, are kept for ever in clear: they must not name whom they are about. */
export function assertNamesNobody(what: string, text: string, subject: string): void {
  const attempted = `record the ${what}`;
  if (text.trim() === '' || text.length > longestWords || /[\u0000-\u001f\u007f]/.test(text)) throw new LokiError('usage', { attempted, found: `it is empty, longer than ${longestWords} characters, or holds control characters`, hint: 'Give it in one line' });
  const name = nameOf(subject).toLowerCase();
  if (new RegExp(`(?<![\\p{L}\\p{N}])${escaped(name)}(?![\\p{L}\\p{N}])`, 'u').test(text.toLowerCase())) {
    throw new LokiError('usage', { attempted, found: 'it names the person, and is kept in clear', hint: 'Say it without the name' });
  }
}

/** Looks at everything and changes nothing. */
export async function planErasure(installation: Installation, subject: string, request: string, signal?: AbortSignal): Promise<ErasurePlan> {
  const goOn = async (): Promise<void> => {
    await installation.host.timers.yield();
    if (signal?.aborted === true) throw new LokiError('interrupted', { attempted: 'look for what is to be erased', found: 'it was interrupted; nothing was erased' });
  };
  const ring = openRing(installation);
  const kid = ring.kidOf(subject);
  const earlier = erasuresOf(installation, request);
  const isStale = kid !== undefined && earlier.done.has(kid) && ring.checkOf(kid) === undefined;
  const kids = [...new Set([...(kid === undefined || isStale ? [] : [kid]), ...earlier.begun.keys()])];
  const keys = kids.map((each) => ({ kid: each, check: ring.checkOf(each) ?? earlier.begun.get(each) ?? null, begun: earlier.begun.has(each) }));
  return {
    subject, request, keys, stale: isStale ? kid : undefined,
    ...await countEntries(installation, subject, { ring, kids, goOn }),
    copies: await findCopies(installation, nameOf(subject), goOn),
  };
}

/** Whether there is nothing of the subject in the log. */
export function isUnknown(plan: ErasurePlan): boolean {
  return !isPossible(plan) && plan.exact === 0;
}

/** Whether there is anything that can be destroyed, or is left over from a run that was cut short. */
export function isPossible({ keys, stale }: ErasurePlan): boolean {
  return keys.length > 0 || stale !== undefined;
}

/**
 * Destroys the keys and records it. What was destroyed stays destroyed whatever fails afterwards; running it again ends it.
 * Gives back the plan with what was there when the keys were destroyed: entries may have been written since it was made.
 */
export async function performErasure(installation: Installation, record: Recorder, plan: ErasurePlan, { by, prove = atTerminal }: { readonly by: string; readonly prove?: Prove }): Promise<ErasurePlan> {
  const { host, home } = installation;
  const ring = openRing(installation);
  const lock = host.lock(join(home.run, 'audit'));
  const kids = plan.keys.map(({ kid }) => kid);
  const details = { request: plan.request, kids, key_checks: plan.keys.map(({ check }) => check) };
  if (plan.keys.some(({ begun }) => !begun)) {
    const begun = { event: 'audit.erase', actor: by, details: { state: 'begun', ...details, ...plan.sealed } } as const;
    await record(proven(installation, begun, prove, 'erase a person'));
  }
  await locked(lock, () => kids.forEach((kid) => ring.destroy(kid)));
  // Nothing is sealed under them any more: what bears their names now is what was erased.
  const erased: ErasurePlan = kids.length === 0 ? plan : { ...plan, ...await countEntries(installation, plan.subject, { ring, kids, goOn: () => host.timers.yield() }) };
  // By nobody: who erases himself would get a new key by saying so.
  if (plan.keys.length > 0) await record({ event: 'audit.erase', actor: 'system', details: { state: 'done', ...details, ...erased.sealed, left: { ...erased.left }, copies: copyCounts(plan.copies) } });
  await locked(lock, () => forget(ring, plan));
  return erased;
}

function forget(ring: Keyring, { subject, keys, stale }: ErasurePlan): void {
  for (const kid of [...keys.map((key) => key.kid), ...(stale === undefined ? [] : [stale])]) ring.forget(subject, kid);
}

/** Records that the request was refused, and on what ground (Art 17(3) GDPR). Nothing is destroyed. */
export async function refuseErasure(installation: Installation, record: Recorder, refusal: { readonly subject: string; readonly request: string; readonly ground: string; readonly by: string }): Promise<void> {
  const kid = openRing(installation).kidOf(refusal.subject);
  await record({ event: 'audit.erase_refused', actor: refusal.by, details: { request: refusal.request, ground: refusal.ground, kids: kid === undefined ? [] : [kid] } });
}

function copyCounts(copies: readonly Copy[]): JsonObject {
  const counts: Record<string, number> = {};
  for (const { what } of copies) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}

/** Which keys were destroyed before, and which of this request were begun with and not ended, with their checks. */
function erasuresOf(installation: Installation, request: string): { readonly done: ReadonlySet<string>; readonly begun: ReadonlyMap<string, string> } {
  const { host: { disk }, home } = installation;
  const done = new Set<string>();
  const begun = new Map<string, string>();
  for (const { details } of queryLog(disk, home.audit, { event: 'audit.erase' }, { opener: openEntries(installation) })) {
    if (!isPlainObject(details) || !Array.isArray(details['kids'])) continue;
    const checks: unknown = details['key_checks'];
    details['kids'].forEach((kid: unknown, at: number) => {
      if (typeof kid !== 'string') return;
      if (details['state'] === 'done') done.add(kid);
      // Newest first: what was ended is known before it is seen to begin.
      else if (details['request'] === request && !done.has(kid)) begun.set(kid, Array.isArray(checks) ? String(checks[at]) : '');
    });
  }
  return { done, begun };
}

interface Counting {
  readonly ring: Keyring;
  readonly kids: readonly string[];
  readonly goOn: () => Promise<void>;
}

async function countEntries(installation: Installation, subject: string, { ring, kids, goOn }: Counting): Promise<Pick<ErasurePlan, 'sealed' | 'left' | 'exact'>> {
  const { host: { disk }, home } = installation;
  const sealed = createStretch();
  const left = createStretch();
  const blobs = createBlobReader(disk, home.home, home.blobs);
  for (const [at, kid] of kids.entries()) {
    // Found by the key's name, which stands in clear whether or not the key still is there, in the line or in its blob.
    for (const hit of searchHits(disk, home.audit, { text: kid }, { order: 'oldest', blobs })) {
      if (hit === undefined) await goOn();
      else if (hit.entry.event !== 'audit.erase' && !kids.slice(0, at).some((earlier) => JSON.stringify(hit.entry).includes(earlier))) sealed.add(hit.entry.seq);
    }
  }
  let exact = 0;
  const afterwards = createOpener(ring, new Set(kids));
  for (const hit of searchHits(disk, home.audit, { text: JSON.stringify(nameOf(subject)).slice(1, -1) }, { order: 'oldest', opener: afterwards, blobs })) {
    if (hit === undefined) await goOn();
    else {
      left.add(hit.entry.seq);
      exact += names(hit.entry, subject) ? 1 : 0;
    }
  }
  return { sealed: sealed.result(), left: left.result(), exact };
}

function createStretch(): { add(seq: number): void; result(): Stretch } {
  let [entries, first, last]: [number, number | null, number | null] = [0, null, null];
  return {
    add(seq) {
      entries += 1;
      first = Math.min(first ?? seq, seq);
      last = Math.max(last ?? seq, seq);
    },
    result: () => ({ entries, first_seq: first, last_seq: last }),
  };
}

function names(value: JsonValue, subject: string): boolean {
  let any = false;
  walk(value, '', (each) => {
    any ||= each === subject;
    return undefined;
  });
  return any;
}

function nameOf(subject: string): string {
  return subject.slice(subject.indexOf(':') + 1);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

async function locked(lock: Lock, work: () => void): Promise<void> {
  await lock.acquire(lockTimeoutMs);
  try {
    work();
  } finally {
    lock.release();
  }
}
