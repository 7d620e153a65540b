/**
 * Projects' directories on this machine, for the control plane: what people enrolled here is made known to the store, and which
 * tenant a directory belongs to is written where the gate finds it without the store.
 */
import { LokiError } from '../errors.ts';
import { projectIdOf } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { basename } from '../base/paths.ts';
import { listEnrolments, readEnrolment } from '../gate/enrolment.ts';
import { readTenantOf, writeTenantOf } from '../gate/tenancy.ts';
import type { ProjectService } from '../server/services.ts';
import { projectTerms } from '../store/indexes.ts';
import type { Store } from '../store/store.ts';
import { ownerOf } from '../store/tenant-view.ts';
import type { Installation } from './installation.ts';

export function projectService(installation: Installation, store: Store): ProjectService {
  const { host: { disk }, home } = installation;
  return {
    async adopt() {
      for (const { id, path, enrolled_at } of listEnrolments(disk, home.home, home.projects)) {
        const [known] = await store.listBy(...projectTerms.all, { from: id, to: id, limit: 1 });
        const owner = known === undefined ? null : ownerOf(known.key).tenant;
        // A crash may have come between the two places that say whose a directory is.
        if (owner !== null && readTenantOf(disk, home, id) === null) writeTenantOf(disk, home, id, owner);
        if (known !== undefined) continue;
        const project: JsonObject = { id, name: basename(path), tenant_id: null, path, created_at: enrolled_at };
        await store.transact([{ key: `projects/${id}`, revision: 0 }], [{ key: `projects/${id}`, value: project }]);
      }
    },
    placeOf(path) {
      const attempted = `register the directory "${path}"`;
      const real = disk.realpath(path);
      if (real === undefined || disk.stat(real)?.kind !== 'directory') throw new LokiError('request.invalid', { attempted, found: 'there is no such directory on the machine of the control plane' });
      if (real === '/' || home.home === real || home.home.startsWith(`${real}/`) || real.startsWith(`${home.home}/`)) throw new LokiError('request.invalid', { attempted, found: 'runs must not work where the records of this installation are' });
      return { id: projectIdOf(real), path: real };
    },
    assign(projectId, tenantId) {
      writeTenantOf(disk, home, projectId, tenantId);
    },
    isEnrolled: (projectId) => readEnrolment(disk, home.home, home.project(projectId)) !== undefined,
  };
}
