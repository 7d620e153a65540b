/** Tenants: whose projects, runs, keys and entries are kept apart. Administrators of the installation make them; a tenant's own principals see theirs. */
import { LokiError } from '../../errors.ts';
import { newId } from '../../base/ids.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import type { StoreEntry } from '../../store/store.ts';
import { tenantPrefix } from '../../store/tenant-view.ts';
import { stateOf } from '../auth/api-key.ts';
import { readKey } from '../auth/api-key.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { pageRequest, pageResponse } from '../page.ts';
import { over } from '../checked-request.ts';
import { foundIn, removalKey, type Found } from '../objects.ts';
import { record } from '../shape.ts';
import * as shapes from '../shapes.ts';
import type { Services } from '../services.ts';
import { answerWith, assertUnchanged, changedMembers, list, shown } from './collections.ts';

const wish = record({ name: shapes.name, slug: shapes.slug }, { description: shapes.description });
const edit = record({}, { name: shapes.name, slug: shapes.slug, description: shapes.description }, 'Members that are left out stay as they are');

export const tenantKeys = {
  tenant: (id: string): string => `tenants/${id}`,
  tenants: 'tenants/',
  /** Holds the id of the tenant that has the slug. */
  slug: (slug: string): string => `tenant-slugs/${slug}`,
} as const;

const answer = { status: 200, about: 'The tenant', shape: shapes.tenant } as const;

export function tenantRows(services: Services): readonly Row[] {
  const { clock, random } = services;
  const now = (): string => new Date(clock.now()).toISOString();

  const create = taking(wish, async (request, { name, slug, description = '' }): Promise<ApiResponse> => {
    if (await request.store.get(tenantKeys.slug(slug)) !== undefined) throw slugTaken(slug);
    const tenantId = newId('tenant', clock.now(), random.bytes(10));
    const value: JsonObject = { id: tenantId, name, slug, description, created_at: now() };
    const key = tenantKeys.tenant(tenantId);
    const response = answerWith({ key, value }, 201, undefined, `${request.path}/${tenantId}`);
    await request.changed('tenant.create', { tenant: tenantId, resource: `tenant:${tenantId}`, details: { name, slug } });
    const outcome = await request.commit([{ key, revision: 0 }, { key: tenantKeys.slug(slug), revision: 0 }], [{ key, value }, { key: tenantKeys.slug(slug), value: { id: tenantId } }], response);
    if (!outcome.committed) throw slugTaken(slug);
    return response;
  });

  const update = taking(edit, async (request, members): Promise<ApiResponse> => {
    const found = await requireTenant(request);
    assertUnchanged(request, found);
    const value: JsonObject = { ...found.value, ...members, updated_at: now() };
    const response = answerWith({ key: found.key, value }, 200);
    const [before, after] = [String(found.value['slug']), String(value['slug'])];
    const renamed = before === after ? { checks: [], changes: [] } : {
      checks: [{ key: tenantKeys.slug(after), revision: 0 }], changes: [{ key: tenantKeys.slug(before), value: undefined }, { key: tenantKeys.slug(after), value: { id: String(value['id']) } }],
    };
    if (before !== after && await request.store.get(tenantKeys.slug(after)) !== undefined) throw slugTaken(after);
    await request.changed('tenant.update', { tenant: String(value['id']), resource: `tenant:${String(value['id'])}`, details: changedMembers(found, members) });
    const outcome = await request.commit([{ key: found.key, revision: found.revision }, ...renamed.checks], [{ key: found.key, value }, ...renamed.changes], response);
    if (!outcome.committed) throw new LokiError('conflict', { attempted: 'change the tenant', found: 'it changed meanwhile' });
    return response;
  });

  const remove = async (request: ApiRequest): Promise<ApiResponse> => {
    const found = await requireTenant(request);
    assertUnchanged(request, found);
    const tenantId = String(found.value['id']);
    await assertEmpty(request, tenantId, clock.now());
    const at = removalKey(tenantId);
    await request.store.transact([], [{ key: at, value: { began_at: now() } }]);
    // From here on nothing is made in it; what was made a moment ago is seen now.
    await assertEmpty(request, tenantId, clock.now()).catch(async (error: unknown) => {
      await request.store.transact([], [{ key: at, value: undefined }]);
      throw error;
    });
    await request.changed('tenant.delete', { tenant: tenantId, resource: `tenant:${tenantId}`, details: { name: found.value['name'] ?? null, slug: found.value['slug'] ?? null } });
    const response: ApiResponse = { status: 204, headers: {} };
    const outcome = await request.commit([{ key: found.key, revision: found.revision }], [{ key: found.key, value: undefined }, { key: tenantKeys.slug(String(found.value['slug'])), value: undefined }], response);
    if (!outcome.committed) throw new LokiError('conflict', { attempted: 'remove the tenant', found: 'it changed meanwhile' });
    return response;
  };

  const listed = list({ kind: 'project', newestFirst: false });
  return [
    { method: 'GET', path: '/tenants', operation: 'tenants.list', summary: 'Tenants: all of them, or the principal\'s own', scope: 'read', paged: true, answer: { ...answer, about: 'Tenants' }, handle: listTenants },
    { method: 'POST', path: '/tenants', operation: 'tenants.create', summary: 'Makes a tenant', scope: 'admin', reach: 'installation', keyed: 'commit', records: ['tenant.create'], answer: { ...answer, status: 201 }, ...create },
    { method: 'GET', path: '/tenants/:id', operation: 'tenants.get', summary: 'One tenant', scope: 'read', params: { id: 'tenant' }, answer, handle: async (request) => shown(request, await requireTenant(request)) },
    {
      method: 'PUT', path: '/tenants/:id', operation: 'tenants.update', summary: 'Changes members of a tenant', scope: 'admin', reach: 'installation', params: { id: 'tenant' }, keyed: 'commit', records: ['tenant.update'],
      answer: { ...answer, about: 'The tenant as it now is' }, ...update,
    },
    {
      method: 'DELETE', path: '/tenants/:id', operation: 'tenants.delete', summary: 'Removes a tenant that has no projects and no keys that count', scope: 'admin', reach: 'installation', params: { id: 'tenant' }, keyed: 'commit', records: ['tenant.delete'],
      answer: { status: 204, about: 'It is gone' }, handle: remove,
    },
    {
      method: 'GET', path: '/tenants/:id/projects', operation: 'tenants.projects', summary: 'Projects of a tenant', scope: 'read', params: { id: 'tenant' }, paged: true, answer: { status: 200, about: 'Projects', shape: shapes.project },
      async handle(request) {
        const found = await requireTenant(request);
        return listed(over(request, { principal: { ...request.principal, tenant: String(found.value['id']) } }));
      },
    },
  ];
}

