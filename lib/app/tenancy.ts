/** Which tenant the project at hand belongs to, and what its entries in the log carry of that. */
import type { JsonObject } from '../base/json.ts';
import { readTenantOf } from '../gate/tenancy.ts';
import type { Installation } from './installation.ts';

/** The tenant's id; null without a project, and for a project of the installation itself. */
export function tenantOf({ host: { disk }, home, project }: Pick<Installation, 'host' | 'home' | 'project'>): string | null {
  return project === undefined ? null : readTenantOf(disk, home, project.id);
}

/** What an entry is filed under: tenant, project and session, where they are known. A session `none` is none. */
export function filedUnder(installation: Pick<Installation, 'host' | 'home' | 'project'>, sessionId: string = 'none'): JsonObject {
  const { project } = installation;
  const tenant = tenantOf(installation);
  return { ...(tenant === null ? {} : { tenant_id: tenant }), ...(project === undefined ? {} : { project_id: project.id }), ...(sessionId === 'none' ? {} : { session_id: sessionId }) };
}
