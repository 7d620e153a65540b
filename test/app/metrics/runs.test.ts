import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unfinishedRuns } from '../../../lib/app/metrics/runs.ts';
import { newId } from '../../../lib/base/ids.ts';
import { runKeys } from '../../../lib/runs/run.ts';
import { tenantView } from '../../../lib/store/tenant-view.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

test('runs of all tenants are counted by status, over pages, and those that are over are not', async () => {
  const store = createMemoryStore();
  const tenant = newId('tenant', 1, new Uint8Array(10));
  const rows: readonly (readonly [string, number])[] = [['pending', 1002], ['running', 3], ['completed', 40], ['failed', 2]];
  let at = 0;
  for (const [status, count] of rows) {
    for (const view of [store, tenantView(store, tenant)]) {
      const changes = Array.from({ length: count / (view === store ? 1 : count) }, () => {
        at += 1;
        const id = newId('run', at, new Uint8Array(10));
        return { key: runKeys.run(id), value: { id, status, project_id: 'prj_1' } };
      });
      for (let from = 0; from < changes.length; from += 128) assert.equal((await view.transact([], changes.slice(from, from + 128))).committed, true);
    }
  }
  assert.deepEqual([...await unfinishedRuns(store)], [['pending', 1003], ['running', 4], ['paused', 0]]);
});
