/** Finding an entry's line, and proof files of entries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordFiles } from '../../../lib/audit/tlog/chain-files.ts';
import { keysOf, readKnownKeys } from '../../../lib/audit/tlog/key.ts';
import { lineOf, proveEntry } from '../../../lib/audit/tlog/prove.ts';
import { openTreeOf } from '../../../lib/audit/tlog/reader.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import { checkTlogProof, parseTlogProof } from '../../../lib/base/merkle/tlog-proof.ts';
import { LokiError } from '../../../lib/errors.ts';
import type { Disk } from '../../../lib/ports.ts';
import { directory, home } from '../support.ts';
import { allLines, append, keyPlace, logWith, newDisk, overwrite, tlog, treeOn } from './support.ts';

const filesOn = (disk: Disk): ReturnType<typeof recordFiles> => recordFiles({ disk, base: home, directory, fileMode: 0o600 });
const day = `${directory}/audit-2026-02-15.jsonl`;

test('a line is found by its number, in files of any size, and not where it is not', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 10, { maxFileBytes: 700_000 });
  for (let n = 0; n < 700; n += 1) await log.append({ event: 'policy.allow', actor: 'agent:x', details: { n, text: 'x'.repeat((n % 7) * 400) } });
  await append(log, 10);
  const lines = allLines(disk);
  assert.ok(disk.list(directory).length > 1 && (disk.stat(day)?.size ?? 0) > 600_000);
  const files = filesOn(disk);
  for (let seq = 1; seq <= lines.length; seq += 11) assert.equal(lineOf(files, seq)?.toString(), lines[seq - 1], String(seq));
  assert.equal(lineOf(files, lines.length)?.toString(), lines.at(-1));
  for (const seq of [0, lines.length + 1, 2 ** 50]) assert.equal(lineOf(files, seq), undefined);
  disk.remove(day);
  assert.equal(lineOf(files, 5), undefined);
  assert.equal(lineOf(files, lines.length)?.toString(), lines.at(-1));
});

test('every entry is proven; after pruning without its line; a line that was changed is not', async () => {
  const { disk } = newDisk();
  await logWith(disk, 30);
  await treeOn(disk).advance();
  const lines = allLines(disk);
  const keys = keysOf(readKnownKeys(keyPlace(disk)), 'record');
  const open = (): ReturnType<typeof openTreeOf> => openTreeOf('record', { disk, base: home, tlog, keysDirectory: '/home/keys' });
  for (let seq = 1; seq <= 30; seq += 1) {
    const { text, line } = proveEntry(open(), filesOn(disk), seq) ?? assert.fail();
    assert.equal(line, lines[seq - 1]);
    assert.equal(checkTlogProof(parseTlogProof(text) ?? assert.fail(), leafHash(Buffer.from(line ?? '')), keys).ok, true);
  }
  for (const seq of [0, 31]) assert.throws(() => proveEntry(open(), filesOn(disk), seq), (error: unknown) => error instanceof LokiError && error.code === 'not_found');
  overwrite(disk, day, `${lines.map((line, at) => (at === 8 ? line.replace('"n":7', '"n":8') : line)).join('\n')}\n`);
  assert.throws(() => proveEntry(open(), filesOn(disk), 9), (error: unknown) => error instanceof LokiError && error.code === 'audit.tampered');
  disk.remove(day);
  const pruned = proveEntry(open(), filesOn(disk), 9) ?? assert.fail();
  assert.equal(pruned.line, undefined);
  assert.equal(checkTlogProof(parseTlogProof(pruned.text) ?? assert.fail(), leafHash(Buffer.from(lines[8] ?? '')), keys).ok, true);
});
