/** What is in a store, or in a backup, and whether it is whole: every line held against its sum, every value parsed. */
import { LokiError } from '../errors.ts';
import { corrupt } from './damage.ts';
import type { Damage } from './damage.ts';
import { lookAtStore, readBackup } from './backup.ts';
import type { OnProgress, StorePlace } from './backup.ts';
import { layoutBelow, storeFiles } from './layout.ts';
import type { Objects } from './objects.ts';
import { ownerOf } from './tenant-view.ts';

/** `incomplete`: something is not there. `damaged`: something is there and is not what was written. */
export type StoreVerdict = 'ok' | 'damaged' | 'incomplete';

export interface StoreReport {
  readonly verdict: StoreVerdict;
  /** What is wrong, and where. */
  readonly problem: string | null;
  readonly revision: number | null;
  readonly schema: number | null;
  readonly objects: number;
  /** Objects of each kind, the first segment of their keys, of all tenants together. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly tenants: number;
  /** Bytes of the files. */
  readonly bytes: number;
  readonly files: readonly string[];
}

/** Counted in between two turns for others. */
const turnEvery = 10_000;

/** Looks at the store of a home. An empty one is whole. */
export async function checkStore(place: StorePlace, onProgress: OnProgress): Promise<StoreReport> {
  const { disk, base } = place;
  const layout = layoutBelow(base);
  const found = await lookAtStore(place);
  const files = storeFiles(disk, layout).map(({ name }) => name);
  const parts = { files, bytes: files.reduce((sum, name) => sum + (disk.stat(`${layout.directory}/${name}`)?.size ?? 0), 0) };
  if (found === 'empty') return { ...nothing, ...parts };
  if (!('objects' in found)) return { ...nothing, ...parts, verdict: verdictOf(found), problem: corrupt(found).message };
  return { ...parts, revision: found.revision, schema: found.schema, ...await counted(found.objects, place, onProgress) };
}

/** The same of a backup. Throws for a file that cannot be read as one at all. */
export async function checkBackup(place: StorePlace, path: string, onProgress: OnProgress): Promise<StoreReport> {
  const { objects, revision, schema } = readBackup(place.disk, path);
  return { files: [path], bytes: place.disk.stat(path)?.size ?? 0, revision, schema, ...await counted(objects, place, onProgress) };
}

const nothing: StoreReport = { verdict: 'ok', problem: null, revision: null, schema: null, objects: 0, kinds: {}, tenants: 0, bytes: 0, files: [] };

function verdictOf({ missing }: Damage): StoreVerdict {
  return missing ? 'incomplete' : 'damaged';
}

async function counted(objects: Objects, { timers }: StorePlace, onProgress: OnProgress): Promise<Pick<StoreReport, 'verdict' | 'problem' | 'objects' | 'kinds' | 'tenants'>> {
  const kinds = new Map<string, number>();
  const tenants = new Set<string>();
  let done = 0;
  const tell = (problem: string | null): Pick<StoreReport, 'verdict' | 'problem' | 'objects' | 'kinds' | 'tenants'> => ({
    verdict: problem === null ? 'ok' : 'damaged', problem, objects: done, kinds: Object.fromEntries([...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))), tenants: tenants.size,
  });
  try {
    for (const { key } of objects.values()) {
      const { tenant, key: inside } = ownerOf(key);
      const [kind = ''] = inside.split('/', 1);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (tenant !== null) tenants.add(tenant);
      done += 1;
      if (done % turnEvery !== 0) continue;
      onProgress(done, objects.size);
      await timers.yield();
    }
  } catch (error) {
    if (error instanceof LokiError && error.code === 'store.corrupt') return tell(error.message);
    throw error;
  }
  return tell(null);
}

