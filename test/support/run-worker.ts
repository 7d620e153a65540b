/**
 * A session process for tests that kill it: `run-worker HOME PROJECT`. Takes up the project's run or starts one, with the
 * embedded store and a log that is a file of lines, and an agent that takes a moment for each phase. Prints the status.
 */
import { realpathSync } from 'node:fs';
import { projectIdOf } from '../../lib/base/ids.ts';
import { createHost } from '../../lib/host/host.ts';
import type { Recorder } from '../../lib/audit/entry.ts';
import { LokiError } from '../../lib/errors.ts';
import { resumeRun, startRun } from '../../lib/runs/runner.ts';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import { createBench, diligent, verdict } from './run-bench.ts';
import { onlyRun } from './run-check.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [, , home = '', dir = ''] = process.argv;
const projectDir = realpathSync(dir);
const host = createHost(() => home);
const { disk, spawn, lock, facts, clock, timers, random } = host;
const file = disk.openRecord(home, `${home}/log.jsonl`, 0o600);
const record: Recorder = async (event) => {
  file.append(new TextEncoder().encode(`${JSON.stringify({ event: event.event, details: event.details ?? {} })}\n`));
  return { seq: null, chain_hash: null };
};
const store = await openEmbeddedStore({ base: home, disk, clock, timers, lock: lock(`${home}/run/store`) });
const bench = createBench({
  store, wrapRecord: () => record, deps: { disk, spawn, lock, facts, clock, timers, random },
  async answer(call) {
    await timers.sleep(15);
    return call.role === 'security' && call.iteration === 1 ? [verdict(call, 'reject', 'not yet')] : diligent(call);
  },
});
const place = { ...bench.order, home, env: { PATH: process.env['PATH'] }, project: { id: projectIdOf(projectDir), dir: projectDir, tenant_id: null } };
const settings = { ...place.settings, gates: [{ name: 'true', command: 'true', timeout_ms: 10_000 }] };

process.stdout.write('ready\n');
try {
  const outcome = await resumeRun(bench.deps, place).catch(async (error: unknown) => {
    if (!(error instanceof LokiError) || error.code !== 'run.none') throw error;
    const ended = await onlyRun(store);
    return ended === undefined ? startRun(bench.deps, { ...place, settings }) : { status: ended.status };
  });
  process.stdout.write(`${outcome.status}\n`);
} finally {
  await store.close();
}
