/** `loki doctor` against each trouble that the manual names: the trouble is made, and the answer says what it is and what repairs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { areaNames, examine, checksOf, worstStatus, type Area, type Finding } from '../../lib/app/doctor/doctor.ts';
import type { Outcome } from '../../lib/app/doctor/check.ts';
import { lookAround } from '../../lib/app/doctor/scene.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { homeLayout } from '../../lib/config/layout.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { writeState, type ReceiverState } from '../../lib/audit/forward/cursor.ts';
import type { Disk } from '../../lib/ports.ts';
import { makeGround, type Ground } from '../support/ground.ts';

type Env = Readonly<Record<string, string>>;

async function findings(here: Ground, area: Area, env: Env = {}): Promise<readonly Finding[]> {
  return examine({ env: { ...here.env, ...env }, cwd: here.project, homeDirectory: here.root }, {}, [area]);
}

/** What one check found. */
async function found(here: Ground, area: Area, check: string, env: Env = {}): Promise<Finding> {
  const one = (await findings(here, area, env)).find((each) => each.check === check);
  assert.ok(one !== undefined, `there is a check "${check}"`);
  return one;
}

function says(finding: Outcome, status: string, words: RegExp, repair?: RegExp): void {
  assert.equal(finding.status, status, finding.found);
  assert.match(finding.found, words);
  if (repair === undefined) assert.equal(finding.repair, undefined);
  else assert.match(finding.repair ?? '', repair);
}

/** Entries of the usual kind. */
async function record(installation: Installation, ...events: readonly AuditEvent[]): Promise<void> {
  const log = openRecord(installation);
  for (const event of events) await log.record(event);
  await log.close();
}

const anEntry: AuditEvent = { event: 'session.start', actor: 'user:tester', details: {} };
const auditFolder = (here: Ground): string => join(here.home, 'dashboard/audit');

function shell(here: Ground, command: string, env: Env = {}): string {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], { env: { ...here.env, ...env }, cwd: here.project, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** `~/.loki` is the home of the records, as the manual's commands have it. */
const atHome = (here: Ground): Env => ({ LOKI_HOME: join(here.root, '.loki') });

test('without LOKI_HOME nothing is wrong, nothing is made, and every area answers', async (t) => {
  const here = makeGround(t);
  for (const area of areaNames) assert.equal(worstStatus(await findings(here, area)), 'ok', area);
  assert.equal(existsSync(here.home), false);
});

test('an installation at work: all is well, and looking leaves nothing behind', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const before = shell(here, `find '${here.home}' | sort`);
  const { exit, stdout, stderr } = await here.loki(['doctor']);
  assert.equal(exit, 0, stdout);
  assert.match(stdout, /^audit\n {2}ok {4}settings /);
  assert.doesNotMatch(stdout, /FAIL|warn/);
  assert.match(stderr, /All is well/);
  assert.equal(shell(here, `find '${here.home}' | sort`), before);
});

test('logs are not created: switched off by a variable or a line of a file', async (t) => {
  const here = makeGround(t);
  says(await found(here, 'audit', 'enabled', { LOKI_AUDIT_DISABLED: 'true' }), 'fail', /by the variable LOKI_AUDIT_DISABLED/, /^unset LOKI_AUDIT_DISABLED$/);
  here.write('home/config.yaml', 'enterprise:\n  audit:\n    enabled: false\n');
  says(await found(here, 'audit', 'enabled'), 'fail', /home\/config\.yaml:3/, /^Remove enterprise\.audit\.enabled from .*config\.yaml, line 3$/);
  const told = await here.loki(['doctor', 'audit', '--json']);
  assert.equal(told.exit, 1);
  const { status, checks } = JSON.parse(told.stdout);
  assert.deepEqual([status, Object.keys(checks[0])], ['fail', ['area', 'check', 'about', 'status', 'found']]);
  assert.match((await here.loki(['enterprise', 'status'])).stdout, /^Audit +OFF/m, 'the command that the manual names says it too');
});

