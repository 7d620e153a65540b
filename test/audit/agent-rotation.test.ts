/** An agent chain's files: put aside at the end of a day or when full, and the chain runs on from one to the other. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openAgentChain, type AgentChain, type AgentChainOptions, type AgentEntry, type LostEntries } from '../../lib/audit/agent-chain.ts';
import { agentChainFiles, nextAgentFile } from '../../lib/audit/agent-files.ts';
import { createLineHasher } from '../../lib/audit/chain.ts';
import { openProjectChain } from '../../lib/app/audit/record.ts';
import { prepareHome } from '../../lib/app/installation.ts';
import { LokiError } from '../../lib/errors.ts';
import type { TornTail } from '../../lib/journal/segment.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, PowerCut, type FaultFiles } from '../support/fault-files.ts';
import { afterEachCut } from '../support/power-cuts.ts';
import { makeGround } from '../support/ground.ts';

const logs = '/project/.loki/logs';
const path = `${logs}/agent-audit.jsonl`;
const day = 24 * 3600_000;
const start = Date.UTC(2026, 1, 15, 23, 59);

function freshFiles(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory('/project', 0o700);
  files.syncDirectory('/');
  return files;
}

function chainOn(disk: Disk, changes: Partial<AgentChainOptions> = {}): AgentChain {
  return openAgentChain({
    disk, clock: createTestClock(start), timers: realTimers, lock: createTestLock(), base: '/project', path, tornDirectory: `${logs}/torn`,
    lockTimeoutMs: 1000, onTorn: () => undefined, ...changes,
  });
}

const entry = (n: number): AgentEntry => ({ action: 'file_write', agent: 'claude', branch: 'main', details: { n } });

function linesOn(disk: Disk): readonly string[] {
  return agentChainFiles(disk.list(logs)).flatMap(({ name }) => {
    const file = name.endsWith('.gz') ? disk.openGzip(`${logs}/${name}`) : disk.openRead(`${logs}/${name}`);
    return Buffer.from(file?.read(0, file.stat().size) ?? []).toString('utf8').split('\n').filter(Boolean);
  });
}

/** One chain over all files: every number once, and every hash what it claims. */
function assertChain(disk: Disk, numbers: readonly number[], where = ''): void {
  const lines = linesOn(disk);
  assert.deepEqual(lines.map((line) => JSON.parse(line).details.n), numbers, where);
  const hasher = createLineHasher();
  let previous = '0'.repeat(64);
  for (const [at, line] of lines.entries()) {
    const { seq, chain_hash: hash } = JSON.parse(line);
    assert.equal(seq, at + 1, where);
    assert.equal(hasher.hash(previous, Buffer.from(line), 0, Buffer.byteLength(line)), hash, `${where} line ${seq}`);
    previous = hash;
  }
}

