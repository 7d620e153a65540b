/** Files that ship with the program, and the one place that knows where they are. */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LokiError, messageOf } from '../errors.ts';
import { dirname } from '../base/paths.ts';

/** The folder that holds `fixtures/`: the package's root, or the folder a copy of `dist/` and `fixtures/` lies in. */
export function packageRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url).replaceAll('\\', '/'));
  while (!fs.existsSync(`${at}/fixtures`)) {
    const parent = dirname(at);
    if (parent === at) throw new LokiError('io.failed', { attempted: 'find the files that ship with loki', found: 'there is no fixtures folder above its code', hint: 'Install the package again, or copy fixtures/ beside dist/' });
    at = parent;
  }
  return at;
}

/** A file of the web page, from `lib/web` beside this code: the build copies it into dist/. */
export function readWebFile(name: string): Uint8Array {
  try {
    return fs.readFileSync(new URL(`../web/${name}`, import.meta.url));
  } catch (cause) {
    throw new LokiError('io.failed', { attempted: `read the page's file "${name}"`, found: messageOf(cause), cause, hint: 'Build or install the package again' });
  }
}
