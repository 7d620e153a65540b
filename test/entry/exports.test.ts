/** What `package.json` publishes: each import resolves and has the names of the contract, and no other value. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { treeRoot } from '../support/child.ts';
import { packageRoot } from '../support/root.ts';

/** The values that each import gives; types leave no trace. */
const published: Readonly<Record<string, readonly string[]>> = {
  '.': ['LokiError', 'version'],
  './yaml': ['LokiError', 'parseYaml'],
  './policy': ['LokiError', 'loadPolicy'],
  './scan': ['redact', 'scanPii', 'scanSecrets'],
  './shell': ['analyzeCommand'],
  './audit': ['LokiError', 'openAuditLog'],
  './merkle': ['leafHash', 'root', 'verifyConsistency', 'verifyInclusion', 'verifyNote'],
  './gate': ['LokiError', 'openGate'],
  './telemetry': ['createTelemetry', 'parseTraceparent', 'traceparentOf'],
};

const manifestPath = join(packageRoot, 'package.json');
/** A vendored dist/ may come without its package.json. */
const manifest: { readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>; readonly bin: { readonly loki: string } } | undefined =
  existsSync(manifestPath) ? JSON.parse(readFileSync(manifestPath, 'utf8')) : undefined;

/** The module behind a published path: built or not, as this test is. */
function modulePath(name: string): string {
  const base = name === '.' ? 'lib/index' : `lib/entry${name.slice(1)}`;
  return join(treeRoot, `${base}${fileURLToPath(import.meta.url).endsWith('.ts') ? '.ts' : '.js'}`);
}

for (const [name, values] of Object.entries(published)) {
  test(`loki-enterprise${name.slice(1)} has exactly ${values.join(', ')}`, async () => {
    const module: object = await import(modulePath(name));
    assert.deepEqual(Object.keys(module).sort(), values);
  });
}

test('package.json publishes these and itself, each with its types, where the build puts them', (t) => {
  if (manifest === undefined) return t.diagnostic('package.json is not here: its exports were not compared');
  assert.deepEqual(Object.keys(manifest.exports), [...Object.keys(published), './package.json']);
  for (const [name, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') { assert.equal(target, name); continue; }
    const base = name === '.' ? './dist/lib/index' : `./dist/lib/entry${name.slice(1)}`;
    assert.deepEqual(target, { types: `${base}.d.ts`, default: `${base}.js` });
  }
  assert.equal(manifest.bin.loki, 'dist/cli/loki.cjs');
  return undefined;
});

test('the error class is the same one whichever door it comes through', async () => {
  const doors = Object.keys(published).filter((name) => published[name]?.includes('LokiError'));
  const classes = await Promise.all(doors.map(async (name) => (await import(modulePath(name)) as { readonly LokiError: unknown }).LokiError));
  assert.equal(new Set(classes).size, 1);
});
