/** Small files on a real disk, where others have put things in the way, and on one that fails at every step. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { createSpoolFiles, spoolDrivers } from '../../lib/host/spool-files.ts';
import { systemCode } from '../../lib/errors.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';

function place(t: TestContext): { readonly home: string; readonly folder: string } & ReturnType<typeof spoolDrivers> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-spool-')));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return { home, folder: join(home, 'spool', 'telemetry', 'one'), ...spoolDrivers(createHost(() => home)) };
}

/** The code by which a call fails. */
function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}

describe('spool files', () => {
  test('appear whole, for the owner alone, in folders for the owner alone, and go', (t) => {
    const { home, folder, spoolFiles } = place(t);
    assert.deepEqual(spoolFiles.list(folder), []);
    spoolFiles.write(home, join(folder, 'b'), 'zwei\n');
    spoolFiles.write(home, join(folder, 'a'), 'ein ä\n');
    assert.deepEqual(spoolFiles.list(folder).map(({ name, size }) => [name, size]), [['a', 7], ['b', 5]]);
    assert.equal(spoolFiles.read(join(folder, 'a'), 100), 'ein ä\n');
    assert.equal(spoolFiles.read(join(folder, 'a'), 6), undefined, 'longer than may be read');
    assert.equal(lstatSync(join(folder, 'a')).mode & 0o777, 0o600);
    assert.equal(lstatSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder), ['a', 'b'], 'nothing else is left');
    spoolFiles.remove(join(folder, 'a'));
    spoolFiles.remove(join(folder, 'a'));
    assert.equal(spoolFiles.read(join(folder, 'a'), 100), undefined);
  });

  test('a name that is taken is not written over', (t) => {
    const { home, folder, spoolFiles } = place(t);
    spoolFiles.write(home, join(folder, 'a'), 'first');
    assert.equal(codeOf(() => spoolFiles.write(home, join(folder, 'a'), 'second')), 'EEXIST');
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'first');
  });

  test('links, folders and pipes in the place of a file are neither listed, read, linked nor followed', (t) => {
    const { home, folder, spoolFiles } = place(t);
    const secret = join(home, 'secret');
    writeFileSync(secret, 'secret');
    mkdirSync(folder, { recursive: true });
    symlinkSync(secret, join(folder, 'link'));
    mkdirSync(join(folder, 'folder'));
    for (const name of ['link', 'folder']) {
      assert.equal(codeOf(() => spoolFiles.write(home, join(folder, name), 'x')), 'EEXIST');
      assert.equal(spoolFiles.link(home, join(folder, name), join(folder, 'new')), false);
    }
    assert.deepEqual(spoolFiles.list(folder), []);
    assert.equal(spoolFiles.read(join(folder, 'link'), 100), undefined);
    assert.equal(spoolFiles.read(join(folder, 'folder'), 100), undefined);
    spoolFiles.remove(join(folder, 'link'));
    assert.equal(readFileSync(secret, 'utf8'), 'secret');
  });

  test('a link in the place of a folder is not written through', (t) => {
    const { home, folder, spoolFiles } = place(t);
    const elsewhere = join(home, 'elsewhere');
    mkdirSync(elsewhere);
    mkdirSync(join(home, 'spool'));
    symlinkSync(elsewhere, join(home, 'spool', 'telemetry'));
    assert.equal(codeOf(() => spoolFiles.write(home, join(folder, 'a'), 'x')), 'record.unsafe');
    assert.equal(codeOf(() => spoolFiles.write(home, join(home, 'spool', 'telemetry', 'a'), 'x')), 'record.unsafe');
    assert.deepEqual(readdirSync(elsewhere), []);
  });

  test('a file has a second name in another folder; one that is taken, or missing, is no error', (t) => {
    const { home, folder, spoolFiles } = place(t);
    const other = join(home, 'spool', 'telemetry', 'two');
    spoolFiles.write(home, join(folder, 'a'), 'x\n');
    assert.equal(spoolFiles.link(home, join(folder, 'a'), join(other, 'a')), true);
    assert.equal(spoolFiles.link(home, join(folder, 'a'), join(other, 'a')), false);
    assert.equal(spoolFiles.link(home, join(folder, 'none'), join(other, 'b')), false);
    spoolFiles.remove(join(folder, 'a'));
    assert.equal(spoolFiles.read(join(other, 'a'), 100), 'x\n');
    assert.deepEqual(spoolFiles.list(other).map(({ name }) => name), ['a']);
  });

  test('what was being written is not listed, and goes once its writer is surely dead', (t) => {
    const { folder, spoolFiles } = place(t);
    mkdirSync(folder, { recursive: true });
    for (const name of ['.tmp-1-fresh', '.tmp-1-old']) writeFileSync(join(folder, name), 'half');
    utimesSync(join(folder, '.tmp-1-old'), 0, Date.now() / 1000 - 3600);
    assert.deepEqual(spoolFiles.list(folder), []);
    assert.deepEqual(readdirSync(folder), ['.tmp-1-fresh']);
  });

  test('a folder that may not be written says so, and nothing is left behind', (t) => {
    if (process.getuid?.() === 0) return t.skip('root may write everywhere');
    const { home, folder, spoolFiles } = place(t);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o500);
    t.after(() => chmodSync(folder, 0o700));
    assert.equal(codeOf(() => spoolFiles.write(home, join(folder, 'a'), 'x')), 'EACCES');
    return assert.deepEqual(readdirSync(folder), []);
  });

  test('whichever step fails, the file is there whole or not at all, nothing is left behind, and the next try works', () => {
    for (let step = 1; ; step += 1) {
      const files = createFaultFiles();
      files.makeDirectory('/home', 0o700);
      let names = 0;
      const spoolFiles = createSpoolFiles({ files, disk: faultDisk(files), clock: { now: () => 0 }, owner: undefined, uniqueName: () => { names += 1; return String(names); } });
      const before = files.steps();
      files.failAt(before + step, 'ENOSPC', 3);
      const code = codeOf(() => spoolFiles.write('/home', '/home/spool/one/a', 'whole text\n'));
      const found = files.stat('/home/spool/one') === undefined ? [] : files.list('/home/spool/one');
      assert.deepEqual(found, code === undefined ? ['a'] : [], `step ${step}`);
      if (code !== undefined) spoolFiles.write('/home', '/home/spool/one/a', 'whole text\n');
      assert.equal(spoolFiles.read('/home/spool/one/a', 100), 'whole text\n');
      if (files.steps() - before < step) return;
    }
  });
});

