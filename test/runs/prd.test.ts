import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createHost } from '../../lib/host/host.ts';
import { agentEnvironment, allowedEnvironment } from '../../lib/runs/environment.ts';
import { readPrd } from '../../lib/runs/prd.ts';

const { disk } = createHost(() => '/');

function scratch(t: { after(undo: () => void): void }): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'loki prd ')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a document is read with its hash, through a symlink, without its byte order mark', (t) => {
  const dir = scratch(t);
  writeFileSync(join(dir, 'PRD.md'), '\uFEFF# Bau es, bitte: ü\n');
  symlinkSync('PRD.md', join(dir, 'link.md'));
  const prd = readPrd(disk, join(dir, 'link.md'));
  assert.equal(prd.text, '# Bau es, bitte: ü\n');
  assert.equal(prd.path, join(dir, 'PRD.md'));
  assert.match(prd.sha256, /^[0-9a-f]{64}$/);
});

const unreadable: readonly (readonly [string, (path: string) => void, string, RegExp])[] = [
  ['missing', () => undefined, 'there is no such file', /^Name the document/],
  ['empty', (path) => writeFileSync(path, ''), 'it is empty', /^Write down/],
  ['blank', (path) => writeFileSync(path, ' \n\t\n'), 'it is empty', /^Write down/],
  ['too large', (path) => writeFileSync(path, 'x'.repeat(1024 * 1024 + 1)), 'it has 1048577 bytes, at most 1048576 are read', /^Split it/],
  ['not UTF-8', (path) => writeFileSync(path, Buffer.from([0x61, 0xff, 0x62])), 'it is not UTF-8 text', /^Save it/],
  ['UTF-16', (path) => writeFileSync(path, Buffer.from('text', 'utf16le')), 'it is not UTF-8 text', /^Save it/],
  ['a named pipe', (path) => execFileSync('mkfifo', [path]), 'it is a device, socket or pipe', /^Name a plain/],
  ['a dangling link', (path) => symlinkSync('nowhere', path), 'there is no such file', /^Name the document/],
];
for (const [name, make, found, hint] of unreadable) {
  test(`a document that is ${name} is refused`, (t) => {
    const path = join(scratch(t), 'PRD.md');
    make(path);
    assert.throws(() => readPrd(disk, path), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'usage');
      assert.equal(error.message, `Cannot read PRD "${path}": ${found}`);
      assert.match(error.hint ?? '', hint);
      return true;
    });
  });
}

test('a directory is refused with the name that was probably meant', (t) => {
  const dir = scratch(t);
  assert.throws(() => readPrd(disk, `${dir}/`), { code: 'usage', message: `Cannot read PRD "${dir}/": it is a directory`, hint: `Name the document in it, for example ${dir}/PRD.md` });
});

test('a document this user may not read is refused with the reason', (t) => {
  const path = join(scratch(t), 'PRD.md');
  writeFileSync(path, 'x');
  const refusing = { ...disk, read: () => { throw new LokiError('io.failed', { attempted: 'read the disk', found: 'EACCES: permission denied' }); } };
  assert.throws(() => readPrd(refusing, path), { code: 'usage', message: `Cannot read PRD "${path}": Cannot read the disk: EACCES: permission denied`, hint: 'Make the file readable for this user' });
});

test('a child is given the listed names and no other', () => {
  const ours = { PATH: '/bin', HOME: '/h', LC_ALL: 'C', LC_: 'x', lc_all: 'x', LOKI_TOKEN: 's', LOKI_AUDIT_KEY: 's', GITHUB_TOKEN: 's', NODE_OPTIONS: '--require x', LD_PRELOAD: 'x', TZ: undefined, __proto__x: 'y' };
  assert.deepEqual({ ...allowedEnvironment(ours) }, { PATH: '/bin', HOME: '/h', LC_ALL: 'C' });
  const agent = agentEnvironment(ours, { home: '/loki', hook: ['node', 'loki', 'hook', 'generic'], sessionId: 'ses_1', runId: 'run_1', projectDir: '/p' });
  assert.deepEqual({ ...agent }, {
    PATH: '/bin', HOME: '/h', LC_ALL: 'C', LOKI_HOME: '/loki', LOKI_HOOK: '["node","loki","hook","generic"]', LOKI_SESSION_ID: 'ses_1', LOKI_RUN_ID: 'run_1', LOKI_PROJECT_DIR: '/p',
  });
});