test('logs are not created: the folder is a link, a file, closed, or open to others', async (t) => {
  const here = makeGround(t);
  const folder = auditFolder(here);
  mkdirSync(join(here.root, 'elsewhere'));
  mkdirSync(join(here.home, 'dashboard'), { recursive: true, mode: 0o700 });
  symlinkSync(join(here.root, 'elsewhere'), folder);
  says(await found(here, 'audit', 'folder'), 'fail', /is a symbolic link/, /rm /);
  rmSync(folder);
  writeFileSync(folder, '');
  says(await found(here, 'audit', 'folder'), 'fail', /is no directory/, /^Move it away: mv /);
  rmSync(folder);
  mkdirSync(folder, { mode: 0o500 });
  says(await found(here, 'audit', 'folder'), process.geteuid?.() === 0 ? 'warn' : 'fail', /mode 0500: its owner cannot write/, /^chmod 700 /);
  chmodSync(folder, 0o755);
  says(await found(here, 'audit', 'folder'), 'warn', /mode 0755: others than its owner/, /^chmod 700 /);
  const repair = (await found(here, 'audit', 'folder')).repair ?? '';
  shell(here, repair);
  says(await found(here, 'audit', 'folder'), 'ok', /private to its owner/);
});

test('logs are not created: the file is somebody else\'s, has a second name, or can be read by others', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), anEntry);
  const [name = ''] = readdirSync(auditFolder(here));
  const file = join(auditFolder(here), name);
  linkSync(file, join(here.root, 'second'));
  says(await found(here, 'audit', 'newest file'), 'fail', /under 2 names/, /mv /);
  rmSync(join(here.root, 'second'));
  chmodSync(file, 0o644);
  says(await found(here, 'audit', 'newest file'), 'warn', /mode 0644/, /^chmod 600 /);
  if (process.geteuid?.() === 0) {
    shell(here, `chown 1 '${file}'`);
    says(await found(here, 'audit', 'newest file'), 'fail', /belongs to user 1/, /chown 0 /);
    const { exit, stdout } = await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
    assert.equal(exit, 3, 'the hook refuses for the same reason');
    assert.match(stdout, /belongs to user 1/);
  }
});

/** One check with a disk of which something is different. */
async function onDisk(here: Ground, check: string, different: Partial<Disk>): Promise<Outcome> {
  const scene = lookAround({ env: here.env, cwd: here.project, homeDirectory: here.root }, {});
  const { installation } = scene;
  const host = { ...installation.host, disk: { ...installation.host.disk, ...different } };
  const row = checksOf.audit.find(({ name }) => name === check);
  assert.ok(row !== undefined);
  return row.look({ ...scene, installation: { ...installation, host } });
}

test('logs are not created: the disk is full, or lies on the network', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), anEntry);
  says(await onDisk(here, 'space', { freeBytes: () => 1_000_000 }), 'fail', /^1\.0 MB free; the log takes \d+ bytes/, /Make room/);
  says(await onDisk(here, 'space', { freeBytes: () => 900_000_000 }), 'warn', /900 MB free/, /retention_days/);
  says(await onDisk(here, 'space', { freeBytes: () => 10 ** 12 }), 'ok', /1\.0 TB free/);
  says(await onDisk(here, 'file system', { volume: () => ({ freeBytes: 1, network: 'nfs' }) }), 'warn', /network file system \(nfs\)/, /local disk/);
  const full = (): never => { throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }); };
  says(await onDisk(here, 'test write', { create: full }), 'fail', /no space left/, /./);
});

test('the manual\'s own test write harms nothing: it is named, verification says ok, recording goes on', async (t) => {
  const here = makeGround(t);
  const env = atHome(here);
  shell(here, 'mkdir -p ~/.loki/dashboard/audit/ && chmod 700 ~/.loki/dashboard/audit/ && df -h ~/.loki/', env);
  shell(here, 'echo \'{"test": "entry"}\' >> ~/.loki/dashboard/audit/test.jsonl', env);
  const asked = await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}', env });
  assert.equal(asked.exit, 0, asked.stdout);
  says(await found(here, 'audit', 'other files', env), 'ok', /^test\.jsonl: no part of the log, harmless/);
  assert.equal(shell(here, 'cat ~/.loki/dashboard/audit/test.jsonl', env), '{"test": "entry"}\n');
  assert.equal((await here.loki(['audit', 'verify'], { env })).exit, 0);
  assert.match((await here.loki(['enterprise', 'audit', 'summary', '--json'], { env })).stdout, /"total_events":\d+/);
});

