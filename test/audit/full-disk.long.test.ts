/** A small file system that is really full, with four processes writing. Needs the right to mount one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { endOf, startChild } from '../support/child.ts';
import { linesIn, verifyOn } from './support.ts';

const writers = 4;
/** How often it is filled up and emptied. */
const rounds = 3;

test('four writers on a full tmpfs: nothing acknowledged is lost, and all goes on when there is room', { timeout: 120_000 }, async (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki full ')));
  let undo = (): void => undefined;
  t.after(() => { undo(); rmSync(root, { recursive: true, force: true }); });
  const home = join(root, 'home');
  mkdirSync(home, { mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=700', 'tmpfs', home], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    t.diagnostic(`NOT RUN: no tmpfs could be mounted: ${mounted.stderr ?? String(mounted.error)}`);
    t.skip('mounting is not permitted');
    return;
  }
  undo = () => { spawnSync('umount', ['-l', home]); };
  mkdirSync(join(home, 'run'), { mode: 0o700 });
  const told = { acknowledged: [] as string[], refused: [] as string[] };
  const since = { acknowledged: 0, refused: 0 };
  const children = Array.from({ length: writers }, () => startChild('test/support/full-disk-worker', [home, root]));
  for (const child of children) {
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) (line.startsWith('refused') ? told.refused : told.acknowledged).push(line);
    });
  }
  const ends = children.map((child) => endOf(child));
  const reached = async (kind: 'acknowledged' | 'refused', more: number): Promise<void> => {
    since[kind] = told[kind].length;
    for (const end = performance.now() + 30_000; told[kind].length < since[kind] + more;) {
      assert.ok(performance.now() < end, `no ${more} more were ${kind}: ${told.refused.at(-1)}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  };
  for (let round = 0; round < rounds; round += 1) {
    await reached('acknowledged', 20);
    fillUp(join(home, 'ballast'));
    await reached('refused', 3 * writers);
    rmSync(join(home, 'ballast'));
  }
  await reached('acknowledged', 20);
  writeFileSync(join(root, 'stop'), '');
  for (const { exit, stderr } of await Promise.all(ends)) assert.deepEqual([exit, stderr], [0, '']);

  const { disk } = createHost(() => home);
  const directory = join(home, 'dashboard/audit');
  const report = await verifyOn(disk, directory);
  assert.equal(report.verdict, 'ok', JSON.stringify(report.breaks));
  const entries = report.files.flatMap((name) => linesIn(disk, name, directory)).map((line): { seq: number; event: string; chain_hash: string; details: { refused?: number } } => JSON.parse(line));
  const hashes = new Map(entries.map(({ chain_hash, seq }) => [chain_hash, seq]));
  for (const line of told.acknowledged) {
    const [seq, hash = ''] = line.split(' ');
    assert.equal(hashes.get(hash), Number(seq), `acknowledged entry ${line} is not in the log`);
  }
  assert.equal(entries.filter(({ event }) => event === 'policy.allow').length, told.acknowledged.length, 'what was refused is not in the log');
  assert.equal(entries.filter(({ event }) => event === 'audit.disk_full').length, rounds);
  const recoveries = entries.filter(({ event, details }) => event === 'audit.recovery' && details.refused !== undefined);
  assert.equal(recoveries.length, rounds);
  // Refusals are counted where there is room to count.
  const counted = recoveries.reduce((sum, { details }) => sum + (details.refused ?? 0), 0);
  assert.ok(counted > 0 && counted <= told.refused.length, `${counted} of ${told.refused.length}`);
  for (const line of told.refused) assert.match(line, /^refused audit\.unwritable: .*free some space/);
});

/** Takes all the room there is. */
function fillUp(path: string): void {
  const handle = openSync(path, 'a');
  try {
    for (const bytes of [1 << 16, 1 << 12]) {
      const block = Buffer.alloc(bytes);
      try {
        for (;;) if (writeSync(handle, block) < bytes) break;
      } catch (error) {
        assert.match(String(error), /ENOSPC/);
      }
    }
  } finally {
    closeSync(handle);
  }
}
