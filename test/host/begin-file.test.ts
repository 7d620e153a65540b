/** `Disk.beginFile`: a file is there whole under its name, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { Disk } from '../../lib/ports.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut, type FaultFiles } from '../support/fault-files.ts';

const path = '/home/out.csv';
const content = 'first part, second part';

function ground(existing?: string): { readonly files: FaultFiles; readonly disk: Disk } {
  const files = createFaultFiles();
  files.makeDirectory('/home', 0o700);
  const disk = faultDisk(files);
  if (existing !== undefined) disk.create('/home', path, Buffer.from(existing), 0o600);
  files.syncDirectory('/');
  return { files, disk };
}

function write(disk: Disk, replace: boolean): void {
  const file = disk.beginFile(path, 0o600);
  try {
    file.write(Buffer.from(content.slice(0, 10)));
    file.write(Buffer.from(content.slice(10)));
    file.settle();
    file.finish(replace);
  } finally {
    try {
      file.abandon();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
  }
}

const read = (disk: Disk): string | undefined => {
  const bytes = disk.read(path, 1000);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
};

test('a new file, and nothing beside it', () => {
  const { disk } = ground();
  write(disk, false);
  assert.equal(read(disk), content);
  assert.deepEqual(disk.list('/home'), ['out.csv']);
  assert.equal(disk.stat(path)?.mode, 0o600);
});

test('an existing file stays as it is, unless it is to be replaced', () => {
  const { disk } = ground('old');
  assert.throws(() => write(disk, false), (error) => error instanceof LokiError && error.code === 'conflict');
  assert.equal(read(disk), 'old');
  assert.deepEqual(disk.list('/home'), ['out.csv']);
  write(disk, true);
  assert.equal(read(disk), content);
  assert.deepEqual(disk.list('/home'), ['out.csv']);
});

test('before it is finished nobody sees it; abandoned, it never was', () => {
  const { disk } = ground();
  const file = disk.beginFile(path, 0o600);
  file.write(Buffer.from('x'));
  file.settle();
  assert.equal(read(disk), undefined);
  file.abandon();
  file.abandon();
  assert.deepEqual(disk.list('/home'), []);
});

test('where the file system has no links it is renamed, and still takes nothing from anybody', () => {
  const { files } = ground('old');
  const without = { ...files, link: () => { throw Object.assign(new Error('EPERM'), { code: 'EPERM' }); } };
  const disk = faultDisk(without);
  assert.throws(() => write(disk, false), (error) => error instanceof LokiError && error.code === 'conflict');
  disk.remove(path);
  write(disk, false);
  assert.equal(read(disk), content);
});

for (const existing of [undefined, 'old']) {
  test(`a power cut at any step leaves ${existing ?? 'no file'} or the whole new one`, () => {
    const counted = ground(existing);
    const before = counted.files.steps();
    write(counted.disk, true);
    const steps = counted.files.steps() - before;
    assert.ok(steps >= 5, String(steps));
    for (let step = 1; step <= steps; step += 1) {
      for (const leftover of leftovers) {
        const { files, disk } = ground(existing);
        files.cutAt(files.steps() + step);
        assert.throws(() => write(disk, true), `step ${step}`);
        const found = read(faultDisk(files.restart(leftover)));
        assert.ok(found === existing || found === content, `step ${step}, ${leftover}: ${found}`);
      }
    }
  });

  test(`a failure at any step leaves ${existing ?? 'no file'} or the whole new one, and nothing beside it`, () => {
    const counted = ground(existing);
    const before = counted.files.steps();
    write(counted.disk, true);
    const steps = counted.files.steps() - before;
    for (let step = 1; step <= steps; step += 1) {
      const { files, disk } = ground(existing);
      files.failAt(files.steps() + step, 'ENOSPC', 3);
      try {
        write(disk, true);
      } catch (error) {
        assert.ok(error instanceof LokiError, `step ${step}: ${String(error)}`);
      }
      const found = read(disk);
      assert.ok(found === existing || found === content, `step ${step}: ${found}`);
      assert.deepEqual(disk.list('/home').filter((name) => name !== 'out.csv'), [], `step ${step}`);
    }
  });
}