test('events are missing: the level and the list that hide them, by name, and how to undo it', async (t) => {
  const here = makeGround(t);
  says(await found(here, 'audit', 'events'), 'ok', /leaves out api\.response; LOKI_AUDIT_LEVEL=debug/);
  says(await found(here, 'audit', 'events', { LOKI_AUDIT_LEVEL: 'debug' }), 'ok', /every event is recorded/);
  const errors = await found(here, 'audit', 'events', { LOKI_AUDIT_LEVEL: 'error' });
  says(errors, 'warn', /level "error" leaves out session\.start, .*gate\.fail/, /LOKI_AUDIT_LEVEL=info/);
  assert.doesNotMatch(errors.found, /session\.fail|policy\.|approval\.|auth\.|audit\./, 'what no level hides is not said to be hidden');
  here.write('project/.loki/config.yaml', '# mine\n');
  here.write('home/config.yaml', 'enterprise:\n  audit:\n    exclude_events: [api.request, task.create]\n');
  says(await found(here, 'audit', 'events'), 'warn', /exclude_events leaves out api\.request, task\.create/, /^Remove enterprise\.audit\.exclude_events from .*config\.yaml, line 3$/);
});

/** A log of yesterday and today; yesterday's file is as old as it says when asked. */
async function twoDays(here: Ground): Promise<string> {
  const installation = here.installation();
  const yesterday = Date.now() - 40 * 86_400_000;
  const host = { ...installation.host, clock: { ...installation.host.clock, now: () => yesterday } };
  await record({ ...installation, host }, anEntry, anEntry);
  const [name = ''] = readdirSync(auditFolder(here));
  utimesSync(join(auditFolder(here), name), new Date(yesterday), new Date(yesterday));
  await record(installation, anEntry);
  return name;
}

