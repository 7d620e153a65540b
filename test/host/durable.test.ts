import assert from 'node:assert/strict';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createHost } from '../../lib/host/host.ts';

const { disk } = createHost(() => '/nowhere');
const text = (value: string): Uint8Array => Buffer.from(value);

function scratch(t: { after(run: () => void): void }): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'loki-durable-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function isUnsafe(found: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof LokiError && error.code === 'record.unsafe' && found.test(error.message);
}

test('openRecord() refuses a symlink, a second link, a directory, and a symlinked parent', (t) => {
  const base = scratch(t);
  writeFileSync(`${base}/real`, '');
  symlinkSync(`${base}/real`, `${base}/link`);
  assert.throws(() => disk.openRecord(base, `${base}/link`, 0o600), isUnsafe(/it is a symlink/));
  linkSync(`${base}/real`, `${base}/second`);
  assert.throws(() => disk.openRecord(base, `${base}/real`, 0o600), isUnsafe(/it has 2 links/));
  mkdirSync(`${base}/folder`);
  assert.throws(() => disk.openRecord(base, `${base}/folder`, 0o600), isUnsafe(/it is a directory/));
  symlinkSync(`${base}/folder`, `${base}/detour`);
  assert.throws(() => disk.openRecord(base, `${base}/detour/log`, 0o600), isUnsafe(/detour" is a symlink, not a directory/));
  assert.throws(() => disk.openRecord(base, '/tmp/elsewhere', 0o600), isUnsafe(/is not below/));
  assert.throws(() => disk.readRecord(base, `${base}/link`, 10), isUnsafe(/symlink/));
});

test('a file of another owner is refused', (t) => {
  const base = scratch(t);
  writeFileSync(`${base}/log`, '');
  if (process.getuid?.() !== 0) return t.diagnostic('only root can give a file away: not tried');
  execFileSync('chown', ['1', `${base}/log`]);
  return assert.throws(() => disk.openRecord(base, `${base}/log`, 0o600), isUnsafe(/belongs to user 1, not to 0/));
});

test('a FIFO in a file\'s place is refused and does not block', (t) => {
  const base = scratch(t);
  execFileSync('mkfifo', [`${base}/policies.yaml`]);
  assert.throws(() => disk.read(`${base}/policies.yaml`, 100), /it is a device, socket or pipe/);
  assert.throws(() => disk.openRecord(base, `${base}/policies.yaml`, 0o600), isUnsafe(/it is a device, socket or pipe, not a plain file/));
});

test('created files and directories are private', (t) => {
  const base = scratch(t);
  disk.ensureDirectory(base, `${base}/a/b`, 0o700);
  disk.openRecord(base, `${base}/a/b/log`, 0o600).close();
  assert.equal(statSync(`${base}/a`).mode & 0o777, 0o700);
  assert.equal(statSync(`${base}/a/b/log`).mode & 0o777, 0o600);
});

test('create() accepts the same bytes again and refuses other ones', (t) => {
  const base = scratch(t);
  disk.create(base, `${base}/x`, text('one'), 0o600);
  disk.create(base, `${base}/x`, text('one'), 0o600);
  assert.throws(() => disk.create(base, `${base}/x`, text('two'), 0o600), (error: unknown) => error instanceof LokiError && error.code === 'conflict');
  assert.equal(readFileSync(`${base}/x`, 'utf8'), 'one');
  assert.deepEqual(readdirSync(base), ['x']);
});

test('a file whose maker died between link and unlink loses its second name and is read', (t) => {
  const base = scratch(t);
  disk.create(base, `${base}/key`, text('secret'), 0o600);
  linkSync(`${base}/key`, `${base}/.tmp-123-abc`);
  assert.equal(Buffer.from(disk.readRecord(base, `${base}/key`, 100) ?? []).toString(), 'secret');
  assert.deepEqual(readdirSync(base), ['key']);
  linkSync(`${base}/key`, `${base}/another`);
  assert.throws(() => disk.readRecord(base, `${base}/key`, 100), isUnsafe(/it has 2 links/), 'a link that is no leftover stays what it is');
});

test('replace() leaves no temporary file behind', (t) => {
  const base = scratch(t);
  disk.replace(base, `${base}/x`, text('one'), 0o600);
  disk.replace(base, `${base}/x`, text('two'), 0o600);
  assert.equal(readFileSync(`${base}/x`, 'utf8'), 'two');
  assert.deepEqual(readdirSync(base), ['x']);
});

test('read() says what is too large, and a missing file is undefined', (t) => {
  const base = scratch(t);
  writeFileSync(`${base}/x`, 'abcdef');
  assert.throws(() => disk.read(`${base}/x`, 5), /it has 6 bytes, at most 5 are read/);
  assert.equal(disk.read(`${base}/none`, 5), undefined);
  assert.equal(disk.read(`${base}/x/none`, 5), undefined);
  assert.deepEqual(disk.list(`${base}/none`), []);
});

test('a directory that cannot be written says so, with a hint', (t) => {
  const base = scratch(t);
  if (process.getuid?.() === 0) return t.diagnostic('root may write everywhere: not tried');
  chmodSync(base, 0o500);
  return assert.throws(() => disk.ensureDirectory(base, `${base}/a`, 0o700), (error: unknown) => error instanceof LokiError && error.hint.includes('permission'));
});
