import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { Disk } from '../../lib/ports.ts';
import { openAgentChain, type AgentChain, type AgentChainOptions, type AgentEntry } from '../../lib/audit/agent-chain.ts';
import { verifyChain, type ChainReport } from '../../lib/audit/verify.ts';
import { createHost } from '../../lib/host/host.ts';
import type { TornTail } from '../../lib/journal/segment.ts';
import { endOf, startChild } from '../support/child.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut, type FaultFiles } from '../support/fault-files.ts';

const logs = '/project/.loki/logs';
const path = `${logs}/agent-audit.jsonl`;

function freshFiles(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory('/project', 0o700);
  files.syncDirectory('/');
  return files;
}

function chainOn(disk: Disk, torn: TornTail[] = [], changes: Partial<AgentChainOptions> = {}): AgentChain {
  return openAgentChain({
    disk, clock: createTestClock(), timers: realTimers, lock: createTestLock(), base: '/project', path, tornDirectory: `${logs}/torn`,
    lockTimeoutMs: 1000, onTorn: (tail) => torn.push(tail), ...changes,
  });
}

function entry(n: number): AgentEntry {
  return { action: 'file_write', agent: 'claude', branch: 'main', details: { n } };
}

function linesOn(disk: Disk): readonly string[] {
  return Buffer.from(disk.read(path, 1e8) ?? []).toString('utf8').split('\n').filter(Boolean);
}

function verifyOn(disk: Disk, directory = logs): Promise<ChainReport> {
  return verifyChain({ chain: 'agent', directory, names: ['agent-audit.jsonl'] }, { disk, timers: realTimers });
}

test('an entry has the members of the seed, in their order, and chains from 64 zeros', async () => {
  const disk = faultDisk(freshFiles());
  const chain = chainOn(disk);
  assert.equal(await chain.append(entry(1)), 1);
  assert.equal(await chain.append({ ...entry(2), branch: null }), 2);
  const [first = ''] = linesOn(disk);
  assert.match(first, /^\{"seq":1,"timestamp":"2026-02-15T14:30:00\.000Z","action":"file_write","agent":"claude","branch":"main","details":\{"n":1\},"chain_hash":"[0-9a-f]{64}"\}$/);
  assert.deepEqual(await verifyOn(disk).then(({ verdict, entries_checked }) => [verdict, entries_checked]), ['ok', 2]);
  await chain.close();
});

