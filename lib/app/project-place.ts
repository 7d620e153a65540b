/**
 * Where the project of an ordered run lies on this machine: enrolled by a person there, or registered by an administrator; still
 * there, and of the tenant that the run is of. What an order says of it is nothing but its id.
 */
import { LokiError } from '../errors.ts';
import { readEnrolment } from '../gate/enrolment.ts';
import { readTenantOf } from '../gate/tenancy.ts';
import type { Store } from '../store/store.ts';
import { isPlainObject } from '../base/json.ts';
import type { Installation } from './installation.ts';

/** The run's project, and the store of the tenant that it is of. */
export interface ProjectOfRun {
  readonly project_id: string;
  readonly tenant_id: string | null;
  readonly store: Store;
}

/** Its directory. Throws `project.unknown` with what is wrong. */
export async function projectPlace({ host: { disk }, home }: Pick<Installation, 'host' | 'home'>, { project_id, tenant_id, store }: ProjectOfRun, attempted: string): Promise<string> {
  const refuse = (found: string): LokiError => new LokiError('project.unknown', { attempted, found, hint: 'Enrol it with loki init, in its directory on the machine of the control plane' });
  const path = readEnrolment(disk, home.home, home.project(project_id))?.path ?? registeredPath((await store.get(`projects/${project_id}`))?.value);
  if (path === undefined) throw refuse(`the project ${project_id} has no directory on this machine`);
  if (readTenantOf(disk, home, project_id) !== tenant_id) throw refuse(`the project ${project_id} belongs to another tenant now`);
  if (disk.realpath(path) !== path || disk.stat(path)?.kind !== 'directory') throw refuse(`the directory of the project ${project_id}, "${path}", is gone`);
  return path;
}

function registeredPath(value: unknown): string | undefined {
  const path = isPlainObject(value) ? value['path'] : undefined;
  return typeof path === 'string' ? path : undefined;
}