test('disk space: files that wait for keeping, and what the manual\'s find -delete leaves', async (t) => {
  const here = makeGround(t);
  const name = await twoDays(here);
  says(await found(here, 'audit', 'oldest entries'), 'ok', /^entry 1 is there/);
  says(await found(here, 'audit', 'keeping'), 'warn', /1 file without a seal, 1 file not compressed/, /^loki audit keep$/);
  says(await found(here, 'audit', 'keeping', { LOKI_AUDIT_RETENTION: '7' }), 'warn', /1 file older than retention_days \(7\)/, /^loki audit keep; then loki audit prune, which asks: the clock is far ahead/);
  renameSync(join(auditFolder(here), name), join(here.root, 'kept'));
  mkdirSync(join(here.root, '.loki'), { recursive: true });
  renameSync(join(here.root, 'kept'), join(auditFolder(here), name));
  shell(here, `find '${auditFolder(here)}/' -type f -size +100M; du -sh '${auditFolder(here)}/'; find '${auditFolder(here)}/' -name "*.jsonl" -mtime +30 -delete`);
  assert.equal(existsSync(join(auditFolder(here), name)), false);
  says(await found(here, 'audit', 'oldest entries'), 'warn', /begins at entry 4, and no statement says .* as after find -delete/, /retention_days and loki audit prune/);
  assert.equal((await here.loki(['audit', 'verify'])).exit, 7, 'incomplete, and no cry of tampering');
  assert.equal((await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' })).exit, 0);
  mkdirSync(join(here.home, 'dashboard/tlog'), { recursive: true });
  here.write('home/dashboard/tlog/prune-3', 'a statement');
  says(await found(here, 'audit', 'oldest entries'), 'ok', /a signed statement says what pruning took/);
});

test('disk space: the same day plain and compressed', async (t) => {
  const here = makeGround(t);
  const name = await twoDays(here);
  shell(here, `gzip --keep '${join(auditFolder(here), name)}'`);
  says(await found(here, 'audit', 'twins'), 'warn', new RegExp(name.replaceAll('.', '\\.')), /^loki audit keep$/);
});

test('syslog is not forwarding: not configured, nothing sent yet, behind, refused', async (t) => {
  const here = makeGround(t);
  const env = { LOKI_AUDIT_SYSLOG_HOST: 'syslog.example.com', LOKI_AUDIT_SYSLOG_PORT: '514' };
  says(await found(here, 'syslog', 'settings'), 'ok', /no syslog server is configured \(LOKI_AUDIT_SYSLOG_HOST\)/);
  says(await found(here, 'syslog', 'settings', env), 'ok', /syslog\.example\.com port 514 over udp, rfc5424, facility local0, set by LOKI_AUDIT_SYSLOG_HOST; UDP/);
  says(await found(here, 'syslog', 'settings', { LOKI_AUDIT_SYSLOG_HOST: 'not a host' }), 'fail', /LOKI_AUDIT_SYSLOG_HOST/, /./);
  says(await found(here, 'syslog', 'settings', { ...env, LOKI_AUDIT_DISABLED: '1' }), 'fail', /audit logging is off/, /unset LOKI_AUDIT_DISABLED/);
  says(await found(here, 'syslog', 'forwarding', env), 'warn', /nothing has been sent yet/, /^loki syslog test$/);
  await record(here.installation(), anEntry, anEntry, { event: 'syslog.error', actor: 'system', details: { receiver: 'syslog', found: 'connection refused by syslog.example.com:514' } });
  const cursor = join(here.home, 'spool/siem-syslog.json');
  const state: ReceiverState = { position: { seq: 1, file: null, offset: 0, hash: null }, reported: 0, refused: 0, trouble: undefined };
  const place = { disk: here.installation().host.disk, base: here.home, path: cursor };
  writeState(place, 'syslog', state);
  says(await found(here, 'syslog', 'forwarding', env), 'ok', /has entries up to 1, 3 behind/);
  utimesSync(cursor, new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
  says(await found(here, 'syslog', 'forwarding', env), 'warn', /3 behind, and moved 60 minutes ago/, /loki syslog test/);
  writeState(place, 'syslog', { ...state, trouble: { since: 1, attempts: 2, message: 'it hung up', permanent: false, told: true, nextTry: 2 } });
  says(await found(here, 'syslog', 'forwarding', env), 'warn', /has entries up to 1, 3 behind, .*; it said: it hung up$/, /loki syslog test/);
  writeFileSync(cursor, '[[[');
  says(await found(here, 'syslog', 'forwarding', env), 'warn', /says nothing that is understood/, /./);
  says(await found(here, 'syslog', 'errors', env), 'warn', /^1, the last at .*: connection refused by syslog\.example\.com:514$/, /^loki enterprise audit tail --event syslog\.error$/);
  const shown = await here.loki(['enterprise', 'audit', 'tail', '--event', 'syslog.error'], { env });
  assert.deepEqual([shown.exit, shown.stdout.includes('syslog.error')], [0, true]);
});

test('checkpoints: none, behind, cut off, set back, a key that others can read', async (t) => {
  const here = makeGround(t);
  const { tlog, keys } = homeLayout(here.home);
  await record(here.installation(), anEntry, anEntry);
  says(await found(here, 'audit', 'checkpoint'), 'ok', /none yet: 3 of 1000 entries/);
  mkdirSync(tlog, { recursive: true });
  const note = (size: number): string => `box/loki/audit\n${size}\nAAAA\n\n— box sig\n`;
  writeFileSync(join(tlog, 'checkpoint'), note(3));
  says(await found(here, 'audit', 'checkpoint'), 'ok', /covers 3 of 3 entries/);
  says(await found(here, 'audit', 'signing key'), 'fail', /is gone/, /backup/);
  mkdirSync(keys);
  writeFileSync(join(keys, 'checkpoint.key'), 'x', { mode: 0o644 });
  says(await found(here, 'audit', 'signing key'), 'fail', /can be read by others/, /^chmod 600 /);
  writeFileSync(join(tlog, 'checkpoint'), note(9));
  says(await found(here, 'audit', 'checkpoint'), 'fail', /covers 9 entries, and the log ends at 3: entries were cut off/, /loki audit verify/);
  writeFileSync(join(tlog, 'checkpoint'), 'nonsense');
  says(await found(here, 'audit', 'checkpoint'), 'fail', /cannot be read as one/, /loki audit verify/);
  writeFileSync(join(tlog, 'checkpoint'), note(3));
});

test('the second place of checkpoints: not there, empty, up to date, behind, ahead', async (t) => {
  const here = makeGround(t);
  const copy = join(here.root, 'copy');
  here.write('home/config.yaml', `enterprise:\n  audit:\n    checkpoint_copy: ${JSON.stringify(copy)}\n`);
  const says2nd = async (...expected: readonly [status: string, words: RegExp, repair?: RegExp]): Promise<void> => says(await found(here, 'audit', 'checkpoint copy'), ...expected);
  const checkpoint = join(homeLayout(here.home).tlog, 'checkpoint');
  await says2nd('warn', /copy cannot be reached$/, /loki audit checkpoint/);
  mkdirSync(copy);
  await says2nd('ok', /no checkpoint was made yet/);
  await record(here.installation(), anEntry);
  assert.equal((await here.loki(['audit', 'checkpoint'])).exit, 0);
  const before = readFileSync(checkpoint);
  await says2nd('ok', /copy covers \d+ entries$/);
  const [name = ''] = readdirSync(copy);
  const copied = readFileSync(join(copy, name));
  await record(here.installation(), anEntry);
  assert.equal((await here.loki(['audit', 'checkpoint'])).exit, 0);
  const after = readFileSync(checkpoint);
  writeFileSync(checkpoint, before);
  await says2nd('fail', /this log was set back/, /^loki audit verify --against .*\.checkpoints'$/);
  writeFileSync(checkpoint, after);
  writeFileSync(join(copy, name), copied);
  await says2nd('warn', /covers \d+ entries, the checkpoint here \d+/, /writable/);
  rmSync(join(copy, name));
  await says2nd('warn', /holds no checkpoint of this log/, /writable/);
});

test('troubles that the log tells of: gaps, a full disk, torn tails, a clock that went back', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), { event: 'audit.gap', actor: 'system', details: { lost: 3 } }, { event: 'audit.disk_full', actor: 'system', details: {} });
  says(await found(here, 'audit', 'gaps'), 'warn', /^entries were lost 1 time, the last time at .* \(entry 2\)$/, /--event audit\.gap/);
  says(await found(here, 'audit', 'full disk'), 'warn', /^the disk was full 1 time/, /--event audit\.disk_full/);
  here.write('home/dashboard/torn/audit-2026-02-15.jsonl.torn-5-abc', 'x');
  says(await found(here, 'audit', 'torn tails'), 'ok', /^1 torn tail kept in .* since \d{4}-/);
  const installation = here.installation();
  const ahead = { ...installation.host, clock: { ...installation.host.clock, now: () => Date.now() + 86_400_000 } };
  await record({ ...installation, host: ahead }, anEntry);
  says(await found(here, 'audit', 'newest entry'), 'warn', /dated (?:24|23) hours after this machine's clock/, /^Set the clock$/);
});

test('encryption and preloading', async (t) => {
  const here = makeGround(t);
  says(await found(here, 'audit', 'encryption'), 'ok', /^off$/);
  says(await found(here, 'audit', 'preload', { NODE_OPTIONS: '--max-old-space-size=100' }), 'ok', /./);
  for (const options of ['--require /tmp/x.js', '-r x', '--no-warnings --import=data:x']) {
    const told = await found(here, 'audit', 'preload', { NODE_OPTIONS: options });
    says(told, 'warn', /further code/, /^unset NODE_OPTIONS$/);
    assert.ok(!told.found.includes('/tmp/x.js'), 'what it holds is not repeated');
  }
});

test('encryption: the key is gone, can be read by others, is named and not there', async (t) => {
  const here = makeGround(t);
  here.write('home/config.yaml', 'enterprise:\n  audit:\n    encrypt: true\n');
  says(await found(here, 'audit', 'encryption'), 'ok', /the first entry makes a key/);
  await record(here.installation(), anEntry);
  const own = join(here.home, 'keys/audit.key');
  says(await found(here, 'audit', 'encryption'), 'ok', /the key is in .*audit\.key/);
  const other = here.write('other.key', Buffer.alloc(32, 9).toString('base64'));
  chmodSync(other, 0o600);
  for (const env of [{ LOKI_AUDIT_KEY_FILE: other }, { LOKI_AUDIT_KEY: Buffer.alloc(32, 9).toString('base64') }]) {
    says(await found(here, 'audit', 'encryption', env), 'fail', /wrapped by the key with check/, /LOKI_AUDIT_KEY/);
  }
  chmodSync(own, 0o644);
  says(await found(here, 'audit', 'encryption'), 'fail', /can be read by others/, /^chmod 600 /);
  rmSync(own);
  says(await found(here, 'audit', 'encryption'), 'fail', /the key is not here/, /restore .* from a backup/);
  says(await found(here, 'audit', 'encryption', { LOKI_AUDIT_KEY_FILE: join(here.root, 'none') }), 'fail', /does not exist/, /LOKI_AUDIT_KEY_FILE/);
});

test('the room kept back is given up: entries are refused', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), anEntry);
  const { reserve } = homeLayout(here.home);
  truncateSync(reserve, 3);
  says(await found(here, 'audit', 'space'), 'fail', /the room kept back was given up/, /^Make room/);
});

