/** What a process lost and could not tell is told by the next one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { openUnheard, type UnheardLosses } from '../../lib/audit/unheard.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { Disk, Files } from '../../lib/ports.ts';
import { createTestLock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut, type FaultFiles } from '../support/fault-files.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';
import { LokiError } from '../../lib/errors.ts';

const place = '/home/run/unheard';
const decision: AuditEvent = { event: 'policy.allow', actor: 'system', details: {} };
const info: AuditEvent = { event: 'api.request', actor: 'system', details: {} };

let names = 0;
const unheardOn = (disk: Disk): UnheardLosses => openUnheard({ disk, base: home, directory: place, uniqueName: () => `1-${names += 1}` });

function freshDisk(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

const gapsOn = (disk: Disk): readonly Record<string, unknown>[] => disk.list(directory).flatMap((name) => linesIn(disk, name))
  .map((line) => JSON.parse(line)).filter(({ event }) => event === 'audit.gap').map(({ details }) => details);

/** A process that cannot have the lock: what it accepted is lost. */
async function losing(disk: Disk, entries: number): Promise<void> {
  const lock = { ...createTestLock(), acquire: () => Promise.reject(new LokiError('lock.timeout', { attempted: 'take the lock', found: 'somebody has it' })) };
  const unheard = unheardOn(disk);
  const log = logOn(disk, { lock, unheard, onLost: (gap) => unheard.leave(gap) });
  for (let n = 0; n < entries; n += 1) await log.append(info);
  await log.close();
}

test('losses that nobody heard of are told, together, by the next batch that is written, once', async () => {
  const disk = faultDisk(freshDisk());
  await losing(disk, 2);
  await losing(disk, 3);
  assert.equal(disk.list(place).length, 2);
  const log = logOn(disk, { unheard: unheardOn(disk) });
  await log.append(decision);
  await log.append(decision);
  await log.close();
  assert.deepEqual(gapsOn(disk).map(({ count, reasons, events }) => ({ count, reasons, events })), [{ count: 5, reasons: { 'write failed': 5 }, events: { 'api.request': 5 } }]);
  assert.deepEqual(disk.list(place), []);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a batch that fails tells nothing, and nothing is counted twice by who fails with it', async () => {
  const files = freshDisk();
  let broken = true;
  const breaking: Files = { ...files, write(handle, bytes) { if (broken) throw Object.assign(new Error('no'), { code: 'EIO' }); return files.write(handle, bytes); } };
  await losing(faultDisk(files), 2);
  const disk = faultDisk(breaking);
  const unheard = unheardOn(disk);
  const log = logOn(disk, { unheard, onLost: (gap) => { broken = false; unheard.leave(gap); } });
  await log.append(info);
  await log.close();
  const next = logOn(disk, { unheard: unheardOn(disk) });
  await next.append(decision);
  await next.close();
  assert.deepEqual(gapsOn(disk).map(({ count }) => count), [3]);
  assert.deepEqual(disk.list(place), []);
});

test('what is no gap is passed over, and stands in nobody\'s way', async () => {
  const disk = faultDisk(freshDisk());
  disk.ensureDirectory(home, place, 0o700);
  const contents = ['', 'null', '[]', '{"count":-1}', '{"count":1e99,"first":"2026-02-15T14:30:00.000Z","last":"2026-02-15T14:30:00.000Z"}', '{"count":1,"first":"x","last":"y"}', 'x'.repeat(20_000)];
  contents.forEach((text, at) => disk.replace(home, `${place}/${at}.json`, Buffer.from(text), 0o600));
  disk.replace(home, `${place}/9.json`, Buffer.from('{"count":1,"first":"2026-02-15T14:30:00.000Z","last":"2026-02-15T14:30:00.000Z","reasons":{"no such":1,"__proto__":2},"events":{"no.such":1}}'), 0o600);
  const log = logOn(disk, { unheard: unheardOn(disk) });
  await log.append(decision);
  await log.close();
  assert.deepEqual(gapsOn(disk).map(({ count, reasons, events }) => ({ count, reasons, events })), [{ count: 1, reasons: {}, events: {} }]);
});

test('power cut at every step: losses are told at least once', async () => {
  for (let step = 1, done = false; !done; step += 1) {
    for (const leftover of leftovers) {
      const files = freshDisk();
      await losing(faultDisk(files), 2);
      files.cutAt(files.steps() + step);
      const log = logOn(faultDisk(files), { unheard: unheardOn(faultDisk(files)) });
      done = await log.append(decision).then(() => true, (error: unknown) => {
        assert.ok(error instanceof LokiError || error instanceof PowerCut);
        return false;
      });
      const disk = faultDisk(files.restart(leftover));
      const next = logOn(disk, { unheard: unheardOn(disk) });
      await next.append(decision);
      await next.close();
      assert.ok(gapsOn(disk).some(({ count }) => count === 2), `step ${step}, ${leftover}`);
    }
  }
});
