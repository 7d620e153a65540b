import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { followLog, type Follower } from '../../lib/audit/follow.ts';
import { createHost } from '../../lib/host/host.ts';
import type { Disk } from '../../lib/ports.ts';

interface Log {
  readonly directory: string;
  readonly disk: Disk;
  path(name: string): string;
  /** Appends lines `from` to `to`. */
  write(name: string, from: number, to?: number): void;
  follow(): Follower;
}

const day = (n: number): string => `audit-2026-02-${n}.jsonl`;

function makeLog(t: TestContext): Log {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-follow-')));
  t.after(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'audit');
  const { disk } = createHost(() => root);
  const path = (name: string): string => join(directory, name);
  return {
    directory, disk, path,
    write(name, from, to = from) {
      mkdirSync(directory, { recursive: true });
      for (let seq = from; seq <= to; seq += 1) appendFileSync(path(name), text(seq));
    },
    follow() {
      const follower = followLog(disk, directory);
      t.after(() => follower.close());
      return follower;
    },
  };
}

function text(seq: number): string {
  return `{"seq":${seq},"timestamp":"2026-02-15T14:30:00.000Z"}\n`;
}

function looked(follower: Follower): readonly number[] {
  return [...follower.look()].flatMap((piece) => piece.toString('utf8').split('\n').filter(Boolean).map((line) => Number(/^\{"seq":(\d+)/.exec(line)?.[1])));
}

test('begins at the end, and gives what is written after that, once', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1, 3);
  const follower = log.follow();
  assert.equal(follower.startSeq, 3);
  assert.deepEqual(looked(follower), []);
  log.write(day(15), 4, 5);
  assert.deepEqual(looked(follower), [4, 5]);
  assert.deepEqual(looked(follower), []);
});

test('waits for a folder, and for the first file in it', (t) => {
  const log = makeLog(t);
  const follower = log.follow();
  assert.equal(follower.startSeq, 0);
  assert.deepEqual(looked(follower), []);
  mkdirSync(log.directory);
  writeFileSync(log.path(day(15)), '');
  assert.deepEqual(looked(follower), []);
  log.write(day(15), 1, 2);
  log.write(day(16), 3);
  assert.deepEqual(looked(follower), [1, 2, 3]);
});

test('goes on from file to file, and passes over empty ones, which the log may never go on in', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1);
  const follower = log.follow();
  writeFileSync(log.path(day(28)), '');
  log.write(day(15), 2);
  assert.deepEqual(looked(follower), [2]);
  log.write(day(15), 3);
  log.write('audit-2026-02-15.1.jsonl', 4);
  log.write('audit-2026-02-15.2.jsonl', 5);
  log.write(day(16), 6);
  assert.deepEqual(looked(follower), [3, 4, 5, 6]);
});

test('a file that is compressed or removed under it is read to its end', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1);
  const follower = log.follow();
  log.write(day(15), 2, 3);
  writeFileSync(log.path(`${day(15)}.gz`), gzipSync([1, 2, 3].map(text).join('')));
  unlinkSync(log.path(day(15)));
  writeFileSync(log.path(`${day(16)}.gz`), gzipSync([4, 5].map(text).join('')));
  log.write(day(17), 6);
  assert.deepEqual(looked(follower), [2, 3, 4, 5, 6]);
  log.write(day(17), 7);
  assert.deepEqual(looked(follower), [7]);
});

test('half a line is no line until its end is there', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1);
  const follower = log.follow();
  appendFileSync(log.path(day(15)), text(2).slice(0, 20));
  assert.deepEqual(looked(follower), []);
  appendFileSync(log.path(day(15)), `${text(2).slice(20)}${text(3).slice(0, 5)}`);
  assert.deepEqual(looked(follower), [2]);
  // The torn tail is set aside, and the log goes on.
  truncateSync(log.path(day(15)), (text(1) + text(2)).length);
  log.write(day(15), 3);
  assert.deepEqual(looked(follower), [3]);
});

test('a file that was cut goes on behind the line that was given last, or from its beginning', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1, 4);
  const follower = log.follow();
  // A line before is gone: what was given stands elsewhere.
  writeFileSync(log.path(day(15)), [2, 3, 4, 5].map(text).join(''));
  assert.deepEqual(looked(follower), [5]);
  truncateSync(log.path(day(15)), 0);
  assert.deepEqual(looked(follower), []);
  log.write(day(15), 7, 8);
  assert.deepEqual(looked(follower), [7, 8]);
  // Cut and written past the old end between two looks.
  writeFileSync(log.path(day(15)), [20, 21, 22, 23].map(text).join(''));
  assert.deepEqual(looked(follower), [20, 21, 22, 23]);
});

test('a file that was replaced by another is read as that one', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1, 2);
  const follower = log.follow();
  log.write(day(15), 3);
  writeFileSync(log.path('copy'), [1, 2, 3, 4].map(text).join(''));
  renameSync(log.path('copy'), log.path(day(15)));
  assert.deepEqual(looked(follower), [3, 4]);
  rmSync(log.directory, { recursive: true });
  assert.deepEqual(looked(follower), []);
  log.write(day(15), 1, 2);
  assert.deepEqual(looked(follower), [1, 2], 'a new log');
  assert.ok(existsSync(log.path(day(15))));
});

test('reads what was added and no more', (t) => {
  const log = makeLog(t);
  log.write(day(15), 1, 5000);
  let read = 0;
  const disk: Disk = { ...log.disk, openRead: (path) => {
    const file = log.disk.openRead(path);
    return file === undefined ? undefined : { ...file, read: (position, length, into) => { read += length; return file.read(position, length, into); } };
  } };
  const follower = followLog(disk, log.directory);
  t.after(() => follower.close());
  read = 0;
  assert.deepEqual(looked(follower), []);
  assert.equal(read, 0, 'nothing is read while nothing is written');
  log.write(day(15), 5001);
  assert.deepEqual(looked(follower), [5001]);
  assert.ok(read < 500, String(read));
});
