import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Disk } from '../../lib/ports.ts';
import { queryLog, searchLog, type AuditFilter } from '../../lib/audit/query.ts';
import { createTestClock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { directory, home, logOn } from './support.ts';

function emptyDisk(): Disk {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const disk = faultDisk(files);
  disk.ensureDirectory(home, directory, 0o700);
  return disk;
}

function line(seq: number, members: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ seq, timestamp: `2026-02-15T14:30:0${seq % 10}.000Z`, event: 'policy.allow', level: 'info', actor: 'agent:claude', details: {}, metadata: {}, ...members, chain_hash: 'a'.repeat(64) })}\n`;
}

function put(disk: Disk, name: string, text: string | Uint8Array): void {
  disk.replace(home, `${directory}/${name}`, Buffer.from(text), 0o600);
}

function found(disk: Disk, filter: AuditFilter = {}): readonly number[] {
  return [...queryLog(disk, directory, filter)].map(({ seq }) => seq);
}

const day = 'audit-2026-02-15.jsonl';

test('what the log wrote is found, the newest first, across days and parts of a day', async () => {
  const disk = emptyDisk();
  const clock = createTestClock();
  const log = logOn(disk, { clock, maxFileBytes: 600 });
  for (let n = 0; n < 24; n += 1) {
    if (n % 8 === 0) clock.advance(24 * 3600 * 1000);
    await log.append({ event: 'policy.allow', actor: 'agent:claude', details: { n } });
  }
  await log.close();
  assert.ok(disk.list(directory).includes('audit-2026-02-16.2.jsonl'), disk.list(directory).join(' '));
  const entries = [...queryLog(disk, directory, {})];
  assert.deepEqual(entries.map(({ seq }) => seq), entries.map((_, at) => entries.length - at));
  const told = [...queryLog(disk, directory, { event: 'policy.allow' })].map((entry) => JSON.stringify(entry['details']));
  assert.deepEqual(told, Array.from({ length: 24 }, (_, n) => `{"n":${23 - n}}`));
});

test('parts of a day come in the order of their numbers', () => {
  const disk = emptyDisk();
  for (const [name, seq] of [[day, 1], ['audit-2026-02-15.2.jsonl', 3], ['audit-2026-02-15.10.jsonl', 4], ['audit-2026-02-15.1.jsonl', 2], ['audit-2026-02-16.jsonl', 5]] as const) put(disk, name, line(seq));
  assert.deepEqual(found(disk), [5, 4, 3, 2, 1]);
});

describe('each filter narrows', () => {
  const disk = emptyDisk();
  put(disk, 'audit-2026-02-14.jsonl', line(1, { timestamp: '2026-02-14T23:59:59.999Z' }));
  put(disk, day, [
    line(2, { event: 'policy.deny', level: 'warning', actor: 'user:alice' }),
    line(3, { actor: 'token:alice', resource: 'session:ses_1' }),
    line(4, { actor: 'alice', details: { note: 'line\nbreak "quoted" ünï' } }),
    line(5, { event: 'policy.deny', level: 'warning', actor: 'user:alice', resource: 'session:ses_1' }),
    line(6, { details: { event: 'policy.deny', actor: 'user:alice', level: 'warning', resource: 'session:ses_1' } }),
  ].join(''));
  const rows: readonly (readonly [AuditFilter, readonly number[]])[] = [
    [{}, [6, 5, 4, 3, 2, 1]],
    [{ event: 'policy.deny' }, [5, 2]],
    [{ event: 'policy' }, []],
    [{ level: 'warning' }, [5, 2]],
    [{ actor: 'alice' }, [5, 4, 3, 2]],
    [{ actor: 'user:alice' }, [5, 2]],
    [{ actor: 'lice' }, []],
    [{ actor: 'user:' }, []],
    [{ resource: 'session:ses_1' }, [5, 3]],
    [{ resource: 'ses_1' }, []],
    [{ from: '2026-02-15T14:30:03.000Z' }, [6, 5, 4, 3]],
    [{ to: '2026-02-15T14:30:03.000Z' }, [3, 2, 1]],
    [{ from: '2026-02-14T23:59:59.999Z', to: '2026-02-15T14:30:02.000Z' }, [2, 1]],
    [{ from: '2027-01-01T00:00:00.000Z' }, []],
    [{ before: 4 }, [3, 2, 1]],
    [{ after: 4 }, [6, 5]],
    [{ after: 2, before: 5 }, [4, 3]],
    [{ text: 'note' }, [4]],
    [{ text: '\\n' }, [4]],
    [{ text: 'ünï' }, [4]],
    [{ text: 'policy.deny', level: 'info' }, [6]],
    [{ event: 'policy.deny', actor: 'alice', resource: 'session:ses_1' }, [5]],
  ];
  for (const [filter, seqs] of rows) test(JSON.stringify(filter), () => assert.deepEqual(found(disk, filter), seqs));
});

describe('a search still answers', () => {
  test('with a line of another program in between, an empty one, and one that is no entry', () => {
    const disk = emptyDisk();
    put(disk, day, `${line(1)}Feb 15 14:30:00 box other[1]: hello\n\n{"seq":7}\n[1]\nnull\n{"seq":"8","timestamp":"","event":"","level":"info","actor":""}\n${line(2, { level: 'loud' })}${line(3)}`);
    assert.deepEqual(found(disk), [3, 1]);
  });

  test('with a torn tail, which is no entry yet', () => {
    const disk = emptyDisk();
    put(disk, day, `${line(1)}${line(2).slice(0, -1)}`);
    assert.deepEqual(found(disk), [1]);
    put(disk, day, line(1).slice(0, 50));
    assert.deepEqual(found(disk), []);
  });

  test('with bytes that are no text', () => {
    const disk = emptyDisk();
    put(disk, day, Buffer.concat([Buffer.from(line(1)), Buffer.from([0xff, 0xfe, 0, 10, 0, 0, 0]), Buffer.from(`\n${line(2)}`)]));
    assert.deepEqual(found(disk), [2, 1]);
  });

  test('with the longest entries there are, and one line far longer', () => {
    const disk = emptyDisk();
    const pad = 'x'.repeat(65_000);
    put(disk, day, `${[1, 2, 3, 4, 5, 6, 7].map((seq) => line(seq, { details: { pad } })).join('')}${line(8, { details: { pad: 'x'.repeat(3_000_000) } })}${line(9, { details: { pad } })}`);
    assert.deepEqual(found(disk), [9, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(found(disk, { text: 'xxxx', before: 3 }), [2, 1]);
  });

  test('where there is no log, and beside files of other names', () => {
    const disk = emptyDisk();
    assert.deepEqual([...queryLog(disk, '/home/nowhere', {})], []);
    for (const name of ['audit-2026-02-15.jsonl.gz', 'audit-2026-02-15.01.jsonl', 'audit.jsonl', '.tmp-1', 'audit-2026-02-15.jsonl~']) put(disk, name, line(1));
    assert.deepEqual(found(disk), []);
  });
});

test('a filter that hardly anything matches lets others have a turn', () => {
  const disk = emptyDisk();
  put(disk, day, Array.from({ length: 9000 }, (_, at) => line(at + 1, at === 0 ? { event: 'policy.deny' } : {})).join(''));
  const turns = [...searchLog(disk, directory, { event: 'policy.deny' })];
  assert.deepEqual(turns.map((entry) => entry?.seq), [undefined, undefined, undefined, undefined, 1]);
});

test('looking for what comes after an entry ends there', () => {
  const disk = emptyDisk();
  put(disk, day, Array.from({ length: 9000 }, (_, at) => line(at + 1)).join(''));
  assert.deepEqual([...searchLog(disk, directory, { after: 8990 })].map((entry) => entry?.seq), [9000, 8999, 8998, 8997, 8996, 8995, 8994, 8993, 8992, 8991]);
});
