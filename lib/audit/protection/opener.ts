/**
 * Entries on their way back: envelopes are opened where their keys are at hand. No key is read before the first envelope is
 * met. Keys that were found are kept as long as this object is: make one for a query, so that an erased key is not used on.
 */
import { isPlainObject, jsonIn, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isEnvelope, kidsOf, openValue, sealedMark, walk } from './envelope.ts';
import type { Keyring } from './keyring.ts';

export interface EntryOpener {
  /** The entry with what can be opened open; a closed actor reads `sealed:<kid>`, other closed values stay envelopes. */
  open(entry: JsonObject): JsonObject;
  /** The details that a blob of entry `seq` holds; undefined when they are closed, or it holds none. */
  openBlob(seq: number, content: Uint8Array): JsonValue | undefined;
  /** A line can be of this actor (`user:alice`, or `alice`) only when it contains one of these texts. */
  actorNeedles(actor: string): readonly string[];
  /** A line can concern this subject (`user:alice`, or `alice`) only when it contains one of these texts. */
  subjectNeedles(subject: string): readonly string[];
  /** Whether an entry, as it stands on disk, concerns the subject: it acted, is named, or has an envelope of its own. */
  concerns(raw: JsonObject, subject: string): boolean;
  /** Entries so far of which something could not be opened. */
  readonly closed: number;
}

/** `except` names keys that are treated as destroyed: what an erasure would leave. */
export function createOpener(ring: Pick<Keyring, 'find' | 'kidOf'>, except: ReadonlySet<string> = new Set()): EntryOpener {
  const known = new Map<string, Uint8Array | undefined>();
  let closed = 0;
  let failed = false;

  function keyOf(kid: string): Uint8Array | undefined {
    if (!known.has(kid)) known.set(kid, lookUp(kid));
    return known.get(kid);
  }

  function lookUp(kid: string): Uint8Array | undefined {
    if (except.has(kid)) return undefined;
    try {
      const found = ring.find(kid);
      return found.kind === 'key' ? found.key : undefined;
    } catch {
      // A key file that cannot be read closes what it opens, and nothing else.
      return undefined;
    }
  }

  function openWithin(value: JsonValue, path: string, seq: number): JsonValue {
    return walk(value, path, (each, at) => {
      if (!isEnvelope(each)) return undefined;
      const key = keyOf(each.kid);
      const inside = key === undefined ? undefined : openValue(each, key, seq, at);
      if (inside === undefined) failed = true;
      // What is inside is opened once more, for the names in it; an envelope never holds nothing but another one.
      return inside === undefined ? each : isEnvelope(inside) ? inside : openWithin(inside, at, seq);
    });
  }

  function open(entry: JsonObject): JsonObject {
    const { seq, actor } = entry;
    if (typeof seq !== 'number') return entry;
    failed = false;
    const opened = openWithin(entry, '', seq);
    if (failed) closed += 1;
    if (!isPlainObject(opened)) return entry;
    return isEnvelope(actor) && isEnvelope(opened['actor']) ? { ...opened, actor: `sealed:${actor.kid}` } : opened;
  }

  /** The kid of a user, named with or without what a user is; none when there is none, or when that cannot be told. */
  function kidsFor(name: string): readonly string[] {
    try {
      return [ring.kidOf(name.includes(':') ? name : `user:${name}`)].filter((kid) => kid !== undefined);
    } catch {
      return [];
    }
  }

  return {
    open,
    openBlob(seq, content) {
      const value = jsonIn(content);
      if (value === undefined) return undefined;
      const opened = openWithin(value, '/details', seq);
      return isEnvelope(opened) ? undefined : opened;
    },
    // Under the key of a day stands anybody; under that of a subject the subject, or a token of its own.
    actorNeedles(actor) {
      const sealed = actor.startsWith('user:') ? kidsFor(actor) : [`"actor":${sealedMark}"kid":"s`];
      return [JSON.stringify(actor).slice(1), `"actor":${sealedMark}"kid":"d`, ...sealed];
    },
    subjectNeedles: (subject) => [JSON.stringify(subject).slice(1), `${sealedMark}"kid":"d`, ...kidsFor(subject)],
    concerns(raw, subject) {
      const wanted = subject.includes(':') ? subject : `user:${subject}`;
      const kids = kidsFor(wanted);
      return found(raw, (each) => isEnvelope(each) && kidsOf(each).some((kid) => kids.includes(kid))) || found(open(raw), (each) => each === wanted);
    },
    get closed() { return closed; },
  };
}

/** Whether any value in it is wanted. */
function found(value: JsonValue, wanted: (value: JsonValue) => boolean): boolean {
  let any = false;
  walk(value, '', (each) => {
    any ||= wanted(each);
    return undefined;
  });
  return any;
}

