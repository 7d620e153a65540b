import assert from 'node:assert/strict';
import fs, { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createLock, type LockTiming } from '../../lib/host/lock.ts';

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
  // It is told of within milliseconds; on a crowded machine later.
  for (let look = 0; look < 400 && !a.contended(); look += 1) await new Promise((resolve) => { setTimeout(resolve, 5); });
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

/** What a process of this machine and namespace writes about itself, with another token and a pid that is not there. */
async function identityOfDead(directory: string, token: string): Promise<string> {
  const lock = createLock(`${directory}/other`, secret);
  await lock.acquire(500);
  const own: unknown = JSON.parse(readFileSync(`${directory}/other.lock`, 'utf8'));
  lock.release();
  return JSON.stringify({ ...(typeof own === 'object' ? own : {}), token, pid: 999_999 });
}

test('the link of a dead process of this machine is taken over at once', async (t) => {
  const directory = scratch(t);
  const dead = `${directory}/.holder-${'a'.repeat(32)}`;
  writeFileSync(dead, await identityOfDead(directory, 'a'.repeat(32)));
  linkSync(dead, `${directory}/log.lock`);
  const lock = createLock(`${directory}/log`, secret);
  await lock.acquire(500);
  lock.release();
  assert.deepEqual(readdirSync(directory).filter((name) => name.includes('lock') || name.includes('aaaa')), []);
});

test('a host name or a network namespace in common is no proof that a holder is dead', async (t) => {
  const directory = scratch(t);
  const holder: unknown = JSON.parse(await identityOfDead(directory, 'c'.repeat(32)));
  assert.ok(typeof holder === 'object' && holder !== null && 'namespace' in holder);
  const { namespace } = holder;
  for (const change of [{ boot: 'another boot' }, { namespace: String(namespace).replace(/pid\S*$/, 'pid:[1]') }]) {
    const other = `${directory}/.holder-${'c'.repeat(32)}`;
    writeFileSync(other, JSON.stringify({ ...holder, ...change }));
    linkSync(other, `${directory}/log.lock`);
    await assert.rejects(createLock(`${directory}/log`, secret).acquire(60), /process 999999 on .* holds it/);
    rmSync(`${directory}/log.lock`);
  }
});

test('a foreign link is taken over when nobody renewed it while it was watched, and not when somebody did', async (t) => {
  const directory = scratch(t);
  const timing: LockTiming = { staleAfterMs: 150, renewEveryMs: 20, oldAfterMs: 60_000 };
  const foreign = `${directory}/.holder-${'b'.repeat(32)}`;
  writeFileSync(foreign, JSON.stringify({ token: 'b'.repeat(32), pid: 1, host: 'another-host', boot: 'b', namespace: 'n' }));
  linkSync(foreign, `${directory}/log.lock`);
  const lock = createLock(`${directory}/log`, secret, timing);
  const renewal = setInterval(() => chmodSync(foreign, 0o600), 20);
  await assert.rejects(lock.acquire(400), /another-host holds it/);
  clearInterval(renewal);
  await lock.acquire(2000);
  lock.release();
});

test('a foreign link that is old by the file system\'s clock does not make short waits fail for ever', async (t) => {
  const directory = scratch(t);
  const foreign = `${directory}/.holder-${'b'.repeat(32)}`;
  writeFileSync(foreign, JSON.stringify({ token: 'b'.repeat(32), pid: 1, host: 'another-host', boot: 'b', namespace: 'n' }));
  linkSync(foreign, `${directory}/log.lock`);
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  const lock = createLock(`${directory}/log`, secret, { staleAfterMs: 6000, renewEveryMs: 2000, oldAfterMs: 50 });
  await lock.acquire(10);
  lock.release();
});

test('release() leaves somebody else\'s link alone, and gives the kernel lock back even when its own link cannot be removed', async (t) => {
  const directory = scratch(t);
  const path = `${directory}/log`;
  const [a, b] = [createLock(path, secret), createLock(path, secret)];
  await a.acquire(500);
  rmSync(`${path}.lock`);
  writeFileSync(`${path}.lock`, 'somebody else');
  a.release();
  assert.equal(readFileSync(`${path}.lock`, 'utf8'), 'somebody else');
  rmSync(`${path}.lock`);
  await a.acquire(500);
  rmSync(`${path}.lock`);
  mkdirSync(`${path}.lock`);
  a.release();
  rmdirSync(`${path}.lock`);
  await b.acquire(500);
  b.release();
});

test('an identity file that was swept is made again', async (t) => {
  const directory = scratch(t);
  const lock = createLock(`${directory}/log`, secret);
  await lock.acquire(500);
  for (const name of readdirSync(directory).filter((each) => each.startsWith('.holder-'))) rmSync(join(directory, name));
  lock.release();
  await lock.acquire(500);
  assert.equal(readdirSync(directory).filter((name) => name.startsWith('.holder-')).length, 1);
  lock.release();
});

test('a lock held for long keeps no connection of those who gave up waiting', async (t) => {
  const path = `${scratch(t)}/log`;
  const [a, b] = [createLock(path, secret), createLock(path, secret)];
  await a.acquire(500);
  await assert.rejects(b.acquire(200), /holds it/);
  await new Promise((resolve) => { setTimeout(resolve, 80); });
  assert.equal(a.contended(), false);
  a.release();
});

test('a missing directory is said, not waited for', async (t) => {
  await assert.rejects(createLock(`${scratch(t)}/none/log`, secret).acquire(5000), /ENOENT/);
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

test('a full disk, and a file system without hard links, are said as what they are', async (t) => {
  for (const [code, hint] of [['ENOSPC', /free some space/], ['EPERM', /hard links/]] as const) {
    const link = t.mock.method(fs, 'linkSync', () => { throw Object.assign(new Error(code), { code }); });
    syncBuiltinESMExports();
    const lock = createLock(`${scratch(t)}/log`, secret);
    await assert.rejects(lock.acquire(500), { code: 'io.failed', hint });
    link.mock.restore();
    syncBuiltinESMExports();
    await lock.acquire(500);
    lock.release();
  }
});
