import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { openAuditLog } from '../../../lib/audit/log.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { keepOnce, startKeeping } from '../../../lib/app/audit/keeping.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import type { Disk, SpawnRequest } from '../../../lib/ports.ts';
import { LokiError } from '../../../lib/errors.ts';
import { openReading } from '../../../lib/app/audit/reading.ts';
import { verifyAll } from '../../../lib/app/audit/verify.ts';
import { createTestClock } from '../../support/fakes.ts';
import { makeGround, until, type Ground } from '../../support/ground.ts';

const day = 24 * 3600_000;

/** Entries of days gone by, counted back from today: a file for each. */
async function pastDays(ground: Ground, daysAgo: readonly number[], mode = 0o600): Promise<readonly string[]> {
  const { host, home } = ground.installation();
  const clock = createTestClock();
  host.disk.ensureDirectory(ground.root, home.home, 0o700);
  host.disk.ensureDirectory(home.home, home.run, 0o700);
  const log = openAuditLog({
    disk: host.disk, clock, timers: host.timers, random: host.random, lock: host.lock(join(home.run, 'audit')), lockTimeoutMs: 10_000,
    base: home.home, directory: home.audit, blobDirectory: home.blobs, tornDirectory: home.torn, legacyDirectory: home.legacy,
    metadata: { hostname: 'h', pid: 1, version: '0' }, level: 'info', exclude: new Set(), maxFileBytes: 1e8, fileMode: mode, directoryMode: 0o700,
  });
  for (const days of daysAgo) {
    clock.set(Date.now() - days * day);
    for (let n = 0; n < 20; n += 1) await log.append({ event: 'policy.allow', actor: 'user:alice', details: { n } });
  }
  await log.close();
  return daysAgo.map((days) => `audit-${new Date(Date.now() - days * day).toISOString().slice(0, 10)}.jsonl`);
}

const folder = (ground: Ground): string => join(ground.home, 'dashboard/audit');
const names = (ground: Ground): readonly string[] => readdirSync(folder(ground)).sort();

async function verdict(ground: Ground): Promise<string> {
  const { stdout } = await ground.loki(['audit', 'verify', '--json']);
  return JSON.parse(stdout).verdict;
}

type Left = Pick<SpawnRequest, 'program' | 'args' | 'cwd' | 'env'>;

/** An installation whose `Spawn.leave` only notes what it should have started. */
function watched(ground: Ground, env: Readonly<Record<string, string>> = {}): { readonly installation: Installation; readonly left: Left[] } {
  const installation = ground.installation(env);
  const left: Left[] = [];
  return { left, installation: { ...installation, host: { ...installation.host, spawn: { ...installation.host.spawn, leave: (request) => { if (request.args.includes('keep')) left.push(request); } } } } };
}

test('loki audit keep seals, compresses and prunes, and says what it did; verify goes on saying ok', async (t) => {
  const ground = makeGround(t);
  const [oldest = '', older = '', newest = ''] = await pastDays(ground, [100, 5, 0]);
  const { exit, stdout, stderr } = await ground.loki(['audit', 'keep']);
  assert.deepEqual([exit, stderr], [0, '']);
  assert.equal(stdout, `sealed: ${oldest}, ${older}\ncompressed: ${oldest}, ${older}\npruned: ${oldest}\n`);
  assert.deepEqual(names(ground), [`${older}.gz`, newest]);
  assert.match(execFileSync('gzip', ['-dc', join(folder(ground), `${older}.gz`)]).toString(), /^\{"seq":22,.*"event":"audit\.open"/);
  assert.equal(await verdict(ground), 'ok');
  const again = await ground.loki(['audit', 'keep', '--json']);
  assert.deepEqual(JSON.parse(again.stdout), { sealed: [], compressed: [], pruned: [], problems: [], state: 'done', forwarded: null });
  assert.equal((await ground.loki(['audit', 'keep'])).stdout, 'Nothing to do: no finished file waits to be sealed, compressed or pruned.\n');
});

test('settings decide: no compression, another retention, a number of files', async (t) => {
  const ground = makeGround(t);
  const files = await pastDays(ground, [100, 50, 20, 0]);
  await ground.loki(['audit', 'keep'], { env: { LOKI_AUDIT_COMPRESS: 'false', LOKI_AUDIT_RETENTION: '365' } });
  assert.deepEqual(names(ground), files);
  await ground.loki(['audit', 'keep'], { env: { LOKI_AUDIT_COMPRESS: 'false', LOKI_AUDIT_RETENTION: '365', LOKI_AUDIT_MAX_FILES: '2' } });
  assert.deepEqual(names(ground), files.slice(2));
  assert.equal(await verdict(ground), 'ok');
});

test('loki audit keep names what does not hold, leaves it, and fails', async (t) => {
  const ground = makeGround(t);
  const [oldest = '', older = ''] = await pastDays(ground, [100, 50, 0]);
  const path = join(folder(ground), oldest);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"n":3', '"n":4'));
  const { exit, stderr } = await ground.loki(['audit', 'keep']);
  assert.equal(exit, 1);
  assert.match(stderr, new RegExp(`${oldest}: its chain does not hold at seq 5`));
  assert.deepEqual(names(ground).slice(0, 2), [oldest, `${older}.gz`]);
});

test('loki audit keep has nothing to do where nothing is recorded, and makes no LOKI_HOME', async (t) => {
  const ground = makeGround(t);
  const { exit, stdout, stderr } = await ground.loki(['audit', 'keep']);
  assert.deepEqual([exit, stdout, stderr], [0, 'There is no log to look after.\n', '']);
  assert.equal(existsSync(ground.home), false);
  const quiet = await ground.loki(['audit', 'keep', '--quiet']);
  assert.deepEqual([quiet.exit, quiet.stdout], [0, '']);
});

test('one process keeps at a time: the others go away', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [100, 0]);
  const { installation } = watched(ground);
  const lock = installation.host.lock(join(installation.home.run, 'keeping'));
  await lock.acquire(1000);
  const log = openRecord(installation, { keeps: true });
  assert.equal((await keepOnce(ground.installation(), log)).state, 'busy');
  lock.release();
  assert.equal((await keepOnce(ground.installation(), log)).state, 'done');
  await log.close();
});

