/** Many processes append, each turning the page when its time has come, while one compresses and one prunes behind them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openLogFile, readableFiles } from '../../lib/audit/log-file.ts';
import { newestStatement, noteOpener } from '../../lib/audit/keeping/statement.ts';
import { readKnownKeys } from '../../lib/audit/tlog/key.ts';
import { endOf, startChild, type ChildEnd } from '../support/child.ts';
import { makeGround, type Ground } from '../support/ground.ts';
import { isLong, times } from '../support/long.ts';

const writers = times(8, 4);
const entries = times(3000, 160);
const fileBytes = times(200_000, 16_000);

interface Round { readonly sealed: number; readonly compressed: number; readonly pruned: number; readonly problems: readonly { readonly file: string; readonly found: string }[] }

const roundsOf = ({ stdout }: ChildEnd): readonly Round[] => stdout.split('\n').filter(Boolean).map((line): Round => JSON.parse(line));

/** Verdicts on the log while all that goes on. */
async function lookOn(ground: Ground, work: readonly Promise<unknown>[]): Promise<readonly string[]> {
  let isDone = false;
  void Promise.all(work).then(() => { isDone = true; });
  const verdicts: string[] = [];
  // In the short suite two looks are enough.
  while (!isDone && (isLong || verdicts.length < 2)) {
    const { stdout, stderr } = await ground.loki(['audit', 'verify', '--json']);
    const { verdict, chains }: { readonly verdict: string; readonly chains: unknown } = stdout === '' ? { verdict: stderr, chains: [] } : JSON.parse(stdout);
    verdicts.push(verdict === 'ok' ? verdict : `${verdict}: ${JSON.stringify(chains)}`);
  }
  return verdicts;
}

test('many processes append while one compresses and one prunes: every entry is there, or was pruned by a statement', async (t) => {
  const ground = makeGround(t);
  ground.installation().host.disk.ensureDirectory(ground.root, ground.home, 0o700);
  const appending = Array.from({ length: writers }, () => endOf(startChild('test/support/append-worker', [ground.home, String(entries), '4', String(fileBytes)])));
  const keepers = ['compress', 'prune'].map((what) => startChild('test/support/keep-worker', [ground.home, what]));
  const kept = keepers.map((child) => {
    const parts = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { parts.stdout += text; });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { parts.stderr += text; });
    return new Promise<ChildEnd>((resolve) => { child.once('close', (exit, signal) => resolve({ exit, signal, ...parts })); });
  });
  const looking = lookOn(ground, appending);
  const appended = await Promise.all(appending);
  for (const child of keepers) child.stdin?.end();
  const keepings = await Promise.all(kept);
  assert.deepEqual((await looking).filter((verdict) => verdict !== 'ok'), [], 'a log that is at work is whole');
  for (const { exit, stderr } of [...appended, ...keepings]) assert.deepEqual([exit, stderr], [0, '']);

  const rounds = keepings.flatMap(roundsOf);
  assert.deepEqual(rounds.flatMap(({ problems }) => problems), []);
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  assert.ok(sum(({ compressed }) => compressed) > 0, 'nothing was compressed');
  assert.ok(sum(({ pruned }) => pruned) > 0, 'nothing was pruned');

  const { host: { disk }, home } = ground.installation();
  const statement = newestStatement(disk, home.home, home.tlog, noteOpener(readKnownKeys({ disk, base: home.home, directory: home.keys })));
  const there = new Map(readableFiles(disk, home.audit).flatMap(({ name }) => {
    const file = openLogFile(disk, home.audit, name);
    const lines = Buffer.from(file?.read(0, file.stat().size) ?? []).toString('utf8').split('\n').filter(Boolean);
    file?.close();
    return lines.map((line): { seq: number; chain_hash: string } => JSON.parse(line));
  }).map(({ seq, chain_hash: hash }) => [seq, hash]));
  const acknowledged = appended.flatMap(({ stdout }) => stdout.split('\n').filter(Boolean)).map((line) => line.split(' '));
  assert.equal(acknowledged.length, writers * entries);
  for (const [seq = '', hash] of acknowledged) {
    if (Number(seq) > (statement?.last_seq ?? 0)) assert.equal(there.get(Number(seq)), hash, `acknowledged entry ${seq} is not in the log`);
  }
  assert.deepEqual(readdirSync(join(ground.home, 'dashboard/audit')).filter((name) => name.startsWith('.tmp')), []);
  const { exit, stdout } = await ground.loki(['audit', 'verify', '--json']);
  const verified: { verdict: string; chains: unknown } = JSON.parse(stdout);
  assert.deepEqual([exit, verified.verdict], [0, 'ok'], JSON.stringify(verified.chains));
});
