/** Forwarding to receivers that work, that are away, that break off, that say nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardPass, startForwarder, tryAgainNow } from '../../../lib/audit/forward/forwarder.ts';
import { readState } from '../../../lib/audit/forward/cursor.ts';
import { until } from '../../support/ground.ts';
import { directory, home } from '../support.ts';
import { carried, deadPort, makeScene, pem, receiveDatagrams, receiveStream, seqs, soon, syslogTo, type Scene } from './support.ts';

const upTo = (last: number, first = 1): readonly number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

function saved(scene: Scene): { readonly seq: number; readonly attempts: number } {
  const found = readState({ disk: scene.disk, base: home, path: scene.statePath });
  assert.ok(found.kind === 'known', found.kind);
  return { seq: found.state.position.seq, attempts: found.state.trouble?.attempts ?? 0 };
}

test('every entry arrives once and as it was written, and the next pass goes on behind it', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(600);
  assert.deepEqual(await forwardPass(scene.options(syslogTo(receiver.port)), soon), { receiver: `syslog tcp://127.0.0.1:${receiver.port}`, sent: 601, done: true });
  assert.deepEqual(receiver.messages.map((message) => message.slice(message.indexOf('\ufeff') + 1)), scene.lines());
  assert.equal(saved(scene).seq, 601);
  await scene.add(3);
  await forwardPass(scene.options(syslogTo(receiver.port)), soon);
  assert.deepEqual(seqs(receiver.messages), upTo(604));
  assert.equal((await forwardPass(scene.options(syslogTo(receiver.port)), soon)).sent, 0);
  assert.deepEqual(scene.recorded, []);
});

test('datagrams arrive, and entries that do not fit in one come as a stub', async (t) => {
  const scene = makeScene();
  const receiver = await receiveDatagrams(t);
  await scene.add(120);
  await scene.add(1, { text: 'x'.repeat(3000) });
  assert.equal((await forwardPass(scene.options(syslogTo(receiver.port, { protocol: 'udp' })), soon)).done, true);
  await until('all datagrams', () => receiver.messages.length >= 122);
  assert.deepEqual(seqs(receiver.messages), upTo(122));
  const stub = carried(receiver.messages[121] ?? '');
  assert.deepEqual([stub['stub'], stub['event'], stub['bytes']], [true, 'policy.deny', Buffer.byteLength(scene.lines()[121] ?? '')]);
  assert.ok(receiver.messages.every((message) => Buffer.byteLength(message) <= 2048));
});

test('a receiver that is away costs nothing and loses nothing; its trouble and its end are recorded once', async (t) => {
  const scene = makeScene();
  const port = await deadPort();
  await scene.add(10);
  const failing = await forwardPass(scene.options(syslogTo(port)), soon);
  assert.equal(failing.done, false);
  assert.match(failing.why ?? '', /nothing listens there \(ECONNREFUSED\)/);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    scene.clock.advance(120_000);
    await scene.add(1);
    await forwardPass(scene.options(syslogTo(port)), soon);
  }
  assert.equal(scene.recorded.length, 2, 'the first failure, and once more after ten minutes');
  assert.deepEqual(saved(scene), { seq: 0, attempts: 6 });
  const receiver = await receiveStream(t, { port });
  scene.clock.advance(600_000);
  assert.equal((await forwardPass(scene.options(syslogTo(port)), soon)).done, true);
  assert.deepEqual(seqs(receiver.messages), upTo(16));
  assert.deepEqual(scene.recorded.map(({ event, level, details }) => [event, level, details?.['recovered'] ?? false]), [['syslog.error', 'error', false], ['syslog.error', 'error', false], ['syslog.error', 'info', true]]);
});

test('trouble that comes and goes is not recorded at every turn', async (t) => {
  const scene = makeScene();
  const port = await deadPort();
  await scene.add(1);
  for (let turn = 0; turn < 5; turn += 1) {
    await scene.add(1);
    await forwardPass(scene.options(syslogTo(port)), soon);
    scene.clock.advance(5_000);
    const receiver = await receiveStream(t, { port });
    assert.equal((await forwardPass(scene.options(syslogTo(port)), soon)).done, true);
    await receiver.close();
  }
  assert.equal(scene.recorded.length, 2);
});

test('a receiver that is being waited for is not tried, until somebody asks for it', async (t) => {
  const scene = makeScene();
  const port = await deadPort();
  await scene.add(1);
  await forwardPass(scene.options(syslogTo(port)), soon);
  const receiver = await receiveStream(t, { port });
  const options = scene.options(syslogTo(port));
  assert.match((await forwardPass(options, soon)).why ?? '', /^waiting after trouble: /);
  await tryAgainNow(options);
  assert.equal((await forwardPass(options, soon)).done, true);
  assert.deepEqual(seqs(receiver.messages), upTo(2));
});

for (const moment of [1, 7, 300]) {
  test(`a connection that breaks at message ${moment} loses nothing`, async (t) => {
    const scene = makeScene();
    let broken = false;
    const receiver = await receiveStream(t, { onMessage: (all) => { if (all !== moment || broken) return undefined; broken = true; return 'break'; } });
    await scene.add(500);
    assert.equal((await forwardPass(scene.options(syslogTo(receiver.port)), soon)).done, false);
    assert.equal(saved(scene).seq, 0);
    scene.clock.advance(60_000);
    assert.equal((await forwardPass(scene.options(syslogTo(receiver.port)), soon)).done, true);
    assert.deepEqual([...new Set(seqs(receiver.messages))].length, 501);
    assert.deepEqual(seqs(receiver.messages).slice(-501), upTo(501));
  });
}

test('what a machine has taken in but no program has read does not count as received', async (t) => {
  const scene = makeScene();
  const deaf = await receiveStream(t, { deaf: true });
  await scene.add(3);
  const first = await forwardPass(scene.options(syslogTo(deaf.port, { settleMs: 200 })), soon);
  assert.match(first.why ?? '', /does not end the connection, so nobody knows what it has read/);
  assert.equal(saved(scene).seq, 0);
  await deaf.close();
  const receiver = await receiveStream(t, { port: deaf.port });
  scene.clock.advance(60_000);
  await forwardPass(scene.options(syslogTo(deaf.port)), soon);
  assert.deepEqual(seqs(receiver.messages), upTo(4));
});

test('TLS: the server\'s certificate must be good, for the name, and of the authority', async (t) => {
  const scene = makeScene();
  await scene.add(2);
  const trust = { readPem: () => ({ ca: pem('ca.pem') }), protocol: 'tls' } as const;
  const rows = [
    ['elsewhere', 'localhost', /for another name/], ['elsewhere', '127.0.0.1', /for another name/], ['expired', 'localhost', /has expired/], ['stranger', 'localhost', /authority that is not trusted/],
  ] as const;
  for (const [name, host, found] of rows) {
    const receiver = await receiveStream(t, { tls: { cert: pem(`${name}.pem`), key: pem(`${name}.key`) } });
    const report = await forwardPass(scene.options(syslogTo(receiver.port, { ...trust, host })), soon);
    assert.match(report.why ?? '', found, name);
    assert.deepEqual(receiver.messages, [], name);
    scene.clock.advance(3_600_000);
  }
  for (const host of ['localhost', '127.0.0.1']) {
    const receiver = await receiveStream(t, { tls: { cert: pem('server.pem'), key: pem('server.key') } });
    await scene.add(1);
    assert.deepEqual(await forwardPass(scene.options(syslogTo(receiver.port, { ...trust, host })), soon).then(({ done }) => done), true);
    assert.equal(seqs(receiver.messages).at(-1), host === 'localhost' ? 4 : 5);
    scene.clock.advance(3_600_000);
  }
});

test('TLS: a server that wants our certificate gets it; without it nothing counts as received', async (t) => {
  const scene = makeScene();
  await scene.add(2);
  const receiver = await receiveStream(t, { tls: { cert: pem('server.pem'), key: pem('server.key'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true } });
  const ca = pem('ca.pem');
  const without = syslogTo(receiver.port, { protocol: 'tls', host: 'localhost', readPem: () => ({ ca }) });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    assert.equal((await forwardPass(scene.options(without), soon)).done, false);
    scene.clock.advance(3_600_000);
  }
  assert.deepEqual(receiver.messages, []);
  const withOurs = syslogTo(receiver.port, { protocol: 'tls', host: 'localhost', readPem: () => ({ ca, cert: pem('client.pem'), key: pem('client.key') }) });
  assert.equal((await forwardPass(scene.options(withOurs), soon)).done, true);
  assert.deepEqual(seqs(receiver.messages), upTo(3));
  const notPem = syslogTo(receiver.port, { protocol: 'tls', host: 'localhost', readPem: () => ({ ca, cert: 'no certificate', key: 'no key' }) });
  await scene.add(1);
  assert.match((await forwardPass(scene.options(notPem), soon)).why ?? '', /a certificate or key cannot be used/);
});

test('who is in the way of the metadata service is not connected to', async () => {
  const scene = makeScene();
  await scene.add(1);
  const report = await forwardPass(scene.options(syslogTo(514, { host: '169.254.169.254' })), soon);
  assert.match(report.why ?? '', /^Cannot send records to 169\.254\.169\.254: 169\.254\.169\.254 is a cloud's metadata service$/);
});

test('a damaged cursor sends everything again and says so', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(5);
  for (const damage of ['', '{', '[]', '{"seq":-1}', '{"seq":1,"file":"../x","offset":0,"hash":null,"reported":0,"refused":0,"trouble":null}', '\0'.repeat(100)]) {
    scene.disk.replace(home, `${home}/x`, Buffer.from(damage), 0o600);
    scene.disk.ensureDirectory(home, `${home}/spool`, 0o700);
    scene.disk.replace(home, scene.statePath, Buffer.from(damage), 0o600);
    const before = receiver.messages.length;
    assert.equal((await forwardPass(scene.options(syslogTo(receiver.port)), soon)).done, true, damage);
    assert.deepEqual(seqs(receiver.messages).slice(before), upTo(6), damage);
    assert.match(String(scene.recorded.pop()?.details?.['found']), /cannot be read; everything in the log is sent again/);
  }
});

test('entries that were pruned before they could be sent are counted and told, once they no longer stop anything', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(2);
  await forwardPass(scene.options(syslogTo(receiver.port)), soon);
  await scene.add(4);
  scene.clock.advance(86_400_000);
  await scene.add(2);
  scene.disk.remove(`${directory}/audit-2026-02-15.jsonl`);
  assert.equal((await forwardPass(scene.options(syslogTo(receiver.port)), soon)).done, true);
  assert.deepEqual(seqs(receiver.messages), [1, 2, 3, 8, 9, 10]);
  assert.deepEqual(scene.recorded.map(({ details }) => [details?.['missing'], details?.['first_seq'], details?.['last_seq']]), [[4, 4, 7]]);
});

test('a running forwarder sends what comes, holds its connection, and ends it in order when stopped', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(1);
  const running = startForwarder(scene.options(syslogTo(receiver.port)));
  await until('the first entries', () => receiver.messages.length === 2);
  await scene.add(1);
  await until('the next one', () => receiver.messages.length === 3);
  assert.equal(receiver.connections(), 1);
  assert.equal(saved(scene).seq, 0, 'sent is not received');
  await scene.add(1);
  await running.stop(2000);
  assert.deepEqual(seqs(receiver.messages), upTo(4));
  assert.equal(saved(scene).seq, 4);
});

test('a slow receiver gets everything; one that stops reading is given up and sent it again', async (t) => {
  const scene = makeScene();
  const slow = await receiveStream(t, { slow: true });
  await scene.add(400, { text: 'x'.repeat(4000) });
  assert.equal((await forwardPass(scene.options(syslogTo(slow.port, { stallMs: 500 })), soon)).done, true);
  assert.deepEqual(seqs(slow.messages), upTo(401));
  const deaf = await receiveStream(t, { deaf: true });
  await scene.add(1600, { text: 'x'.repeat(7500) });
  const stopped = await forwardPass(scene.options(syslogTo(deaf.port, { stallMs: 200 })), soon);
  assert.match(stopped.why ?? '', /it takes nothing for 200 ms/);
  assert.equal(saved(scene).seq, 401);
});

test('a receiver that never ends its side counts as having read what it was sent twice', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t, { staysOpen: true });
  const options = scene.options(syslogTo(receiver.port, { settleMs: 200 }));
  await scene.add(3);
  assert.equal((await forwardPass(options, soon)).done, false);
  scene.clock.advance(60_000);
  assert.equal((await forwardPass(options, soon)).done, true);
  assert.deepEqual(seqs(receiver.messages), [...upTo(4), ...upTo(4)]);
  await scene.add(1);
  assert.equal((await forwardPass(options, soon)).done, true, 'from now on it is known for it');
  assert.deepEqual(seqs(receiver.messages).slice(8), [5]);
});

test('stopping does not wait for a receiver that answers nothing', async (t) => {
  const scene = makeScene();
  const deaf = await receiveStream(t, { deaf: true });
  await scene.add(1);
  const running = startForwarder(scene.options(syslogTo(deaf.port)));
  await until('a connection', () => deaf.connections() === 1);
  const started = performance.now();
  await running.stop(100);
  assert.ok(performance.now() - started < 3000);
});

test('one process at a time serves a receiver', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(1);
  const lock = { acquire: () => Promise.reject(new Error('taken')), contended: () => false, release: () => assert.fail('it was never held') };
  assert.deepEqual(await forwardPass(scene.options(syslogTo(receiver.port), { lock }), soon), { receiver: `syslog tcp://127.0.0.1:${receiver.port}`, sent: 0, done: false, why: 'another process serves it' });
  assert.equal(receiver.connections(), 0);
});

test('a pass that lingers sends what comes meanwhile', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(1);
  const passing = forwardPass(scene.options(syslogTo(receiver.port)), { deadlineMs: 20_000, lingerMs: 700 });
  await until('the first entries', () => receiver.messages.length === 2);
  await scene.add(1);
  assert.equal((await passing).sent, 3);
  assert.deepEqual(seqs(receiver.messages), upTo(3));
});

test('protected entries are sent opened where the key is at hand', async (t) => {
  const scene = makeScene();
  const receiver = await receiveStream(t);
  await scene.add(1);
  let made = 0;
  await forwardPass(scene.options(syslogTo(receiver.port), { openEntries: () => { made += 1; return (entry) => (entry['event'] === 'policy.deny' ? { ...entry, actor: 'opened' } : entry); } }), soon);
  assert.deepEqual(receiver.messages.map((message) => carried(message)['actor']), ['system', 'opened']);
  assert.equal(receiver.messages[0]?.split('\ufeff')[1], scene.lines()[0]);
  assert.equal(made, 1);
});
