/** Writers that are killed at any moment, again and again, on one log: nothing acknowledged is lost, and the chain holds. */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { endOf, startChild } from '../support/child.ts';
import { linesIn, verifyOn } from './support.ts';

const rounds = 200;
const writers = 3;

test(`${rounds} rounds of SIGKILL`, { timeout: 1_200_000 }, async (t) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki killed ')));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const { disk } = createHost(() => home);
  const directory = join(home, 'dashboard/audit');
  const acknowledged: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const children = Array.from({ length: writers }, () => startChild('test/support/append-worker', [home, '100000', '4']));
    const ends = children.map((child) => endOf(child));
    // Each is killed in the midst of its work: some time after its first receipt.
    await Promise.all(children.map(async (child) => {
      await new Promise((resolve) => { child.stdout?.once('data', resolve); });
      await new Promise((resolve) => { setTimeout(resolve, Math.random() * 40); });
      child.kill('SIGKILL');
    }));
    for (const { signal, stdout, stderr } of await Promise.all(ends)) {
      assert.deepEqual([signal, stderr], ['SIGKILL', ''], `round ${round}`);
      acknowledged.push(...stdout.split('\n').slice(0, -1));
    }
  }
  // The last one to come finds what the killed ones left.
  const { exit, stderr } = await endOf(startChild('test/support/append-worker', [home, '1', '1']));
  assert.deepEqual([exit, stderr], [0, '']);
  const report = await verifyOn(disk, directory);
  assert.equal(report.verdict, 'ok', JSON.stringify(report.breaks));
  const hashes = new Map(report.files.flatMap((name) => linesIn(disk, name, directory)).map((line) => {
    const { chain_hash: hash, seq } = JSON.parse(line);
    return [hash, seq];
  }));
  assert.ok(acknowledged.length > rounds * writers, `${acknowledged.length} entries`);
  for (const line of acknowledged) {
    const [seq, hash = ''] = line.split(' ');
    assert.equal(hashes.get(hash), Number(seq), `acknowledged entry ${line} is not in the log`);
  }
});