test('loki audit prune shows, asks, and takes; --dry-run only shows', async (t) => {
  const ground = makeGround(t);
  const files = await pastDays(ground, [100, 5, 0]);
  const [oldest = ''] = files;
  const unsealed = await ground.loki(['audit', 'prune', '--dry-run']);
  assert.deepEqual([unsealed.exit, names(ground).length], [1, 3]);
  assert.match(unsealed.stdout, /it has no seal/);
  const asked = await ground.loki(['audit', 'prune']);
  assert.equal(asked.exit, 2);
  assert.match(asked.stderr, /add --yes/);
  const dry = await ground.loki(['audit', 'prune', '--dry-run']);
  assert.equal(dry.stdout, `1 file would go:\n  ${oldest}  seq 1 to 21  21 entries  retention_days\n`);
  assert.deepEqual(names(ground), files);
  const done = await ground.loki(['audit', 'prune', '--yes']);
  assert.deepEqual([done.exit, done.stdout], [0, `Pruned: ${oldest}\n`]);
  assert.deepEqual(names(ground), files.slice(1));
  const entry = ground.entries().find(({ event }) => event === 'audit.prune');
  assert.match(String(entry?.['actor']), /^user:/);
  assert.equal(await verdict(ground), 'ok');
  assert.equal((await ground.loki(['audit', 'prune', '--yes'])).stdout, 'Nothing is to be pruned.\n');
});

test('a clock that jumped ahead: rounds that nobody looks at remove nothing; a person is told, and decides', async (t) => {
  const ground = makeGround(t);
  const [oldest = '', older = ''] = await pastDays(ground, [100, 99, 0]);
  for (const how of ['keep', 'live'] as const) {
    const installation = ground.installation();
    const log = openRecord(installation, { keeps: true });
    const keeping = how === 'live' ? startKeeping(installation, log) : undefined;
    if (how === 'keep') assert.equal((await ground.loki(['audit', 'keep'])).exit, 0);
    else await until('it is compressed', () => names(ground).includes(`${older}.gz`));
    await keeping?.stop();
    await log.close();
    assert.deepEqual(names(ground).slice(0, 2), [`${oldest}.gz`, `${older}.gz`], how);
  }
  const dry = await ground.loki(['audit', 'prune', '--dry-run']);
  assert.match(dry.stdout, /^2 files would go:\n.*\n.*\nThe clock of this machine is (98|99) days ahead of the newest finished entry\. If it is wrong, files would go too early\.\n$/);
  const { clock_ahead_ms: ahead } = JSON.parse((await ground.loki(['audit', 'prune', '--dry-run', '--json'])).stdout);
  assert.equal(Math.round(ahead / day), 99);
  const done = await ground.loki(['audit', 'prune', '--yes']);
  assert.deepEqual([done.exit, done.stdout], [0, `Pruned: ${oldest}, ${older}\n`]);
  assert.match(done.stderr, /days ahead of the newest finished entry/);
  assert.equal(await verdict(ground), 'ok');
});

