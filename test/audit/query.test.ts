import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Disk } from '../../lib/ports.ts';
import { queryLog, searchLog, type AuditFilter } from '../../lib/audit/query.ts';
import { createTestClock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { forAll } from '../support/property.ts';
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
    [{ event: 'policy.*' }, [6, 5, 4, 3, 2, 1]],
    [{ event: 'auth.*' }, []],
    [{ subject: 'user:alice' }, [6, 5, 2]],
    [{ subject: 'session:ses_1' }, [6, 5, 3]],
    [{ text: 'note' }, [4]],
    [{ text: '\\n' }, [4]],
    [{ text: 'ünï' }, [4]],
    [{ text: 'policy.deny', level: 'info' }, [6]],
    [{ event: 'policy.deny', actor: 'alice', resource: 'session:ses_1' }, [5]],
  ];
  for (const [filter, seqs] of rows) {
    test(JSON.stringify(filter), () => {
      assert.deepEqual(found(disk, filter), seqs);
      assert.deepEqual([...queryLog(disk, directory, filter, { order: 'oldest' })].map(({ seq }) => seq), seqs.toReversed(), 'oldest first');
    });
  }
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

  test('with an entry that nests deeper than the stack', () => {
    const disk = emptyDisk();
    const deep = line(2, { details: { deep: 0, word: 'bracket' } }).replace('"deep":0', `"deep":${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    put(disk, day, `${line(1, { details: { word: 'bracket' } })}${deep}${line(3, { details: { word: `bracket ${'['.repeat(3000)}"\\` } })}`);
    assert.deepEqual(found(disk, { text: 'bracket' }), [3, 1]);
    assert.deepEqual(found(disk, { subject: 'alice' }), []);
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
    for (const name of ['audit-2026-02-15.jsonl.gzip', 'audit-2026-02-15.01.jsonl', 'audit.jsonl', '.tmp-1', 'audit-2026-02-15.jsonl~']) put(disk, name, line(1));
    assert.deepEqual(found(disk), []);
  });
});

test('a filter that hardly anything matches lets others have a turn', () => {
  const disk = emptyDisk();
  put(disk, day, Array.from({ length: 30_000 }, (_, at) => line(at + 1, at === 0 ? { event: 'policy.deny' } : {})).join(''));
  const turns = [...searchLog(disk, directory, { event: 'policy.deny' })];
  assert.ok(turns.length > 3, String(turns.length));
  assert.deepEqual(turns.map((entry) => entry?.seq).filter(Boolean), [1]);
});

test('looking for what comes after an entry ends there', () => {
  const disk = emptyDisk();
  put(disk, day, Array.from({ length: 9000 }, (_, at) => line(at + 1)).join(''));
  assert.deepEqual([...searchLog(disk, directory, { after: 8990 })].map((entry) => entry?.seq), [9000, 8999, 8998, 8997, 8996, 8995, 8994, 8993, 8992, 8991]);
});

describe('bytes that look for a name neither hide an entry nor make one up', () => {
  const disk = emptyDisk();
  put(disk, day, [
    line(1, { details: { note: '"actor":"user:mallory"' } }),
    line(2, { actor: 'user:mal"lory\\' }),
    line(3, { actor: 'user:mällory\u0007' }),
    // As another program writes JSON.
    line(4, { actor: 'user:mallory' }).replace('mallory', 'm\\u0061llory'),
    line(5, { actor: 'user:a/b' }).replace('a/b', 'a\\/b'),
    line(6, { actor: 'user:mallory' }).replace('"actor":', '"actor" : '),
    line(7, { actor: 'user:mallory', details: { path: 'C:\\\\users' } }),
    line(8, { actor: { $enc: 1, kid: 'x' } }),
    line(9, { details: { actor: 'user:mallory' } }),
  ].join(''));
  const rows: readonly (readonly [AuditFilter, readonly number[]])[] = [
    [{ actor: 'user:mallory' }, [7, 6, 4]], [{ actor: 'mallory' }, [7, 6, 4]], [{ actor: 'user:mal"lory\\' }, [2]],
    [{ actor: 'user:mällory\u0007' }, [3]], [{ actor: 'user:a/b' }, [5]], [{ event: 'policy.allow', actor: 'mallory' }, [7, 6, 4]], [{}, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
  ];
  for (const [filter, seqs] of rows) test(JSON.stringify(filter), () => assert.deepEqual(found(disk, filter), seqs));
});

test('any name is found wherever it stands, whatever stands around it, in both directions', () => {
  forAll<readonly [string, readonly string[]]>({ runs: 40, show: (sample) => JSON.stringify(sample) }, (draw) => {
    const names = ['a', 'aa', 'ab', 'user:ab', 'ü', '"', '\\', '\\u', '/', 'aab', 'baab', '\n', '\ud800', 'user:aab'];
    return [draw.pick(names), draw.list(0, 40, () => `${draw.pick(names)}${draw.pick(['', '', 'x'.repeat(9000)])}`)];
  }, ([wanted, actors]) => {
    const disk = emptyDisk();
    put(disk, day, actors.map((actor, at) => line(at + 1, { actor, details: { wanted } })).join(''));
    const expected = actors.flatMap((actor, at) => (actor === wanted || (!wanted.includes(':') && actor.slice(actor.indexOf(':') + 1) === wanted) ? [at + 1] : []));
    assert.deepEqual([...queryLog(disk, directory, { actor: wanted }, { order: 'oldest' })].map(({ seq }) => seq), expected);
    assert.deepEqual(found(disk, { actor: wanted }), expected.toReversed());
  });
});

describe('a large file', () => {
  const disk = emptyDisk();
  const entries = 20_000;
  const time = (at: number): string => new Date(Date.parse('2026-02-15T00:00:00.000Z') + at * 1000).toISOString();
  put(disk, day, Array.from({ length: entries }, (_, at) => line(at + 1, { timestamp: time(at), details: { pad: 'x'.repeat(at % 100) } })).join(''));
  let read = 0;
  const counting: Disk = { ...disk, openRead: (path) => {
    const file = disk.openRead(path);
    return file === undefined ? undefined : { ...file, read: (position, length, into) => { read += length; return file.read(position, length, into); } };
  } };
  const size = disk.stat(`${directory}/${day}`)?.size ?? 0;

  for (const at of [0, 1, 5000, 12_345, 19_998, 19_999]) {
    test(`is read around entry ${at + 1} only, by number and by time`, () => {
      for (const filter of [{ after: at, before: at + 2 }, { from: time(at), to: time(at) }]) {
        for (const order of ['newest', 'oldest'] as const) {
          read = 0;
          assert.deepEqual([...queryLog(counting, directory, filter, { order })].map(({ seq }) => seq), [at + 1]);
          assert.ok(read < size / 2, `${read} of ${size}`);
        }
      }
    });
  }

  test('is given whole, once, in both directions', () => {
    assert.deepEqual(found(disk), Array.from({ length: entries }, (_, at) => entries - at));
    assert.deepEqual([...queryLog(disk, directory, {}, { order: 'oldest' })].map(({ seq }) => seq), Array.from({ length: entries }, (_, at) => at + 1));
  });

  test('whose times were changed in its middle is searched without an end, and never wrongly', () => {
    put(disk, 'audit-2026-02-16.jsonl', 'no entry\n'.repeat(40_000) + line(20_001, { timestamp: '2026-02-16T00:00:00.000Z' }) + 'none\n'.repeat(40_000));
    assert.deepEqual(found(disk, { from: '2026-02-16T00:00:00.000Z' }), [20_001]);
    assert.deepEqual(found(disk, { after: 20_000 }), [20_001]);
  });
});

describe('compressed files', () => {
  const disk = emptyDisk();
  put(disk, 'audit-2026-02-14.jsonl.gz', gzipSync(`${line(1, { timestamp: '2026-02-14T00:00:00.000Z' })}${line(2, { timestamp: '2026-02-14T00:00:00.000Z', actor: 'user:alice' })}`));
  put(disk, 'audit-2026-02-15.jsonl.gz', gzipSync(line(4)));
  put(disk, day, `${line(3)}${line(4)}`);
  put(disk, 'audit-2026-02-16.jsonl.gz', 'no gzip');

  test('are read as what they hold, and not twice where the plain one is still there', () => {
    assert.deepEqual(found(disk), [4, 3, 2, 1]);
    assert.deepEqual(found(disk, { actor: 'alice' }), [2]);
    assert.deepEqual([...queryLog(disk, directory, { before: 3 }, { order: 'oldest' })].map(({ seq }) => seq), [1, 2]);
  });

  test('that are damaged are told of', () => {
    const told: string[] = [];
    assert.deepEqual([...queryLog(disk, directory, {}, { onUnreadable: (file) => told.push(file) })].length, 4);
    assert.deepEqual(told, ['audit-2026-02-16.jsonl.gz']);
  });
});

describe('the seal of a file is a hint for passing over it', () => {
  function sealed(seal: string | object, text = line(1, { actor: 'user:alice' })): { readonly disk: Disk; readonly opened: string[] } {
    const disk = emptyDisk();
    const opened: string[] = [];
    put(disk, day, text);
    disk.ensureDirectory(home, '/home/dashboard/tlog/seals', 0o700);
    disk.replace(home, `/home/dashboard/tlog/seals/${day}.json`, Buffer.from(typeof seal === 'string' ? seal : JSON.stringify({ bytes: Buffer.byteLength(text), ...seal })), 0o600);
    return { disk: { ...disk, openRead: (path) => { opened.push(path); return disk.openRead(path); } }, opened };
  }
  const whole = {
    first_seq: 1, last_seq: 9, first_time: '2026-02-15T10:00:00.000Z', last_time: '2026-02-15T11:00:00.000Z',
    events: { 'policy.allow': 9 }, levels: { info: 9 }, actors: { 'user:alice': 8, 'system': 1 },
  };
  for (const filter of [{ event: 'policy.deny' }, { event: 'auth.*' }, { level: 'error' }, { actor: 'user:bob' }, { actor: 'bob' }, { after: 9 }, { before: 1 }, { from: '2026-02-15T11:00:00.001Z' }, { to: '2026-02-15T09:59:59.999Z' }] as const) {
    test(`${JSON.stringify(filter)} does not even open it`, () => {
      const { disk, opened } = sealed(whole);
      assert.deepEqual(found(disk, filter), []);
      assert.deepEqual(opened, []);
    });
  }
  for (const filter of [{ event: 'policy.*' }, { actor: 'alice' }, { after: 0 }, { level: 'info' }, {}] as const) {
    test(`${JSON.stringify(filter)} finds what it holds`, () => assert.deepEqual(found(sealed(whole).disk, filter), [1]));
  }
  for (const [what, seal] of [['is no JSON', '{'], ['holds nothing', '{}'], ['is a list', '[]'], ['has no list of actors', { ...whole, actors: null }], ['is for other bytes', { ...whole, actors: {}, bytes: 1 }], ['holds values of other kinds', { actors: 1, events: [], first_seq: '9', last_time: 3 }]] as const) {
    test(`one that ${what} keeps nothing back`, () => assert.deepEqual(found(sealed(seal).disk, { actor: 'user:alice' }), [1]));
  }
});
