/** A control plane with two tenants that have one of everything, and keys of every sort. What is the first one's carries its mark. */
import type { Approvals } from '../../lib/approvals/approvals.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { HttpResponse } from '../../lib/base/http.ts';
import { newId } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { newToken } from '../../lib/base/token.ts';
import { random } from '../../lib/host/time.ts';
import type { ApiOptions } from '../../lib/server/api.ts';
import { keyKeys } from '../../lib/server/auth/api-key.ts';
import { grantableScopes } from '../../lib/server/principal.ts';
import type { AuditService, Services } from '../../lib/server/services.ts';
import type { Store } from '../../lib/store/store.ts';
import { tenantPrefix, tenantView } from '../../lib/store/tenant-view.ts';
import { createKit, hookTokenOfKit, mint, putEvents, putTenant, send, type Call, type Kit } from './api-kit.ts';
import { push } from './approval-request.ts';
import { createMemoryStore } from './memory-store.ts';

/** Stands in every name, title and text of the first tenant. */
export const mark = 'ALPHA';

/** One tenant's things. */
export interface Belongings {
  readonly tenant: string;
  readonly project: string;
  readonly task: string;
  readonly run: string;
  readonly runToken: string;
  readonly key: string;
  readonly approval: string;
}

export interface World {
  readonly kit: Kit;
  readonly store: Store;
  readonly alpha: Belongings;
  readonly beta: Belongings;
  /** Authorization headers by caller; those of the first tenant by the one scope that they have. */
  readonly callers: Readonly<Record<string, string>>;
  /** Every token that was made. */
  readonly tokens: string[];
}

let at = 1;
const next = (): number => (at += 1);

export async function twoTenants(options: Partial<ApiOptions> = {}, more: Partial<Services> = {}): Promise<World> {
  const recorded: { list: readonly AuditEvent[] } = { list: [] };
  const kit = createKit({ authentication: true, rateLimit: 0, ...options }, { store: createMemoryStore({ history: 100_000 }), audit: auditOf(createKit().services.audit, recorded), ...more });
  recorded.list = kit.recorded;
  const alpha = await belongings(kit, `${mark} one`);
  const beta = await belongings(kit, 'Beta');
  const tokens: string[] = [alpha.runToken, beta.runToken];
  return { kit, store: kit.store, alpha, beta, callers: await callersOf(kit, alpha, beta, tokens), tokens };
}

/** A tenant with one of everything. */
export async function belongings(kit: Kit, name: string): Promise<Belongings> {
  const tenant = await putTenant(kit.store, next());
  const entry = await kit.store.get(`tenants/${tenant}`);
  await kit.store.transact([], [{ key: `tenants/${tenant}`, value: { ...entry?.value as JsonObject, name } }, { key: `tenant-slugs/${String((entry?.value as JsonObject)['slug'])}`, value: { id: tenant } }]);
  const project = await putProject(kit.store, tenant, name);
  const { run, runToken } = await putOrder(kit, tenant, project, name);
  const { key } = await mint(kit, { name: `${name.replaceAll(' ', '.')}.spare`, role: 'viewer', tenant });
  return { tenant, project, task: await putTask(kit.store, tenant, project, name), run, runToken, key: key.id, approval: await putApproval(kit, tenant, project, name) };
}

export async function putProject(store: Store, tenant: string | null, name: string): Promise<string> {
  const id = newId('project', next(), random.bytes(10));
  await store.transact([], [{ key: `${tenantPrefix(tenant)}projects/${id}`, value: { id, name, description: '', tenant_id: tenant, path: null, created_at: '2026-02-15T14:29:00.000Z', updated_at: '2026-02-15T14:29:00.000Z' } }]);
  return id;
}

export async function putTask(store: Store, tenant: string | null, project: string, title: string): Promise<string> {
  const id = newId('task', next(), random.bytes(10));
  const value = { id, project_id: project, title, description: '', status: 'pending', priority: 'medium', created_at: '2026-02-15T14:29:00.000Z', updated_at: '2026-02-15T14:29:00.000Z' };
  await store.transact([], [{ key: `${tenantPrefix(tenant)}tasks/${id}`, value }]);
  return id;
}

/** A run that waits for a worker, with three events. */
export async function putOrder({ services, store }: Pick<Kit, 'services' | 'store'>, tenant: string | null, project: string, text: string): Promise<{ readonly run: string; readonly runToken: string }> {
  const { run, token } = await services.runs.order({ project_id: project, tenant, document: `# ${text}\n`, terms: {}, trigger: 'api', actor: 'user:somebody', requestId: 'req_none' }, (checks, changes) => store.transact(checks, changes));
  await putEvents(tenantView(store, tenant), run.id, 1, 3);
  return { run: run.id, runToken: token };
}

export async function putApproval({ services }: Pick<Kit, 'services'>, tenant: string | null, project: string, rule: string): Promise<string> {
  // The kit's approvals are whole; what the server needs of them is less.
  const room = services.approvals(tenant) as Approvals;
  return (await room.request({ ...push, projectId: project, rule, actionHash: `hash-${next()}` })).id;
}

