/** Search, tail, summary and export of the log of record through the command line. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openRecord } from '../../lib/app/audit/record.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { openAuditLog } from '../../lib/entry/audit.ts';
import { makeGround, until, type Ground, type GroundCall } from '../support/ground.ts';

const plain = { LOKI_AUDIT_COMPRESS: 'false' };

async function record(ground: Ground, events: readonly AuditEvent[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const log = openRecord(ground.installation(env));
  for (const event of events) await log.record(event);
  await log.close();
}

const some: readonly AuditEvent[] = [
  { event: 'session.start', actor: 'user:alice', resource: 'session:ses_1', details: { provider: 'claude' } },
  { event: 'policy.deny', actor: 'agent:claude', details: { decision: 'DENY', reason: 'no: =1+1', action: { kind: 'exec', command: 'rm -rf /' } } },
  { event: 'auth.fail', actor: 'token:ci-bot', details: { reason: 'expired' } },
  { event: 'auth.denied', actor: 'token:ci-bot', details: { owner: 'user:alice' } },
];

/** Events of the entries that a command printed with `--json`. */
async function found(ground: Ground, args: readonly string[], call: GroundCall = {}): Promise<readonly string[]> {
  const { exit: code, stdout, stderr } = await ground.loki(['enterprise', 'audit', ...args, '--json'], { env: plain, ...call });
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean).map((line) => String(JSON.parse(line).event));
}

test('search finds by every filter, the oldest first, in plain and compressed files', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  const old = { seq: 0, timestamp: '2020-01-02T03:04:05.000Z', event: 'task.fail', level: 'error', actor: 'system', details: { note: 'long ago' }, metadata: {} };
  writeFileSync(join(ground.home, 'dashboard/audit/audit-2020-01-02.jsonl.gz'), gzipSync(`${JSON.stringify(old)}\n`));
  const search = (...args: readonly string[]): Promise<readonly string[]> => found(ground, ['search', ...args]);
  assert.deepEqual(await search('--event', 'auth.*'), ['auth.fail', 'auth.denied']);
  assert.deepEqual(await search('--limit', '2'), ['auth.fail', 'auth.denied'], 'the newest two');
  assert.deepEqual(await search('--actor', 'ci-bot', '--event', 'auth.fail'), ['auth.fail']);
  assert.deepEqual(await search('--level', 'error'), ['task.fail']);
  assert.deepEqual(await search('--resource', 'session:ses_1'), ['session.start']);
  assert.deepEqual(await search('--text', 'rm -rf'), ['policy.deny']);
  assert.deepEqual(await search('--from', '2020-01-02', '--to', '2020-01-02'), ['task.fail']);
  assert.deepEqual(await search('--to', '2020-01-02T03:04:04Z'), []);
  assert.deepEqual(await search('--from', '24h', '--actor', 'alice'), ['session.start']);
  const { stdout, stderr } = await ground.loki(['enterprise', 'audit', 'search', '--event', 'policy.warn'], { env: plain });
  assert.deepEqual([stdout, stderr], ['', 'No such entry.\n']);
});

