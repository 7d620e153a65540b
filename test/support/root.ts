/** The package's root folder, whether the tests run built (dist/test/support) or unbuilt (test/support). */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(from: string): string {
  if (existsSync(join(from, 'fixtures')) && !from.endsWith('test')) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('No fixtures folder above the tests: copy fixtures/ beside dist/');
  return findRoot(parent);
}

/** Absolute path of the folder that holds `fixtures/`. */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Absolute path of a fixture. */
export function fixture(...parts: string[]): string {
  return join(packageRoot, 'fixtures', ...parts);
}