test('two writers go on with each other\'s chain, and a third takes it up cold', async () => {
  const disk = faultDisk(freshFiles());
  const lock = createTestLock();
  const [one, two] = [chainOn(disk, [], { lock }), chainOn(disk, [], { lock })];
  const seqs = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 3 === 0 ? one : two).append(entry(n))));
  assert.deepEqual(seqs.toSorted((a, b) => a - b), Array.from({ length: 40 }, (_, n) => n + 1));
  assert.equal(await chainOn(disk).append(entry(41)), 41);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('details that do not fit a line are replaced by their size', async () => {
  const disk = faultDisk(freshFiles());
  const chain = chainOn(disk);
  const text = 'ü'.repeat(40_000);
  await chain.append({ ...entry(1), details: { text } });
  await chain.append({ ...entry(2), details: { text: 'x'.repeat(60_000) } });
  await chain.append({ ...entry(3), details: { text: '\u0000'.repeat(11_000) } });
  const details = linesOn(disk).map((line) => JSON.stringify(JSON.parse(line).details));
  assert.equal(details[0], `{"omitted_bytes":${80_000 + '{"text":""}'.length}}`);
  assert.equal(details[1]?.length, 60_011);
  assert.equal(details[2], `{"omitted_bytes":${66_000 + 11}}`, 'what counts is what is written');
  assert.ok(linesOn(disk).every((line) => Buffer.byteLength(line) < 65_536));
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('an agent\'s name or a branch of any length makes no line that is too long', async () => {
  const disk = faultDisk(freshFiles());
  const chain = chainOn(disk);
  await chain.append({ action: 'cli_invoke', agent: 'a'.repeat(200_000), branch: 'b'.repeat(200_000), details: { text: 'x'.repeat(60_000) } });
  assert.equal(await chain.append(entry(2)), 2);
  assert.ok(linesOn(disk).every((line) => Buffer.byteLength(line) < 65_536), linesOn(disk).map((line) => line.length).join(' '));
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a clock that goes back does not take the times back', async () => {
  const disk = faultDisk(freshFiles());
  const clock = createTestClock();
  const chain = chainOn(disk, [], { clock });
  await chain.append(entry(1));
  clock.advance(-3600_000);
  await chain.append(entry(2));
  assert.deepEqual(linesOn(disk).map((line) => JSON.parse(line).timestamp), ['2026-02-15T14:30:00.000Z', '2026-02-15T14:30:00.000Z']);
});

describe('what a crash leaves', () => {
  test('a torn tail is kept aside whole, told, and the chain goes on', async () => {
    const files = freshFiles();
    const disk = faultDisk(files);
    await chainOn(disk).append(entry(1));
    const whole = disk.read(path, 1e6) ?? new Uint8Array();
    disk.replace('/project', path, Buffer.concat([whole, Buffer.from('{"seq":2,"timest')]), 0o600);
    const torn: TornTail[] = [];
    assert.equal(await chainOn(disk, torn).append(entry(2)), 2);
    assert.deepEqual(torn.map(({ file, offset, length }) => [file, offset, length]), [['agent-audit.jsonl', whole.length, 16]]);
    assert.equal(Buffer.from(disk.read(torn[0]?.keptAs ?? '', 100) ?? []).toString(), '{"seq":2,"timest');
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('at every step, with everything a power cut may leave: what was acknowledged is there, and the chain holds', async () => {
    let cuts = 0;
    for (let step = freshFiles().steps() + 1; ; step += 1) {
      const files = freshFiles();
      files.cutAt(step);
      const chain = chainOn(faultDisk(files));
      const acknowledged: number[] = [];
      let cut = false;
      for (const n of [1, 2, 3]) {
        try {
          acknowledged.push(await chain.append(entry(n)));
        } catch (error) {
          assert.ok(error instanceof PowerCut || error instanceof LokiError, String(error));
          cut = true;
          break;
        }
      }
      if (!cut) break;
      cuts += 1;
      for (const leftover of leftovers) {
        const disk = faultDisk(files.restart(leftover));
        const seq = await chainOn(disk).append(entry(9));
        const seen = linesOn(disk).map((line) => JSON.parse(line).seq);
        for (const known of acknowledged) assert.ok(seen.includes(known), `cut at step ${step}, ${leftover}: ${known} is gone\n${files.log().join('\n')}`);
        assert.equal(seen.at(-1), seq);
        assert.equal((await verifyOn(disk)).verdict, 'ok', `cut at step ${step}, ${leftover}`);
      }
    }
    assert.ok(cuts >= 6, `${cuts} places were cut`);
  });
});

describe('what an agent does to its file', () => {
  test('removed or replaced, the chain goes on after the newest entry that was seen, and verification tells', async () => {
    const disk = faultDisk(freshFiles());
    const chain = chainOn(disk);
    await chain.append(entry(1));
    await chain.append(entry(2));
    disk.replace('/project', path, Buffer.from(`${linesOn(disk)[1]}\n`), 0o600);
    assert.equal(await chain.append(entry(3)), 3);
    assert.equal((await verifyOn(disk)).verdict, 'incomplete', 'a missing oldest stretch');
    disk.remove(path);
    assert.equal(await chain.append(entry(4)), 4, 'no number is given twice');
    assert.equal(await chainOn(disk).append(entry(5)), 5);
  });

  test('a line of another program in between is told by verification, and the chain goes on from what is sealed', async () => {
    const disk = faultDisk(freshFiles());
    const chain = chainOn(disk);
    await chain.append(entry(1));
    disk.replace('/project', path, Buffer.from(`${linesOn(disk)[0]}\nan agent was here\n`), 0o600);
    assert.equal(await chain.append(entry(2)), 2);
    const report = await verifyOn(disk);
    assert.deepEqual(report.breaks.map(({ line, cause }) => [line, cause]), [[2, 'not an entry']]);
  });

  test('a file without any line feed is refused, with what to do', async () => {
    const disk = faultDisk(freshFiles());
    disk.ensureDirectory('/project', logs, 0o700);
    disk.replace('/project', path, Buffer.alloc(1_000_000, 0x78), 0o600);
    await assert.rejects(chainOn(disk).append(entry(1)), { code: 'io.failed', message: /its last \d+ bytes hold no line feed/, hint: /move it away/ });
  });

  test('a disk that is full loses nothing and takes back what was half-written', async () => {
    const files = freshFiles();
    let room = Number.POSITIVE_INFINITY;
    const disk = faultDisk({
      ...files,
      write(handle, bytes) {
        if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        const taken = files.write(handle, bytes.subarray(0, room));
        room -= taken;
        return taken;
      },
    });
    const chain = chainOn(disk);
    await chain.append(entry(1));
    room = 40;
    await assert.rejects(chain.append(entry(2)), { code: 'io.failed', hint: 'The disk is full; free some space' });
    assert.equal(linesOn(disk).length, 1, 'no half line stays');
    room = Number.POSITIVE_INFINITY;
    assert.equal(await chain.append(entry(2)), 2);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });
});

test('processes that are killed while they write leave one chain with every acknowledged entry', { timeout: 30_000 }, async (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki agents ')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [project, home] = [join(root, 'project'), join(root, 'home')];
  mkdirSync(project);
  mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 });
  const children = Array.from({ length: 4 }, () => startChild('test/support/agent-worker', [project, home, '300'], { timeout: 25_000, killSignal: 'SIGKILL' }));
  const ends = children.map((child) => endOf(child));
  // Listening from the start: whoever is fast may have written all before the one ahead of it is killed.
  const killed = children.slice(0, 2).map((child) => new Promise<void>((resolve) => { child.stdout?.once('data', () => { child.kill('SIGKILL'); resolve(); }); }));
  await Promise.all(killed);
  const results = await Promise.all(ends);
  assert.deepEqual(results.slice(2).map(({ exit, stderr }) => [exit, stderr]), [[0, ''], [0, '']]);
  const { disk } = createHost(() => home);
  const report = await verifyOn(disk, join(project, '.loki/logs'));
  assert.equal(report.verdict, 'ok', JSON.stringify(report.breaks));
  const written = new Map(readFileSync(join(project, '.loki/logs/agent-audit.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => {
    const { seq, details } = JSON.parse(line);
    return [seq, `${details.pid}/${details.own}`];
  }));
  for (const line of results.flatMap(({ stdout }) => stdout.split('\n').slice(0, -1))) {
    const [seq, own] = line.split(' ');
    assert.equal(written.get(Number(seq)), own, `acknowledged entry ${line}`);
  }
});
