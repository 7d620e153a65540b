/**
 * Which tenant a project on this machine belongs to. Written by the control plane when an administrator registers the
 * project's directory, in a small file beside the enrolments, because the gate must know it without opening the store.
 * A file that holds anything but a tenant's id is refused: an action that cannot be told to a tenant is told to nobody.
 */
import { LokiError } from '../errors.ts';
import { isId } from '../base/ids.ts';
import { join } from '../base/paths.ts';
import type { Disk } from '../ports.ts';

/** Where the files are: LOKI_HOME, and its folder of projects. */
export interface TenancyPlace {
  readonly home: string;
  readonly projects: string;
}

const largest = 64;

/** The tenant's id; null for a project of the installation itself. Throws `record.unsafe`. */
export function readTenantOf(disk: Disk, place: TenancyPlace, projectId: string): string | null {
  const path = pathOf(place, projectId);
  const bytes = disk.readRecord(place.home, path, largest);
  if (bytes === undefined) return null;
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (isId('tenant', text)) return text;
  throw new LokiError('record.unsafe', { attempted: `read ${path}`, found: 'it holds no tenant\'s id', hint: 'Register the project again: loki projects create --path DIR --tenant ID' });
}

/** Durable when it returns; null removes it. */
export function writeTenantOf(disk: Disk, place: TenancyPlace, projectId: string, tenantId: string | null): void {
  const path = pathOf(place, projectId);
  if (tenantId === null) {
    if (disk.stat(path) !== undefined) disk.remove(path);
    return;
  }
  disk.ensureDirectory(place.home, place.projects, 0o700);
  disk.replace(place.home, path, Buffer.from(`${tenantId}\n`), 0o600);
}

function pathOf({ projects }: TenancyPlace, projectId: string): string {
  return join(projects, `${projectId}.tenant`);
}
