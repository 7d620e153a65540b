/** A disk that is full: the log says so with the room it kept back, refuses what comes after, and goes on when there is room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { AuditLog } from '../../lib/audit/log.ts';
import { reserveBytes } from '../../lib/audit/reserve.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { Disk, Files } from '../../lib/ports.ts';
import { createTestClock, createTestRandom } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut, type FaultFiles } from '../support/fault-files.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';
import { stride } from '../support/long.ts';

const reservePath = '/home/dashboard/reserve';
const event = (n: number, pad = 0): AuditEvent => ({ event: 'policy.allow', actor: 'agent:a', details: { n, ...(pad === 0 ? {} : { pad: 'p'.repeat(pad) }) } });

/** A random source that is quick: what it gives need not be incompressible here. */
const random = { bytes: (length: number): Uint8Array => (length > 1000 ? new Uint8Array(length).fill(7) : createTestRandom().bytes(length)) };

function freshDisk(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

/** A volume of a few mebibytes: writes fail when it is used up. `free` sets what is left. */
function volume(files: FaultFiles, room: number, code = 'ENOSPC'): { readonly files: Files; free(bytes: number): void; left(): number } {
  let left = room;
  const limited: Files = {
    ...files,
    volume: () => ({ freeBytes: code === 'EDQUOT' ? 2 ** 40 : left, network: undefined }),
    write(handle, bytes) {
      if (left === 0) throw Object.assign(new Error(`${code}: no space left on device`), { code });
      const taken = files.write(handle, bytes.subarray(0, left));
      left -= taken;
      return taken;
    },
    truncate(handle, size) {
      const before = files.statHandle(handle).size;
      files.truncate(handle, size);
      left += Math.max(0, before - size);
    },
    rename(from, to) {
      const replaced = files.stat(to)?.size ?? 0;
      files.rename(from, to);
      left += replaced;
    },
    unlink(path) {
      const stat = files.stat(path);
      files.unlink(path);
      if (stat !== undefined && stat.links <= 1) left += stat.size;
    },
  };
  return { files: limited, free(bytes) { left += bytes; }, left: () => left };
}

function entriesOn(disk: Disk): readonly JsonObject[] {
  return disk.list(directory).flatMap((name) => linesIn(disk, name)).map((line): JsonObject => JSON.parse(line));
}

function logWithReserve(disk: Disk): AuditLog {
  return logOn(disk, { reservePath, random });
}

/** Appends until it is refused; gives the numbers that were acknowledged. */
async function fill(log: AuditLog, from: number): Promise<readonly number[]> {
  const done: number[] = [];
  for (let n = from; n < from + 10_000; n += 1) {
    const receipt = await log.append(event(n, 5000)).catch((error: unknown) => {
      assert.ok(error instanceof LokiError && error.code === 'audit.unwritable', String(error));
      assert.match(error.hint, /free some space/);
      return undefined;
    });
    if (receipt === undefined) return done;
    done.push(n);
  }
  throw new Error('it was never full');
}

for (const code of ['ENOSPC', 'EDQUOT']) {
  test(`${code}: the reserve is given up, the log says so, everybody is refused until there is room`, async () => {
    const room = volume(freshDisk(), reserveBytes + 100_000, code);
    const disk = faultDisk(room.files);
    const [log, other] = [logWithReserve(disk), logWithReserve(disk)];
    await log.append(event(0));
    assert.equal(disk.stat(reservePath)?.size, reserveBytes);
    assert.equal((disk.stat(reservePath)?.mode ?? 0) & 0o777, 0o600);
    const done = await fill(log, 1);
    assert.ok(done.length >= 10);
    const said = entriesOn(disk).at(-1);
    assert.equal(said?.['event'], 'audit.disk_full');
    assert.match(JSON.stringify(said?.['details']), /no space left on device/);
    assert.ok((disk.stat(reservePath)?.size ?? 0) < 100, 'the reserve is spent');
    const length = entriesOn(disk).length;
    for (const each of [log, other, logWithReserve(disk)]) await assert.rejects(each.append(event(9999)), { code: 'audit.unwritable', hint: /free some space/ });
    assert.equal(entriesOn(disk).length, length, 'the room that was freed is not worked on');
    room.free(3 * reserveBytes);
    await other.append(event(10_001));
    await log.append(event(10_002));
    const [recovery] = entriesOn(disk).slice(length);
    assert.equal(recovery?.['event'], 'audit.recovery');
    assert.deepEqual(recovery['details'], { reason: 'space', refused: 4 });
    assert.equal(disk.stat(reservePath)?.size, reserveBytes);
    const report = await verifyOn(disk);
    assert.equal(report.verdict, 'ok', JSON.stringify(report.breaks));
    const numbers = entriesOn(disk).filter((entry) => entry['event'] === 'policy.allow').map(({ details }) => Reflect.get(Object(details), 'n'));
    assert.deepEqual(numbers, [0, ...done, 10_001, 10_002]);
  });
}

test('a disk with no room for the reserve is full from the beginning', async () => {
  const room = volume(freshDisk(), 500_000);
  const disk = faultDisk(room.files);
  await assert.rejects(logWithReserve(disk).append(event(1)), { code: 'audit.unwritable', hint: /free some space/ });
  room.free(reserveBytes);
  assert.equal((await logWithReserve(disk).append(event(2))).seq, 2);
});

test('what takes entries away to make room may be recorded with the room that was kept back', async () => {
  const room = volume(freshDisk(), reserveBytes + 50_000);
  const disk = faultDisk(room.files);
  const log = logWithReserve(disk);
  await fill(log, 1);
  await assert.rejects(log.append(event(2)), { code: 'audit.unwritable' });
  // Only sealed files are pruned, and the log vouches for each seal first.
  for (const made of ['audit.rotate', 'audit.prune'] as const) {
    const receipt = await log.append({ event: made, actor: 'user:alice', details: { files: 3 } });
    assert.notEqual(receipt.seq, null);
  }
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a reserve that cannot be made for another reason than room does not stop the log', async () => {
  const disk = faultDisk(freshDisk());
  disk.ensureDirectory(home, reservePath, 0o700);
  const refusing: Disk = { ...disk, replace() { throw new LokiError('io.failed', { attempted: 'replace', found: 'it is a directory' }); } };
  assert.equal((await logWithReserve({ ...refusing, stat: (path) => (path === reservePath ? undefined : disk.stat(path)) }).append(event(1))).seq, 2);
});

/** A day that ends full: the log fills up, is refused, has room again. Gives what was acknowledged. */
async function story(files: FaultFiles, done: number[] = []): Promise<readonly number[]> {
  const room = volume(files, reserveBytes + 30_000);
  const disk = faultDisk(room.files);
  const log = logWithReserve(disk);
  const append = async (n: number, pad = 0): Promise<void> => {
    try {
      await log.append(event(n, pad));
      done.push(n);
    } catch (error) {
      if (isPowerCut(error)) throw error;
      assert.ok(error instanceof LokiError && error.code === 'audit.unwritable', String(error));
    }
  };
  await append(1);
  for (let n = 2; n <= 5; n += 1) await append(n, 9000);
  await append(6);
  room.free(3 * reserveBytes);
  await append(7);
  await append(8);
  return done;
}

function isPowerCut(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof PowerCut) return true;
  return false;
}

