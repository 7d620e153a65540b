/**
 * What the seal of a finished file says about its content, used to pass over whole files. A hint and no more: one that does
 * not parse, or is for another size of the file, is as if it were not there. A search trusts the ones it can read; whether
 * they are true is for verification to say.
 */
import { isPlainObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import type { Disk } from '../../ports.ts';
import { isEvent, names } from './filter.ts';
import type { AuditFilter } from './wanted.ts';

const largestSeal = 1 << 20;

/** Whether a file may hold something wanted, as far as its seal in `directory` tells. `size` is its own, where known. */
export function sealAllows(disk: Disk, directory: string, file: string, size: number | undefined, filter: AuditFilter): boolean {
  const seal = readSeal(disk, join(directory, `${file.replace(/\.gz$/, '')}.json`));
  if (seal === undefined || (size !== undefined && seal['bytes'] !== size)) return true;
  const { from, to, after, before, event, level, actor } = filter;
  return !(below(seal['last_time'], from) || above(seal['first_time'], to)
    || (after !== undefined && atMost(seal['last_seq'], after)) || (before !== undefined && atLeast(seal['first_seq'], before))
    || (event !== undefined && lacks(seal['events'], (name) => isEvent(name, event)))
    || (level !== undefined && lacks(seal['levels'], (name) => name === level))
    || (actor !== undefined && lacks(seal['actors'], (name) => names(name, actor))));
}

function readSeal(disk: Disk, path: string): Record<string, unknown> | undefined {
  try {
    const bytes = disk.read(path, largestSeal);
    const value: unknown = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const below = (value: unknown, bound: string | undefined): boolean => bound !== undefined && isTime(value) && value < bound;
const above = (value: unknown, bound: string | undefined): boolean => bound !== undefined && isTime(value) && value > bound;
const atMost = (value: unknown, bound: number): boolean => typeof value === 'number' && value <= bound;
const atLeast = (value: unknown, bound: number): boolean => typeof value === 'number' && value >= bound;

function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]{12}Z$/.test(value);
}

/** Whether counts by name are there and name nothing that is wanted. */
function lacks(counts: unknown, wanted: (name: string) => boolean): boolean {
  return isPlainObject(counts) && !Object.keys(counts).some(wanted);
}