test('--older-than keeps more than retention_days, never less', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [200, 100, 0]);
  const less = await ground.loki(['audit', 'prune', '--older-than', '30d', '--yes']);
  assert.equal(less.exit, 2);
  assert.match(less.stderr, /retention_days is 90/);
  const more = await ground.loki(['audit', 'prune', '--older-than', '150d', '--yes', '--json']);
  assert.equal(JSON.parse(more.stdout).pruned.length, 1);
  assert.equal(names(ground).length, 2);
});

test('the seed\'s own find -delete and test.jsonl break nothing', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [100, 50, 5, 0]);
  writeFileSync(join(folder(ground), 'test.jsonl'), 'test\n');
  await ground.loki(['audit', 'keep'], { env: { LOKI_AUDIT_COMPRESS: 'false', LOKI_AUDIT_RETENTION: '365' } });
  const [oldest = ''] = names(ground);
  const long = new Date(Date.now() - 100 * day);
  utimesSync(join(folder(ground), oldest), long, long);
  execFileSync('find', [`${folder(ground)}/`, '-name', '*.jsonl', '-mtime', '+30', '-delete']);
  assert.equal(existsSync(join(folder(ground), oldest)), false);
  assert.equal(await verdict(ground), 'incomplete');
  // Pruning goes on, and does not account for what it did not take.
  const kept = await ground.loki(['audit', 'keep'], { env: { LOKI_AUDIT_RETENTION: '40' } });
  assert.deepEqual([kept.exit, names(ground).length], [0, 3], kept.stderr);
  assert.equal(await verdict(ground), 'incomplete');
  assert.ok(names(ground).includes('test.jsonl'));
});

test('a process that turned the page leaves loki audit keep behind; one of a session, or one that did not, leaves nothing', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [1]);
  const { installation, left } = watched(ground, { LOKI_AUDIT_RETENTION: '30', LOKI_TOKEN: 'x', OTHER: 'y' });
  const turning = openRecord(installation);
  await turning.record({ event: 'policy.allow', actor: 'user:alice', details: {} });
  const before = left.length;
  await turning.close();
  assert.deepEqual([before, left.length], [0, 1]);
  const told = left.map(({ args, cwd, env }) => [args.slice(-3), cwd, env['LOKI_AUDIT_RETENTION'], env['LOKI_TOKEN'], env['OTHER']]);
  assert.deepEqual(told, [[['audit', 'keep', '--quiet'], ground.home, '30', undefined, undefined]]);
  const same = openRecord(installation);
  await same.record({ event: 'policy.allow', actor: 'user:alice', details: {} });
  await same.close();
  assert.equal(left.length, 1);
  rmSync(folder(ground), { recursive: true });
  await pastDays(ground, [1]);
  const within = watched(ground, { LOKI_SESSION_ID: 'ses_1' });
  const log = openRecord(within.installation);
  await log.record({ event: 'policy.allow', actor: 'user:alice', details: {} });
  await log.close();
  assert.deepEqual(within.left, []);
});

test('what is left behind does its work after the process that left it is gone', async (t) => {
  const ground = makeGround(t);
  const [yesterday = ''] = await pastDays(ground, [1]);
  assert.equal((await ground.loki(['hook', 'generic'], { input: 'no action' })).exit, 2);
  await until('yesterday is compressed', () => names(ground).includes(`${yesterday}.gz`) && !names(ground).includes(yesterday));
  await until('it is gone too', () => !isLeft(ground));
});

/** Whether a process that was left behind here still lives. */
function isLeft({ home }: Ground): boolean {
  if (process.platform !== 'linux') return false;
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`LOKI_HOME=${home}`);
    } catch {
      return false;
    }
  });
}

test('a process that lives long keeps by itself, and ends orderly in the middle', async (t) => {
  const ground = makeGround(t);
  const [oldest = ''] = await pastDays(ground, [3, 2, 0]);
  const { installation } = watched(ground);
  const log = openRecord(installation, { keeps: true });
  const keeping = startKeeping(installation, log);
  await until('the oldest is compressed', () => names(ground).includes(`${oldest}.gz`));
  await keeping.stop();
  await log.close();
  assert.equal((await ground.loki(['audit', 'keep'])).exit, 0);
  assert.equal(await verdict(ground), 'ok');
});

test('with group_readable all that keeping makes is for the group too', async (t) => {
  const ground = makeGround(t);
  const [oldest = ''] = await pastDays(ground, [2, 0], 0o640);
  mkdirSync(ground.home, { recursive: true });
  writeFileSync(join(ground.home, 'config.yaml'), 'enterprise:\n  audit:\n    group_readable: true\n');
  chmodSync(join(ground.home, 'config.yaml'), 0o600);
  assert.equal((await ground.loki(['audit', 'keep'])).exit, 0);
  const modeOf = (path: string): number => statSync(join(ground.home, 'dashboard', path)).mode & 0o777;
  assert.deepEqual([modeOf(`audit/${oldest}.gz`), modeOf(`tlog/seals/${oldest}.json`), modeOf('tlog/seals')], [0o640, 0o640, 0o750]);
});

