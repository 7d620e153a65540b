/** What is wrong with a file of the store, and the error that refuses to go on with it. */
import { LokiError } from '../errors.ts';
import { basename } from '../base/paths.ts';

export interface Damage {
  readonly path: string;
  /** Byte at which the damaged line begins. */
  readonly offset: number;
  readonly found: string;
  /**
   * The last line has a sector of NUL bytes, which no line holds: the file grew and its data did not reach the medium before
   * a power cut. Such a write was never acknowledged, so it may be set aside.
   */
  readonly tornWrite: boolean;
  /** Something is not there, rather than there and wrong. */
  readonly missing: boolean;
}

export function damageAt(path: string, offset: number, found: string): Damage {
  return { path, offset, found, tornWrite: false, missing: false };
}

export function missingFile(path: string): Damage {
  return { ...damageAt(path, 0, 'it is missing'), missing: true };
}

export function corrupt(damage: Damage): LokiError {
  return new LokiError('store.corrupt', {
    attempted: 'read the store', found: `${basename(damage.path)}, byte ${damage.offset}: ${damage.found} (${damage.path})`,
  });
}