test('an action that was allowed in a session that died, and of which nothing came back', async (t) => {
  const here = makeGround(t);
  says(await found(here, 'audit', 'outcomes'), 'ok', /none/);
  const session = 'ses_01J8Z3T5C6D7E8F9G0H1J2K3M4';
  const installation = here.installation();
  const hourAgo = { ...installation, host: { ...installation.host, clock: { ...installation.host.clock, now: () => Date.now() - 3_600_000 } } };
  const about = { resource: `session:${session}`, metadata: { session_id: session } } as const;
  await record(hourAgo, { ...anEntry, ...about }, { event: 'policy.allow', actor: 'agent:generic', ...about, details: { action: { kind: 'exec', command: 'make release' }, decision: 'ALLOW' } });
  says(await found(here, 'audit', 'outcomes'), 'warn', /1 action of the last day may or may not have happened, the newest: exec make release \(decision 3, /, /./);
});

test('a configuration that cannot be used is told, and the rest is looked at all the same', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), anEntry);
  for (const [file, text] of [['home/config.yaml', 'enterprise: [\n'], ['project/.loki/config.yaml', 'nonsense: true\n']] as const) {
    const path = here.write(file, text);
    const told = await findings(here, 'audit');
    says(told.find(({ check }) => check === 'settings') ?? { status: 'ok', found: '' }, 'fail', /config\.yaml/, /./);
    says(told.find(({ check }) => check === 'newest entry') ?? { status: 'ok', found: '' }, 'ok', /^entry 2 \(session\.start\)/);
    rmSync(path);
  }
  const told = await here.loki(['doctor', 'audit', '--quiet'], { env: { LOKI_AUDIT_LEVEL: 'loud' } });
  assert.deepEqual([told.exit, /FAIL {2}settings .*LOKI_AUDIT_LEVEL/.test(told.stdout), told.stderr], [1, true, '']);
});