test('search says what is wrong with a filter', async (t) => {
  const ground = makeGround(t);
  const said = async (...args: readonly string[]): Promise<string> => {
    const { exit: code, stderr } = await ground.loki(['enterprise', 'audit', 'search', ...args], { env: plain });
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.match(await said('--event', 'auth.fial'), /there is no event "auth\.fial" \(did you mean "auth\.fail"\?\)/);
  assert.match(await said('--event', 'auth'), /hint: auth\.\* means all that begin so/);
  assert.match(await said('--event', 'none.*'), /there is no event "none\.\*"/);
  assert.match(await said('--from', '2026-02-30'), /--from is "2026-02-30", which is no time\nhint: Write a day/);
  assert.match(await said('--to', '5'), /--to is "5", which is no time/);
  assert.match(await said('--from', '2026-02-02', '--to', '2026-02-01'), /is later than/);
  assert.match(await said('--limit', '0'), /--limit is a whole number from 1/);
});

test('tail follows the log over a page turned, and ends cleanly', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  assert.deepEqual(await found(ground, ['tail', '-n', '2', '--actor', 'ci-bot']), ['auth.fail', 'auth.denied']);
  const child = ground.start(['enterprise', 'audit', 'tail', '-n', '1', '--follow', '--json', '--event', 'auth.*'], { env: plain });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => { printed += bytes.toString(); });
  const shown = (): readonly string[] => printed.split('\n').filter(Boolean).map((line) => String(JSON.parse(line).details.n ?? 'first'));
  await until('the newest is shown', () => shown().length === 1);
  const log = openAuditLog({ dir: join(ground.home, 'dashboard/audit'), maxFileBytes: 1000 });
  for (let n = 1; n <= 3; n += 1) {
    // Each of them turns the page.
    await log.append({ event: 'auth.fail', actor: 'user:x', details: { n, pad: 'x'.repeat(2000) } });
    await log.append({ event: 'task.create', actor: 'user:x' });
  }
  await log.close();
  assert.ok(readdirSync(join(ground.home, 'dashboard/audit')).length >= 3);
  await until('what was written is shown', () => shown().length >= 4);
  assert.deepEqual(shown(), ['first', '1', '2', '3']);
  const ended = new Promise<number | null>((resolve) => { child.once('exit', resolve); });
  child.kill('SIGINT');
  assert.equal(await ended, 130);
});

test('summary prints what the manual shows', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  const { stdout } = await ground.loki(['enterprise', 'audit', 'summary'], { env: plain });
  assert.equal(stdout, [
    'Audit Log Summary (Last 24 Hours)', '', 'Events by Type:', '  audit.open: 1', '  auth.denied: 1', '  auth.fail: 1', '  policy.deny: 1', '  session.start: 1', '',
    'Events by Level:', '  warning: 3', '  info: 2', '', 'Events by Actor:', '  token:ci-bot: 2', '  agent:claude: 1', '  system: 1', '  user:alice: 1', '',
  ].join('\n'));
  for (const [period, words] of [['7d', '7 Days'], ['1h', '1 Hour'], ['90m', '90 Minutes'], ['24h', '24 Hours']] as const) {
    assert.ok((await ground.loki(['enterprise', 'audit', 'summary', '--period', period], { env: plain })).stdout.startsWith(`Audit Log Summary (Last ${words})\n`), period);
  }
  const none = await ground.loki(['enterprise', 'audit', 'summary', '--period', '0'], { env: plain });
  assert.deepEqual([none.exit, none.stdout], [2, '']);
  assert.match(none.stderr, /--period is 0\nhint: Give how far back to look/);
  const { stdout: json } = await ground.loki(['enterprise', 'audit', 'summary', '--period', '7d', '--json'], { env: plain });
  assert.deepEqual(JSON.parse(json), { period: '7d', total_events: 5, by_type: { 'audit.open': 1, 'auth.denied': 1, 'auth.fail': 1, 'policy.deny': 1, 'session.start': 1 }, by_level: { warning: 3, info: 2 }, by_actor: { 'token:ci-bot': 2, 'agent:claude': 1, system: 1, 'user:alice': 1 } });
});

