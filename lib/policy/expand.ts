/**
 * What a path with wildcards stands for on disk, as a shell would expand it: a rule about `.env` must see `cat .e?v`. Bounded; what
 * is not there yet, or is beyond the bounds, is judged as the pattern it is.
 */
import { compileGlob } from '../base/glob.ts';
import { isAbsolute, resolveFrom, type PathProbe } from '../base/paths.ts';

const mostMatches = 200;
const mostNames = 2000;
const mostWild = 4;
const wild = /[*?[]/;

/** The files that the pattern names, seen from `base`; none for a path without wildcards. */
export function expandedPaths(path: string, base: string | undefined, probe: PathProbe): readonly string[] {
  if (!wild.test(path) || probe.list === undefined || (base === undefined && !isAbsolute(path))) return [];
  const parts = resolveFrom(base ?? '/', path).split('/').slice(1);
  if (parts.filter((part) => wild.test(part)).length > mostWild) return [];
  let found: readonly string[] = [''];
  for (const part of parts) {
    found = wild.test(part) ? found.flatMap((folder) => matching(folder, part, probe)).slice(0, mostMatches) : found.map((folder) => `${folder}/${part}`);
    if (found.length === 0) return [];
  }
  return found;
}

/** Entries of one folder; a wildcard does not stand for a leading dot. */
function matching(folder: string, part: string, probe: PathProbe): readonly string[] {
  const test = compileGlob(part, 'path');
  if (typeof test !== 'function') return [];
  return (probe.list?.(folder === '' ? '/' : folder) ?? []).slice(0, mostNames)
    .filter((name) => (!name.startsWith('.') || part.startsWith('.')) && test(name)).map((name) => `${folder}/${name}`);
}
