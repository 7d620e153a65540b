/** Processes that write a log, processes that make checkpoints of it, and random ends of both. */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordFiles } from '../../../lib/audit/tlog/chain-files.ts';
import { openKeys } from '../../../lib/audit/tlog/key.ts';
import { openTree } from '../../../lib/audit/tlog/tree.ts';
import { Frontier } from '../../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import { createHost } from '../../../lib/host/host.ts';
import { endOf, startChild } from '../../support/child.ts';
import { readableFiles } from '../../../lib/audit/log-file.ts';
import { linesIn } from '../support.ts';
import { times } from '../../support/long.ts';

const entries = times(3000, 1200);

test('every checkpoint that anybody signed is of the one log there is', async (t) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-trees-')));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const writers = Array.from({ length: 4 }, () => startChild('test/support/append-worker', [home, String(entries), '4', '60000']));
  const trees = Array.from({ length: 3 }, () => startChild('test/support/tree-worker', [home]));
  t.after(() => [...writers, ...trees].forEach((child) => child.kill('SIGKILL')));
  const [written, signed] = [writers.map((child) => endOf(child)), trees.map((child) => endOf(child))];
  for (const child of [trees[1], writers[1], trees[2], writers[3]]) {
    await new Promise((resolve) => { setTimeout(resolve, 300 + Math.random() * 300); });
    child?.kill('SIGKILL');
  }
  const ends = await Promise.all(written);
  assert.deepEqual([ends[0]?.stderr, ends[2]?.stderr], ['', '']);
  trees[0]?.kill('SIGKILL');
  const claims = (await Promise.all(signed)).flatMap(({ stdout, stderr }) => {
    assert.equal(stderr, '');
    return stdout.split('\n').slice(0, -1);
  });
  const { disk, clock, timers, random, lock } = createHost(() => home);
  const directory = join(home, 'dashboard/audit');
  const last = await openTree({
    disk, clock, timers, lock: lock(`${home}/run/tlog`), writers: lock(`${home}/run/audit`), lockTimeoutMs: 30_000, base: home, directory: `${home}/dashboard/tlog`, chain: 'record', fileMode: 0o600, directoryMode: 0o700,
    files: recordFiles({ disk, base: home, directory, fileMode: 0o600 }), keys: () => openKeys({ disk, base: home, directory: `${home}/keys` }, { name: 'example.com', chosen: true }, random),
  }).advance();
  const roots = new Map<number, string>();
  const frontier = new Frontier();
  const lines = readableFiles(disk, directory).flatMap(({ name }) => linesIn(disk, name, directory)).filter((line) => line.endsWith('"}'));
  for (const line of lines) {
    frontier.append(Buffer.from(leafHash(Buffer.from(line))), 0, () => undefined);
    roots.set(frontier.size, Buffer.from(frontier.root()).toString('hex'));
  }
  assert.equal(last.checkpoint?.size, lines.length);
  assert.ok(claims.length > 2, 'checkpoints were made while the log was written');
  for (const claim of [...claims, `${last.checkpoint?.size} ${Buffer.from(last.checkpoint?.root ?? []).toString('hex')}`]) {
    const [size, root] = claim.split(' ');
    assert.equal(roots.get(Number(size)), root, `size ${size}`);
  }
});
