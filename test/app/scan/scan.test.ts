/** `loki scan` on real files and real repositories: what is looked at, what is not, and that nothing of a repository runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { scan, type Found, type ScanRequest } from '../../../lib/app/scan/scan.ts';
import { noTotals, type Totals } from '../../../lib/app/scan/totals.ts';
import { createHost } from '../../../lib/host/host.ts';
import { allowedEnvironment } from '../../../lib/runs/environment.ts';

const mail = (name: string): string => `${name}@${'firma.de'}`;
const host = createHost(() => '/nowhere');

interface Tree {
  readonly dir: string;
  write(path: string, content: string | Uint8Array): void;
  git(...args: string[]): string;
  /** `path:line rule` of everything found, and the counts. */
  scan(request?: Partial<ScanRequest>): Promise<{ readonly found: readonly string[]; readonly all: readonly Found[]; readonly totals: Totals }>;
}

function tree(t: TestContext): Tree {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'loki-scan-')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const env = { ...process.env, HOME: dir, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
  return {
    dir,
    write(path, content) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), content);
    },
    git: (...args) => execFileSync('git', args, { cwd: dir, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    async scan(request = {}) {
      const totals = noTotals();
      const all: Found[] = [];
      const full: ScanRequest = { type: 'all', least: 'medium', cwd: dir, paths: request.staged === true ? [] : ['.'], staged: false, largest: 1024 * 1024, env: allowedEnvironment(env), ...request };
      for await (const found of scan(host, full, totals, { signal: new AbortController().signal, progress: () => undefined })) all.push(...found);
      return { found: all.map(({ path, line, rule }) => `${path.slice(dir.length + 1)}:${line} ${rule}`), all, totals };
    },
  };
}

function repository(t: TestContext): Tree {
  const made = tree(t);
  made.git('init', '-q');
  return made;
}

