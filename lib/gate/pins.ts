/**
 * What an enrolment pins of a project: its policy file, byte for byte, and of agents' hook settings the part that makes them
 * ask. A file that appears, vanishes or changes is told; what it says is of no interest here.
 */
import type { Disk } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { join } from '../base/paths.ts';
import { hookPart, projectHookFiles, type HookFile } from '../agents/hook-files.ts';

/** SHA-256 (hex) of what is pinned of each file, by its path below the project. */
export type Pins = Readonly<Record<string, string>>;

const policyName = /^\.loki\/policies\.(?:yaml|yml|json)$/;
const largestPinnedFile = 1 << 24;
/** A folder of hooks with more files is pinned as too full, whatever is in it. */
const mostInFolder = 200;

/** The pins as the project stands. `policyFile` is its policy below the project, undefined when it has none. */
export function pinsNow(disk: Disk, projectDir: string, policyFile: string | undefined): Pins {
  const pins: [string, string][] = [];
  const policy = policyFile === undefined ? undefined : disk.read(join(projectDir, policyFile), largestPinnedFile);
  if (policyFile !== undefined && policy !== undefined) pins.push([policyFile, sha256Hex(policy)]);
  for (const file of projectHookFiles) pins.push(...hookPins(disk, projectDir, file));
  return Object.fromEntries(pins);
}

function hookPins(disk: Disk, projectDir: string, { path, members }: HookFile): readonly [string, string][] {
  if (!path.endsWith('/')) return pinOf(disk, projectDir, path, members);
  const names = disk.list(join(projectDir, path));
  if (names.length > mostInFolder) return [[path, 'too many files']];
  return names.toSorted().flatMap((name) => pinOf(disk, projectDir, path + name, members));
}

function pinOf(disk: Disk, projectDir: string, name: string, members: readonly string[] | undefined): readonly [string, string][] {
  const bytes = readIfThere(disk, join(projectDir, name));
  if (bytes === 'unreadable') return [[name, 'unreadable']];
  const part = bytes === undefined ? undefined : hookPart(Buffer.from(bytes).toString('latin1'), members);
  return part === undefined ? [] : [[name, sha256Hex(Buffer.from(part, 'latin1'))]];
}

/** What would be pinned of a project's file if it held these bytes: undefined when nothing of it is. `name` is its path below the project. */
export function pinOfBytes(name: string, bytes: Uint8Array): string | undefined {
  if (policyName.test(name)) return sha256Hex(bytes);
  const file = projectHookFiles.find(({ path }) => path === name || (path.endsWith('/') && path === name.slice(0, name.lastIndexOf('/') + 1)));
  const part = file === undefined ? undefined : hookPart(Buffer.from(bytes).toString('latin1'), file.members);
  return part === undefined ? undefined : sha256Hex(Buffer.from(part, 'latin1'));
}

/** A file that cannot be read differs from every file that can. */
function readIfThere(disk: Disk, path: string): Uint8Array | undefined | 'unreadable' {
  try {
    return disk.read(path, largestPinnedFile);
  } catch (error) {
    if (error instanceof LokiError) return 'unreadable';
    throw error;
  }
}

/** How the pins differ from those of an enrolment, in words; undefined when they do not. */
export function changedPins(enrolled: Pins, now: Pins): string | undefined {
  for (const name of Object.keys(now)) if (!Object.hasOwn(enrolled, name)) return `${name} was not there when the project was enrolled`;
  for (const [name, digest] of Object.entries(enrolled)) {
    if (!Object.hasOwn(now, name)) return `${name} is missing`;
    if (now[name] !== digest) return `${name} differs from what was enrolled`;
  }
  return undefined;
}

/** The names that differ. */
export function namesChanged(before: Pins, now: Pins): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]).sort();
}
