/** A log that lost whole files before any checkpoint covered them: checkpoints go on once somebody has accepted that, and nobody forgets it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openRecord } from '../../../lib/app/audit/record.ts';
import type { OpenLog } from '../../../lib/app/audit/record.ts';
import { isPlainObject, type JsonObject } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const folder = (ground: Ground): string => join(ground.home, 'dashboard/audit');
const part = (name: string): number => Number(/\.(\d+)\.jsonl/.exec(name)?.[1] ?? 0);
const files = (ground: Ground): readonly string[] => readdirSync(folder(ground)).sort((a, b) => part(a) - part(b));
const open = (ground: Ground): OpenLog => openRecord(ground.installation({ LOKI_AUDIT_MAX_SIZE_MB: '1' }), { signs: true });

async function append(log: OpenLog, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:a', details: { n, text: 'x'.repeat(60_000) } });
}

/** Verdict and causes of the log of record. */
async function verdict(ground: Ground): Promise<readonly unknown[]> {
  const report: { readonly chains: readonly { readonly verdict: string; readonly checkpoint: { readonly verified: boolean } | null; readonly breaks: readonly { readonly cause: string }[] }[] } = JSON.parse((await ground.loki(['audit', 'verify', '--json', '--full'])).stdout);
  const [record] = report.chains;
  return [record?.verdict, ...(record?.breaks ?? []).map(({ cause }) => cause)];
}

const detailsOf = (ground: Ground, event: string): readonly JsonObject[] => ground.entries()
  .filter((entry) => entry['event'] === event).map(({ details }) => (isPlainObject(details) ? details : {}));

/** Refused as it is; accepted; and then checkpoints go on by themselves, and prove what is there. */
async function acceptsAndGoesOn(ground: Ground, code: 6 | 7, lost: JsonObject): Promise<void> {
  const refused = await ground.loki(['audit', 'checkpoint']);
  assert.equal(refused.exit, code, refused.stderr);
  assert.match(refused.stderr, /hint: .*loki audit checkpoint --accept-loss/);
  const accepted = await ground.loki(['audit', 'checkpoint', '--accept-loss', '--json']);
  assert.equal(accepted.exit, 0, accepted.stderr);
  const { size, lost: told }: { readonly size: number; readonly lost: unknown } = JSON.parse(accepted.stdout);
  assert.deepEqual(told, [lost]);
  const [recovery] = detailsOf(ground, 'audit.recovery');
  assert.deepEqual([recovery?.['reason'], recovery?.['chain'], recovery?.['lost']], ['accept loss', 'record', [lost]]);
  assert.deepEqual(detailsOf(ground, 'audit.checkpoint').findLast((details) => details['lost'] !== undefined)?.['lost'], [lost]);
  const log = open(ground);
  await append(log, 2);
  await log.close();
  const again = await ground.loki(['audit', 'checkpoint', '--json']);
  assert.equal(again.exit, 0, again.stderr);
  assert.ok(JSON.parse(again.stdout).size > size);
  const proof = join(ground.root, 'p');
  assert.equal((await ground.loki(['audit', 'prove', String(size), '--output', proof])).exit, 0);
  assert.equal((await ground.loki(['audit', 'verify-proof', proof, '--vkey', join(ground.home, 'keys/checkpoint.vkey')])).exit, 0);
  const gone = await ground.loki(['audit', 'prove', String(lost['last_seq'])]);
  assert.deepEqual([gone.exit === 0, /lost before any checkpoint/.test(gone.stderr)], [false, true]);
}

test('today\'s file deleted with entries that no checkpoint covered', async (t) => {
  const ground = makeGround(t);
  const log = open(ground);
  await append(log, 20);
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  await append(log, 3);
  const last = ground.entries().length;
  const name = files(ground).at(-1) ?? '';
  const sealed = Number(readFileSync(join(ground.home, 'dashboard/tlog/checkpoint'), 'utf8').split('\n')[1]);
  rmSync(join(folder(ground), name));
  await append(log, 2);
  await log.close();
  await acceptsAndGoesOn(ground, 6, { first_seq: sealed + 1, last_seq: last });
  const [found, ...causes] = await verdict(ground);
  // A part of that file was covered: that nobody can accept.
  assert.equal(found, 'tampered');
  assert.ok(causes.every((cause) => cause === 'missing file' || cause === 'deleted'), causes.join());
});

test('the oldest files deleted before the first checkpoint', async (t) => {
  const ground = makeGround(t);
  const log = open(ground);
  await append(log, 20);
  const [first = '', second = ''] = files(ground);
  const begins = Number(/"seq":(\d+)/.exec(readFileSync(join(folder(ground), second), 'utf8'))?.[1]);
  rmSync(join(folder(ground), first));
  await log.close();
  await acceptsAndGoesOn(ground, 7, { first_seq: 1, last_seq: begins - 1 });
  assert.deepEqual(await verdict(ground), ['incomplete', 'oldest entries missing']);
  // The tree's hashes can be made anew, the lost ones among them.
  rmSync(join(ground.home, 'dashboard/tlog/tile-0'));
  const log2 = open(ground);
  await append(log2, 1);
  await log2.close();
  const anew = await ground.loki(['audit', 'checkpoint']);
  assert.equal(anew.exit, 0, anew.stderr);
});

test('a file that no checkpoint covered is missing, and no more than that, once it was accepted', async (t) => {
  const ground = makeGround(t);
  const log = open(ground);
  await append(log, 54);
  await log.close();
  const [, gone = '', after = ''] = files(ground);
  const seqAt = (name: string): number => Number(/"seq":(\d+)/.exec(readFileSync(join(folder(ground), name), 'utf8'))?.[1]);
  const lost = [seqAt(gone), seqAt(after) - 1];
  rmSync(join(folder(ground), gone));
  assert.equal((await verdict(ground))[0], 'tampered');
  assert.equal((await ground.loki(['audit', 'checkpoint', '--accept-loss'])).exit, 0);
  assert.deepEqual(await verdict(ground), ['incomplete', 'accepted loss']);
  assert.match((await ground.loki(['audit', 'verify'])).stdout, new RegExp(`entries ${lost.join(' to ')} are missing; accepted by user:`));
  // What was covered by then is no part of it.
  rmSync(join(folder(ground), after));
  assert.equal((await verdict(ground))[0], 'tampered');
});

test('entries taken out of a file are no loss that can be accepted', async (t) => {
  const ground = makeGround(t);
  const log = open(ground);
  await append(log, 4);
  await log.close();
  const path = join(folder(ground), files(ground)[0] ?? '');
  writeFileSync(path, readFileSync(path, 'utf8').split('\n').toSpliced(2, 1).join('\n'));
  const refused = await ground.loki(['audit', 'checkpoint', '--accept-loss']);
  assert.equal(refused.exit, 6, refused.stderr);
  assert.deepEqual((await verdict(ground))[0], 'tampered');
});
