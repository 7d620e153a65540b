/** The seal and the statement shown in docs/formats/audit.md are those of the log at the top of that page. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scanFile } from '../../lib/audit/keeping/scan.ts';
import { sealText } from '../../lib/audit/keeping/seal.ts';
import { noteOpener, parseStatement } from '../../lib/audit/keeping/statement.ts';
import { parseVkey } from '../../lib/base/merkle/note.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { realTimers } from '../support/fakes.ts';
import { blocks, page } from '../support/page.ts';

test('the page\'s seal is that of its first lines, and its statement verifies with its vkey and says what the seal says', async (t) => {
  const text = page(t, 'docs/formats/audit.md');
  if (text === undefined) return;
  const disk = faultDisk(createFaultFiles());
  disk.replace('/', '/audit-2026-02-15.jsonl', Buffer.from(blocks(text, 'jsonl')[0] ?? ''), 0o600);
  const file = disk.openRead('/audit-2026-02-15.jsonl');
  assert.ok(file !== undefined);
  const scan = await scanFile(file, 'audit-2026-02-15.jsonl', realTimers);
  assert.ok('seal' in scan, JSON.stringify(scan));
  const { seal } = scan;
  assert.ok(blocks(text, 'json').includes(sealText(seal)), sealText(seal));
  const key = parseVkey(/\(vkey `([^`]+)`/.exec(text)?.[1] ?? '');
  const note = blocks(text, 'text').find((block) => block.includes('loki/prune/v1'));
  assert.ok(key !== undefined && note !== undefined);
  const statement = parseStatement(noteOpener([key])(Buffer.from(note)) ?? '');
  assert.deepEqual([statement?.last_seq, statement?.last_hash, statement?.entries, statement?.files], [
    seal.last_seq, seal.last_hash, seal.entries, [{ file: seal.file, first_seq: seal.first_seq, last_seq: seal.last_seq, sha256: seal.sha256 }],
  ]);
});