/** The log of a control plane that keeps it in memory: as `kit.recorded` has it, under the tenant that each entry names. */
function auditOf(rest: AuditService, recorded: { readonly list: readonly AuditEvent[] }): AuditService {
  const seen = (tenant: string | null | undefined): readonly JsonObject[] => recorded.list
    .map((event, at) => ({ seq: at + 1, level: 'info', ...event }) as unknown as JsonObject)
    .filter(({ metadata }) => tenant === undefined || tenant === null || (metadata as JsonObject | undefined)?.['tenant_id'] === tenant);
  const counts = (entries: readonly JsonObject[], name: string): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const entry of entries) found[String(entry[name])] = (found[String(entry[name])] ?? 0) + 1;
    return found;
  };
  return {
    ...rest,
    async *query({ tenant, before = Infinity }) { yield* seen(tenant).filter(({ seq }) => Number(seq) < before).reverse(); },
    export: async ({ filter: { tenant } }) => ({ mediaType: 'application/json', fileName: 'audit.json', parts: (async function* () { yield Buffer.from(JSON.stringify(seen(tenant))); })() }),
    summary: async (_period, _anonymous, tenant) => ({ total_events: seen(tenant).length, by_type: counts(seen(tenant), 'event'), by_level: counts(seen(tenant), 'level'), by_actor: counts(seen(tenant), 'actor') }),
  };
}

async function callersOf(kit: Kit, alpha: Belongings, beta: Belongings, tokens: string[]): Promise<Record<string, string>> {
  const callers: Record<string, string> = {};
  const bearer = (token: string): string => `Bearer ${token}`;
  const put = async (name: string, wish: Omit<Parameters<typeof mint>[1], 'name'>): Promise<string> => {
    const minted = await mint(kit, { name: `${mark}.${name}`, ...wish });
    tokens.push(minted.token);
    callers[name] = bearer(minted.token);
    return minted.key.id;
  };
  for (const scope of grantableScopes) await put(`scope.${scope}`, { tenant: alpha.tenant, scopes: [scope], ...(scope === 'approve' ? { owner: 'user:alice' } : {}) });
  await put('of.a.place', { tenant: alpha.tenant, scopes: ['admin'], cidrs: ['10.9.0.0/16', '2001:db8::/32'] });
  const expired = await put('expired', { tenant: alpha.tenant, scopes: ['admin'] });
  const revoked = await put('revoked', { tenant: alpha.tenant, scopes: ['admin'] });
  await alter(kit.store, alpha.tenant, expired, { expires_at: '2026-01-01T00:00:00.000Z' });
  await alter(kit.store, alpha.tenant, revoked, { revoked_at: '2026-01-01T00:00:00.000Z' });
  const gone = await putTenant(kit.store, next());
  await put('of.no.tenant', { tenant: gone, scopes: ['admin'] });
  await kit.store.transact([], [{ key: `tenants/${gone}`, value: undefined }]);
  const other = await mint(kit, { name: 'Beta.all', tenant: beta.tenant, scopes: ['admin', 'approve'], owner: 'user:bob' });
  tokens.push(other.token);
  callers['other'] = bearer(other.token);
  await put('root', { tenant: null, scopes: ['admin'] });
  const whole = tokens.at(-1) ?? '';
  callers['mistyped'] = bearer(whole.slice(0, -1) + (whole.endsWith('a') ? 'b' : 'a'));
  callers['unknown'] = bearer(newToken(random));
  callers['malformed'] = 'Basic bG9raTpsb2tp';
  callers['hook'] = bearer(hookTokenOfKit);
  callers['run'] = bearer(alpha.runToken);
  callers['otherRun'] = bearer(beta.runToken);
  return callers;
}

/** Changes a stored key as time or somebody would. */
export async function alter(store: Store, tenant: string | null, id: string, members: JsonObject): Promise<void> {
  const key = tenantPrefix(tenant) + keyKeys.key(id);
  const entry = await store.get(key);
  await store.transact([], [{ key, value: { ...entry?.value as JsonObject, ...members } }]);
}

/** A request as one of the callers. */
export function as({ kit, callers }: Pick<World, 'kit' | 'callers'>, caller: string | undefined, target: string, { body, headers, ...call }: Omit<Call, 'body'> & { readonly body?: unknown } = {}): Promise<HttpResponse> {
  const authorization = caller === undefined ? undefined : callers[caller];
  return send(kit.api, target, {
    ...call, headers: { ...(authorization === undefined ? {} : { authorization }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** The first words of a stream, or all of the body. */
export async function textOf(response: HttpResponse): Promise<string> {
  if (response.stream === undefined) return String(response.body ?? '');
  const parts: string[] = [];
  for await (const part of response.stream) parts.push(String(part instanceof Uint8Array ? Buffer.from(part).toString('utf8') : part));
  return parts.join('');
}
