/** What is shipped: the version, the list of files, and types that lean on nothing a user would have to install. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { version } from '../../lib/app/version.ts';
import { spawn as hostSpawn } from '../../lib/host/spawn.ts';
import { endOf } from '../support/child.ts';
import { packageRoot } from '../support/root.ts';

const manifestPath = join(packageRoot, 'package.json');
/** A vendored dist/ comes without its package.json: there is no package to look at then. */
const manifest: { readonly version: string; readonly exports: Readonly<Record<string, { readonly types: string } | string>> } | undefined =
  existsSync(manifestPath) ? JSON.parse(readFileSync(manifestPath, 'utf8')) : undefined;
const npm = hostSpawn.find('npm', process.env['PATH']);
const compiler = join(packageRoot, 'node_modules/typescript/bin/tsc');

test('the program\'s version is the package\'s', (t) => {
  if (manifest === undefined) return t.diagnostic('package.json is not here: the version was not compared');
  return assert.equal(version, manifest.version);
});

test('the tarball holds what it takes to run, to read and to test, and nothing else', { timeout: 60_000 }, async (t) => {
  if (manifest === undefined || npm === undefined || !existsSync(join(packageRoot, 'dist/lib/index.js'))) return t.diagnostic('npm, package.json or dist/ is not here: nothing was packed');
  const { exit, stdout, stderr } = await endOf(spawn(npm, ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], { cwd: packageRoot, timeout: 50_000, killSignal: 'SIGKILL' }));
  assert.equal(exit, 0, stderr);
  const [pack]: readonly { readonly files: readonly { readonly path: string; readonly mode: number }[] }[] = JSON.parse(stdout);
  const paths = (pack?.files ?? []).map(({ path }) => path);
  const places = /^(?:dist\/(?:lib|cli|test)\/|fixtures\/|docs\/)|^(?:README\.md|CHANGELOG\.md|LICENSE|package\.json)$/;
  assert.deepEqual(paths.filter((path) => !places.test(path)), []);
  assert.deepEqual(paths.filter((path) => /(?:^|\/)(?:node_modules|\.sample|\.git|\.DS_Store|\.npmrc|\.env)(?:\/|$)|\.(?:map|tgz|log|tsbuildinfo|orig|rej|swp)$/.test(path)), []);
  // Sources stay where they are read; only built files run.
  assert.deepEqual(paths.filter((path) => path.startsWith('dist/') && !/\.(?:c?js|d\.ts|html|css|svg)$/.test(path)), []);
  for (const needed of ['dist/lib/index.js', 'dist/lib/index.d.ts', 'dist/cli/loki.js', 'dist/cli/loki.cjs', 'dist/cli/joined.js', 'dist/lib/entry/telemetry-later.js', 'dist/cli/sample.js', 'dist/lib/web/index.html', 'dist/test/architecture.test.js', 'fixtures/sample/PRD.md',
    'fixtures/sample/project/.loki/policies.yaml', 'fixtures/scripted/walk-through.json', 'docs/policy.md', 'README.md', 'LICENSE', 'package.json']) {
    assert.ok(paths.includes(needed), `${needed} is not in the tarball`);
  }
  return undefined;
});

test('the command is a program: a shebang, and executable', (t) => {
  const paths = ['dist/cli/loki.cjs', 'dist/cli/loki.js'].map((name) => join(packageRoot, name)).filter(existsSync);
  if (paths.length === 0) return t.diagnostic('dist/ is not built');
  for (const path of paths) {
    assert.match(readFileSync(path, 'utf8'), /^#!\/usr\/bin\/env node\n/, path);
    if (process.platform !== 'win32') assert.ok((statSync(path).mode & 0o111) !== 0, path);
  }
  return undefined;
});

describe('the published types', () => {
  /** Type files that can be reached from those the package publishes. */
  function reachable(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      if (found.has(path)) return;
      const text = readFileSync(path, 'utf8');
      found.set(path, text);
      for (const [, name = ''] of text.matchAll(/\bfrom ['"](\.[^'"]+)['"]/g)) visit(join(dirname(path), name.replace(/\.(?:js|ts)$/, '.d.ts')));
    };
    for (const target of Object.values(manifest?.exports ?? {})) if (typeof target !== 'string') visit(join(packageRoot, target.types));
    return found;
  }

  const built = manifest !== undefined && existsSync(join(packageRoot, 'dist/lib/index.d.ts'));

  test('import nothing from outside the package', (t) => {
    if (!built) return t.diagnostic('package.json or dist/ is not here: nothing was read');
    const outside = [...reachable()].flatMap(([path, text]) => [...text.matchAll(/\bfrom ['"]([^.'"][^'"]*)['"]|\bimport\(['"]([^.'"][^'"]*)['"]\)|\/\/\/ *<reference [^>]+>/g)].map((match) => `${path}: ${match[0]}`));
    assert.deepEqual(outside, []);
    assert.ok(reachable().size > 10);
    return undefined;
  });

  test('compile in a project of a user\'s that has no other types than the language\'s and the web\'s', { timeout: 60_000 }, async (t) => {
    if (!built || !existsSync(compiler)) return t.diagnostic('the compiler, package.json or dist/ is not here: nothing was compiled');
    const project = mkdtempSync(join(tmpdir(), 'loki-user-'));
    t.after(() => rmSync(project, { recursive: true, force: true }));
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(packageRoot, join(project, 'node_modules/loki-enterprise'));
    writeFileSync(join(project, 'package.json'), '{"type":"module"}');
    const doors = Object.entries(manifest?.exports ?? {}).filter(([, target]) => typeof target !== 'string').map(([name]) => `loki-enterprise${name.slice(1)}`);
    writeFileSync(join(project, 'use.ts'), `${doors.map((door, at) => `import * as door${at} from '${door}';`).join('\n')}\nexport const doors: readonly object[] = [${doors.map((_, at) => `door${at}`).join(', ')}];\n`);
    const { exit, stdout } = await endOf(spawn(process.execPath, [compiler, '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,dom', '--types', '', '--skipLibCheck', 'false', 'use.ts'], { cwd: project, timeout: 50_000, killSignal: 'SIGKILL' }));
    assert.deepEqual([exit, stdout], [0, '']);
    return undefined;
  });
});
