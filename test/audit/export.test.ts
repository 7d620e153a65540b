/** Each format against files that were read by a person: fixtures/export holds a log and what becomes of it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { eventNames } from '../../lib/audit/events.ts';
import { cefLine } from '../../lib/audit/export/cef.ts';
import { csvHeader, csvLine } from '../../lib/audit/export/csv.ts';
import { mapEntry } from '../../lib/audit/export/mapping.ts';
import { ocsfEvent } from '../../lib/audit/export/ocsf.ts';
import { exportFormats, isExportFormat, renderHits, renderingOf, type ExportFormat } from '../../lib/audit/export/render.ts';
import type { Hit, LoggedEntry } from '../../lib/audit/query.ts';
import { parseEntry } from '../../lib/audit/query/filter.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../lib/base/json.ts';
import { cefMessage } from '../../lib/formats/cef.ts';
import { csvRow } from '../../lib/formats/csv.ts';
import { fixture } from '../support/root.ts';

const lines = readFileSync(fixture('export', 'log.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => Buffer.from(line));
const update = process.env['LOKI_UPDATE_GOLDEN'] === '1';

function hits(): readonly Hit[] {
  return lines.map((line) => {
    const entry = parseEntry(line);
    assert.ok(entry !== undefined, line.toString());
    return { entry, line, isOpened: false };
  });
}

function rendered(format: ExportFormat, of: Iterable<Hit | undefined>, count = { entries: 0 }): string {
  return Buffer.concat([...renderHits(of, renderingOf(format), count)].filter((part) => part !== undefined)).toString('utf8');
}

test('nothing is an empty list, and the heading of a table', () => {
  assert.equal(rendered('json', []), '[]\n');
  assert.equal(rendered('jsonl', []), '');
  assert.match(rendered('csv', []), /^[^\n]+\n$/);
});

for (const format of exportFormats) {
  test(`${format} is what fixtures/export says`, () => {
    const path = fixture('export', `log.${renderingOf(format).extension}`);
    const text = rendered(format, hits());
    if (format === 'jsonl') return assert.equal(text, lines.map((line) => `${line.toString()}\n`).join(''));
    if (update) writeFileSync(path, text);
    return assert.equal(text, readFileSync(path, 'utf8'));
  });

  test(`${format} of nothing is whole`, () => {
    const text = rendered(format, []);
    if (format === 'json') assert.deepEqual(JSON.parse(text), []);
    else assert.equal(text, format === 'csv' ? csvHeader : '');
  });
}

test('the log of fixtures/export has an entry of every family of events', () => {
  const families = (names: readonly string[]): readonly string[] => [...new Set(names.map((name) => name.split('.')[0] ?? ''))].sort();
  assert.deepEqual(families(hits().map(({ entry }) => entry.event)), families(eventNames));
});

test('json holds every entry, byte for byte', () => {
  const text = rendered('json', hits());
  const parsed: unknown = JSON.parse(text);
  assert.ok(Array.isArray(parsed) && parsed.length === lines.length);
  for (const line of lines) assert.ok(text.includes(line.toString()));
});

test('an entry that was opened is written as it reads, not as its line', () => {
  const entry: LoggedEntry = { seq: 1, timestamp: '2026-02-15T14:30:00.000Z', event: 'policy.allow', level: 'info', actor: 'user:alice' };
  assert.equal(rendered('jsonl', [{ entry, line: Buffer.from('{"actor":{"$enc":1}}'), isOpened: true }]), `${JSON.stringify(entry)}\n`);
});

test('the output comes in parts of bounded size, and lets others have a turn', () => {
  const many = Array.from({ length: 5000 }, (_, at) => (at % 1000 === 0 ? undefined : hits()[at % lines.length]));
  const count = { entries: 0 };
  const parts = [...renderHits(many, renderingOf('jsonl'), count)];
  assert.equal(count.entries, 4995);
  assert.equal(parts.filter((part) => part === undefined).length, 5);
  assert.ok(parts.every((part) => (part?.length ?? 0) < 200_000));
});

describe('CSV, RFC 4180', () => {
  const rows: readonly (readonly [cell: string, written: string])[] = [
    ['plain', 'plain'], ['', ''], ['a,b', '"a,b"'], ['say "no"', '"say ""no"""'], ['two\nlines', '"two\nlines"'], ['\r', '"\'\r"'], [' spaces ', ' spaces '],
    ['=1+1', "'=1+1"], ['+1', "'+1"], ['-1', "'-1"], ['@SUM(A1)', "'@SUM(A1)"], ['\tx', '"\'\tx"'], ['a;=1', '"a;=1"'], [' =1', "' =1"], ['\u00a0@x', "'\u00a0@x"], ['\n=1', '"\'\n=1"'], ['\uff1d1', "'\uff1d1"], ['\u001b[2Jx\u009b', '\ufffd[2Jx\ufffd'], ['\0=1', '\ufffd=1'], ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'], ['a=1', 'a=1'], ["'", "'"],
  ];
  for (const [cell, written] of rows) test(JSON.stringify(cell), () => assert.equal(csvRow([cell, 'x']), `${written},x\r\n`));
  test('the guard against formulas can be left out', () => {
    assert.equal(csvRow(['=1+1', '-1', '@x,y'], true), '=1+1,-1,"@x,y"\r\n');
    assert.match(csvLine({ actor: '=cmd' }, true), /,=cmd,/);
    assert.match(csvLine({ actor: '=cmd' }, false), /,'=cmd,/);
  });
  test('a negative number is a number', () => assert.equal(csvRow([-5]), '-5\r\n'));
  test('every row has as many cells as the header, and ends in the seal', () => {
    const cells = (row: string): number => row.replace(/"(?:[^"]|"")*"/g, '').split(',').length;
    for (const { entry } of hits()) {
      assert.equal(cells(csvLine(entry, false)), cells(csvHeader));
      assert.ok(csvLine(entry, false).endsWith(`,${String(entry['chain_hash'])}\r\n`));
    }
  });
});

describe('CEF', () => {
  const message = { vendor: 'V', product: 'P', version: '1', classId: 'c', name: 'n', severity: 5, extension: [] };
  const header = (name: string): string => cefMessage({ ...message, name });
  const value = (text: string): string => cefMessage({ ...message, extension: [['msg', text]] }).slice('CEF:0|V|P|1|c|n|5|'.length);
  test('a header escapes pipes and backslashes, not equals signs, and has no line end', () => {
    assert.equal(header('a|b\\c=d\r\ne'), 'CEF:0|V|P|1|c|a\\|b\\\\c=d e|5|');
  });
  test('a value escapes equals signs, backslashes and line ends, not pipes', () => {
    assert.equal(value('a|b\\c=d\r\ne\nf\rg'), 'msg=a|b\\\\c\\=d\\ne\\nf\\ng');
    assert.equal(value('a\u001b[2Jb\0c\u0085d\u2028e'), 'msg=a [2Jb c d e');
    assert.equal(header('a\u001b|\0'), 'CEF:0|V|P|1|c|a \\| |5|');
  });
  test('what is empty is left out', () => {
    assert.equal(cefMessage({ ...message, extension: [['act', ''], ['cat', undefined], ['cn1', 0]] }), 'CEF:0|V|P|1|c|n|5|cn1=0');
  });
  test('what is too long is cut before it is escaped, and never inside a character', () => {
    assert.equal(value('='.repeat(2000)), `msg=${'\\='.repeat(1023)}`);
    assert.equal(value(`${'x'.repeat(1022)}😀y`), `msg=${'x'.repeat(1022)}`);
    assert.equal(cefMessage({ ...message, vendor: 'v'.repeat(100) }).split('|')[1], 'v'.repeat(63));
  });
  test('no entry can begin a line or a field of its own', () => {
    const evil = 'x\nCEF:0|a|b|c|d|e|9|\r\nrt=1 suser=admin';
    const line = cefLine({ seq: 1, event: evil, actor: evil, resource: evil, details: { reason: evil, rule: evil, action: { command: evil } }, metadata: { hostname: evil, version: evil }, chain_hash: evil });
    assert.doesNotMatch(line, /[\r\n]/);
    const extension = line.split(/(?<!\\)\|/).slice(7).join('|');
    assert.doesNotMatch(extension, /[^\\]=admin/);
    assert.deepEqual([...extension.matchAll(/ suser=/g)].length, 1);
  });
});

/** What OCSF requires of the classes in use; 1.8.0 (schema.ocsf.io). One of the members in a list is enough. */
const required: Readonly<Record<number, { readonly name: string; readonly members: readonly (string | readonly string[])[]; readonly activities: number }>> = {
  1001: { name: 'File System Activity', members: ['actor', 'device', 'file.name', 'file.type_id'], activities: 14 },
  1007: { name: 'Process Activity', members: ['actor', 'device', 'process.uid', 'process.name'], activities: 5 },
  1008: { name: 'Event Log Activity', members: [['log_name', 'log_file']], activities: 10 },
  2003: { name: 'Compliance Finding', members: ['finding_info.uid', 'finding_info.title', 'compliance'], activities: 3 },
  2004: { name: 'Detection Finding', members: ['finding_info.uid', 'finding_info.title'], activities: 3 },
  3002: { name: 'Authentication', members: ['user', ['service', 'dst_endpoint']], activities: 7 },
  3003: { name: 'Authorize Session', members: ['user', ['privileges', 'groups']], activities: 3 },
  3005: { name: 'User Access Management', members: ['user', 'privileges'], activities: 4 },
  6002: { name: 'Application Lifecycle', members: ['app.name'], activities: 8 },
  6003: { name: 'API Activity', members: ['actor', 'api.operation', 'src_endpoint.hostname'], activities: 4 },
};
const requiredOfAll = ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'severity_id', 'time', 'metadata.version', 'metadata.product.name'];

