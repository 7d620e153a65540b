/** Agents that misbehave, as real processes: each ends in a clear event and a clean end, and nothing of theirs lives on. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRun } from '../../lib/runs/runner.ts';
import { stopSession } from '../../lib/runs/control.ts';
import { facts } from '../../lib/host/facts.ts';
import { timers } from '../../lib/host/time.ts';
import { realRun } from '../support/real-run.ts';

const shell = (command: string): readonly string[] => ['/bin/sh', '-c', command];

/** Fails unless a process that was ended is gone in a moment: it closes its files a little before it is no more. */
async function assertGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 50 && facts.startOf(pid) !== undefined; tries += 1) await timers.sleep(20);
  assert.equal(facts.startOf(pid), undefined, `process ${pid} lives on`);
}

const misbehaviours: readonly (readonly [string, string, RegExp, RegExp])[] = [
  ['exits non-zero', 'echo "out of quota" >&2; exit 3', /^exit$/, /^provider "command" failed in REASON: it ended with exit code 3 \(1 tries\)$/],
  ['kills itself', 'kill -9 $$', /^signal$/, /signal SIGKILL ended it/],
  ['prints 100 MB in one line', 'head -c 100000000 /dev/zero | tr "\\0" x', /^too much output$/, /it printed 100000000 bytes; an answer has at most 8388608/],
  ['prints lines without end', 'yes "{\\"type\\":\\"log\\",\\"message\\":\\"again\\"}"', /^too much output$/, /an answer has at most 8388608/],
  ['prints garbage', 'head -c 100000 /dev/urandom', /^garbage$/, /it printed 100000 bytes that are not UTF-8 text/],
];
for (const [name, command, cause, reason] of misbehaviours) {
  test(`an agent that ${name} fails the run with the reason`, async (t) => {
    const { deps, order, bench } = realRun(t, { argv: shell(command), timeoutMs: 10_000 });
    const outcome = await startRun(deps, order);
    assert.equal(outcome.status, 'failed');
    assert.match(outcome.reason, reason);
    const events = await bench.events(outcome.run.id);
    const error = events.find(({ event_type }) => event_type === 'error');
    assert.match(String(error?.details['cause']), cause);
    assert.ok(events.length < 600, `${events.length} events`);
  });
}

test('an agent that hangs is ended with everything it started, and tried again', async (t) => {
  const { deps, order, bench, dir } = realRun(t, { argv: shell('sleep 60 & echo $! >> "$HOME/pids"; wait'), timeoutMs: 300, settings: { retries: 1 } });
  const outcome = await startRun(deps, order);
  assert.match(outcome.reason, /^provider "command" failed in REASON: it did not end within 0.3 s; its whole process group was ended \(2 tries\)$/);
  const pids = readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n').map(Number);
  assert.equal(pids.length, 2);
  for (const pid of pids) await assertGone(pid);
  assert.equal(bench.recorded.filter(({ event }) => event === 'agent.fail').length, 2);
});

test('stop ends a real agent and what it started', async (t) => {
  const { deps, order, dir, home } = realRun(t, { argv: shell('sleep 60 & echo $! > "$HOME/pid"; wait') });
  const running = startRun(deps, order);
  await deps.timers.sleep(400);
  await stopSession({ ...deps, home }, order.project, 'user:boss');
  const outcome = await running;
  assert.equal(outcome.status, 'cancelled');
  await assertGone(Number(readFileSync(join(dir, 'pid'), 'utf8')));
});

test('a gate that hangs fails in its time and the agent is told', async (t) => {
  const { deps, order, bench } = realRun(t, { argv: shell('echo fine'), settings: { max_iterations: 1, gates: [{ name: 'slow', command: 'sleep 60', timeout_ms: 200 }] } });
  const outcome = await startRun(deps, order);
  assert.equal(outcome.reason, 'not accepted after 1 rounds: Quality gate "slow" did not end within 0.2 s:');
  assert.ok(bench.recorded.some(({ event, details }) => event === 'gate.fail' && details?.['name'] === 'slow'));
});

test('a provider that is not installed, or not a program, is found before anything is recorded', async (t) => {
  for (const argv of [['no-such-agent-anywhere'], ['./agent.txt'], []]) {
    const { deps, order, bench, projectDir } = realRun(t, { argv });
    writeFileSync(join(projectDir, 'agent.txt'), 'text');
    chmodSync(join(projectDir, 'agent.txt'), 0o644);
    await assert.rejects(startRun(deps, order), (error: Error & { code?: string }) => error.code === 'provider.missing' && error.message.startsWith('Cannot use provider "command": '));
    assert.equal(bench.recorded.length, 0);
  }
});

test('text an agent writes is kept redacted', async (t) => {
  const { deps, order, bench } = realRun(t, { argv: shell(`echo 'the word is hunter2'; echo '{"type":"log","message":"hunter2"}'; echo '{"type":"task","title":"Use hunter2"}'`), settings: { max_iterations: 1 } });
  const outcome = await startRun(deps, order);
  const kept = JSON.stringify([await bench.events(outcome.run.id), bench.recorded, await bench.store.list('', { limit: 1000 })]);
  assert.ok(!kept.includes('hunter2'));
  assert.ok(kept.includes('[redacted]'));
});

test('the lock of a session in another process keeps a second one out', async (t) => {
  const { deps, order, host, home } = realRun(t, { argv: shell('echo') });
  const lock = host.lock(`${home}/run/session-${order.project.id}`);
  await lock.acquire(1000);
  await assert.rejects(startRun(deps, order), { code: 'run.busy', message: `Cannot start a session in "${order.project.dir}": another process is just starting one` });
  lock.release();
  assert.equal((await startRun(deps, order)).status, 'completed');
});
