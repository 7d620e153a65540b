/** What the long suite does in full, and `npm test` in part. */

/** Whether everything is tried that can be. */
export const isLong: boolean = process.env['LOKI_LONG'] === '1';

/** How many of something that is done again and again. */
export function times(long: number, short: number): number {
  return isLong ? long : short;
}

/**
 * From one step of an enumeration to the next. The short suite looks at every so manieth; a prime falls in with nothing that
 * repeats, and each kind of step is met somewhere.
 */
export function stride(prime: 2 | 3 | 5 | 7): number {
  return isLong ? 1 : prime;
}
