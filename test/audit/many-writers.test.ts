import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { endOf, startChild } from '../support/child.ts';
import { linesIn, verifyOn } from './support.ts';
import { times } from '../support/long.ts';

/** Eight processes in all; the long suite writes two thousand entries each. */
const processes = 8;
const entries = times(2000, 250);

test('many processes with random SIGKILLs write one chain that holds every acknowledged entry', async (t) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-many-')));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const children = Array.from({ length: processes }, () => startChild('test/support/append-worker', [home, String(entries), '4']));
  const ends = children.map((child) => endOf(child));
  const killed = children.filter((_, at) => at % 2 === 1);
  for (const child of killed) {
    await new Promise((resolve) => { setTimeout(resolve, 150 + Math.random() * 250); });
    child.kill('SIGKILL');
  }
  const results = await Promise.all(ends);
  for (const [at, end] of results.entries()) {
    if (at % 2 === 0) assert.deepEqual([end.exit, end.stderr], [0, '']);
  }
  const { disk } = createHost(() => home);
  const directory = join(home, 'dashboard/audit');
  const report = await verifyOn(disk, directory);
  assert.notEqual(report.verdict, 'tampered', JSON.stringify(report.breaks));
  const hashes = new Map(report.files.flatMap((name) => linesIn(disk, name, directory)).filter((line) => line.endsWith('"}')).map((line) => {
    const entry = JSON.parse(line);
    return [entry.chain_hash, entry.seq];
  }));
  const acknowledged = results.flatMap(({ stdout }) => stdout.split('\n').slice(0, -1));
  assert.ok(acknowledged.length >= entries * processes / 2);
  for (const line of acknowledged) {
    const [seq, hash = ''] = line.split(' ');
    assert.equal(hashes.get(hash), Number(seq), `acknowledged entry ${line} is not in the log`);
  }
});
