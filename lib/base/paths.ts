/**
 * Paths as text. Inside the program every path uses `/`; the host turns a Windows path into that form at its door. Nothing
 * here looks at the disk: symlinks are a matter of `Disk.realpath`.
 */

/** Whether a path starts at a root (`/x`, `C:/x`). */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:\//.test(path);
}

/** The path without `.`, `..` and doubled separators. An absolute path never climbs above its root. */
export function normalize(path: string): string {
  if (isNormal(path)) return path;
  const drive = /^[A-Za-z]:/.exec(path)?.[0] ?? '';
  const rest = path.slice(drive.length);
  const absolute = rest.startsWith('/');
  const parts: string[] = [];
  for (const part of rest.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  const joined = parts.join('/');
  if (absolute) return `${drive}/${joined}`;
  return joined === '' ? `${drive}.` : drive + joined;
}

/** Most paths are absolute and normal already; seeing that costs a tenth of taking them apart. */
function isNormal(path: string): boolean {
  return path.charCodeAt(0) === 0x2f && !path.includes('/.') && !path.includes('//') && (path.length === 1 || path.charCodeAt(path.length - 1) !== 0x2f);
}

/** `path` seen from the directory `from`; an absolute `path` stays itself. */
export function resolveFrom(from: string, path: string): string {
  return normalize(isAbsolute(path) ? path : `${from}/${path}`);
}

/** Parts put together with one separator between them. */
export function join(...parts: readonly string[]): string {
  return normalize(parts.filter((part) => part !== '').join('/'));
}

/** The path without its last component; a root is its own parent. */
export function dirname(path: string): string {
  const at = path.lastIndexOf('/');
  if (at < 0) return '.';
  const parent = path.slice(0, at);
  return parent === '' || /^[A-Za-z]:$/.test(parent) ? `${parent}/` : parent;
}

/** The last component. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `directory` or lies below it. Both normalized; `/a/bc` is not inside `/a/b`. */
export function isInside(path: string, directory: string): boolean {
  if (!path.startsWith(directory)) return false;
  return path.length === directory.length || directory.endsWith('/') || path.charCodeAt(directory.length) === 0x2f;
}

/** Every directory from `path` itself up to the root, nearest first. */
export function* ancestors(path: string): Generator<string> {
  let at = normalize(path);
  for (;;) {
    yield at;
    const parent = dirname(at);
    if (parent === at || parent === '.') return;
    at = parent;
  }
}

/** Answers where a path really is. Both throw on anything but a missing entry. */
export interface PathProbe {
  /** Canonical path with symlinks followed, or undefined when it does not exist. */
  realpath(path: string): string | undefined;
  /** Whether the entry itself is a symlink (dangling or not). */
  readlink(path: string): string | undefined;
  /** Names in a directory; none when it is no directory or cannot be read. Left out where no disk is asked. */
  list?(path: string): readonly string[];
}

/**
 * A probe for one judgement: its rules ask after the same few paths, and judge one picture of the disk. Never kept for longer,
 * because what a path leads to may be changed between two actions. What throws is asked again.
 */
export function askedOnce(probe: PathProbe): PathProbe {
  const once = (ask: (path: string) => string | undefined): ((path: string) => string | undefined) => {
    let answers: Map<string, string | undefined> | undefined;
    return (path) => {
      const known = answers?.get(path);
      if (known !== undefined || answers?.has(path) === true) return known;
      const answer = ask(path);
      (answers ??= new Map()).set(path, answer);
      return answer;
    };
  };
  return { realpath: once((path) => probe.realpath(path)), readlink: once((path) => probe.readlink(path)), list: (path) => probe.list?.(path) ?? [] };
}

/** A dangling chain longer than this is refused, as the kernel does (ELOOP). */
const longestLinkChain = 40;

/**
 * Where writing to or reading from `path` would really end up: symlinks followed, also dangling ones, and components that
 * do not exist yet kept as they are. Undefined when links form a loop.
 */
export function realTarget(path: string, probe: PathProbe): string | undefined {
  return target(normalize(path), probe, longestLinkChain);
}

function target(path: string, probe: PathProbe, linksLeft: number): string | undefined {
  const real = probe.realpath(path);
  if (real !== undefined) return real;
  const link = probe.readlink(path);
  if (link !== undefined) {
    if (linksLeft === 0) return undefined;
    return target(resolveFrom(dirname(path), link), probe, linksLeft - 1);
  }
  const parent = dirname(path);
  if (parent === path) return path;
  const realParent = target(parent, probe, linksLeft);
  return realParent === undefined ? undefined : join(realParent, basename(path));
}
