/** One good request for every operation of the API, about things that exist in one tenant. A new operation needs a new line here. */
import type { JsonObject } from '../../lib/base/json.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { tenantPrefix } from '../../lib/store/tenant-view.ts';
import { mark, putApproval, putOrder, putProject, putTask, type Belongings, type World } from './two-tenants.ts';
import { mint, putTenant } from './api-kit.ts';

/** A request without who sends it. */
export interface Ask {
  /** In place of the parameters of the path, in order. */
  readonly path?: readonly string[];
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Sample {
  /** About fresh things of a tenant, where it changes any. */
  readonly ask: (world: World, of: Belongings) => Ask | Promise<Ask>;
  /** What somebody with the right scope in that tenant is answered; as the row says when left out. */
  readonly status?: number;
  /** The same scope in another tenant; 404 where a path names something, and as if it were its own where none does, when left out. */
  readonly elsewhere?: number;
  /** Somebody who shows nothing, where nothing is asked for; the same as everybody else when left out. */
  readonly anybody?: number;
}

let names = 0;
const fresh = (what: string): string => `${mark}.${what}.${(names += 1)}`;
const nothing: Sample = { ask: () => ({}) };
const project: Sample = { ask: (_world, { project }) => ({ path: [project] }) };
const run: Sample = { ask: (_world, of) => ({ path: [of.run] }) };
const tenant: Sample = { ask: (_world, of) => ({ path: [of.tenant] }) };
const key: Sample = { ask: (_world, of) => ({ path: [of.key] }) };
const ofProject: Sample = { ask: (_world, of) => ({ query: `project_id=${of.project}` }), elsewhere: 404 };
const filtered: Sample = { ask: (_world, of) => ({ query: `project_id=${of.project}&status=pending` }) };
const spareKey = async ({ kit }: World, of: Belongings): Promise<string> => (await mint(kit, { name: fresh('key'), role: 'viewer', tenant: of.tenant })).key.id;
const newOrder = async ({ kit }: World, of: Belongings): Promise<Ask> => ({ path: [(await putOrder(kit, of.tenant, of.project, fresh('run'))).run], body: {} });
/** One that has ended, as its driver would have left it. */
const endedRun = async (world: World, of: Belongings): Promise<Ask> => {
  const asked = await newOrder(world, of);
  const key = `${tenantPrefix(of.tenant)}${runKeys.run(asked.path?.[0] ?? '')}`;
  const run = (await world.store.get(key))?.value as JsonObject;
  await world.store.transact([], [{ key, value: { ...run, config: { ...run['config'] as JsonObject, provider: 'claude' }, status: 'completed', started_at: run['created_at'] ?? null, ended_at: run['created_at'] ?? null } }]);
  return asked;
};
const decision: Sample = { ask: async ({ kit }, of) => ({ path: [await putApproval(kit, of.tenant, of.project, fresh('rule'))], body: { reason: fresh('reason') } }) };
const emptyTenant = async ({ store }: World): Promise<Ask> => ({ path: [await putTenant(store, (names += 1))] });

export const samples: Readonly<Record<string, Sample>> = {
  'health.get': nothing, 'health.live': nothing, 'health.ready': nothing, 'metrics.get': nothing, 'openapi.get': nothing, 'status.get': nothing,
  'web.index.html': nothing, 'web.device.html': nothing,
  'hooks.claude': { ask: () => ({ query: 'event=PreToolUse', body: {} }) },
  'auth.login': { ask: () => ({}), status: 404 },
  'auth.callback': { ask: () => ({ query: 'code=a&state=b' }), status: 404 },
  'auth.session': { ask: () => ({ body: {} }) },
  'auth.logout': { ask: () => ({ body: {} }) },
  'auth.signedOut': { ask: () => ({ query: 'state=x' }), status: 403 },
  'auth.backchannelLogout': { ask: () => ({ body: 'logout_token=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }), status: 404 },
  'auth.me': nothing,
  'auth.device.start': { ask: () => ({ body: { client: fresh('line') } }) },
  'auth.device.token': { ask: () => ({ body: { device_code: 'unknown' } }), status: 400 },
  'auth.device.show': { ask: () => ({ query: 'user_code=BCDF-GHJK' }), status: 401, anybody: 401 },
  'auth.device.decide': { ask: () => ({ body: { user_code: 'BCDF-GHJK', decision: 'deny' } }), status: 401 },

  'tenants.list': nothing, 'tenants.get': tenant, 'tenants.projects': tenant,
  'tenants.create': { ask: () => ({ body: { name: fresh('tenant'), slug: fresh('tenant').toLowerCase().replaceAll('.', '-') } }) },
  'tenants.update': { ask: async (world) => ({ ...await emptyTenant(world), body: { description: fresh('words') } }) },
  'tenants.delete': { ask: emptyTenant },
  'projects.list': nothing, 'projects.get': project,
  'projects.create': { ask: (_world, of) => ({ body: { name: fresh('project'), tenant_id: of.tenant } }), elsewhere: 404 },
  'projects.update': { ask: async ({ store }, of) => ({ path: [await putProject(store, of.tenant, fresh('project'))], body: { name: fresh('name') } }) },
  'projects.delete': { ask: async ({ store }, of) => ({ path: [await putProject(store, of.tenant, fresh('project'))] }) },
  'tasks.list': filtered, 'tasks.get': { ask: (_world, { task }) => ({ path: [task] }) },
  'tasks.create': { ask: (_world, of) => ({ body: { project_id: of.project, title: fresh('task') } }), elsewhere: 404 },
  'tasks.update': { ask: async ({ store }, of) => ({ path: [await putTask(store, of.tenant, of.project, fresh('task'))], body: { title: fresh('title'), status: 'in_progress' } }) },
  'tasks.delete': { ask: async ({ store }, of) => ({ path: [await putTask(store, of.tenant, of.project, fresh('task'))] }) },
  'runs.list': filtered, 'runs.get': run, 'runs.timeline': run, 'runs.events': run, 'events.stream': nothing,
  'runs.create': { ask: (_world, of) => ({ body: { project_id: of.project, document: `# ${fresh('document')}` } }), elsewhere: 404 },
  'runs.cancel': { ask: newOrder }, 'runs.replay': { ask: endedRun },
  'runs.report': { ask: (_world, of) => ({ path: [of.run], body: { events: [{ event_type: 'log', details: { message: fresh('event') } }] } }) },
  'keys.list': nothing, 'keys.get': key,
  'keys.create': { ask: (_world, of) => ({ body: { name: fresh('key'), role: 'viewer', tenant_id: of.tenant } }), elsewhere: 404 },
  'keys.update': { ask: async (world, of) => ({ path: [await spareKey(world, of)], body: { cidrs: ['10.0.0.0/8'] } }) },
  'keys.revoke': { ask: async (world, of) => ({ path: [await spareKey(world, of)] }) },
  'keys.rotate': { ask: async (world, of) => ({ path: [await spareKey(world, of)], body: { grace_period_hours: 1 } }) },
  'policies.get': ofProject, 'policies.replace': { ask: (_world, of) => ({ query: `project_id=${of.project}`, body: { text: 'version: 1\n' } }), elsewhere: 404 },
  'policies.evaluate': { ask: (_world, of) => ({ query: `project_id=${of.project}`, body: { point: 'pre_execution', context: { kind: 'exec', command: 'ls' } } }), elsewhere: 404 },
  'budgets.list': ofProject,
  'approvals.list': filtered, 'approvals.get': { ask: (_world, { approval }) => ({ path: [approval] }) },
  'approvals.approve': decision, 'approvals.reject': decision,
  'audit.list': nothing, 'audit.summary': nothing, 'audit.export': nothing, 'audit.verify': nothing, 'audit.checkpoint': nothing,
  'audit.proof': { ask: () => ({ path: ['7'] }) },
};