function member(value: JsonValue | undefined, path: string): JsonValue | undefined {
  return path.split('.').reduce<JsonValue | undefined>((at, name) => (isObject(at) ? at[name] : undefined), value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return isPlainObject(value);
}

function assertOcsf(event: JsonObject): void {
  const told = JSON.stringify(event);
  const uid = Number(event['class_uid']);
  const rule = required[uid];
  assert.ok(rule !== undefined, told);
  assert.equal(event['class_name'], rule.name);
  assert.equal(event['category_uid'], Math.floor(uid / 1000));
  assert.equal(event['type_uid'], uid * 100 + Number(event['activity_id']));
  assert.ok(event['activity_id'] === 99 || (Number(event['activity_id']) >= 1 && Number(event['activity_id']) <= rule.activities), told);
  for (const names of [...requiredOfAll, ...rule.members]) assert.ok([names].flat().some((name) => ![undefined, ''].includes(member(event, name) as string)), `${[names].flat().join(' or ')} is missing: ${told}`);
  assert.ok(typeof event['time'] === 'number' && typeof event['message'] === 'string');
  const profiles = member(event, 'metadata.profiles');
  assert.equal('action_id' in event, Array.isArray(profiles) && profiles.includes('security_control'), told);
}

describe('OCSF', () => {
  for (const event of eventNames) {
    test(`${event} has what its class requires, with everything and with nothing known`, () => {
      const full = { kind: 'exec', command: 'ls -l', file_path: '/a/b', url: 'https://x/', mcp_server: 's', mcp_tool: 't' };
      assertOcsf(ocsfEvent({ seq: 1, timestamp: '2026-02-15T14:30:00.000Z', event, level: 'info', actor: 'user:alice', resource: 'run:1', details: { action: full, reason: 'r', name: 'n' }, metadata: { hostname: 'h', pid: 1, version: '1' }, chain_hash: 'a' }));
      assertOcsf(ocsfEvent({ event }));
      for (const kind of ['exec', 'fs.read', 'fs.write', 'fs.delete', 'net', 'mcp', 'agent', 'other', 'constructor']) assertOcsf(ocsfEvent({ event, details: { action: { kind } } }));
    });
  }
  test('the seal stands where a verifier finds it', () => {
    assert.equal(member(ocsfEvent({ event: 'policy.deny', chain_hash: 'ab' }), 'unmapped.loki.integrity.chain_hash'), 'ab');
  });
  test('a model is told of where the entry knows it', () => {
    const event = ocsfEvent({ event: 'session.start', details: { provider: 'anthropic', model: 'm-1', tokens: 12 } });
    assert.deepEqual(event['ai_model'], { ai_provider: 'anthropic', name: 'm-1' });
    assert.deepEqual(member(event, 'metadata.profiles'), ['ai_operation']);
    assert.equal(member(ocsfEvent({ event: 'session.start', details: { provider: 'x' } }), 'ai_model'), undefined);
  });
});

describe('the mapping', () => {
  test('every event has a row that says what it is', () => {
    const names = eventNames.map((event) => mapEntry({ event }).name);
    assert.equal(new Set(names).size, eventNames.length, 'no two events have the same words');
    assert.ok(!names.includes('Unknown event'));
  });
  test('security-relevant is WARNING, an error ERR, the rest INFO', () => {
    const severity = (event: string, level: string): number => mapEntry({ event, level }).severity.syslog;
    assert.deepEqual([severity('policy.deny', 'warning'), severity('audit.gap', 'error'), severity('session.start', 'info'), severity('task.fail', 'error'), severity('gate.fail', 'warning'), severity('auth.token.create', 'info')], [4, 3, 6, 3, 6, 4]);
  });
  test('an entry that knows its outcome better is believed', () => {
    assert.equal(mapEntry({ event: 'api.request', details: { status: 403 } }).outcome, 'failure');
    assert.equal(mapEntry({ event: 'api.request', details: { status: 200 } }).outcome, 'success');
    assert.equal(mapEntry({ event: 'audit.verify', details: { verdict: 'tampered' } }).outcome, 'failure');
  });
  test('any object maps', () => {
    for (const entry of [{}, { event: 'none.such', level: 'loud', actor: { $enc: 1 }, details: [1], metadata: null, seq: 'x' }, { event: 'toString', actor: 'system' }] as const) {
      const mapped = mapEntry(entry);
      assert.equal(typeof mapped.message, 'string');
      assert.ok(cefLine(entry).startsWith('CEF:0|') && csvLine(entry, false).endsWith('\r\n') && 'class_uid' in ocsfEvent(entry));
    }
    assert.equal(mapEntry({ actor: { $enc: 1 } }).actor, '(encrypted)');
  });
  test('format names are the ones there are', () => assert.deepEqual(['json', 'xml', undefined, 'toString'].map(isExportFormat), [true, false, false, false]));
});