describe('files of lines', () => {
  test('grow at their end, for the owner alone, below a link that a person made', (t) => {
    const { home, lineFiles } = place(t);
    const real = join(home, 'real');
    mkdirSync(real);
    symlinkSync(real, join(home, 'chosen'));
    const path = join(home, 'chosen', 'deep', 'a.jsonl');
    lineFiles.append(path, '{"a":1}\n');
    lineFiles.append(path, '{"b":"ä"}\n');
    assert.equal(readFileSync(join(real, 'deep', 'a.jsonl'), 'utf8'), '{"a":1}\n{"b":"ä"}\n');
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    assert.deepEqual(lineFiles.list(join(home, 'chosen', 'deep')).map(({ name, size }) => [name, size]), [['a.jsonl', 19]]);
    lineFiles.remove(path);
    assert.equal(existsSync(path), false);
  });

  test('are not written through a link in the place of the file, nor into a folder or a pipe', (t) => {
    const { home, lineFiles } = place(t);
    writeFileSync(join(home, 'secret'), 'secret');
    symlinkSync(join(home, 'secret'), join(home, 'link.jsonl'));
    mkdirSync(join(home, 'folder.jsonl'));
    assert.equal(codeOf(() => lineFiles.append(join(home, 'link.jsonl'), 'x\n')), 'ELOOP');
    assert.equal(codeOf(() => lineFiles.append(join(home, 'folder.jsonl'), 'x\n')), 'EISDIR');
    assert.equal(readFileSync(join(home, 'secret'), 'utf8'), 'secret');
    linkSync(join(home, 'secret'), join(home, 'second.jsonl'));
    assert.equal(codeOf(() => lineFiles.append(join(home, 'second.jsonl'), 'x\n')), 'EMLINK');
    assert.equal(readFileSync(join(home, 'secret'), 'utf8'), 'secret');
    assert.equal(codeOf(() => lineFiles.append(join(home, 'secret', 'x.jsonl'), 'x\n')), 'ENOTDIR');
  });
});
