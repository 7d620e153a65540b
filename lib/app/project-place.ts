/** Where the project of an ordered run lies on this machine: enrolled by a person, there, and of the tenant that the run is of. */
import { LokiError } from '../errors.ts';
import { readEnrolment } from '../gate/enrolment.ts';
import { readTenantOf } from '../gate/tenancy.ts';
import type { Installation } from './installation.ts';

/** Its directory. Throws `project.unknown` with what is wrong; what it says names no other tenant's project. */
export function projectPlace({ host: { disk }, home }: Pick<Installation, 'host' | 'home'>, projectId: string, tenantId: string | null, attempted: string): string {
  const refuse = (found: string): LokiError => new LokiError('project.unknown', { attempted, found, hint: 'Enrol it with loki init, in its directory on the machine of the control plane' });
  const enrolment = readEnrolment(disk, home.home, home.project(projectId));
  if (enrolment === undefined) throw refuse(`the project ${projectId} is not enrolled on this machine`);
  if (readTenantOf(disk, home, projectId) !== tenantId) throw refuse(`the project ${projectId} belongs to another tenant now`);
  if (disk.stat(enrolment.path)?.kind !== 'directory') throw refuse(`the directory of the project ${projectId}, "${enrolment.path}", is gone`);
  return enrolment.path;
}
