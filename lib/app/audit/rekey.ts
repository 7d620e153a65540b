/**
 * Another key that wraps the keys of the log (`loki audit rekey`). Data keys stay what they are, so every entry can still be
 * read; only their files are written anew. From the first step to the last both keys are known: a run that was cut short is
 * ended by the next one, and writers go on meanwhile, a few files at a time.
 */
import { LokiError } from '../../errors.ts';
import type { Lock } from '../../ports.ts';
import { keyBytes, keyCheck } from '../../base/cipher.ts';
import { join } from '../../base/paths.ts';
import type { Keyring, WrappingState } from '../../audit/protection/keyring.ts';
import type { Recorder } from '../../audit/entry.ts';
import type { Installation } from '../installation.ts';
import { configuredKey, keyInFile, keyText, openRing, ownKeyFiles, recordKey } from './protection.ts';

export interface RekeyRequest {
  /** File with the new key; without it a new one is made, and kept in LOKI_HOME/keys. */
  readonly newKeyFile?: string;
  /** Who asks, as an audit actor. */
  readonly by: string;
}

export interface RekeyReport {
  readonly keys: number;
  readonly old_check: string;
  readonly new_check: string;
  /** `LOKI_HOME/keys/audit.key`, or the file that the environment must name from now on. */
  readonly key_at: string;
  readonly took_up: boolean;
}

/** The log's lock is held for so many files at a time, well below what a writer waits. */
const filesATurn = 32;
const lockTimeoutMs = 10_000;
const largestKeyFile = 1024;

/** Wraps every key of the ring anew. Throws `not_found` when there is none, `config.invalid` when the old key is not here. */
export async function rekey(installation: Installation, record: Recorder, request: RekeyRequest): Promise<RekeyReport> {
  const { home, host } = installation;
  stateOf(installation);
  const lock = host.lock(join(home.run, 'audit'));
  const { own, next } = ownKeyFiles(installation);
  const plan = await locked(lock, () => begin(installation, request));
  const at = [...plan.known, plan.key];
  const ring = openRing(installation, { list: () => at, make: () => plan.key });
  let keys = 0;
  for (let again = true; again;) {
    const turn = await locked(lock, () => rewrapSome(ring, plan.key));
    keys += turn.done;
    again = turn.more;
  }
  const report = { keys, old_check: plan.oldCheck, new_check: keyCheck(plan.key), key_at: request.newKeyFile ?? own, took_up: plan.tookUp };
  // While both keys count: the environment of this process may know the old one only.
  await recordIt(record, request, report);
  await locked(lock, () => {
    if (request.newKeyFile === undefined) host.disk.replace(home.home, own, keyText(plan.key), 0o600);
    // It opens nothing any more but old copies of the ring.
    else host.disk.remove(own);
    host.disk.remove(next);
    ring.setState({ check: keyCheck(plan.key) });
  });
  return report;
}

interface Plan {
  readonly key: Uint8Array;
  readonly known: readonly Uint8Array[];
  readonly oldCheck: string;
  readonly tookUp: boolean;
}

function stateOf(installation: Installation): WrappingState {
  const state = openRing(installation).state();
  if (state !== undefined) return state;
  throw new LokiError('not_found', { attempted: 'change the key of the audit log', found: 'no key of this log is wrapped: nothing was encrypted yet', hint: 'Switch encryption on with enterprise.audit.encrypt' });
}

/** Both keys are on disk, and new data keys are wrapped by the new one, when this returns. */
function begin(installation: Installation, request: RekeyRequest): Plan {
  const { host: { disk, random }, home } = installation;
  const { own, next } = ownKeyFiles(installation);
  const state = stateOf(installation);
  const asked = request.newKeyFile === undefined ? undefined : keyInFile(disk.read(request.newKeyFile, largestKeyFile), request.newKeyFile);
  const known = [configuredKey(installation), recordKey(installation, own), recordKey(installation, next), asked].filter((each) => each !== undefined);
  const withCheck = (check: string): Uint8Array | undefined => known.find((each) => keyCheck(each) === check);
  const pending = state.next === undefined ? undefined : withCheck(state.next);
  assertPossible(installation, request, { state, pending, asked, hasOld: withCheck(state.check) !== undefined });
  const key = pending ?? asked ?? random.bytes(keyBytes);
  disk.replace(home.home, next, keyText(key), 0o600);
  openRing(installation).setState({ check: state.check, next: keyCheck(key) });
  return { key, known, oldCheck: state.check, tookUp: pending !== undefined };
}

interface Situation {
  readonly state: WrappingState;
  /** The key of a change that was begun and not ended. */
  readonly pending: Uint8Array | undefined;
  readonly asked: Uint8Array | undefined;
  readonly hasOld: boolean;
}

function assertPossible(installation: Installation, { newKeyFile }: RekeyRequest, { state, pending, asked, hasOld }: Situation): void {
  const attempted = 'change the key of the audit log';
  const wanted = asked === undefined ? undefined : keyCheck(asked);
  if (state.next !== undefined && (pending === undefined || (wanted !== undefined && wanted !== state.next))) {
    throw new LokiError('conflict', { attempted, found: `a change to the key with check ${state.next} was begun and not ended`, hint: 'End it first: run this with the key it was begun with' });
  }
  if (newKeyFile === undefined && configuredKey(installation) !== undefined) {
    throw new LokiError('usage', { attempted, found: 'the key comes from the environment, and one that is made here would not be used', hint: 'Make one with: openssl rand -base64 32 > F; then name it with --new-key-file F' });
  }
  if (!hasOld && pending === undefined) {
    throw new LokiError('config.invalid', { attempted, found: `the key in force, with check ${state.check}, is not here`, hint: 'Give it in LOKI_AUDIT_KEY or LOKI_AUDIT_KEY_FILE for this command' });
  }
  if (wanted === state.check) throw new LokiError('usage', { attempted, found: 'the new key is the one in force', hint: 'Name another key' });
}

/** Throws when a key cannot be unwrapped: then the old key stays in force for it, and both are kept. */
function rewrapSome(ring: Keyring, key: Uint8Array): { readonly done: number; readonly more: boolean } {
  const left = ring.keyFiles().filter((name) => !ring.isWrappedBy(name, keyCheck(key)));
  for (const name of left.slice(0, filesATurn)) {
    if (ring.rewrap(name, key)) continue;
    throw new LokiError('config.invalid', { attempted: `wrap key file "${name}" anew`, found: 'neither the old key nor the new one opens it', hint: 'Give the key it was wrapped by in LOKI_AUDIT_KEY, or move the file away: what it opens stays closed. Then run this again' });
  }
  return { done: Math.min(left.length, filesATurn), more: left.length > 0 };
}

async function recordIt(record: Recorder, { by }: RekeyRequest, { keys, old_check, new_check, took_up }: RekeyReport): Promise<void> {
  await record({ event: 'config.change', actor: by, details: { what: 'key of the audit log', keys, old_check, new_check, took_up } });
}

async function locked<T>(lock: Lock, work: () => T): Promise<T> {
  await lock.acquire(lockTimeoutMs);
  try {
    return work();
  } finally {
    lock.release();
  }
}