describe('a file whose day is over', () => {
  test('is put aside under the day of its entries, further ones of a day are numbered, and the chain runs on', async () => {
    const disk = faultDisk(freshFiles());
    const clock = createTestClock(start);
    const chain = chainOn(disk, { clock, maxFileBytes: 500 });
    for (let n = 1; n <= 6; n += 1) await chain.append(entry(n));
    clock.advance(day);
    await chain.append(entry(7));
    clock.advance(day);
    assert.equal(await chainOn(disk, { clock }).append(entry(8)), 8);
    assert.equal(await chain.append(entry(9)), 9, 'who had the file open follows');
    assert.deepEqual(agentChainFiles(disk.list(logs)).map(({ name }) => name), [
      'agent-audit-2026-02-15.jsonl', 'agent-audit-2026-02-15.1.jsonl', 'agent-audit-2026-02-16.jsonl', 'agent-audit.jsonl',
    ]);
    assertChain(disk, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('stays where it is while the clock goes back and forth over midnight', async () => {
    const disk = faultDisk(freshFiles());
    const clock = createTestClock(start);
    const chain = chainOn(disk, { clock });
    for (let n = 1; n <= 10; n += 1) { await chain.append(entry(n)); clock.advance(n % 2 === 0 ? 120_000 : -100_000); }
    assert.equal(agentChainFiles(disk.list(logs)).length, 2);
    assertChain(disk, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('is taken up where it is compressed, beside a plain one, and when it cannot be read', async () => {
    const disk = faultDisk(freshFiles());
    const clock = createTestClock(start);
    for (const n of [1, 2]) await chainOn(disk, { clock }).append(entry(n));
    const aside = `${logs}/agent-audit-2026-02-15.jsonl`;
    disk.move(path, aside);
    const bytes = disk.read(aside, 1e6) ?? new Uint8Array();
    disk.replace('/project', `${aside}.gz`, gzipSync(bytes), 0o600);
    assert.equal(await chainOn(disk, { clock }).append(entry(3)), 3, 'both stand there');
    disk.remove(aside);
    disk.remove(path);
    assert.equal(await chainOn(disk, { clock }).append(entry(3)), 3, 'only the compressed one');
    assertChain(disk, [1, 2, 3]);
    disk.remove(path);
    disk.replace('/project', `${aside}.gz`, Buffer.from('no gzip'), 0o600);
    assert.equal(await chainOn(disk, { clock }).append(entry(4)), 1, 'there is nothing to go by, and it is recorded all the same');
  });
});

test('names: the file that is written comes last, parts in numeric order, each file once', () => {
  const names = ['agent-audit.jsonl', 'agent-audit-2026-02-15.10.jsonl', 'agent-audit-2026-02-15.9.jsonl.gz', 'agent-audit-2026-02-15.jsonl', 'agent-audit-2026-02-15.jsonl.gz', 'agent-audit-2026-02-14.jsonl.gz', 'agent-audit-2026-02-14.0.jsonl', 'other.jsonl', 'agent-audit.jsonl.gz', 'torn'];
  assert.deepEqual(agentChainFiles(names).map(({ name }) => name), [
    'agent-audit-2026-02-14.jsonl.gz', 'agent-audit-2026-02-15.jsonl', 'agent-audit-2026-02-15.9.jsonl.gz', 'agent-audit-2026-02-15.10.jsonl', 'agent-audit.jsonl',
  ]);
  assert.equal(nextAgentFile(names, '2026-02-15'), 'agent-audit-2026-02-15.11.jsonl');
  assert.equal(nextAgentFile(names, '2026-02-14'), 'agent-audit-2026-02-14.1.jsonl');
  assert.equal(nextAgentFile([], '2026-02-14'), 'agent-audit-2026-02-14.jsonl');
});

describe('entries that are gone', () => {
  const hash = 'a'.repeat(64);
  for (const [what, spoil] of [
    ['missing', (disk: Disk) => disk.remove(path)],
    ['shorter', (disk: Disk) => disk.replace('/project', path, Buffer.from(`${linesOn(disk)[0]}\n`), 0o600)],
  ] as const) {
    test(`${what}: a fresh process goes on after what the checkpoints cover, and says so`, async () => {
      const disk = faultDisk(freshFiles());
      for (const n of [1, 2, 3]) await chainOn(disk).append(entry(n));
      const { chain_hash: last } = JSON.parse(linesOn(disk)[2] ?? '{}');
      spoil(disk);
      const lost: LostEntries[] = [];
      const chain = chainOn(disk, { resume: () => ({ seq: 3, hash: last, time: start }), onLost: (each) => lost.push(each) });
      assert.equal(await chain.append(entry(4)), 4);
      assert.equal(await chain.append(entry(5)), 5);
      assert.deepEqual(lost, [{ file: 'agent-audit.jsonl', found: what, lastSeq: 3 }]);
    });
  }

  test('a state that is behind, or cannot be read, changes nothing', async () => {
    const disk = faultDisk(freshFiles());
    await chainOn(disk).append(entry(1));
    for (const resume of [() => ({ seq: 1, hash, time: 0 }), () => 'unreadable' as const, () => undefined]) {
      await chainOn(disk, { resume, onLost: () => assert.fail('nothing is lost') }).append(entry(2));
    }
    assertChain(disk, [1, 2, 2, 2]);
  });
});

/** Three days of work, a file that fills up. Gives the numbers that were acknowledged; what was refused is tried no more. */
async function story(files: FaultFiles, done: number[], torn: TornTail[] = []): Promise<void> {
  const disk = faultDisk(files);
  const clock = createTestClock(start);
  const chain = chainOn(disk, { clock, maxFileBytes: 450, onTorn: (tail) => torn.push(tail) });
  for (let n = 1; n <= 7; n += 1) {
    try {
      await chain.append(entry(n));
      done.push(n);
    } catch (error) {
      for (let at = error; at instanceof Error; at = at.cause) if (at instanceof PowerCut) throw at;
      assert.ok(error instanceof LokiError || (error instanceof Error && 'code' in error), String(error));
    }
    if (n % 3 === 0) clock.advance(day);
  }
}

test('any one call that fails: what was acknowledged is there, what was refused is not, and the chain goes on', async () => {
  const whole = freshFiles();
  await story(whole, []);
  for (const code of ['EIO', 'ENOSPC']) {
    for (let step = 3; step <= whole.steps(); step += 1) {
      const files = freshFiles();
      files.failAt(step, code);
      const done: number[] = [];
      await story(files, done);
      const disk = faultDisk(files);
      await chainOn(disk, { clock: createTestClock(start + 3 * day) }).append(entry(99));
      assertChain(disk, [...done, 99], `${code} at step ${step} (${files.log()[step - 1]})`);
      assert.ok(done.length >= 6);
    }
  }
});

test('power cut at every step: what was acknowledged is there, and the chain goes on', () => afterEachCut(story, async (files, done, where) => {
  const disk = faultDisk(files);
  await chainOn(disk, { clock: createTestClock(start + 3 * day) }).append(entry(99));
  const numbers = linesOn(disk).map((line) => JSON.parse(line).details.n);
  assertChain(disk, numbers, where);
  for (const n of [...done, 99]) assert.ok(numbers.includes(n), `${where}: ${n} is gone`);
}, { fresh: freshFiles, firstStep: 3 }));

test('loki audit log and count read all the chain\'s files, compressed ones too', { timeout: 60_000 }, async (t) => {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  const installation = ground.installation();
  assert.ok(installation.project !== undefined);
  prepareHome(installation);
  const folder = join(ground.project, '.loki/logs');
  const append = async (n: number): Promise<void> => {
    assert.ok(installation.project !== undefined);
    const chain = openProjectChain(installation, installation.project, () => Promise.resolve({ seq: null, chain_hash: null }));
    await chain.append(entry(n));
    await chain.close();
  };
  for (const [n, aside] of [[1, 'agent-audit-2020-01-01.jsonl'], [2, 'agent-audit-2020-01-02.jsonl'], [3, undefined]] as const) {
    await append(n);
    if (aside !== undefined) renameSync(join(folder, 'agent-audit.jsonl'), join(folder, aside));
  }
  writeFileSync(join(folder, 'agent-audit-2020-01-01.jsonl.gz'), gzipSync(readFileSync(join(folder, 'agent-audit-2020-01-01.jsonl'))), { mode: 0o600 });
  renameSync(join(folder, 'agent-audit-2020-01-01.jsonl'), join(folder, 'moved-away'));
  const log = await ground.loki(['audit', 'log', '--json']);
  assert.deepEqual(log.stdout.split('\n').filter(Boolean).map((line) => [JSON.parse(line).seq, JSON.parse(line).details.n]), [[1, 1], [2, 2], [3, 3]]);
  const count = await ground.loki(['audit', 'count', '--json']);
  assert.deepEqual(JSON.parse(count.stdout), { total: 3, by_action: { file_write: 3 } });
});