describe('which files are looked at', () => {
  test('in a repository those that git tracks or would track', async (t) => {
    const { write, git, scan: run } = repository(t);
    write('.gitignore', 'ignored/\n*.log\n');
    write('tracked.txt', mail('a'));
    git('add', '-A');
    write('new.txt', mail('b'));
    write('ignored/x.txt', mail('c'));
    write('x.log', mail('d'));
    assert.deepEqual((await run()).found, ['new.txt:1 email', 'tracked.txt:1 email']);
  });

  test('a file that is named is looked at, ignored or not', async (t) => {
    const { write, scan: run } = repository(t);
    write('.gitignore', '*.log\n');
    write('x.log', mail('d'));
    assert.deepEqual((await run({ paths: ['x.log'] })).found, ['x.log:1 email']);
  });

  test('outside a repository all below the directory, version control left out', async (t) => {
    const { write, scan: run } = tree(t);
    write('a/b/c.txt', mail('a'));
    write('.hg/store.txt', mail('b'));
    write('.env', mail('c'));
    assert.deepEqual((await run()).found, ['.env:1 email', 'a/b/c.txt:1 email']);
  });

  test('below a directory of a repository only what lies there', async (t) => {
    const { write, scan: run } = repository(t);
    write('top.txt', mail('a'));
    write('in/x.txt', mail('b'));
    assert.deepEqual((await run({ paths: ['in'] })).found, ['in/x.txt:1 email']);
  });

  test('a link is not followed, and neither is a tracked path that a link now leads out of the tree', async (t) => {
    const outside = tree(t);
    outside.write('secret.txt', mail('outside'));
    const { dir, write, git, scan: run } = repository(t);
    write('folder/secret.txt', 'nothing yet');
    git('add', '-A');
    renameSync(join(dir, 'folder'), join(dir, '.git/gone'));
    symlinkSync(outside.dir, join(dir, 'folder'));
    symlinkSync(join(outside.dir, 'secret.txt'), join(dir, 'link.txt'));
    const { found, totals } = await run();
    assert.deepEqual(found, []);
    assert.equal(totals.skipped.links, 3);
    assert.equal((await run({ paths: ['link.txt'] })).all.length, 1, 'a link that is named is followed');
  });

  test('binary and large files are counted, UTF-16 is text', async (t) => {
    const { dir, write, scan: run } = tree(t);
    write('b.bin', Buffer.concat([Buffer.from([0, 1, 2]), Buffer.from(mail('a'))]));
    write('large.txt', mail('b').padEnd(2000, 'x'));
    write('wide.txt', Buffer.from(`\ufeff${mail('c')}`, 'utf16le'));
    const { found, totals } = await run({ largest: 1000 });
    assert.deepEqual(found, ['wide.txt:1 email']);
    assert.deepEqual([totals.skipped.binary, totals.skipped.large], [1, [join(dir, 'large.txt')]]);
  });

  test('a file that cannot be read is told', { skip: process.geteuid?.() === 0 ? 'root reads everything' : false }, async (t) => {
    const { dir, write, scan: run } = tree(t);
    write('closed.txt', mail('a'));
    chmodSync(join(dir, 'closed.txt'), 0);
    assert.deepEqual((await run()).totals.skipped.unreadable.map(({ path }) => path), [join(dir, 'closed.txt')]);
  });

  test('a directory that cannot be entered is told, and the rest is looked at', { skip: process.geteuid?.() === 0 ? 'root enters everything' : false }, async (t) => {
    const { dir, write, scan: run } = tree(t);
    write('closed/a.txt', mail('a'));
    write('open.txt', mail('b'));
    chmodSync(join(dir, 'closed'), 0o400);
    t.after(() => chmodSync(join(dir, 'closed'), 0o700));
    const { found, totals } = await run();
    assert.deepEqual([found, totals.skipped.unreadable.length > 0], [['open.txt:1 email'], true]);
  });

  test('what git says is no repository is looked at whole, and that is said', async (t) => {
    const { dir, write, scan: run } = tree(t);
    write('.git', 'gitdir: /nowhere\n');
    write('.gitignore', '*.log\n');
    write('x.log', mail('a'));
    const { found, totals } = await run();
    assert.deepEqual([found, totals.ungoverned], [['x.log:1 email'], [dir]]);
  });

  test('what is not there is an error', async (t) => {
    await assert.rejects(tree(t).scan({ paths: ['nowhere'] }), { code: 'not_found', message: 'Cannot scan "nowhere": there is no such file or directory' });
  });

  test('filters, monitors and hooks of the repository do not run', async (t) => {
    const { dir, write, git, scan: run } = repository(t);
    const trap = join(dir, '.git/trapped');
    write('.gitattributes', '* filter=x diff=y\n');
    for (const [name, value] of [['filter.x.clean', `touch "${trap}"; cat`], ['diff.y.command', `touch "${trap}"; true`], ['diff.y.textconv', `touch "${trap}"; cat`], ['diff.external', `touch "${trap}"; true`], ['core.fsmonitor', `touch "${trap}"; false`]] as const) git('config', name, value);
    write('a.txt', mail('a'));
    git('-c', 'core.fsmonitor=false', '-c', 'filter.x.clean=cat', 'add', '-A');
    assert.equal((await run()).found.length, 1);
    assert.equal((await run({ staged: true })).found.length, 1);
    assert.equal(host.disk.stat(trap), undefined);
  });
});

