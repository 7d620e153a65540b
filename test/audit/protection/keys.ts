/** A ring of keys on a disk of the test's choice. */
import { openKeyring, type Keyring } from '../../../lib/audit/protection/keyring.ts';
import type { Disk } from '../../../lib/ports.ts';
import { createTestRandom } from '../../support/fakes.ts';
import { home } from '../support.ts';

export const ringDirectory = '/home/keys/ring';
export const oldKey: Uint8Array = new Uint8Array(32).fill(1);
export const newKey: Uint8Array = new Uint8Array(32).fill(2);

/** Random bytes differ from those of another ring of the same test. */
let rings = 0;

export function ringOn(disk: Disk, at: readonly Uint8Array[] = [oldKey], wraps = true): Keyring {
  rings += 1;
  const base = createTestRandom();
  const mine = rings;
  const random = { bytes: (length: number): Uint8Array => base.bytes(length).map((byte, n) => (n === 0 ? byte : (byte * 7 + mine * 13) & 255)) };
  return openKeyring({
    disk, random, base: home, directory: ringDirectory, wraps,
    wrapping: { list: () => at, make: () => { throw new Error('no key is configured'); } },
  });
}
