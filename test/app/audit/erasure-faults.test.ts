/** The power goes at every step of sealing, erasing and changing the key: what was acknowledged can be read, and running it again ends it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { isUnknown, performErasure, planErasure } from '../../../lib/app/audit/erasure.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { openEntries } from '../../../lib/app/audit/protection.ts';
import { rekey } from '../../../lib/app/audit/rekey.ts';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import { queryLog } from '../../../lib/audit/query.ts';
import { homeLayout } from '../../../lib/config/layout.ts';
import type { Host } from '../../../lib/ports.ts';
import { verifyOn } from '../../audit/support.ts';
import { configOf } from '../../support/config.ts';
import { createTestClock, createTestLock, realTimers } from '../../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles, type Leftover } from '../../support/fault-files.ts';
import { stride } from '../../support/long.ts';

/** Half-written files have names that nobody reads: what counts is whether a name is there. */
const modes: readonly Leftover[] = ['nothing', 'everything'];
let drawn = 0;

function installationOn(files: FaultFiles, yaml = 'enterprise:\n  audit:\n    encrypt: true\n    gdpr_compliance: true\n'): Installation {
  const home = homeLayout('/home');
  const lock = createTestLock();
  const host: Host = {
    clock: createTestClock(), timers: { ...realTimers, sleep: () => Promise.resolve() }, disk: faultDisk(files), lock: () => lock,
    random: { bytes(length) { drawn += 1; return Uint8Array.from(createHash('shake256', { outputLength: length }).update(String(drawn)).digest()); } },
    // What is left to a process of its own stays undone.
    spawn: { run: () => Promise.reject(new Error('nothing is started here')), leave: () => undefined, find: () => undefined, endMarked: () => 0, endProcess: () => false },
    get facts() { return { pid: 1, hostname: 'h', username: 'zadmin', platform: 'linux', loki: [], startOf: () => undefined, ancestors: () => [], cores: 1 }; },
  };
  return { surroundings: { env: {}, cwd: '/', homeDirectory: '/' }, host, home, config: configOf({ user: yaml }), project: undefined, layout: undefined };
}

function freshFiles(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory('/home', 0o700);
  files.syncDirectory('/');
  return files;
}

const alices: AuditEvent = { event: 'session.start', actor: 'user:zalice', details: { prd: 'zmarker' } };
const agents: AuditEvent = { event: 'policy.allow', actor: 'agent:claude', details: { decision: 'ALLOW' } };

async function record(installation: Installation, ...events: readonly AuditEvent[]): Promise<void> {
  const log = openRecord(installation);
  for (const event of events) await log.record(event);
  await log.close();
}

async function erase(installation: Installation): Promise<void> {
  const plan = await planErasure(installation, 'user:zalice', 'R-1');
  const log = openRecord(installation);
  await performErasure(installation, log.record, plan, { by: 'user:zadmin' });
  await log.close();
}

async function changeKey(installation: Installation): Promise<void> {
  const log = openRecord(installation);
  await rekey(installation, log.record, { by: 'user:zadmin' });
  await log.close();
}

const read = (installation: Installation): string => JSON.stringify([...queryLog(installation.host.disk, installation.home.audit, {}, { opener: openEntries(installation) })]);

/** Does `work` on a disk made ready by `prepare`, the power going at each of its steps in turn; hands over what is found afterwards. */
async function atEachStep(prepare: (installation: Installation) => Promise<void>, work: (installation: Installation) => Promise<void>, found: (after: Installation, where: string) => Promise<void>): Promise<number> {
  let step = 1;
  for (; ; step += stride(3)) {
    let done = false;
    for (const mode of modes) {
      const files = freshFiles();
      await prepare(installationOn(files));
      files.cutAt(files.steps() + step);
      done = await work(installationOn(files)).then(() => true, () => false);
      if (done) break;
      const restarted = files.restart(mode);
      await found(installationOn(restarted), `cut at step ${step} (${files.log().at(-1)}), ${mode} left`);
    }
    if (done) return step;
  }
}

test('what was acknowledged before the power went can be opened', async () => {
  const acknowledged: AuditEvent[] = [];
  const steps = await atEachStep(async () => { acknowledged.length = 0; }, async (installation) => {
    for (const event of [alices, agents, { ...alices, actor: 'user:zbob' }]) {
      await record(installation, event);
      acknowledged.push(event);
    }
  }, async (after, where) => {
    await record(after, { ...agents, details: { decision: 'DENY' } });
    for (const { actor } of acknowledged) assert.ok(read(after).includes(`"actor":"${actor}"`), where);
    assert.ok(!read(after).includes('sealed:'), where);
    assert.equal((await verifyOn(after.host.disk)).verdict, 'ok', where);
  });
  assert.ok(steps > 20);
});

test('an erasure that was cut short is ended by the next one', async () => {
  const steps = await atEachStep((installation) => record(installation, alices, agents, { ...alices, actor: 'user:zbob' }), erase, async (after, where) => {
    const plan = await planErasure(after, 'user:zalice', 'R-1');
    if (!isUnknown(plan)) await erase(after);
    const text = read(after);
    assert.ok(!text.includes('zalice') && text.includes('user:zbob') && text.includes('agent:claude'), `${where} ${text}`);
    const states = [...text.matchAll(/"state":"(begun|done)"/g)].map(([, state]) => state);
    // Newest first; the beginning is told once, unless what told of it was lost with the power.
    assert.deepEqual(states, ['done', 'begun'], where);
    const { actor: sealed } = [...queryLog(after.host.disk, after.home.audit, { event: 'session.start' }, { order: 'oldest' })][0] ?? {};
    const [, kid = ''] = /"kid":"(s[0-9a-f]{32})"/.exec(JSON.stringify(sealed)) ?? [];
    const left = after.host.disk.list(after.home.ring).map((name) => name + Buffer.from(after.host.disk.read(`${after.home.ring}/${name}`, 4096) ?? []).toString());
    assert.ok(kid !== '' && left.length > 3 && left.every((text) => !text.includes(kid)), `${where} ${left}`);
    assert.ok(isUnknown(await planErasure(after, 'user:zalice', 'R-2')), where);
    assert.equal((await verifyOn(after.host.disk)).verdict, 'ok', where);
  });
  assert.ok(steps > 6);
});

test('a change of key that was cut short loses no key, lets writers go on, and is ended by the next one', async () => {
  const steps = await atEachStep((installation) => record(installation, alices, agents, { ...alices, actor: 'user:zbob' }), changeKey, async (after, where) => {
    const whole = (): void => assert.ok(['zalice', 'zbob', 'agent:claude'].every((name) => read(after).includes(name)) && !read(after).includes('sealed:'), `${where} ${read(after)}`);
    whole();
    await record(after, { ...alices, actor: 'user:zcarol' }, agents);
    await changeKey(after);
    whole();
    assert.equal(after.host.disk.stat('/home/keys/audit.next'), undefined, where);
    await record(after, alices);
    whole();
  });
  assert.ok(steps > 20);
});

test('an erasure that could not be recorded destroys nothing', async () => {
  const files = freshFiles();
  await record(installationOn(files), alices);
  files.failAt(files.steps() + 1, 'ENOSPC');
  await assert.rejects(erase(installationOn(files)));
  assert.ok(read(installationOn(files)).includes('zalice'));
});
