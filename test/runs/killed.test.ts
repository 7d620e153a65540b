/** A real session process, killed by the kernel again and again, on a real disk: the run is taken up each time and completes. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { createHost } from '../../lib/host/host.ts';
import { progressOf } from '../../lib/runs/progress.ts';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import { endOf, startChild } from '../support/child.ts';
import { assertWhole } from '../support/run-check.ts';

test('a session that is killed many times loses nothing and completes', async (t) => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'loki killed ')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [home, project] = [join(dir, 'home'), join(dir, 'project')];
  for (const path of [join(home, 'run'), project]) mkdirSync(path, { recursive: true, mode: 0o700 });

  const log = join(home, 'log.jsonl');
  const logged = (): number => (existsSync(log) ? statSync(log).size : 0);
  // Only a kill in the middle of the work counts: on a crowded machine one that came before it gives the next more time.
  let [kills, early] = [0, 0];
  for (let tries = 0; tries < 40; tries += 1) {
    const before = logged();
    const child = startChild('test/support/run-worker', [home, project]);
    child.stdout?.once('data', () => { if (kills < 4) setTimeout(() => child.kill('SIGKILL'), 30 + (kills + early) * 40); });
    const end = await endOf(child);
    if (end.signal === 'SIGKILL') {
      if (logged() > before) kills += 1;
      else early += 1;
      continue;
    }
    assert.equal(end.exit, 0, end.stderr);
    assert.match(end.stdout, /completed\n$/);
    break;
  }
  assert.ok(kills >= 2, `killed only ${kills} times`);

  const { disk, clock, timers, lock } = createHost(() => home);
  const store = await openEmbeddedStore({ base: home, disk, clock, timers, lock: lock(`${home}/run/store`) });
  const events = readFileSync(log, 'utf8').trim().split('\n').map((line): Pick<AuditEvent, 'event' | 'details'> => JSON.parse(line));
  const run = await assertWhole(store, events);
  assert.equal(run.status, 'completed');
  assert.ok(progressOf(run).attempt >= 2, 'it was taken up');
  await store.close();
});