test('a damaged log is no obstacle', async (t) => {
  const here = makeGround(t);
  await record(here.installation(), anEntry);
  const [name = ''] = readdirSync(auditFolder(here));
  here.write(`home/dashboard/audit/audit-2020-01-01.jsonl.gz`, 'no gzip at all');
  writeFileSync(join(auditFolder(here), name), Buffer.alloc(100_000, 0));
  const { exit, stdout } = await here.loki(['doctor', 'audit']);
  assert.ok(exit === 0 || exit === 1);
  assert.ok(stdout.split('\n').length > checksOf.audit.length, 'every check has answered');
  assert.doesNotMatch(stdout, /internal|undefined/);
});

test('the project: not enrolled, changed, policies with mistakes, commands that wait, a chain that is a link', async (t) => {
  const here = makeGround(t);
  says(await found(here, 'project', 'enrolment'), 'ok', /no project here/);
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_execution:\n    - name: no-force\n      when: \'command matches "git push --force*"\'\n      action: deny\n');
  here.write('project/.loki/config.yaml', 'runs:\n  gates: [{name: unit, command: npm test}]\n');
  says(await found(here, 'project', 'enrolment'), 'warn', /is not enrolled/, /^loki init$/);
  says(await found(here, 'project', 'commands'), 'warn', /1 command that nobody has confirmed/, /^loki trust$/);
  await here.enrol();
  says(await found(here, 'project', 'enrolment'), 'ok', /is as it was enrolled/);
  here.write('project/.loki/policies.yaml', 'version: 9\n');
  says(await found(here, 'project', 'enrolment'), 'fail', /everything is denied: .*differs from what was enrolled/, /loki init/);
  says(await found(here, 'project', 'policies'), 'fail', /^2 mistakes, the first: /, /^loki policy check$/);
  mkdirSync(join(here.project, '.loki/logs'), { recursive: true });
  symlinkSync('/etc/hostname', join(here.project, '.loki/logs/agent-audit.jsonl'));
  says(await found(here, 'project', 'agent chain'), 'fail', /is a symlink/, /mv /);
  assert.ok(statSync('/etc/hostname').isFile());
});
