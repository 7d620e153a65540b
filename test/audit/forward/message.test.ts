/** A line of the log as a message; the checkpoint it carries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../../../lib/base/digest.ts';
import { outgoingOf, syslogMessage, type SyslogStyle } from '../../../lib/audit/forward/message.ts';
import type { LogLine } from '../../../lib/audit/forward/reader.ts';
import { createWitness, parseHead } from '../../../lib/audit/forward/witness.ts';
import { home } from '../support.ts';
import { makeScene } from './support.ts';

const hash = 'a'.repeat(64);
const root = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const style: SyslogStyle = { form: 'rfc5424', facility: 'local0', longest: 8192, cef: (entry) => `CEF:0|${String(entry['event'])}` };

function lineOf(text: string, seq: number): LogLine {
  const bytes = Buffer.from(text);
  return { bytes, length: bytes.length, file: 'audit-2026-02-15.jsonl', offset: 7, seq };
}

function entryOf(changes: object): LogLine {
  return lineOf(JSON.stringify({ seq: 3, timestamp: '2026-02-15T14:30:01.500Z', event: 'policy.deny', level: 'warning', actor: 'agent:claude', details: {}, metadata: { hostname: 'dev', pid: 12 }, chain_hash: hash, ...changes }), 3);
}

function printed(line: LogLine, changes: Partial<SyslogStyle> = {}, head = { size: 41, root }): string {
  return Buffer.from(syslogMessage(outgoingOf(line, 'here'), head, { ...style, ...changes })).toString('utf8');
}

test('an entry is sent with what it says of itself, the checkpoint, and its own bytes', () => {
  const line = entryOf({});
  assert.equal(printed(line), `<132>1 2026-02-15T14:30:01.500Z dev loki 12 policy.deny [loki@32473 seq="3" chain_hash="${hash}" tree_size="41" tree_root="${root}"] \ufeff${line.bytes.toString('utf8')}`);
  const without = Buffer.from(syslogMessage(outgoingOf(line, 'here'), undefined, style)).toString('utf8');
  assert.ok(without.includes(` [loki@32473 seq="3" chain_hash="${hash}"] `));
});

test('errors are ERR, what is security-relevant WARNING, the rest INFO', () => {
  const rows = [
    ['policy.deny', 'warning', 4], ['policy.error', 'error', 3], ['approval.request', 'info', 4], ['run.start', 'info', 6], ['budget.alert', 'warning', 6], ['session.fail', 'error', 3],
    ['api.response', 'debug', 6], ['syslog.error', 'error', 3], ['syslog.error', 'info', 6], ['of.another.version', 'info', 6], ['of.another.version', 'error', 3], ['constructor', 'info', 6],
  ] as const;
  for (const [event, level, severity] of rows) assert.equal(outgoingOf(entryOf({ event, level }), 'here').severity, severity, `${event} ${level}`);
});

test('hostile entries stay one message, and come out as they went in', () => {
  const odd = { text: 'a\nb\r\n] " \\ \0 \u001b[2J <14>1 \ufeff \u2028 🜁', event: 'x"] [evil@1 y="\n', chain_hash: '"] \n', metadata: { hostname: 'a b\nc', pid: '1 2' } };
  const line = entryOf(odd);
  const message = printed(line);
  assert.ok(!message.includes('\n') && !message.includes('\0'));
  assert.match(message, /^<134>1 2026-02-15T14:30:01\.500Z a\?b\?c loki - x"\]\?\[evil@1\?y="\? \[loki@32473 seq="3" tree_size="41" tree_root="[^"]+"\] \ufeff\{/);
  assert.equal(message.slice(message.indexOf('\ufeff') + 1), line.bytes.toString('utf8'));
});

test('a line that is no entry is sent as one that cannot be read, and says where it stands', () => {
  const rows: readonly LogLine[] = [lineOf('', -1), lineOf('{"seq":3', 3), lineOf('{"seq":3,"a":"\u0000"}', 3), lineOf('[1]', -1), { ...lineOf('{"seq":3,"a":"x"}', 3), bytes: Buffer.from('{"seq":3,"a":"\u00ff"}', 'latin1') }];
  for (const line of rows) {
    const outgoing = outgoingOf(line, 'here');
    assert.deepEqual([outgoing.seq, outgoing.event, outgoing.severity, outgoing.host], [-1, 'unreadable', 4, 'here'], line.bytes.toString());
    assert.deepEqual(JSON.parse(outgoing.text), { unreadable: true, file: 'audit-2026-02-15.jsonl', offset: 7, sha256: sha256Hex(line.bytes), bytes: line.length });
  }
  const endless = outgoingOf({ ...lineOf('', -1), length: 900_000 }, 'here');
  assert.deepEqual([endless.sha256, endless.bytes], ['', 900_000]);
});

test('an entry that is too long for a message is sent as a stub with its number and hashes, in every form', () => {
  const line = entryOf({ details: { text: 'ü'.repeat(3000) } });
  for (const form of ['rfc5424', 'rfc3164', 'cef'] as const) {
    const message = printed(line, { form, longest: 1024, cef: () => `CEF:0|${'x'.repeat(2000)}` });
    const stub: unknown = JSON.parse(message.slice(message.indexOf('{')));
    assert.deepEqual(stub, { stub: true, seq: 3, event: 'policy.deny', chain_hash: hash, sha256: sha256Hex(line.bytes), bytes: line.length }, form);
    assert.ok(Buffer.byteLength(message) <= 1024, form);
  }
  const most = Buffer.byteLength(printed(entryOf({})));
  assert.ok(!printed(entryOf({}), { longest: most }).includes('"stub"'));
  assert.ok(printed(entryOf({}), { longest: most - 1 }).includes('"stub"'));
  const longNames = entryOf({ details: { text: 'x'.repeat(3000) }, metadata: { hostname: 'h'.repeat(400), pid: 1 }, event: 'e'.repeat(5000) });
  assert.ok(Buffer.byteLength(printed(longNames, { longest: 1024 })) <= 1024);
});

test('the older form has the entry after its tag; CEF stands alone', () => {
  assert.match(printed(entryOf({}), { form: 'rfc3164' }), /^<132>Feb 1\d \d\d:\d\d:01 dev loki\[12\]: \{"seq":3,/);
  assert.match(printed(entryOf({}), { form: 'cef' }), /^<132>Feb 1\d \d\d:\d\d:01 dev CEF:0\|policy\.deny/);
  assert.ok(printed(entryOf({}), { form: 'cef' }).endsWith(` cn1Label=treeSize cn1=41 flexString1Label=treeRoot flexString1=${root.replace('=', '\\=')}`));
  assert.ok(printed(entryOf({}), { form: 'cef', cef: () => 'CEF:0|a\0b\u001b|\n' }).includes(' CEF:0|a b |  cn1'));
  assert.match(printed(lineOf('x', -1), { form: 'cef' }), /^<132>Jan +\d+ [\d:]+ here loki: \{"unreadable":true/);
});

test('a checkpoint\'s size and root are taken from its text, and from nothing else', () => {
  assert.deepEqual(parseHead(`dev/loki/audit\n41\n${root}\n\n— dev/loki/audit AAAA\n`), { size: 41, root });
  for (const bad of ['', 'x\n41\n', `x\n041\n${root}\n`, `x\n-1\n${root}\n`, `x\n41\n${root.slice(1)}\n`, `\n41\n${root}\n`, `x\n41\n${root}`, `x\n41\nA"]\n${root}\n`]) assert.equal(parseHead(bad), undefined, JSON.stringify(bad));
});

test('the checkpoint is read again when it changed, and missing without harm', () => {
  const { disk } = makeScene();
  const path = `${home}/dashboard/tlog/checkpoint`;
  const witness = createWitness(disk, home, path);
  assert.equal(witness(), undefined);
  disk.ensureDirectory(home, `${home}/dashboard/tlog`, 0o700);
  for (const size of [1, 2, 30]) {
    disk.replace(home, path, Buffer.from(`dev\n${size}\n${root}\n\n`), 0o600);
    assert.deepEqual(witness(), { size, root });
    assert.equal(witness(), witness());
  }
  disk.replace(home, path, Buffer.from('damage'), 0o600);
  assert.equal(witness(), undefined);
  disk.remove(path);
  assert.equal(witness(), undefined);
});

test('a line that only another program writes ends no message early, and overflows nothing', () => {
  const text = entryOf({}).bytes.toString('utf8').replace(',"event"', '\r,\t"event"');
  assert.doesNotMatch(printed(lineOf(text, 3)), /[\r\n\t]/);
  const deep = entryOf({ details: 0 }).bytes.toString('utf8').replace('"details":0', `"details":${'['.repeat(30_000)}${']'.repeat(30_000)}`);
  assert.equal(outgoingOf(lineOf(deep, 3), 'here', (entry) => ({ ...entry })).event, 'unreadable');
});
