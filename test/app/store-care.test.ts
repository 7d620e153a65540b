/** `loki store backup`, `check` and `restore`, as a person calls them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import type { ChildEnd } from '../support/child.ts';
import { openStoreAt } from '../support/embedded-stores.ts';
import { runHere } from '../support/in-process.ts';

interface Place {
  readonly home: string;
  loki(...argv: readonly string[]): Promise<ChildEnd>;
}

/** A LOKI_HOME whose store holds two objects of one tenant. */
async function place(): Promise<Place> {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'loki-care-')));
  after(() => rmSync(cwd, { recursive: true, force: true }));
  const home = join(cwd, 'home');
  createHost(() => cwd).disk.ensureDirectory(cwd, home, 0o700);
  const store = await openStoreAt(home);
  const tenant = 't/tnt_00000000000000000000000001';
  await store.transact([], [{ key: `${tenant}/runs/run_1`, value: { status: 'failed' } }, { key: `${tenant}/keys/key_1`, value: {} }]);
  await store.close();
  return { home, loki: (...argv) => runHere(argv, { cwd, homeDirectory: cwd, env: { LOKI_HOME: home } }) };
}

function eventsIn(home: string): readonly { readonly event: string; readonly details: Readonly<Record<string, unknown>> }[] {
  const folder = join(home, 'dashboard/audit');
  return readdirSync(folder).filter((name) => name.endsWith('.jsonl')).flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line)));
}

test('a backup is written, checked and restored, and the log tells of it', async () => {
  const { home, loki } = await place();
  const backup = await loki('store', 'backup', 'b.jsonl', '--json');
  assert.equal(backup.exit, 0, backup.stderr);
  const report: { readonly sha256: string; readonly revision: number } = JSON.parse(backup.stdout);
  assert.equal(report.revision, 1);
  assert.match((await loki('store', 'check', 'b.jsonl')).stdout, /^ok: 2 objects of 1 tenants at revision 1, .*\n {2}keys +1\n {2}runs +1\n$/);
  const again = await loki('store', 'backup', 'b.jsonl');
  assert.deepEqual([again.exit, again.stdout], [1, '']);
  const dry = await loki('store', 'restore', 'b.jsonl', '--dry-run');
  assert.deepEqual([dry.exit, dry.stderr], [0, '']);
  assert.match(dry.stdout, /b\.jsonl: 2 objects at revision 1\.\nThe store that is there \(revision 1\) is kept as .*replaced-.*\.\*\.\n$/);
  const unasked = await loki('store', 'restore', 'b.jsonl');
  assert.equal(unasked.exit, 2, 'nobody can be asked');
  const restored = await loki('store', 'restore', 'b.jsonl', '--yes', '--json');
  assert.equal(restored.exit, 0, restored.stderr);
  assert.equal(JSON.parse(restored.stdout).revision, 2);
  const entries = eventsIn(home);
  assert.equal(entries.find(({ event }) => event === 'data.access')?.details['sha256'], report.sha256);
  const change = entries.find(({ event }) => event === 'config.change')?.details;
  assert.deepEqual([change?.['change'], change?.['objects'], change?.['revision']], ['store.restore', 2, 2]);
});

test('a check ends with 6 for damage and 7 for what is missing', async () => {
  const { home, loki } = await place();
  const journal = join(home, 'dashboard/store/journal-1.jsonl');
  const whole = readFileSync(journal, 'utf8');
  writeFileSync(journal, whole.replace('failed', 'passed'));
  const damaged = await loki('store', 'check', '--json');
  assert.deepEqual([damaged.exit, JSON.parse(damaged.stdout).verdict], [6, 'damaged']);
  rmSync(journal);
  writeFileSync(join(home, 'dashboard/store/journal-2.jsonl'), '');
  const incomplete = await loki('store', 'check');
  assert.deepEqual([incomplete.exit, incomplete.stdout.slice(0, 10)], [7, 'INCOMPLETE']);
  assert.match(incomplete.stderr, /snapshot-2\.jsonl, byte 0: it is missing/);
});

test('a restore refuses while another process uses the store; one that died is none', async () => {
  const { home, loki } = await place();
  assert.equal((await loki('store', 'backup', 'b.jsonl')).exit, 0);
  const { disk, facts } = createHost(() => home);
  const users = join(home, 'run/store-users');
  disk.ensureDirectory(home, users, 0o700);
  const parent = process.ppid;
  writeFileSync(join(users, `${parent}-0a0b0c0d`), facts.startOf(parent) ?? '', { mode: 0o600 });
  writeFileSync(join(users, '1999999999-0a0b0c0d'), 'long gone', { mode: 0o600 });
  const refused = await loki('store', 'restore', 'b.jsonl', '--yes');
  assert.equal(refused.exit, 1);
  assert.match(refused.stderr, new RegExp(`Cannot restore the store: process ${parent} has it open`));
  writeFileSync(join(users, `${parent}-0a0b0c0d`), 'another one that had this number', { mode: 0o600 });
  assert.equal((await loki('store', 'restore', 'b.jsonl', '--yes')).exit, 0);
});
