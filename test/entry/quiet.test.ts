/** Importing the library does nothing to the world. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { endOf, treeRoot } from '../support/child.ts';
import { fixture, packageRoot } from '../support/root.ts';

/** Only built modules can be watched: what compiles a source on the fly opens files itself. */
const built = treeRoot.endsWith('dist') ? treeRoot : join(packageRoot, 'dist');
const doors: readonly string[] = ['lib/index.js', 'lib/entry/yaml.js', 'lib/entry/policy.js', 'lib/entry/scan.js', 'lib/entry/shell.js', 'lib/entry/audit.js', 'lib/entry/merkle.js', 'lib/entry/gate.js', 'lib/entry/telemetry.js'];

interface Seen {
  readonly opened: readonly string[];
  readonly handles: readonly string[];
  readonly listeners: Readonly<Record<string, number>>;
  readonly sameEnvironment: boolean;
}

/** Runs a script with the world watched, in an empty home. */
async function watched(t: { after(undo: () => void): void }, script: string): Promise<Seen & { readonly left: readonly string[] }> {
  const home = mkdtempSync(join(tmpdir(), 'loki-quiet-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--import', pathToFileURL(fixture('support', 'watch-world.mjs')).href, '--input-type=module', '--eval', script], {
    cwd: home, env: { PATH: process.env['PATH'], HOME: home, LOKI_HOME: join(home, 'records') }, timeout: 20_000, killSignal: 'SIGKILL',
  });
  const { exit, stdout, stderr } = await endOf(child);
  assert.deepEqual([exit, stderr], [0, '']);
  return { ...JSON.parse(stdout), left: readdirSync(home) };
}

describe('with nothing configured, an import opens no file, no socket, no child and no timer', { concurrency: 2 }, () => {
  for (const door of doors) {
    test(door, async (t) => {
      if (!existsSync(join(built, door))) return t.diagnostic('dist/ is not built: nothing was imported');
      const nothing = await watched(t, '');
      const seen = await watched(t, `await import(${JSON.stringify(pathToFileURL(join(built, door)).href)});`);
      assert.deepEqual(seen, nothing);
      assert.deepEqual([seen.opened, seen.handles, seen.left, seen.sameEnvironment], [[], [], [], true]);
      return undefined;
    });
  }
});

test('the watch sees what is opened', async (t) => {
  const seen = await watched(t, 'import { readFileSync, existsSync } from "node:fs"; import net from "node:net"; existsSync("/"); const s = net.createServer(); s.listen(0, () => s.close()); setTimeout(() => {}, 1); process.on("SIGINT", () => {});');
  assert.deepEqual(seen.opened, ['fs.existsSync', 'net.createServer', 'globalThis.setTimeout']);
  assert.equal(seen.listeners['SIGINT'], 1);
});
