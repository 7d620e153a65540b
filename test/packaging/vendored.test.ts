/** A copy of dist/ and fixtures/ alone, with nothing installed, works and passes its own tests. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endOf, type ChildEnd } from '../support/child.ts';
import { isLong } from '../support/long.ts';
import { packageRoot } from '../support/root.ts';

/** One of each sort: pure ones, real files, real processes, the web page, the tables of the architecture. Never this one. */
const some: readonly string[] = [
  'architecture', 'errors', 'base/glob', 'cli/args', 'cli/help', 'config/resolve', 'entry/exports', 'gate/project', 'host/lock', 'journal/segment', 'policy/golden', 'server/routes', 'web/web',
];
/** All that can be told of a copy elsewhere, in the long suite. */
const more: readonly string[] = [
  'agents/generic', 'app/gate', 'audit/log', 'entry/quiet', 'formats/yaml/parse', 'gate/gate', 'packaging/package', 'runs/state', 'store/embedded', 'stories/tampered-log',
];

const built = join(packageRoot, 'dist');
const available = existsSync(join(built, 'lib/index.js')) && existsSync(join(built, 'test'));

describe('a vendored copy', () => {
  let copy = '';
  before(() => {
    copy = realpathSync(mkdtempSync(join(tmpdir(), 'loki vendored ')));
    if (!available) return;
    for (const folder of ['lib', 'cli', 'test']) cpSync(join(built, folder), join(copy, 'dist', folder), { recursive: true });
    cpSync(join(packageRoot, 'fixtures'), join(copy, 'fixtures'), { recursive: true });
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  /** Node in the copy, with an environment of nothing but a path and a home. */
  function node(args: readonly string[], cwd: string, timeout: number): Promise<ChildEnd> {
    return endOf(spawn(process.execPath, [...args], { cwd, timeout, killSignal: 'SIGKILL', env: { PATH: process.env['PATH'], HOME: copy, LOKI_HOME: join(copy, 'home') } }));
  }

  test('passes tests of every sort with node --test', { timeout: 600_000 }, async (t) => {
    if (!available) return t.diagnostic('dist/ is not built: nothing was copied');
    const files = [...some, ...(isLong ? more : [])].map((name) => join('dist/test', `${name}.test.js`)).filter((path) => existsSync(join(copy, path)));
    assert.ok(files.length >= some.length, files.join(' '));
    // In the short suite in one process, because starting one costs more than most of these tests.
    const together = join(copy, 'together.test.mjs');
    if (!isLong) writeFileSync(together, files.map((path) => `import './${path}';\n`).join(''));
    const { exit, stdout, stderr } = await node(['--test', '--test-concurrency=2', ...(isLong ? files : [together])], copy, 590_000);
    rmSync(together, { force: true });
    const failed = stdout.split('\n').filter((line) => /^\s*not ok/.test(line) || /^\s+error: /.test(line));
    assert.equal(exit, 0, `${failed.join('\n')}\n${stderr.slice(-2000)}`);
    assert.match(stdout, /^# fail 0$/m);
    assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 100, 'they were run');
    return undefined;
  });

  test('governs a project', { timeout: 300_000 }, async (t) => {
    if (!available) return t.diagnostic('dist/ is not built: nothing was copied');
    const project = join(copy, 'my project');
    mkdirSync(project);
    const loki = (...args: readonly string[]): Promise<ChildEnd> => node([join(copy, 'dist/cli/loki.js'), ...args], project, 60_000);
    for (const args of [['init', '--yes'], ['policy', 'check'], ['audit', 'verify'], ['status'], ['--help']]) {
      const { exit, stdout, stderr } = await loki(...args);
      assert.equal(exit, 0, `loki ${args.join(' ')}\n${stdout}${stderr}`);
    }
    assert.deepEqual(readdirSync(copy).sort(), ['dist', 'fixtures', 'home', 'my project'], 'nothing else came to be');
    return undefined;
  });
});