test('export writes one whole file for its owner, and the log says what was taken', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  const path = join(ground.project, 'out.csv');
  const { exit: code, stdout, stderr } = await ground.loki(['enterprise', 'audit', 'export', '--format', 'csv', '--output', 'out.csv', '--event', 'auth.*', '--json'], { env: plain });
  assert.equal(code, 0, stderr);
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(JSON.parse(stdout), { path, format: 'csv', entries: 2, bytes: bytes.length, sha256, audit_seq: 6 });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const told = ground.entries().at(-1);
  assert.equal(told?.['event'], 'audit.export');
  assert.deepEqual(told?.['details'], { format: 'csv', filters: { event: 'auth.*' }, entries: 2, path, bytes: bytes.length, sha256, up_to_seq: 5 });

  const again = await ground.loki(['enterprise', 'audit', 'export', '--output', 'out.csv'], { env: plain });
  assert.match(again.stderr, /it exists\nhint: Choose another name, or replace it with --force/);
  assert.deepEqual(readFileSync(path), bytes);
  assert.equal((await ground.loki(['enterprise', 'audit', 'export', '--output', 'out.csv', '--force'], { env: plain })).exit, 0);
  for (const among of ['../home/new.json', '../home/dashboard/reserve']) {
    const { exit, stderr } = await ground.loki(['enterprise', 'audit', 'export', '--output', among, '--force'], { env: plain });
    assert.equal(exit, 2);
    assert.match(stderr, /it lies among the records and keys themselves/);
  }
  const all: unknown = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(Array.isArray(all) && all.length === 6, 'every entry before the export itself');
});

test('an export that cannot be recorded leaves no file', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  mkdirSync(join(ground.root, 'lost'));
  const file = readdirSync(join(ground.home, 'dashboard/audit'))[0] ?? '';
  // A second link makes the newest file one that is never written.
  linkSync(join(ground.home, 'dashboard/audit', file), join(ground.root, 'lost', 'link'));
  for (const args of [['--output', 'out.json'], []]) {
    const { exit: code, stdout, stderr } = await ground.loki(['enterprise', 'audit', 'export', ...args], { env: plain });
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /Cannot record audit\.export/);
  }
  assert.deepEqual(readdirSync(ground.project), []);
});

test('export refuses places where no file can be, before it reads anything', async (t) => {
  const ground = makeGround(t);
  const said = async (...args: readonly string[]): Promise<string> => {
    const { exit: code, stderr } = await ground.loki(['enterprise', 'audit', 'export', ...args], { env: plain });
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.match(await said('--output', '.'), /it is a directory/);
  assert.match(await said('--output', '/dev/null'), /it is a device or pipe/);
  assert.match(await said('--output', 'nowhere/x.json'), /there is no directory/);
  assert.match(await said('--force'), /--force is of no use without --output/);
  assert.match(await said('--raw-csv'), /--raw-csv is of no use without --format csv/);
  assert.match(await said('--format', 'xml'), /--format is one of/);
  assert.equal(existsSync(join(ground.home, 'dashboard/audit')), false);
});

test('a damaged compressed file stops an export, and only shortens a search', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  writeFileSync(join(ground.home, 'dashboard/audit/audit-2020-01-02.jsonl.gz'), 'no gzip');
  const exported = await ground.loki(['enterprise', 'audit', 'export', '--output', 'x.json'], { env: plain });
  assert.equal(exported.exit, 7, exported.stderr);
  assert.match(exported.stderr, /audit-2020-01-02\.jsonl\.gz cannot be read/);
  assert.deepEqual(readdirSync(ground.project), []);
  const searched = await ground.loki(['enterprise', 'audit', 'search', '--event', 'auth.fail'], { env: plain });
  assert.equal(searched.exit, 0);
  assert.match(searched.stderr, /^warning: .*audit-2020-01-02/);
  assert.match(searched.stdout, /auth\.fail/);
});

test('jsonl is the log byte for byte; an access request holds all that is about a person', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  const folder = join(ground.home, 'dashboard/audit');
  const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  const { stdout } = await ground.loki(['enterprise', 'audit', 'export', '--format', 'jsonl'], { env: plain });
  assert.equal(stdout, before);
  const told = ground.entries().at(-1)?.['details'];
  assert.deepEqual(told, { format: 'jsonl', filters: {}, entries: null, path: null, bytes: null, sha256: null, up_to_seq: 5 });
  const about = await ground.loki(['enterprise', 'audit', 'export', '--subject', 'alice', '--request', 'DSR-17', '--output', 'alice.json'], { env: plain });
  assert.equal(about.exit, 0, about.stderr);
  const entries: readonly { readonly event: string }[] = JSON.parse(readFileSync(join(ground.project, 'alice.json'), 'utf8'));
  assert.deepEqual(entries.map(({ event }) => event), ['session.start', 'auth.denied']);
  const nobody = await ground.loki(['enterprise', 'audit', 'export', '--subject', 'alcie', '--output', 'alcie.json'], { env: plain });
  assert.deepEqual([nobody.exit, nobody.stderr], [0, 'Nothing in the log of record is about user:alcie, as far as it can be read here.\n']);
  assert.match(nobody.stdout, /^0 entries written to alcie\.json \(json, \d bytes, sha256 [0-9a-f]{64}\)\n$/);
});

