/** Forwarding as it is configured and run: whether it is due, one pass, beside a process that goes on, and `loki syslog test`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRecord, type OpenLog } from '../../../lib/app/audit/record.ts';
import { forwardOnce, isForwardingConfigured, isForwardingDue, startForwarding, statePath, receiverIds } from '../../../lib/app/audit/forwarding.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { packageRoot } from '../../support/root.ts';
import { makeGround, until, type Ground } from '../../support/ground.ts';
import { carried, deadPort, pem, receiveDatagrams, receiveStream, seqs, serveHttp } from '../../audit/forward/support.ts';

const quick = { deadlineMs: 20_000 };
const certificates = join(packageRoot, 'fixtures/siem');

function syslogEnv(port: number, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: String(port), LOKI_AUDIT_SYSLOG_PROTO: 'tcp', ...more };
}

async function recording<T>(installation: Installation, work: (log: OpenLog) => Promise<T>): Promise<T> {
  const log = openRecord(installation);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

/** Records one more entry. */
async function addOne(ground: Ground): Promise<void> {
  await recording(ground.installation(), (log) => log.record({ event: 'policy.allow', actor: 'agent:a' }));
}

test('where nothing is configured nothing is due, and nothing is done', async (t) => {
  const ground = makeGround(t);
  const installation = ground.installation();
  assert.equal(isForwardingConfigured(installation), false);
  assert.equal(isForwardingDue(installation), false);
  await addOne(ground);
  await recording(installation, async (log) => {
    assert.deepEqual(await forwardOnce(installation, log, quick), []);
    await startForwarding(installation, log).stop();
  });
  assert.throws(() => statSync(join(ground.home, 'spool')), { code: 'ENOENT' });
});

test('a host is enough to forward; a receiver gets what was recorded before it was first served, and is due when there is more', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const installation = ground.installation(syslogEnv(receiver.port));
  await addOne(ground);
  assert.equal(isForwardingDue(installation), true);
  const [report] = await recording(installation, (log) => forwardOnce(installation, log, quick));
  assert.deepEqual(report, { receiver: `syslog tcp://127.0.0.1:${receiver.port}`, sent: 2, done: true });
  assert.equal(isForwardingDue(installation), false);
  await addOne(ground);
  assert.equal(isForwardingDue(installation), true);
  await recording(installation, (log) => forwardOnce(installation, log, quick));
  assert.deepEqual(seqs(receiver.messages), [1, 2, 3]);
  const state = statePath(installation, receiverIds(installation.config).syslog ?? '');
  assert.equal(statSync(state).mode & 0o777, 0o600);
  assert.equal(statSync(join(ground.home, 'spool')).mode & 0o777, 0o700);
});

test('beside a running process entries go out as they come, and nobody else is at it', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const installation = ground.installation(syslogEnv(receiver.port));
  await recording(installation, async (log) => {
    await log.record({ event: 'policy.allow', actor: 'agent:a' });
    const running = startForwarding(installation, log);
    await until('the first entries', () => receiver.messages.length === 2);
    await log.record({ event: 'policy.deny', actor: 'agent:a' });
    const other = ground.installation(syslogEnv(receiver.port));
    assert.equal(isForwardingDue(other), false);
    assert.deepEqual((await forwardOnce(other, log, quick)).map(({ sent, why }) => [sent, why]), [[0, 'another process serves it']]);
    await running.stop();
  });
  assert.deepEqual(seqs(receiver.messages), [1, 2, 3]);
  assert.equal(isForwardingDue(installation), false);
});

test('a failure is an entry of the log, and is not tried again at once', async (t) => {
  const ground = makeGround(t);
  const installation = ground.installation(syslogEnv(await deadPort()));
  await addOne(ground);
  const [report] = await recording(installation, (log) => forwardOnce(installation, log, quick));
  assert.equal(report?.done, false);
  assert.equal(isForwardingDue(installation), false);
  const tail = await ground.loki(['enterprise', 'audit', 'tail', '--event', 'syslog.error', '--json']);
  assert.equal(tail.exit, 0);
  const entry: { details: Record<string, unknown> } = JSON.parse(tail.stdout);
  assert.match(String(entry.details['found']), /nothing listens there/);
  assert.deepEqual(entry.details['waiting_after'], { seq: 0, file: ground.entries()[0]?.['resource']?.toString().replace('file:', ''), offset: 0 });
});

