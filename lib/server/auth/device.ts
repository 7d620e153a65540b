/**
 * Signing in a command line from a browser (RFC 8628), with ourselves as the server: `loki login` asks for a code, a person
 * types it into a page where they are signed in already, and the command line gets a key of that person. The person is shown
 * who asks and from which address, because the code may have come to them from somebody else. The key may do at most what
 * they may, never decides approvals, and lasts twelve hours at most. Kept in memory: after a restart one asks again.
 */
import { LokiError } from '../../errors.ts';
import { sha256Hex } from '../../base/digest.ts';
import type { Clock, Random } from '../../ports.ts';
import type { Scope } from '../principal.ts';
import { callerOf } from '../rate-limit.ts';

/** Without vowels, so that no word comes out, and without what looks alike (RFC 8628, section 6.1). */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
const codeLength = 8;
const lifetimeMs = 600_000;
const keyLifetimeMs = 12 * 3_600_000;
const firstIntervalS = 5;
const slowerByS = 5;
const most = { grants: 1000, ofOneAddress: 20, wrongCodes: 10, guessers: 10_000 };
const guessWindowMs = 600_000;

/** Who approves. */
export interface DeviceApprover {
  readonly actor: string;
  readonly owner: string;
  readonly tenant: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** When what they signed in with ends, milliseconds. */
  readonly endsMs: number;
}

/** A key to be made. */
export interface KeyOrder {
  /** No other key has it. */
  readonly name: string;
  /** What the command line called itself. */
  readonly client: string;
  readonly owner: string;
  readonly tenant: string | null;
  readonly scopes: readonly Scope[];
  readonly expiresMs: number;
}

export interface DeviceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Makes a key; durable and recorded when it resolves. */
  readonly issueKey: (order: KeyOrder) => Promise<{ readonly id: string; readonly token: string }>;
}

export interface DeviceStart {
  readonly deviceCode: string;
  /** `BCDF-GHJK`. */
  readonly userCode: string;
  readonly expiresInS: number;
  readonly intervalS: number;
}

/** What a command line is told while it waits: one of the errors of RFC 8628, section 3.5, or its key. */
export type DevicePoll =
  | { readonly error: 'authorization_pending' | 'slow_down' | 'access_denied' | 'expired_token'; readonly intervalS: number }
  | { readonly token: string; readonly keyId: string; readonly owner: string; readonly expiresMs: number };

/** What the person is shown before they decide. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly client: string;
  readonly address: string;
  readonly startedMs: number;
}

export interface DeviceGrants {
  /** Throws `rate_limited`. */
  start(client: string, address: string): DeviceStart;
  poll(deviceCode: string): Promise<DevicePoll>;
  /** Throws `not_found` for a code that nobody waits with, and `rate_limited` for somebody who tries many. */
  look(userCode: string, by: DeviceApprover): DeviceRequest;
  /** As `look`; each code is decided once. */
  decide(userCode: string, by: DeviceApprover, approve: boolean): DeviceRequest;
}

interface Grant extends DeviceRequest {
  readonly deviceHash: string;
  readonly caller: string;
  /** Monotonic. */
  readonly startedAt: number;
  intervalS: number;
  polledAt: number | undefined;
  answer: { readonly approver: DeviceApprover } | 'denied' | undefined;
}