test('any one call that fails, with the disk full around it: what was acknowledged is there, and the log goes on', async () => {
  const files = freshDisk();
  const whole = await story(files);
  assert.deepEqual(whole, [1, 2, 3, 4, 7, 8]);
  const total = files.steps();
  for (const code of ['ENOSPC', 'EIO']) {
    for (let step = 3; step <= total; step += stride(3)) {
      const failing = freshDisk();
      failing.failAt(step, code);
      const done = await story(failing);
      const disk = faultDisk(failing);
      await logWithReserve(disk).append(event(99));
      const where = `${code} at step ${step} (${failing.log()[step - 1]})`;
      const report = await verifyOn(disk);
      assert.equal(report.verdict, 'ok', `${where} ${JSON.stringify(report.breaks)}`);
      const numbers = entriesOn(disk).filter((entry) => entry['event'] === 'policy.allow').map(({ details }) => Reflect.get(Object(details), 'n'));
      assert.deepEqual(numbers, [...done, 99], where);
      assert.ok(done.length >= 2, `${where}: ${done.join(' ')}`);
    }
  }
});

test('power cut at every step while the disk is full: what was acknowledged is there', async () => {
  const files = freshDisk();
  await story(files);
  const total = files.steps();
  for (let step = 3; step <= total; step += stride(3)) {
    for (const leftover of leftovers) {
      const cut = freshDisk();
      cut.cutAt(step);
      const done: number[] = [];
      await story(cut, done).catch((error: unknown) => assert.ok(isPowerCut(error), String(error)));
      const disk = faultDisk(cut.restart(leftover));
      if (disk.stat(home) === undefined) continue;
      await logOn(disk, { reservePath, random, clock: createTestClock(Date.UTC(2026, 1, 16)) }).append(event(99));
      const report = await verifyOn(disk);
      const where = `step ${step} (${cut.log().at(-1)}), ${leftover}`;
      assert.equal(report.verdict, 'ok', `${where} ${JSON.stringify(report.breaks)}`);
      const numbers = new Set(entriesOn(disk).map(({ details }) => Reflect.get(Object(details), 'n')));
      for (const n of [...done, 99]) assert.ok(numbers.has(n), `${where}: ${n} is gone`);
      assert.equal(disk.stat(reservePath)?.size === undefined || (disk.stat(reservePath)?.size ?? 0) >= reserveBytes, true, where);
    }
  }
});
