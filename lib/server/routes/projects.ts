/**
 * Projects: of a tenant or of the installation, with a directory on this machine or without. Those that people enrolled on
 * this machine are found too. A directory is registered by an administrator of the installation alone, since it decides where
 * runs may work and which tenant the decisions made there are filed under.
 */
import { LokiError } from '../../errors.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { isInside } from '../../base/paths.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { findObject, listObjects, objectKey, requireObject, whileItStays, type Found } from '../objects.ts';
import { holds } from '../principal.ts';
import { id, nullable, record, text } from '../shape.ts';
import * as shapes from '../shapes.ts';
import type { StoreChange, StoreCheck } from '../../store/store.ts';
import type { ProjectService, Services } from '../services.ts';
import { answerWith, assertUnchanged, change, changedMembers, list, one } from './collections.ts';

const path = text({ most: 4096, pattern: /^\//, accepts: 'an absolute path on the machine of the control plane', example: '/srv/payments' });
const wish = record({ name: shapes.name }, { description: shapes.description, path, tenant_id: nullable(id('tenant')) });
const edit = record({}, { name: shapes.name, description: shapes.description }, 'Members that are left out stay as they are');

/** Projects looked at together. */
const pageSize = 500;

const answer = { status: 200, about: 'The project', shape: shapes.project } as const;

export function projectRows(services: Services): readonly Row[] {
  const { clock, random, projects } = services;
  const now = (): string => new Date(clock.now()).toISOString();

  const create = taking(wish, async (request, { name, description = '', path: directory, tenant_id }): Promise<ApiResponse> => {
    const tenant = await tenantFor(request, tenant_id);
    if (directory !== undefined) assertMayRegister(request);
    const place = directory === undefined ? undefined : projects.placeOf(directory);
    const projectId = place?.id ?? newId('project', clock.now(), random.bytes(10));
    const key = objectKey(tenant, 'project', projectId);
    const claim = place === undefined ? undefined : await placeClaim(request, place.id, tenant);
    const known = place === undefined ? undefined : await findObject({ store: request.store, principal: { tenant: null } }, 'project', projectId);
    if (known !== undefined && (known.tenant !== null || tenant === null)) {
      // A crash may have come between the two places that say whose the directory is.
      projects.assign(projectId, known.tenant);
      throw new LokiError('conflict', { attempted: 'register the project', found: `its directory is registered already, as ${projectId}`, hint: `Look at it: GET /api/v2/projects/${projectId}` });
    }
    if (known !== undefined) await assertIdle(request, known, 'give the project to a tenant');
    if (place !== undefined) await assertApart(request, place, tenant);
    const at = now();
    const project: JsonObject = { id: projectId, name, description, tenant_id: tenant, path: place?.path ?? null, created_at: at, updated_at: at };
    const response = answerWith({ key, value: project }, 201, undefined, `${request.path}/${projectId}`);
    await request.changed('project.create', { tenant, projectId, resource: `project:${projectId}`, details: { name, path: place?.path ?? null } });
    // One that belonged to the installation so far goes over to the tenant; what was made in it before stays where it is.
    const moved = known === undefined ? [] : [{ key: known.key, value: undefined }];
    const outcome = await request.commit([{ key, revision: 0 }, ...whileItStays(tenant), ...(known === undefined ? [] : [{ key: known.key, revision: known.revision }]), ...(claim === undefined ? [] : [claim.check])], [...moved, { key, value: project }, ...(claim === undefined ? [] : [claim.change])], response);
    if (!outcome.committed) throw new LokiError('conflict', { attempted: 'register the project', found: 'somebody else does so just now, or takes its tenant away' });
    if (place !== undefined) projects.assign(projectId, tenant);
    return response;
  });

  const update = taking(edit, async (request, members): Promise<ApiResponse> => {
    const found = await requireObject(await adopted(request, projects), 'project', request.params.get('id') ?? '');
    assertUnchanged(request, found);
    const projectId = String(found.value['id']);
    await request.changed('project.update', { tenant: found.tenant, projectId, resource: `project:${projectId}`, details: changedMembers(found, members) });
    return (await change(request, 'project', ({ value }) => value, ({ value }) => ({ ...value, ...members, updated_at: now() }))).answer;
  });

  const remove = async (request: ApiRequest): Promise<ApiResponse> => {
    const found = await requireObject(request, 'project', request.params.get('id') ?? '');
    assertUnchanged(request, found);
    if (found.value['path'] !== null) assertMayRegister(request);
    const projectId = String(found.value['id']);
    if (projects.isEnrolled(projectId)) throw new LokiError('conflict', { attempted: 'remove the project', found: 'it is enrolled on this machine, and hooks judge by it', hint: 'Remove its hooks there first: loki hooks uninstall' });
    await assertIdle(request, found, 'remove the project');
    await request.changed('project.delete', { tenant: found.tenant, projectId, resource: `project:${projectId}`, details: { name: found.value['name'] ?? null, path: found.value['path'] ?? null } });
    const { answer: response } = await change(request, 'project', ({ value }) => value, () => undefined);
    if (found.value['path'] !== null) projects.assign(projectId, null);
    return response;
  };

  const listed = list({ kind: 'project', newestFirst: false });
  const shownOne = one('project');
  return [
    {
      method: 'GET', path: '/projects', operation: 'projects.list', summary: 'Projects, by id', scope: 'read', paged: true, answer: { ...answer, about: 'Projects' },
      handle: async (request) => listed(await adopted(request, projects)),
    },
    { method: 'POST', path: '/projects', operation: 'projects.create', summary: 'Registers a project', scope: 'control', keyed: 'commit', records: ['project.create'], answer: { ...answer, status: 201 }, ...create },
    { method: 'GET', path: '/projects/:id', operation: 'projects.get', summary: 'One project', scope: 'read', params: { id: 'project' }, answer, handle: async (request) => shownOne(await adopted(request, projects)) },
    { method: 'PUT', path: '/projects/:id', operation: 'projects.update', summary: 'Changes members of a project', scope: 'control', params: { id: 'project' }, keyed: 'commit', records: ['project.update'], answer: { ...answer, about: 'The project as it now is' }, ...update },
    {
      method: 'DELETE', path: '/projects/:id', operation: 'projects.delete', summary: 'Removes a project; its runs stay', scope: 'control', params: { id: 'project' }, keyed: 'commit', records: ['project.delete'],
      answer: { status: 204, about: 'It is gone' }, handle: async (request) => remove(await adopted(request, projects)),
    },
  ];
}

/** Of two who register a directory at the same moment, for whomever, one fails: each changes what the other has read. */
async function placeClaim({ store }: ApiRequest, projectId: string, tenant: string | null): Promise<{ readonly check: StoreCheck; readonly change: StoreChange }> {
  const key = `project-places/${projectId}`;
  return { check: { key, revision: (await store.get(key))?.revision ?? 0 }, change: { key, value: { tenant_id: tenant } } };
}

/** The project, if the principal may know of it; one that was enrolled a moment ago too. Throws `not_found`. */
export async function requireProject(request: ApiRequest, projects: ProjectService, projectId: string): Promise<Found> {
  const known = await findObject(request, 'project', projectId);
  if (known !== undefined) return known;
  return requireObject(await adopted(request, projects), 'project', projectId);
}

/** The request, once what people enrolled on this machine is known here; tenants' principals see none of that. */
async function adopted(request: ApiRequest, projects: ProjectService): Promise<ApiRequest> {
  if (request.principal.tenant === null) await projects.adopt();
  return request;
}

/** Whose the project becomes. A tenant's principal may say nothing else than its own. */
async function tenantFor({ principal: { tenant }, store }: ApiRequest, wanted: string | null | undefined): Promise<string | null> {
  const meant = wanted === undefined ? tenant : wanted;
  const none = new LokiError('not_found', { attempted: 'find the tenant', found: `there is no tenant "${meant ?? ''}"` });
  if (tenant !== null && meant !== tenant) throw meant === null ? new LokiError('auth.forbidden', { attempted: 'register a project of the installation', found: 'the principal belongs to a tenant' }) : none;
  if (meant !== null && await store.get(`tenants/${meant}`) === undefined) throw none;
  return meant;
}

/** Who works in a directory reaches all that lies below it: what is within another's is the other's too. Throws `conflict`. */
async function assertApart({ store }: ApiRequest, place: { readonly id: string; readonly path: string }, tenant: string | null): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = await listObjects({ store, principal: { tenant: null } }, 'project', {}, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    const near = page.find(({ tenant: owner, value: { id: other, path: there } }) => owner !== tenant && other !== place.id && typeof there === 'string' && (isInside(there, place.path) || isInside(place.path, there)));
    if (near !== undefined) throw new LokiError('conflict', { attempted: 'register the project', found: `"${place.path}" and "${String(near.value['path'])}", which belongs to another tenant or to the installation, lie within each other`, hint: 'Take a directory of its own' });
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = String(last.value['id']);
  }
}

/** A run that goes on would look for itself where the project no longer is. Throws `conflict`. */
async function assertIdle({ store }: ApiRequest, { tenant, value }: Found, attempted: string): Promise<void> {
  for (const status of ['running', 'paused', 'pending']) {
    const [busy] = await listObjects({ store, principal: { tenant } }, 'run', { project: String(value['id']), status }, { limit: 1 });
    if (busy !== undefined) throw new LokiError('conflict', { attempted, found: `its run ${String(busy.value['id'])} is ${status}`, hint: 'Cancel it first' });
  }
}

function assertMayRegister({ principal }: ApiRequest): void {
  if (holds(principal, 'admin') && principal.tenant === null) return;
  throw new LokiError('auth.forbidden', { attempted: 'register or release a directory', found: `it is for administrators of the installation, and ${principal.actor} is none` });
}