test('syslog and Splunk are served side by side, each from where it stands', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const bodies: string[] = [];
  const url = await serveHttp(t, (request, response) => { request.setEncoding('utf8').on('data', (text: string) => bodies.push(text)).on('end', () => response.end('{}')); });
  await addOne(ground);
  const first = ground.installation(syslogEnv(receiver.port));
  await recording(first, (log) => forwardOnce(first, log, quick));
  const both = ground.installation(syslogEnv(receiver.port, { LOKI_SPLUNK_HEC_URL: url, LOKI_SPLUNK_HEC_TOKEN: 'secret' }));
  assert.equal(isForwardingDue(both), true);
  const reports = await recording(both, (log) => forwardOnce(both, log, quick));
  assert.deepEqual(reports.map(({ sent, done }) => [sent, done]), [[0, true], [2, true]]);
  assert.match(bodies.join(''), /"fields":\{"seq":1,/);
});

test('an encrypted log is sent opened where the key is, and as it stands where it is not', async (t) => {
  const ground = makeGround(t);
  const key = { LOKI_AUDIT_KEY: 'ab'.repeat(32) };
  const receiver = await receiveStream(t);
  const writing = ground.installation(key);
  await recording(writing, (log) => log.record({ event: 'policy.deny', actor: 'agent:a', details: { plain: 'words' } }));
  const opening = ground.installation({ ...key, ...syslogEnv(receiver.port) });
  await recording(opening, (log) => forwardOnce(opening, log, quick));
  assert.deepEqual([carried(receiver.messages[1] ?? '')['actor'], carried(receiver.messages[1] ?? '')['details']], ['agent:a', { plain: 'words' }]);
  const other = await receiveStream(t);
  const closed = ground.installation(syslogEnv(other.port));
  assert.equal((await recording(closed, (log) => forwardOnce(closed, log, quick)))[0]?.done, true);
  assert.equal(carried(other.messages[1] ?? '')['seq'], 2);
  assert.ok(!other.messages.join('').includes('words'));
});

test('a command that records and ends leaves the sending behind; one that sends leaves nothing', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const { exit, stderr } = await ground.loki(['init', '--yes'], { env: syslogEnv(receiver.port) });
  assert.equal(exit, 0, stderr);
  await until('the entries of the command', () => receiver.messages.some((message) => carried(message)['event'] === 'project.enrol'));
  const sent = await ground.loki(['syslog', 'send', '--json'], { env: syslogEnv(await deadPort()) });
  assert.equal(sent.exit, 8);
  const report: { receivers: { sent: number; done: boolean; why: string }[] } = JSON.parse(sent.stdout);
  assert.deepEqual(report.receivers.map(({ sent: count, done }) => [count, done]), [[0, false]]);
  assert.match(report.receivers[0]?.why ?? '', /nothing listens there/);
  const by = await ground.loki(['syslog', 'send'], { env: syslogEnv(receiver.port) });
  await until('whoever was left behind has ended', () => !readdirSync(join(ground.home, 'run')).some((name) => /^siem-.*\.lock$/.test(name)));
  assert.match(by.stdout, /^syslog tcp:\/\/127\.0\.0\.1:\d+: (\d+ entr(y|ies) sent\n|0 entries sent; not everything: another process serves it\n)$/);
});

test('the control plane forwards while it runs, its own last entries too', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const child = ground.start(['dashboard', '--port', '0', '--json'], { env: syslogEnv(receiver.port) });
  await until('its first entries', () => receiver.messages.length > 0);
  child.kill('SIGINT');
  await until('its last entry', () => receiver.messages.some((message) => carried(message)['event'] === 'audit.close'));
  const all = seqs(receiver.messages);
  assert.deepEqual([...new Set(all)], Array.from({ length: Math.max(...all.map(Number)) }, (_, at) => at + 1));
});

test('loki syslog test without a receiver says what to set', async (t) => {
  const { exit, stderr } = await makeGround(t).loki(['syslog', 'test']);
  assert.equal(exit, 2);
  assert.match(stderr, /Cannot test forwarding: no receiver is configured\n.*LOKI_AUDIT_SYSLOG_HOST/);
});

