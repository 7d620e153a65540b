/** Real processes on one store, killed at random while they write. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { embeddedStores } from '../support/embedded-stores.ts';

const program = fileURLToPath(new URL(`../support/store-writer.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

/** Runs a writer, kills it `afterMs` after its first line, and gives the lines it had written out. */
async function writeUntilKilled(home: string, name: string, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [...process.execArgv, program, home, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
    output += bytes.toString();
  });
  const [exit, signal] = await once(child, 'close');
  assert.deepEqual([exit, signal], [null, 'SIGKILL'], `writer ${name} ended by itself`);
  return output.split('\n').slice(0, -1);
}

test('processes killed while they write lose no acknowledged transaction, and revisions stay contiguous', { timeout: 60_000 }, async () => {
  const { home, open } = await embeddedStores();
  const lanes = Array.from({ length: 3 }, async (_, lane) => {
    const lines: string[] = [];
    for (let life = 0; life < 4; life += 1) lines.push(...await writeUntilKilled(home, `${lane}-${life}`, 20 + Math.random() * 150));
    return lines;
  });
  const acknowledged = (await Promise.all(lanes)).flat();
  const store = await open();
  for (const line of acknowledged) {
    const [key = '', revision] = line.split(' ');
    assert.equal((await store.get(key))?.revision, Number(revision), line);
  }
  const entries = await store.list('w/', { limit: 1_000_000 });
  const revision = await store.revision();
  assert.deepEqual(entries.map((entry) => entry.revision).sort((a, b) => a - b), Array.from({ length: revision }, (_, at) => at + 1));
  assert.equal((await store.get('counter'))?.value, revision, 'compare-and-set: no increment was lost or doubled');
  assert.ok(acknowledged.length >= 12 && revision >= acknowledged.length, `${acknowledged.length} acknowledged, ${revision} held`);
  await store.close();
});
