/**
 * Applies migrations to objects in memory. Whoever calls it writes what comes of them as a new generation and drops these
 * objects when that fails: on disk there is the old schema or the new one, whole, at any moment.
 */
import { checkBytes, checkKey } from './check.ts';
import type { Migration } from './migrations.ts';
import type { Objects } from './objects.ts';
import type { StoreChange } from './store.ts';

/** Changes the objects, all at one revision. Throws what a migration throws, and for a change that could not be stored. */
export function applyMigrations(objects: Objects, steps: readonly Migration[], revision: number): void {
  for (const step of steps) {
    const changes: StoreChange[] = [];
    for (const { key, value } of objects.values()) changes.push(...step.apply(key, value));
    for (const change of changes) {
      checkKey(change.key);
      checkBytes(change.value === undefined ? 0 : Buffer.byteLength(JSON.stringify(change.value)));
      objects.apply(change, revision);
    }
  }
}