test('loki syslog test says what came back, step by step', async (t) => {
  const ground = makeGround(t);
  const receiver = await receiveStream(t);
  const datagrams = await receiveDatagrams(t);
  const tcp = await ground.loki(['syslog', 'test'], { env: syslogEnv(receiver.port) });
  assert.deepEqual([tcp.exit, tcp.stdout.split('\n')], [0, [
    `syslog tcp://127.0.0.1:${receiver.port}: it works`, '  ok    address  127.0.0.1 may be reached',
    '  ok    message  sent, and the server ended the connection in order: it has read the message', '',
  ]], tcp.stderr);
  assert.match(receiver.messages[0] ?? '', /^<134>1 \S+ \S+ loki \d+ loki\.test - \ufeffTest message from Loki Enterprise on /);
  const udp = await ground.loki(['syslog', 'test'], { env: { LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: String(datagrams.port) } });
  assert.deepEqual([udp.exit, datagrams.messages.length], [0, 1]);
  assert.match(udp.stdout, /UDP is never answered, and loses messages without a word/);
  const dead = await ground.loki(['syslog', 'test', '--json'], { env: syslogEnv(await deadPort()) });
  const report: { ok: boolean; receivers: { ok: boolean; steps: { step: string; ok: boolean; said: string }[] }[] } = JSON.parse(dead.stdout);
  assert.deepEqual([dead.exit, report.ok, report.receivers[0]?.steps.map(({ step, ok }) => [step, ok])], [8, false, [['address', true], ['message', false]]]);
  assert.match(report.receivers[0]?.steps[1]?.said ?? '', /nothing listens there/);
});

test('loki syslog test says whose certificate it is, until when, and why it is not believed', async (t) => {
  const ground = makeGround(t);
  const tryAt = async (name: string): Promise<{ readonly exit: number | null; readonly stdout: string }> => {
    const receiver = await receiveStream(t, { tls: { cert: pem(`${name}.pem`), key: pem(`${name}.key`) } });
    ground.write('home/config.yaml', `enterprise:\n  siem:\n    syslog: {host: localhost, port: ${receiver.port}, protocol: tls, ca: ${JSON.stringify(join(certificates, 'ca.pem'))}}\n`);
    return ground.loki(['syslog', 'test']);
  };
  const good = await tryAt('server');
  assert.equal(good.exit, 0, good.stdout);
  assert.match(good.stdout, /ok {4}certificate {2}TLSv1\.3; the certificate is for CN=log server \(DNS:localhost, DNS:syslog\.test, IP Address:127\.0\.0\.1\), signed by CN=Test authority, valid until 2126-/);
  const rows = [['elsewhere', /fail {2}certificate {2}Cannot believe the server: its certificate is for another name; .*CN=elsewhere/], ['expired', /its certificate has expired; .*valid until 2020-02-01 \(over\)/], ['stranger', /authority that is not trusted; .*signed by CN=Another test authority/]] as const;
  for (const [name, said] of rows) {
    const { exit, stdout } = await tryAt(name);
    assert.equal(exit, 8);
    assert.match(stdout, said);
  }
  ground.write('home/config.yaml', 'enterprise:\n  siem:\n    syslog: {host: localhost, port: 1, protocol: tls, ca: /does/not/exist.pem}\n');
  const missing = await ground.loki(['syslog', 'test']);
  assert.deepEqual([missing.exit, /"\/does\/not\/exist\.pem" does not exist/.test(missing.stdout)], [8, true], missing.stdout);
});

test('loki syslog test tries Splunk, shows no token, and ends the waiting of a receiver that answers', async (t) => {
  const ground = makeGround(t);
  let status = 403;
  const url = await serveHttp(t, (request, response) => { request.resume().on('end', () => response.writeHead(status).end(JSON.stringify({ text: status === 200 ? 'Success' : 'Invalid token' }))); });
  const env = { LOKI_SPLUNK_HEC_URL: url, LOKI_SPLUNK_HEC_TOKEN: 'a-secret-token' };
  await addOne(ground);
  const installation = ground.installation(env);
  await recording(installation, (log) => forwardOnce(installation, log, quick));
  assert.equal(isForwardingDue(installation), false);
  const refused = await ground.loki(['syslog', 'test'], { env });
  assert.equal(refused.exit, 8);
  assert.match(refused.stdout, /Cannot send an event: it answers 403 "Invalid token"; the token is wrong or disabled/);
  assert.equal(isForwardingDue(installation), false);
  status = 200;
  const good = await ground.loki(['syslog', 'test'], { env });
  assert.deepEqual([good.exit, /the collector took the event \(status 200\)/.test(good.stdout)], [0, true]);
  assert.equal(isForwardingDue(installation), true);
  const state = readFileSync(statePath(installation, receiverIds(installation.config).splunk ?? ''), 'utf8');
  assert.ok(!`${refused.stdout}${refused.stderr}${good.stdout}${good.stderr}${state}`.includes('a-secret-token'));
});
