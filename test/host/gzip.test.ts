import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { LokiError } from '../../lib/errors.ts';
import { createHost } from '../../lib/host/host.ts';
import { gzipMember, largestForeign } from '../../lib/host/gzip.ts';
import type { ReadFile } from '../../lib/ports.ts';
import { isLong } from '../support/long.ts';

const { disk } = createHost(() => '/nowhere');

function folder(t: TestContext): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'loki-gzip-')));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Lines that do not pack to nothing, about `bytes` of them. */
function linesOf(bytes: number): Buffer {
  const lines: string[] = [];
  for (let length = 0; length < bytes;) {
    const line = `{"n":${lines.length},"x":"${randomBytes(40).toString('hex')}"}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(''));
}

function compress(base: string, from: string): string {
  const to = `${from}.gz`;
  for (const done of disk.compress(base, from, to, sha256(readFileSync(from)))) assert.ok(done >= 0);
  return to;
}

function open(path: string): ReadFile {
  const file = disk.openGzip(path);
  assert.ok(file !== undefined);
  return file;
}

/** Everything, in pieces of an odd length. */
function readAll(path: string): Buffer {
  const file = open(path);
  const { size } = file.stat();
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += 99_991) parts.push(Buffer.from(file.read(at, 99_991)));
  file.close();
  return Buffer.concat(parts);
}

const isDamaged = (error: unknown): boolean => error instanceof LokiError && error.code === 'io.failed';

test('compress() writes what gzip -dc reads, with the plain file\'s mode, and openGzip() reads it back', (t) => {
  const base = folder(t);
  const content = linesOf(3_500_000);
  const from = join(base, 'a.jsonl');
  writeFileSync(from, content);
  chmodSync(from, 0o640);
  const mask = process.umask(0o077);
  t.after(() => process.umask(mask));
  const to = compress(base, from);
  assert.ok(execFileSync('gzip', ['-dc', to], { maxBuffer: 1e8 }).equals(content));
  assert.ok(readAll(to).equals(content));
  assert.equal(statSync(to).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(base).sort(), ['a.jsonl', 'a.jsonl.gz']);
});

test('any stretch of a compressed file is that of its content, in the reader\'s own memory when it brings some', (t) => {
  const base = folder(t);
  const content = linesOf(3_200_000);
  const from = join(base, 'a.jsonl');
  writeFileSync(from, content);
  const file = open(compress(base, from));
  assert.equal(file.stat().size, content.length);
  const memory = Buffer.alloc(2_500_000);
  for (const [at, length] of [[0, 10], [content.length - 5, 100], [content.length, 10], [content.length + 9, 10], [1_048_000, 2000], [900_000, 2_300_000], [0, 2_500_000], [3_100_000, 7], [4, 4]] as const) {
    assert.ok(Buffer.from(file.read(at, length)).equals(content.subarray(at, at + length)), `${at} ${length}`);
    const into = file.read(at, length, memory);
    assert.ok(Buffer.from(into).equals(content.subarray(at, at + length)), `${at} ${length}`);
    assert.equal(into.buffer, memory.buffer);
  }
  file.close();
});

test('a file without lines, and one with a line longer than a member, are compressed all the same', (t) => {
  const base = folder(t);
  for (const [name, content] of [['empty', Buffer.alloc(0)], ['long', Buffer.from(`${'x'.repeat(2_500_000)}\nend\n`)]] as const) {
    writeFileSync(join(base, name), content);
    const to = compress(base, join(base, name));
    assert.ok(readAll(to).equals(content));
    assert.ok(gunzipSync(readFileSync(to)).equals(content));
  }
});

test('compress() keeps nothing that does not hold what the seal says, and never takes a file\'s place', (t) => {
  const base = folder(t);
  const from = join(base, 'a.jsonl');
  writeFileSync(from, 'one\n');
  assert.throws(() => [...disk.compress(base, from, `${from}.gz`, sha256(Buffer.from('two\n')))], isDamaged);
  assert.deepEqual(readdirSync(base), ['a.jsonl']);
  writeFileSync(join(base, '.tmp-a.jsonl.gz'), 'left over');
  writeFileSync(`${from}.gz`, 'somebody\'s');
  assert.throws(() => [...disk.compress(base, from, `${from}.gz`, sha256(Buffer.from('one\n')))], (error) => error instanceof LokiError && error.code === 'conflict');
  rmSync(`${from}.gz`);
  compress(base, from);
  assert.deepEqual(readdirSync(base).sort(), ['a.jsonl', 'a.jsonl.gz']);
});

test('gzip files of others are read: plain, several in one, empty, with a name and a comment in the header', (t) => {
  const base = folder(t);
  const content = linesOf(400_000);
  const path = join(base, 'x.gz');
  const named = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0x18, 0, 0, 0, 0, 0, 3]), Buffer.from('name\0comment\0'), gzipSync(content).subarray(10)]);
  for (const [packed, holds] of [[gzipSync(content), content], [Buffer.concat([gzipSync(content), gzipSync('more\n')]), Buffer.concat([content, Buffer.from('more\n')])], [gzipSync(''), Buffer.alloc(0)], [Buffer.concat([gzipSync(content), gzipSync(content), gzipSync('x')]), Buffer.concat([content, content, Buffer.from('x')])], [named, content]] as const) {
    writeFileSync(path, packed);
    assert.ok(readAll(path).equals(holds));
  }
});

test('what is no whole gzip file is io.failed: cut, doubled, padded, reordered, with a changed byte, or none at all', (t) => {
  const base = folder(t);
  const from = join(base, 'a.jsonl');
  writeFileSync(from, linesOf(2_600_000));
  const whole = readFileSync(compress(base, from));
  const first = whole.readUInt32LE(16);
  const second = whole.readUInt32LE(first + 16);
  const flip = (at: number, bit = 1): Buffer => { const bytes = Buffer.from(whole); bytes[at] = (bytes[at] ?? 0) ^ bit; return bytes; };
  const cases: Readonly<Record<string, Buffer>> = {
    'empty': Buffer.alloc(0),
    'text': Buffer.from('{"seq":1}\n'),
    'last members gone': whole.subarray(0, first),
    'first member gone': whole.subarray(first),
    'middle member gone': Buffer.concat([whole.subarray(0, first), whole.subarray(first + second)]),
    'cut in a member': whole.subarray(0, first + 1000),
    'cut in a header': whole.subarray(0, first + 10),
    'zeros at the end': Buffer.concat([whole, Buffer.alloc(512)]),
    'bytes at the end': Buffer.concat([whole, Buffer.from('hidden')]),
    'a member more': Buffer.concat([whole, gzipSync('hidden\n')]),
    'a member of ours more': Buffer.concat([whole, gzipMember(Buffer.from('hidden\n'), 3, true)]),
    'doubled': Buffer.concat([whole, whole]),
    'swapped': Buffer.concat([whole.subarray(first, first + second), whole.subarray(0, first), whole.subarray(first + second)]),
    'content changed': flip(first + 5000),
    'check sum changed': flip(first - 6),
    'length changed': flip(first - 2),
    'index: member longer': flip(16), 'index: content longer': flip(20), 'index: number changed': flip(24), 'index: marked last': flip(27, 0x80),
    'index: content beyond bounds': flip(23, 0x80), 'index: member beyond the end': flip(19, 0x80), 'subfield renamed in the second': flip(first + 12),
    'foreign, cut': gzipSync('x'.repeat(1000)).subarray(0, -3), 'foreign, padded': Buffer.concat([gzipSync('x'), Buffer.alloc(7)]), 'foreign, more': Buffer.concat([gzipSync('x'), Buffer.from('hid')]),
  };
  const path = join(base, 'case.gz');
  for (const [name, bytes] of Object.entries(cases)) {
    writeFileSync(path, bytes);
    assert.throws(() => readAll(path), isDamaged, name);
  }
});

test('an index that hides content behind its own members is found out', (t) => {
  const base = folder(t);
  const path = join(base, 'x.gz');
  // The header claims one stretch, which holds a whole member and something after it.
  const honest = gzipMember(Buffer.from('shown\n'), 0, true);
  for (const more of [gzipSync('hidden\n'), Buffer.from('hidden'), Buffer.alloc(9)]) {
    const lying = Buffer.concat([honest, more]);
    lying.writeUInt32LE(lying.length, 16);
    writeFileSync(path, lying);
    assert.throws(() => readAll(path), isDamaged);
  }
});

test('a file that would inflate to more than is held in memory is refused', { skip: !isLong && 'takes half a gigabyte of memory' }, (t) => {
  const path = join(folder(t), 'bomb.gz');
  const part = gzipSync(Buffer.alloc(1 << 26));
  for (let n = 0; n * (1 << 26) <= largestForeign; n += 1) appendFileSync(path, part);
  assert.throws(() => open(path), isDamaged);
});

test('a file that loses its end while it is being read is an error, not a short file', (t) => {
  const base = folder(t);
  const from = join(base, 'a.jsonl');
  writeFileSync(from, linesOf(2_600_000));
  const to = compress(base, from);
  const file = open(to);
  file.read(0, 10);
  truncateSync(to, 1000);
  assert.throws(() => file.read(2_000_000, 10), isDamaged);
  file.close();
});
