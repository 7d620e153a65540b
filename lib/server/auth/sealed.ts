/**
 * Small facts that a browser carries for us between two of its requests, so that nothing has to be kept for a sign-on nobody
 * may ever finish. Sealed under a key that only this process knows: a browser can neither read nor make one, and after a
 * restart none is good any more.
 */
import { nonceBytes, seal, unseal, keyBytes } from '../../base/cipher.ts';
import { objectIn, type JsonObject } from '../../base/json.ts';
import type { Clock, Random } from '../../ports.ts';

export interface SealedFacts {
  /** A text of base64url characters. `purpose` must be the same when it is opened. */
  seal(purpose: string, facts: JsonObject): string;
  /** What was sealed, at most `maxAgeMs` ago; undefined for anything else. */
  open(purpose: string, text: string, maxAgeMs: number): JsonObject | undefined;
}

export function createSealedFacts(random: Random, clock: Clock): SealedFacts {
  const key = random.bytes(keyBytes);
  return {
    seal(purpose, facts) {
      const nonce = random.bytes(nonceBytes);
      return Buffer.concat([nonce, seal(key, nonce, JSON.stringify({ at: clock.monotonic(), facts }), purpose)]).toString('base64url');
    },
    open(purpose, text, maxAgeMs) {
      const bytes = Buffer.from(text, 'base64url');
      const content = unseal(key, bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes), purpose);
      const { at, facts } = (content === undefined ? undefined : objectIn(content)) ?? {};
      if (typeof at !== 'number' || clock.monotonic() - at > maxAgeMs) return undefined;
      return typeof facts === 'object' && facts !== null && !Array.isArray(facts) ? facts as JsonObject : undefined;
    },
  };
}
