import assert from 'node:assert/strict';
import { spawn as start } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { spawn } from '../../lib/host/spawn.ts';

test('endMarked() ends what carries the mark, also in a process group of its own, and nothing else', async (t) => {
  if (process.platform !== 'linux') return t.diagnostic('this system does not show the environments of processes: not tried');
  const mark = `ses_${process.pid}_${Date.now()}`;
  const env = { PATH: process.env['PATH'] ?? '' };
  const marked = start('/bin/sh', ['-c', 'setsid sleep 30 & sleep 30'], { env: { ...env, LOKI_SESSION_ID: mark }, detached: true, stdio: 'ignore' });
  const other = start('/bin/sleep', ['30'], { env: { ...env, LOKI_SESSION_ID: `${mark}x` }, stdio: 'ignore' });
  t.after(() => other.kill('SIGKILL'));
  await Promise.all([once(marked, 'spawn'), once(other, 'spawn')]);
  await new Promise((resolve) => { setTimeout(resolve, 150); });
  const ended = once(marked, 'exit');
  assert.equal(spawn.endMarked('LOKI_SESSION_ID', mark), 3);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  assert.equal(spawn.endMarked('LOKI_SESSION_ID', mark), 0);
  assert.equal(other.exitCode, null);
});
