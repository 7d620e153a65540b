/**
 * Objects of the API in the store, as one principal may see them. A tenant's principal reads by keys that hold its tenant, so
 * what is another's is not found, and cannot be told from what does not exist; an administrator of the installation finds
 * by id wherever it is. Entity tags and pages are made here, so that each carries whose it is.
 */
import { LokiError } from '../errors.ts';
import { sha256 } from '../base/digest.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { approvalTerms, keyTerms, projectTerms, runTerms, taskTerms, type StoreTerm } from '../store/indexes.ts';
import type { ListByOptions, Store, StoreCheck, StoreEntry } from '../store/store.ts';
import { ownerOf, tenantPrefix } from '../store/tenant-view.ts';
import type { Principal } from './principal.ts';

/** Kinds of objects that belong to a tenant or to the installation. */
export type Kind = 'project' | 'task' | 'run' | 'key' | 'approval';

interface KindRow {
  readonly prefix: string;
  /** What stands for it in a question; by project and status where it has both. */
  readonly terms: Pick<typeof runTerms, 'all' | 'tenant'> & Partial<Pick<typeof runTerms, 'status' | 'project' | 'tenantStatus' | 'projectStatus'>>;
}

const kinds: Readonly<Record<Kind, KindRow>> = {
  project: { prefix: 'projects/', terms: projectTerms },
  task: { prefix: 'tasks/', terms: taskTerms },
  run: { prefix: 'runs/', terms: runTerms },
  key: { prefix: 'keys/', terms: keyTerms },
  approval: { prefix: 'approvals/', terms: approvalTerms },
};

/** Where it says that a tenant is being taken away, or was. */
export function removalKey(tenantId: string): string {
  return `tenant-removals/${tenantId}`;
}

/** Of whatever is made in a tenant: it is made only while nobody takes the tenant away. */
export function whileItStays(tenant: string | null): readonly StoreCheck[] {
  return tenant === null ? [] : [{ key: removalKey(tenant), revision: 0 }];
}

/** An object where it was found. */
export interface Found {
  readonly tenant: string | null;
  /** In the whole store. */
  readonly key: string;
  readonly revision: number;
  readonly value: JsonObject;
}

/** The whole store, and who looks. */
export interface Sight {
  readonly store: Store;
  readonly principal: Pick<Principal, 'tenant'>;
}

/** The key of an object in the whole store. */
export function objectKey(tenant: string | null, kind: Kind, id: string): string {
  return tenantPrefix(tenant) + kinds[kind].prefix + id;
}

/** The object, if there is one that this principal may know of. */
export async function findObject({ store, principal: { tenant } }: Sight, kind: Kind, id: string): Promise<Found | undefined> {
  const own = await store.get(objectKey(tenant, kind, id));
  if (own !== undefined) return foundIn(own);
  if (tenant !== null) return undefined;
  const [elsewhere] = await store.listBy(...kinds[kind].terms.all, { from: id, to: id, limit: 1 });
  return elsewhere === undefined ? undefined : foundIn(elsewhere);
}

/** As `findObject`. Throws `not_found`, in the same words whether it is another tenant's or nobody's. */
export async function requireObject(sight: Sight, kind: Kind, id: string): Promise<Found> {
  const found = await findObject(sight, kind, id);
  if (found === undefined) throw new LokiError('not_found', { attempted: `find the ${kind}`, found: `there is no ${kind} "${id}"` });
  return found;
}

export interface ObjectFilter {
  readonly project?: string;
  readonly status?: string;
}

/** Objects that match, in order of their ids. */
export async function listObjects(sight: Sight, kind: Kind, filter: ObjectFilter, options: ListByOptions): Promise<readonly Found[]> {
  const term = await termOf(sight, kinds[kind], filter);
  if (term === undefined) return [];
  return (await sight.store.listBy(...term, options)).map(foundIn);
}

/** The question that answers the filter; undefined when the project it names is not one that this principal may know of. */
async function termOf(sight: Sight, { terms }: KindRow, { project, status }: ObjectFilter): Promise<StoreTerm | undefined> {
  const { tenant } = sight.principal;
  if (project !== undefined) {
    // What is filed under a project that was removed is still there, under the tenant that looks.
    const owner = tenant ?? (await findObject(sight, 'project', project))?.tenant ?? null;
    return status === undefined ? terms.project?.(owner, project) : terms.projectStatus?.(owner, project, status);
  }
  if (status !== undefined) return tenant === null ? terms.status?.(status) : terms.tenantStatus?.(tenant, status);
  return tenant === null ? terms.all : terms.tenant(tenant);
}

export function foundIn({ key, value, revision }: StoreEntry): Found {
  return { tenant: ownerOf(key).tenant, key, revision, value: objectOf(key, value) };
}

function objectOf(key: string, value: JsonValue): JsonObject {
  if (isPlainObject(value)) return value as JsonObject;
  throw new LokiError('store.corrupt', { attempted: 'read a stored object', found: `"${key}" holds no object` });
}

/** The entity tag of an object: of where it is, whose it is, and what it says. */
export function tagOf(key: string, shown: string): string {
  return `"${Buffer.from(sha256(`${key}\n${shown}`)).toString('base64url').slice(0, 22)}"`;
}