test('with log_data_access each reading is recorded, with who, how, what and how much', async (t) => {
  const ground = makeGround(t);
  await record(ground, some);
  ground.write('home/config.yaml', 'enterprise:\n  audit:\n    log_data_access: true\n');
  const { username } = ground.installation().host.facts;
  const accesses = (): readonly unknown[] => ground.entries().filter(({ event }) => event === 'data.access').map(({ actor, details }) => [actor, details]);
  assert.deepEqual(await found(ground, ['search', '--actor', 'ci-bot']), ['auth.fail', 'auth.denied']);
  assert.deepEqual(await found(ground, ['search', '--actor', 'ci-bot', '--limit', '1']), ['auth.denied']);
  assert.deepEqual(await found(ground, ['tail', '-n', '2', '--event', 'auth.fail']), ['auth.fail']);
  assert.equal((await ground.loki(['enterprise', 'audit', 'export', '--event', 'auth.*', '--output', 'x.json'])).exit, 0);
  assert.equal((await ground.loki(['enterprise', 'audit', 'summary'])).exit, 0);
  const by = `user:${username}`;
  assert.deepEqual(accesses(), [
    [by, { how: 'search', filter: { actor: 'ci-bot' }, entries: 2 }], [by, { how: 'search', filter: { actor: 'ci-bot' }, entries: 1 }],
    [by, { how: 'tail', filter: { event: 'auth.fail' }, entries: 1 }], [by, { how: 'export', filter: { event: 'auth.*' }, entries: 2 }],
  ]);
});

test('an encrypted log is searched, counted and exported by whoever has the key', async (t) => {
  const ground = makeGround(t);
  const env = { LOKI_AUDIT_KEY: Buffer.alloc(32, 7).toString('base64') };
  await record(ground, some, env);
  assert.doesNotMatch(JSON.stringify(ground.entries().slice(1)), /alice|ci-bot|rm -rf/);
  assert.deepEqual(await found(ground, ['search', '--actor', 'ci-bot'], { env }), ['auth.fail', 'auth.denied']);
  assert.deepEqual(await found(ground, ['search', '--text', 'rm -rf'], { env }), ['policy.deny']);
  const summary = await ground.loki(['enterprise', 'audit', 'summary', '--json'], { env });
  assert.deepEqual(JSON.parse(summary.stdout).by_actor, { 'token:ci-bot': 2, 'agent:claude': 1, system: 1, 'user:alice': 1 });
  const exported = await ground.loki(['enterprise', 'audit', 'export', '--format', 'jsonl', '--event', 'auth.fail'], { env });
  assert.match(exported.stdout, /"actor":"token:ci-bot","details":\{"reason":"expired"\}/);
  // Without it nothing is shown but that something is there.
  const { stdout } = await ground.loki(['enterprise', 'audit', 'tail'], { env: {} });
  assert.doesNotMatch(stdout, /alice|ci-bot|rm -rf/);
  assert.match(stdout, /\(encrypted\)/);
});

