/** docs/siem.md is executed: its message is what is sent, its program computes the root, its settings are taken. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseState } from '../../lib/audit/forward/cursor.ts';
import { outgoingOf, syslogMessage } from '../../lib/audit/forward/message.ts';
import { longestMessage } from '../../lib/audit/forward/syslog-receiver.ts';
import { root } from '../../lib/entry/merkle.ts';
import { blocks, page } from '../support/page.ts';
import { python } from '../support/python.ts';

const name = 'docs/siem.md';

test('the message on the page is the one that is sent', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const shown = /^ {4}(<132>.*)$/m.exec(text)?.[1] ?? '';
  const hash = `5fb5${'0'.repeat(60)}`;
  const entry = { seq: 3, timestamp: '2026-02-15T14:30:01.500Z', event: 'policy.deny', level: 'warning', actor: 'agent:claude', details: {}, metadata: { hostname: 'dev-machine', pid: 12345 }, chain_hash: hash };
  const bytes = Buffer.from(JSON.stringify(entry));
  const outgoing = outgoingOf({ bytes, length: bytes.length, file: 'audit-2026-02-15.jsonl', offset: 0, seq: 3 }, 'here');
  const sent = Buffer.from(syslogMessage(outgoing, { size: 2, root: 'S1yl6pg=' }, { form: 'rfc5424', facility: 'local0', longest: 8192, cef: () => '' })).toString('utf8');
  const expected = sent.replaceAll(hash, '5fb5…').replace('S1yl6pg=', 'S1yl…6pg=').replace('\ufeff', '').replace(/"timestamp":.*,"chain_hash"/, '"timestamp":…,"chain_hash"');
  assert.equal(shown, expected);
});

test('the longest messages are those of the page', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const rows = new Map([...text.matchAll(/^\| `(tls|tcp|udp)` \|.*\| ([\d,]+) octets \|$/gm)].map(([, protocol, most = '']) => [protocol, Number(most.replace(',', ''))]));
  assert.deepEqual([...rows], (['tls', 'tcp', 'udp'] as const).map((protocol) => [protocol, longestMessage(protocol, 'rfc5424')]));
  assert.ok(text.includes(`With \`rfc3164\` a message has at most ${longestMessage('tcp', 'rfc3164').toLocaleString('en-US')} octets`));
});

test('the state that sends everything is one', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const given = /^`(\{"seq":0.*\})`\./m.exec(text)?.[1] ?? '';
  assert.deepEqual(parseState(given)?.position, { seq: 0, file: null, offset: 0, hash: null });
});

test('its program computes the root of the first lines, over plain and compressed files in order', (t) => {
  const text = page(t, name);
  if (text === undefined) return undefined;
  const interpreter = python ?? '';
  if (interpreter === '') return t.skip('python3 is not here');
  const folder = mkdtempSync(join(tmpdir(), 'loki-siem-page-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'root.py');
  writeFileSync(program, blocks(text, 'python')[0] ?? '');
  const log = join(folder, 'audit');
  mkdirSync(log);
  const lines = Array.from({ length: 23 }, (_, at) => `{"seq":${at + 1}}`);
  const fileOf = (from: number, to: number): Buffer => Buffer.from(lines.slice(from, to).map((line) => `${line}\n`).join(''));
  writeFileSync(join(log, 'audit-2026-02-14.jsonl.gz'), gzipSync(fileOf(0, 5)));
  writeFileSync(join(log, 'audit-2026-02-15.jsonl'), fileOf(5, 9));
  writeFileSync(join(log, 'audit-2026-02-15.2.jsonl'), fileOf(9, 12));
  writeFileSync(join(log, 'audit-2026-02-15.2.jsonl.gz'), gzipSync(fileOf(9, 12)));
  writeFileSync(join(log, 'audit-2026-02-15.10.jsonl'), fileOf(12, 23));
  for (const size of [1, 2, 3, 7, 8, 22, 23]) {
    const { stdout, stderr } = spawnSync(interpreter, [program, String(size), log], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(stdout.trim(), Buffer.from(root(lines.slice(0, size).map((line) => Buffer.from(line)))).toString('base64'), stderr);
  }
  return undefined;
});