export function createDeviceGrants({ clock, random, issueKey }: DeviceOptions): DeviceGrants {
  const byDevice = new Map<string, Grant>();
  const byUser = new Map<string, Grant>();
  const guesses = createGuesses(clock);
  const forget = ({ deviceHash, userCode }: Grant): void => {
    byDevice.delete(deviceHash);
    byUser.delete(userCode);
  };
  const clean = (): void => {
    for (const grant of byDevice.values()) {
      if (clock.monotonic() - grant.startedAt <= lifetimeMs) return;
      forget(grant);
    }
  };
  const find = (userCode: string, by: DeviceApprover): Grant => {
    clean();
    const guesser = `${by.tenant ?? ''} ${by.actor}`;
    guesses.check(guesser);
    const grant = byUser.get(normal(userCode));
    if (grant !== undefined && grant.answer === undefined) return grant;
    guesses.wrong(guesser);
    throw new LokiError('not_found', { attempted: 'find the sign-in', found: 'no command line waits with this code', hint: 'Look at the code again; it is good for ten minutes and for one answer' });
  };
  return {
    start(client, address) {
      clean();
      const caller = callerOf(address);
      const own = [...byDevice.values()].filter((grant) => grant.caller === caller).length;
      if (byDevice.size >= most.grants || own >= most.ofOneAddress) throw limited('too many command lines wait for a sign-in');
      const deviceCode = Buffer.from(random.bytes(32)).toString('base64url');
      let userCode = newUserCode(random);
      while (byUser.has(userCode)) userCode = newUserCode(random);
      const grant: Grant = {
        userCode, client, address, caller, deviceHash: sha256Hex(deviceCode), startedMs: clock.now(), startedAt: clock.monotonic(),
        intervalS: firstIntervalS, polledAt: undefined, answer: undefined,
      };
      byDevice.set(grant.deviceHash, grant);
      byUser.set(userCode, grant);
      return { deviceCode, userCode, expiresInS: lifetimeMs / 1000, intervalS: firstIntervalS };
    },
    async poll(deviceCode) {
      clean();
      const grant = byDevice.get(sha256Hex(deviceCode));
      if (grant === undefined) return { error: 'expired_token', intervalS: firstIntervalS };
      const now = clock.monotonic();
      const early = grant.polledAt !== undefined && now - grant.polledAt < grant.intervalS * 1000 - 500;
      grant.polledAt = now;
      if (early) {
        grant.intervalS += slowerByS;
        return { error: 'slow_down', intervalS: grant.intervalS };
      }
      if (grant.answer === undefined) return { error: 'authorization_pending', intervalS: grant.intervalS };
      forget(grant);
      if (grant.answer === 'denied') return { error: 'access_denied', intervalS: grant.intervalS };
      return keyFor(grant, grant.answer.approver);
    },
    look: (userCode, by) => find(userCode, by),
    decide(userCode, by, approve) {
      const grant = find(userCode, by);
      grant.answer = approve ? { approver: by } : 'denied';
      return grant;
    },
  };

  async function keyFor({ client }: Grant, { owner, tenant, scopes, endsMs }: DeviceApprover): Promise<DevicePoll> {
    const expiresMs = Math.min(clock.now() + keyLifetimeMs, endsMs);
    const allowed = [...scopes].filter((scope) => scope !== 'approve' && scope !== 'hook');
    const { id, token } = await issueKey({ name: keyName(owner, random), client, owner, tenant, scopes: allowed, expiresMs });
    return { token, keyId: id, owner, expiresMs };
  }
}

/** Begins the name of every key that a command line got this way. */
export const loginKeyPrefix = 'login.';

/** `login.alice.3f9c0a21`: whose it is can be read in the record. */
function keyName(owner: string, random: Random): string {
  const person = owner.replace(/^user:/, '').replace(/[^A-Za-z0-9._@-]/g, '-').slice(0, 60);
  return `${loginKeyPrefix}${person}.${Buffer.from(random.bytes(4)).toString('hex')}`;
}

/** How often somebody typed a code that nobody waits with. */
function createGuesses(clock: Clock): { check(actor: string): void; wrong(actor: string): void } {
  const wrongs = new Map<string, number[]>();
  const recent = (actor: string): number[] => (wrongs.get(actor) ?? []).filter((at) => clock.monotonic() - at < guessWindowMs);
  return {
    check(actor) {
      if (recent(actor).length >= most.wrongCodes) throw limited('too many codes that nobody waits with');
    },
    wrong(actor) {
      const all = [...recent(actor), clock.monotonic()];
      wrongs.delete(actor);
      wrongs.set(actor, all);
      const [oldest] = wrongs.keys();
      if (wrongs.size > most.guessers && oldest !== undefined) wrongs.delete(oldest);
    },
  };
}

/** Letters as they are kept, however they were typed. */
function normal(userCode: string): string {
  const letters = userCode.slice(0, 40).toUpperCase().replace(/[^A-Z]/g, '');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

function newUserCode(random: Random): string {
  let code = '';
  // 240 is the largest multiple of 20 in a byte: what is above would favour some letters.
  while (code.length < codeLength) for (const byte of random.bytes(16)) if (byte < 240 && code.length < codeLength) code += alphabet.charAt(byte % 20);
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

function limited(found: string): LokiError {
  return new LokiError('rate_limited', { attempted: 'sign in a command line', found });
}