test('an answer to a request for access holds details that lie beside the log, and says where they cannot be had', async (t) => {
  const long = { text: 'x'.repeat(80_000), owner: 'user:alice' };
  for (const yaml of ['', 'enterprise:\n  audit:\n    encrypt: true\n', 'enterprise:\n  audit:\n    gdpr_compliance: true\n', 'enterprise:\n  audit:\n    encrypt: true\n    gdpr_compliance: true\n']) {
    const ground = makeGround(t);
    ground.write('home/config.yaml', yaml);
    await record(ground, [...some, { event: 'policy.allow', actor: 'agent:claude', details: long }, { event: 'policy.allow', actor: 'agent:claude', details: { ...long, owner: 'user:carol' } }]);
    const blobs = join(ground.home, 'dashboard/blobs');
    const sizes = new Map(readdirSync(blobs).map((name) => [name, statSync(join(blobs, name)).size]));
    const entriesFor = async (format: string, subject = 'alice'): Promise<readonly Record<string, unknown>[]> => {
      const { exit: code, stdout, stderr } = await ground.loki(['enterprise', 'audit', 'export', '--subject', subject, '--format', format], { env: plain });
      assert.deepEqual([code, stderr], [0, ''], yaml);
      const entries: readonly Record<string, unknown>[] = format === 'json' ? JSON.parse(stdout) : stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
      // Earlier answers are about the person as well.
      return entries.filter(({ event }) => event !== 'audit.export');
    };
    for (const format of ['json', 'jsonl']) {
      const entries = await entriesFor(format);
      assert.deepEqual(entries.map(({ event }) => event), ['session.start', 'auth.denied', 'policy.allow']);
      const { details, blob } = entries[2] ?? {};
      assert.deepEqual(details, long);
      const { sha256, bytes } = blob as { readonly sha256: string; readonly bytes: number };
      assert.equal(sizes.get(sha256), bytes);
    }
    const unmapped = (await entriesFor('ocsf'))[2]?.['unmapped'] as { readonly loki: Record<string, unknown> };
    assert.deepEqual([unmapped.loki['details'], Object.keys(unmapped.loki['blob'] ?? {})], [long, ['sha256', 'salt', 'bytes']]);
    assert.deepEqual((await found(ground, ['search', '--subject', 'alice'])).slice(0, 3), ['session.start', 'auth.denied', 'policy.allow']);
    assert.deepEqual(await found(ground, ['search', '--subject', 'carol', '--text', 'xxxx']), ['policy.allow']);
    // Without a subject nothing is looked into.
    const all = await ground.loki(['enterprise', 'audit', 'export', '--format', 'jsonl'], { env: plain });
    assert.doesNotMatch(all.stdout, /xxxx/);

    const [first = '', second = ''] = sizes.keys();
    rmSync(join(blobs, first));
    writeFileSync(join(blobs, second), 'y'.repeat(sizes.get(second) ?? 0));
    const lost = await ground.loki(['enterprise', 'audit', 'export', '--subject', 'alice', '--output', 'alice.json', '--json'], { env: plain });
    assert.equal(lost.exit, 0, lost.stderr);
    assert.match(lost.stderr, /2 entries have their details beside the log, where they are missing, changed or unreadable \(seq \d+, \d+\)/);
    assert.equal(JSON.parse(lost.stdout).unread.entries, 2);
    assert.match((await ground.loki(['enterprise', 'audit', 'search', '--subject', 'alice'], { env: plain })).stderr, /2 entries have their details/);
  }
});

test('an entry of the person whose blob is gone is there all the same, and says so', async (t) => {
  const ground = makeGround(t);
  await record(ground, [{ event: 'run.create', actor: 'user:alice', details: { text: 'x'.repeat(80_000) } }]);
  const blobs = join(ground.home, 'dashboard/blobs');
  const [name = ''] = readdirSync(blobs);
  for (const [spoil, trouble] of [[() => writeFileSync(join(blobs, name), 'short'), 'changed'], [() => rmSync(join(blobs, name)), 'missing']] as const) {
    spoil();
    const { stdout, stderr } = await ground.loki(['enterprise', 'audit', 'export', '--subject', 'alice'], { env: plain });
    const [entry] = JSON.parse(stdout);
    assert.deepEqual([entry.details.blob.sha256, entry.blob.trouble], [name, trouble]);
    assert.match(stderr, /1 entry has its details beside the log/);
  }
});