test('a finished file of an agent chain is compressed', async (t: TestContext) => {
  const ground = makeGround(t);
  await ground.enrol();
  const logs = join(ground.project, '.loki/logs');
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, 'agent-audit-2026-01-01.jsonl'), '{"seq":1}\n');
  writeFileSync(join(logs, 'agent-audit.jsonl'), '');
  assert.equal((await ground.loki(['audit', 'keep'])).exit, 0);
  assert.deepEqual(readdirSync(logs).sort(), ['agent-audit-2026-01-01.jsonl.gz', 'agent-audit.jsonl']);
});

test('a file in an agent chain\'s folder that is far too large, or compressed twin that is another, is named and left', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  const logs = join(ground.project, '.loki/logs');
  mkdirSync(logs, { recursive: true });
  for (const day of ['01', '02', '03']) writeFileSync(join(logs, `agent-audit-2026-01-${day}.jsonl`), '{"seq":1}\n');
  truncateSync(join(logs, 'agent-audit-2026-01-01.jsonl'), 500e9);
  writeFileSync(join(logs, 'agent-audit-2026-01-02.jsonl.gz'), '');
  truncateSync(join(logs, 'agent-audit-2026-01-02.jsonl.gz'), 500e9);
  writeFileSync(join(logs, 'agent-audit.jsonl'), '');
  const before = Date.now();
  const { exit, stderr } = await ground.loki(['audit', 'keep']);
  assert.equal(exit, 1);
  assert.match(stderr, /agent-audit-2026-01-01\.jsonl: it is larger than 400 MB/);
  assert.match(stderr, /agent-audit-2026-01-02\.jsonl\.gz: it is larger than 400 MB/);
  assert.ok(existsSync(join(logs, 'agent-audit-2026-01-03.jsonl.gz')));
  assert.ok(Date.now() - before < 60_000);
});

test('what a process that died left half made goes, unless it is young', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [3, 0]);
  const places = ['dashboard/.tmp-1-a', 'dashboard/audit/.tmp-1-a', 'dashboard/blobs/.tmp-1-a', 'keys/.tmp-1-a', 'run/.tmp-1-a'];
  const [old, young] = [places.map((place) => ground.write(`home/${place}`, 'x')), ground.write('home/dashboard/.tmp-2-b', 'x')];
  const yesterday = Date.now() / 1000 - 2 * 86_400;
  for (const path of old) utimesSync(path, yesterday, yesterday);
  assert.equal((await ground.loki(['audit', 'keep'])).exit, 0);
  assert.deepEqual([old.filter((path) => existsSync(path)), existsSync(young)], [[], true]);
});

test('a finished file that the system refuses to read leaves the log incomplete, and the files after it as their seals say', async (t) => {
  const ground = makeGround(t);
  const [, older = ''] = await pastDays(ground, [40, 20, 5, 0]);
  await ground.loki(['audit', 'keep']);
  const installation = ground.installation();
  const { disk } = installation.host;
  const refuse = (path: string): void => { if (path.endsWith(`${older}.gz`)) throw Object.assign(new Error('permission denied'), { code: 'EACCES' }); };
  const closed: Disk = { ...disk, openGzip: (path) => { refuse(path); return disk.openGzip(path); } };
  const { verdict: said, chains } = await verifyAll({ ...installation, host: { ...installation.host, disk: closed } }, { full: true });
  assert.deepEqual([said, chains[0]?.breaks.map(({ cause, file }) => [cause, file])], ['incomplete', [['unreadable file', `${older}.gz`]]]);
});

test('who may read the log and not the folder of keys reads it', async (t) => {
  const ground = makeGround(t);
  await pastDays(ground, [0]);
  const installation = ground.installation();
  const { disk } = installation.host;
  const hidden: Disk = { ...disk, list: (path) => { if (path.endsWith('/keys/ring')) throw new LokiError('io.failed', { attempted: 'read the disk', found: 'EACCES' }); return disk.list(path); } };
  const reading = await openReading({ ...installation, host: { ...installation.host, disk: hidden } }, () => undefined);
  const counting = reading.summarize({});
  let step = counting.next();
  while (step.done !== true) step = counting.next();
  assert.deepEqual(step.value.by_actor, { 'user:alice': 20, system: 1 });
});