async function listTenants(request: ApiRequest): Promise<ApiResponse> {
  const { limit, offset, after } = pageRequest(request);
  const { tenant } = request.principal;
  if (tenant !== null) {
    const own = await request.store.get(tenantKeys.tenant(tenant));
    return pageResponse(request, own === undefined || offset > 0 || after !== undefined ? [] : [own.value], undefined);
  }
  const entries = await request.store.list(tenantKeys.tenants, { limit: offset + limit + 1, ...(after === undefined ? {} : { after: tenantKeys.tenant(after) }) });
  const page = entries.slice(offset, offset + limit);
  return pageResponse(request, page.map(({ value }) => value), entries.length > offset + limit ? idIn(page.at(-1)) : undefined);
}

function idIn(entry: StoreEntry | undefined): string | undefined {
  return entry?.key.slice(tenantKeys.tenants.length);
}

/** The tenant that the path names. To another tenant's principal there is none. Throws `not_found`. */
async function requireTenant({ store, principal: { tenant }, params }: ApiRequest): Promise<Found> {
  const wanted = params.get('id') ?? '';
  const entry = tenant === null || tenant === wanted ? await store.get(tenantKeys.tenant(wanted)) : undefined;
  if (entry === undefined) throw new LokiError('not_found', { attempted: 'find the tenant', found: `there is no tenant "${wanted}"` });
  return foundIn(entry);
}

/** What is left of a tenant would be nobody's. Throws `conflict`. */
async function assertEmpty({ store }: ApiRequest, tenantId: string, nowMs: number): Promise<void> {
  const refuse = (found: string, hint: string): LokiError => new LokiError('conflict', { attempted: 'remove the tenant', found, hint });
  const [project] = await store.list(`${tenantPrefix(tenantId)}projects/`, { limit: 1 });
  if (project !== undefined) throw refuse(`it has projects, ${isPlainObject(project.value) ? String(project.value['name']) : 'one'} among them`, 'Remove them first');
  const keys = await store.list(`${tenantPrefix(tenantId)}keys/`, { limit: 10_000 });
  const counting = keys.map(({ value }) => readKey(value)).filter((key) => stateOf(key, nowMs) === 'active');
  if (counting.length > 0) throw refuse(`${counting.length} of its keys count`, 'Revoke them first');
}

function slugTaken(slug: string): LokiError {
  return new LokiError('conflict', { attempted: 'name the tenant', found: `the slug "${slug}" is taken`, hint: 'Take another one' });
}
