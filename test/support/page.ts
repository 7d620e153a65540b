/** Pages of the manual, for tests that execute or check them. A vendored copy may come without them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packageRoot } from './root.ts';

/** The page's text; undefined, said aloud, where the package has come without it. */
export function page(t: TestContext, name: string): string | undefined {
  const path = join(packageRoot, name);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  t.diagnostic(`${name} is not here: it was not checked`);
  return undefined;
}

/** Whether lib/, cli/ and test/ are there as sources; said aloud where they are not. */
export function hasSources(t: TestContext): boolean {
  if (existsSync(join(packageRoot, 'lib', 'errors.ts'))) return true;
  t.diagnostic('the sources are not here: what the page says of them was not checked');
  return false;
}

/** The fenced blocks of a page whose info string begins with `kind`. */
export function blocks(text: string, kind: string): readonly string[] {
  return [...text.matchAll(/^```(\S*)[^\n]*\n([^]*?)^```$/gm)].flatMap(([, info, body]) => (info === kind && body !== undefined ? [body] : []));
}
