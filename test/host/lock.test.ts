import assert from 'node:assert/strict';
import { linkSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createLock } from '../../lib/host/lock.ts';

const secret = (): Uint8Array => new Uint8Array(32);

function scratch(t: { after(run: () => void): void }): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'loki-lock-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('acquire() keeps others out until release(), and wakes them then', async (t) => {
  const path = `${scratch(t)}/log`;
  const [a, b] = [createLock(path, secret), createLock(path, secret)];
  await a.acquire(1000);
  let second = false;
  const waiting = b.acquire(5000).then(() => { second = true; });
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  assert.equal(second, false);
  assert.equal(a.contended(), true);
  a.release();
  await waiting;
  assert.equal(b.contended(), false);
  b.release();
});

test('acquire() gives up after its time-out and names the holder', async (t) => {
  const path = `${scratch(t)}/log`;
  const [a, b] = [createLock(path, secret), createLock(path, secret)];
  await a.acquire(1000);
  await assert.rejects(b.acquire(30), (error: unknown) => error instanceof LokiError && error.code === 'lock.timeout' && error.message.includes(`process ${process.pid} on ${hostname()}`));
  a.release();
});

test('locks of different paths do not meet', async (t) => {
  const directory = scratch(t);
  const [a, b] = [createLock(`${directory}/a`, secret), createLock(`${directory}/b`, secret)];
  await a.acquire(100);
  await b.acquire(100);
  a.release();
  b.release();
});

test('the link of a dead process of this machine is taken over at once', async (t) => {
  const directory = scratch(t);
  const dead = `${directory}/.holder-${'a'.repeat(32)}`;
  writeFileSync(dead, JSON.stringify({ token: 'a'.repeat(32), pid: 999_999, host: hostname(), boot: 'another boot', namespace: 'x' }));
  linkSync(dead, `${directory}/log.lock`);
  const lock = createLock(`${directory}/log`, secret);
  await lock.acquire(500);
  lock.release();
  assert.deepEqual(readdirSync(directory).filter((name) => name.includes('lock') || name.includes('aaaa')), []);
});

test('a link from another machine is waited for, not broken while it is fresh', async (t) => {
  const directory = scratch(t);
  const foreign = `${directory}/.holder-${'b'.repeat(32)}`;
  writeFileSync(foreign, JSON.stringify({ token: 'b'.repeat(32), pid: 1, host: 'another-host', boot: 'b', namespace: 'n' }));
  linkSync(foreign, `${directory}/log.lock`);
  await assert.rejects(createLock(`${directory}/log`, secret).acquire(80), /process 1 on another-host holds it/);
});

test('a hundred turns of four holders never overlap', async (t) => {
  const path = `${scratch(t)}/log`;
  let inside = 0;
  let worst = 0;
  await Promise.all(Array.from({ length: 4 }, async () => {
    const lock = createLock(path, secret);
    for (let turn = 0; turn < 25; turn += 1) {
      await lock.acquire(10_000);
      inside += 1;
      worst = Math.max(worst, inside);
      await new Promise((resolve) => { setImmediate(resolve); });
      inside -= 1;
      lock.release();
    }
  }));
  assert.equal(worst, 1);
});
