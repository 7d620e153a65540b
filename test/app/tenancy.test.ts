/** Tenants on this machine's own files: whose entries are, whose a directory is, and what a key may give out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshness } from '../../lib/app/api-keys.ts';
import { openApprovals, openRooms } from '../../lib/app/approvals.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { projectService } from '../../lib/app/registered-projects.ts';
import { newId } from '../../lib/base/ids.ts';
import { readTenantOf, writeTenantOf } from '../../lib/gate/tenancy.ts';
import type { Principal } from '../../lib/server/principal.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { push } from '../support/approval-request.ts';
import { makeApprover } from '../support/approver.ts';
import { makeGround } from '../support/ground.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const tenant = newId('tenant', 1, new Uint8Array(10));

test('what happens to approvals of a tenant is filed under it, by the control plane and by the project\'s own processes', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  const installation = ground.installation();
  const { host: { disk }, home, project } = installation;
  const store = createMemoryStore();
  await store.transact([], [{ key: `tenants/${tenant}`, value: { id: tenant } }]);
  const log = openRecord(installation);
  const rooms = await openRooms(installation, log.record, store);
  const { id } = await rooms.of(tenant).request(push);
  await rooms.of(null).request(push);
  await rooms.of(tenant).decide({ id, outcome: 'reject', by: 'user:bob', proof: { kind: 'terminal' } });
  writeTenantOf(disk, home, project?.id ?? '', tenant);
  await (await openApprovals(installation, log.record, tenantView(store, tenant))).room.request({ ...push, actionHash: 'b' });
  await log.close();
  const filed = ground.entries().filter(({ event }) => String(event).startsWith('approval.')).map(({ event, metadata }) => [event, (metadata as { readonly tenant_id?: string }).tenant_id]);
  assert.deepEqual(filed, [['approval.request', tenant], ['approval.request', undefined], ['approval.reject', tenant], ['approval.request', tenant]]);
});

test('a crash between the two places that say whose an enrolled directory is is put right, and only towards the tenant', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  const installation = ground.installation();
  const { host: { disk }, home, project } = installation;
  const id = project?.id ?? '';
  const store = createMemoryStore();
  const projects = projectService(installation, store);
  await projects.adopt();
  assert.equal(readTenantOf(disk, home, id), null);
  await store.transact([], [{ key: `projects/${id}`, value: undefined }, { key: `t/${tenant}/projects/${id}`, value: { id, tenant_id: tenant, path: ground.project } }]);
  await projects.adopt();
  assert.equal(readTenantOf(disk, home, id), tenant);
});

test('a key or a sign-on of before gives nobody the right to decide, also while no approver key exists', async (t) => {
  const ground = makeGround(t);
  const installation = ground.installation();
  const assertFresh = freshness(installation);
  const principal = (scopes: readonly ('admin' | 'approve')[], agoMs?: number): Principal => ({
    kind: 'session', actor: 'user:alice', scopes: new Set(scopes), anonymous: false, tenant: null, ...(agoMs === undefined ? {} : { authTime: Date.now() - agoMs }),
  });
  for (const one of [principal(['admin']), principal(['admin'], 3_600_000)]) {
    assert.doesNotThrow(() => assertFresh(one, 'make a key'));
    assert.throws(() => assertFresh(one, 'make a key', 'approve'), { code: 'auth.proof' });
  }
  for (const one of [principal(['admin', 'approve']), principal(['admin'], 1000)]) assert.doesNotThrow(() => assertFresh(one, 'make a key', 'approve'));
  await makeApprover(installation, 'user:carol');
  assert.throws(() => assertFresh(principal(['admin']), 'make a key'), { code: 'auth.proof' });
  assert.doesNotThrow(() => assertFresh(principal(['admin'], 1000), 'make a key'));
});
