/**
 * Where a path really points, for path comparisons in policies. A path is read twice where that can differ: with `..`
 * taken textually, as most file tools do, and component by component through symlinks, as the kernel does. A rule then
 * takes whichever reading is stricter for it. The disk is seen through the given probe alone.
 */
import { dirname, isAbsolute, isInside, join, realTarget, resolveFrom } from '../base/paths.ts';
import type { PathProbe } from '../base/paths.ts';

/** A condition that cannot be decided. The rule that holds it denies with this message. */
export class CannotEvaluate extends Error {}

/** Deeper paths are refused: the kernel's own limit is 4096 bytes. */
const longestPath = 4096;
const surrogate = /\p{Surrogate}/u;

/** Many rules ask about one path. */
let lastFaultless: string | undefined;

/** What is wrong with a path as text, or undefined. */
export function pathMistake(path: string): string | undefined {
  if (path === lastFaultless) return undefined;
  const mistake = mistakeIn(path);
  if (mistake === undefined) lastFaultless = path;
  return mistake;
}

function mistakeIn(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > longestPath) return `is longer than ${longestPath} characters`;
  if (path.includes('\0')) return 'holds a NUL character';
  return surrogate.test(path) ? 'is not well-formed Unicode' : undefined;
}

/** What a process sees as its root, its directory and its open files: for us it leads elsewhere than for the agent (proc(5)). */
const throughProcess = /(?:^|\/)proc\/+(?:\.\/+)*(?:self|thread-self|\d+)\/(?:.*\/)?(?:cwd|root|fd|map_files)(?:\/|$)/;

/** Symlinks followed; throws `CannotEvaluate` when they form a loop, lead through a process, or the disk does not answer. */
export function realPath(path: string, probe: PathProbe): string {
  if (path.includes('proc/') && throughProcess.test(path)) throw new CannotEvaluate(`${JSON.stringify(path)} leads through a process, whose view is not ours`);
  let real: string | undefined;
  try {
    real = path.includes('..') ? realTarget(path, probe) : probe.realpath(path) ?? realTarget(path, probe);
  } catch (error) {
    throw new CannotEvaluate(`${JSON.stringify(path)} cannot be resolved: ${error instanceof Error ? error.message : 'no answer'}`);
  }
  if (real === undefined) throw new CannotEvaluate(`the symlinks of ${JSON.stringify(path)} form a loop`);
  return real;
}

/** The path made absolute, textually. Throws `CannotEvaluate` when it is relative and there is no directory to start from. */
export function absolutePath(path: string, base: string | undefined): string {
  if (isAbsolute(path)) return path;
  if (base === undefined || !isAbsolute(base)) throw new CannotEvaluate(`${JSON.stringify(path)} is relative, and no absolute cwd or project_dir is given`);
  return resolveFrom('/', `${base}/${path}`);
}

/** Every place the path may stand for: one, or two when `..` makes the readings differ. */
export function realPlaces(path: string, base: string | undefined, probe: PathProbe): readonly string[] {
  const absolute = absolutePath(path, base);
  const real = realPath(absolute, probe);
  if (!path.includes('..') && (isAbsolute(path) || base?.includes('..') !== true)) return [real];
  const walked = walk(isAbsolute(path) ? path : `${base ?? ''}/${path}`, probe);
  return walked === real ? [real] : [real, walked];
}

/** The kernel's reading: each `..` leaves the directory that the links before it led to. */
function walk(path: string, probe: PathProbe): string {
  let at = /^[A-Za-z]:/.exec(path)?.[0] ?? '';
  const parts = path.slice(at.length).split('/');
  at += '/';
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    at = part === '..' ? dirname(at) : realPath(join(at, part), probe);
  }
  return at;
}

/**
 * Whether a real path is inside a directory given as text. A canonical path that lies below the text as it stands proves
 * that the text was canonical, since every ancestor of a canonical path is; so only a miss asks the disk again.
 */
export function isReallyInside(real: string, directory: string, base: string | undefined, probe: PathProbe): boolean {
  if (isInside(real, directory)) return true;
  return isInside(real, realPath(absolutePath(directory, base), probe));
}
