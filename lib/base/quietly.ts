/** For what may fail without anybody being worse off. */

/** What came of it; undefined in place of an error. */
export function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
