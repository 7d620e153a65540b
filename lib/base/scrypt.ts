/**
 * Keys from passphrases: scrypt (RFC 7914). Its cost is time and memory for each guess, for whoever holds what was sealed as
 * for whoever types. Bounds what a file may ask for, so that a hostile one cannot take the machine's memory.
 */
import * as crypto from 'node:crypto';

/** N, r and p of RFC 7914. A guess takes about 128 * n * r bytes of memory. */
export type ScryptCost = {
  readonly n: number;
  readonly r: number;
  readonly p: number;
};

/** 128 MiB and about a third of a second (OWASP Password Storage Cheat Sheet, the strongest of its settings for scrypt). */
export const usualCost: ScryptCost = { n: 1 << 17, r: 8, p: 1 };

/** Whether a cost is one that is taken: 16 MiB to 1 GiB. */
export function isUsableCost({ n, r, p }: ScryptCost): boolean {
  return Number.isSafeInteger(n) && n >= 1 << 14 && n <= 1 << 20 && (n & (n - 1)) === 0 && r === 8 && Number.isSafeInteger(p) && p >= 1 && p <= 4;
}

/**
 * 32 bytes from a passphrase in Unicode's composed form (NFC, as RFC 8265 has it for passwords), so that the same characters
 * give the same key on every keyboard. Takes place beside the program's thread.
 */
export function scryptKey(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  const { n, r, p } = cost;
  return new Promise((resolve, reject) => {
    crypto.scrypt(passphrase.normalize('NFC'), salt, 32, { N: n, r, p, maxmem: 256 * n * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