describe('what is staged', () => {
  test('is read from the index, and only the lines that it adds', async (t) => {
    const { write, git, scan: run } = repository(t);
    write('a.txt', `${mail('old')}\nplain\n`);
    git('add', '-A');
    git('commit', '-qm', 'one');
    write('a.txt', `${mail('old')}\nplain\nnew ${mail('staged')}\n`);
    git('add', '-A');
    write('a.txt', `${mail('worktree')}\n`);
    write('untracked.txt', mail('untracked'));
    assert.deepEqual((await run({ staged: true })).found, ['a.txt:3 email']);
  });

  test('before the first commit is all that is added', async (t) => {
    const { write, git, scan: run } = repository(t);
    write('a.txt', `x\n${mail('a')}\n`);
    git('add', '-A');
    assert.deepEqual((await run({ staged: true })).found, ['a.txt:2 email']);
  });

  test('has names with quotes, tabs, line ends and letters of all scripts', async (t) => {
    const { write, git, scan: run } = repository(t);
    const names = ['a b.txt', 'q"uote.txt', 'ta\tb.txt', 'li\nne.txt', 'ü.txt', '名.txt', '-dash.txt', ':(top)x.txt', 'back\\slash.txt'];
    for (const name of names) write(name, `${mail('a')}\n`);
    git('add', '-A');
    const { all } = await run({ staged: true });
    assert.deepEqual(all.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)).sort(), [...names].sort());
  });

  test('is not hidden by attributes that call it binary, nor by what looks like a header', async (t) => {
    const { write, git, scan: run } = repository(t);
    write('.gitattributes', '*.txt binary\n');
    write('a.txt', `++ b/other.txt\n@@ -1 +1 @@\n${mail('a')}\n`);
    git('add', '-A');
    assert.deepEqual((await run({ staged: true })).found, ['a.txt:3 email']);
  });

  test('of a commit of some files is what its own index holds', async (t) => {
    const { dir, write, git, scan: run } = repository(t);
    write('a.txt', 'one\n');
    git('add', '-A');
    const other = join(dir, '.git/next-index');
    write('b.txt', mail('b'));
    execFileSync('git', ['add', 'b.txt'], { cwd: dir, env: { ...process.env, GIT_INDEX_FILE: other } });
    assert.deepEqual((await run({ staged: true })).found, []);
    assert.deepEqual((await run({ staged: true, env: { ...allowedEnvironment(process.env), GIT_INDEX_FILE: other } })).found, ['b.txt:1 email']);
  });

  test('below the paths that are named', async (t) => {
    const { dir, write, git, scan: run } = repository(t);
    for (const name of ['in/a.txt', 'inner/b.txt']) write(name, mail('a'));
    git('add', '-A');
    assert.deepEqual((await run({ staged: true, paths: [join(dir, 'in')] })).found, ['in/a.txt:1 email']);
  });

  test('outside a repository is a mistake', async (t) => {
    const { dir, scan: run } = tree(t);
    await assert.rejects(run({ staged: true }), { code: 'usage', message: `Cannot scan what is staged: "${dir}" is in no git repository` });
  });
});

describe('what may stay', () => {
  test('a comment on the same line allows what stands there, and only that', async (t) => {
    const { write, scan: run } = tree(t);
    write('a.txt', [`${mail('a')} # loki:allow`, `${mail('b')} // gitleaks:allow`, `${mail('c')} # pragma: allowlist secret`, '# loki:allow', mail('d'), `${mail('e')}${' '.repeat(600)}# loki:allow`].join('\n'));
    const { found, totals } = await run();
    assert.deepEqual(found, ['a.txt:5 email', 'a.txt:6 email']);
    assert.equal(totals.allowed, 3);
  });

  test('an interrupted scan says so', async (t) => {
    const { dir, write } = tree(t);
    for (let at = 0; at < 40; at += 1) write(`${at}.txt`, mail('a').repeat(20_000));
    const stopped = new AbortController();
    stopped.abort();
    const request: ScanRequest = { type: 'all', least: 'medium', cwd: dir, paths: ['.'], staged: false, largest: 1e7, env: allowedEnvironment(process.env) };
    await assert.rejects(async () => { for await (const _ of scan(host, request, noTotals(), { signal: stopped.signal, progress: () => undefined })); }, (error: unknown) => error instanceof LokiError && error.code === 'interrupted');
  });
});
