/**
 * Forwarding against real receivers: rsyslog and syslog-ng from Debian's packages, over UDP, TCP and TLS with certificates
 * on both sides. Every entry must arrive, in order and byte for byte. Receivers that are not installed are unpacked from
 * their packages into a temporary folder; where neither is possible the tests are skipped, and say so.
 *
 * LOKI_TREE=source runs it against the sources: LOKI_TREE=source node --import tsx --test test/interop/siem.test.mjs
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const fromSource = process.env.LOKI_TREE === 'source';
const load = (name) => import(`${fromSource ? root : join(root, 'dist')}/${name}.${fromSource ? 'ts' : 'js'}`);
const { openInstallation } = await load('lib/app/installation');
const { openRecord } = await load('lib/app/audit/record');
const { forwardOnce } = await load('lib/app/audit/forwarding');

const certificates = join(root, 'fixtures/siem');
const work = mkdtempSync(join(tmpdir(), 'loki-siem-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** What has to come through: text that JSON escapes, and text that it does not. */
const hostile = [
  'plain', 'two\nlines\r\nand a tab\t', 'a ] and a " and a \\ and a [x@1 y="z"]', 'Grüße, 世界, 🜁, \u2028 and \ufeff', 'a NUL \u0000 and an escape \u001b[2J', '<14>1 - - - - - - not a header', '%s %n ${HOME} $(id)',
  '|pipes=and equals|', 'x'.repeat(900),
];
const entries = 300;
/** More than a message may have: these come as a stub. */
const oversize = 'y'.repeat(20_000);

// ---- programs ----------------------------------------------------------------------------------------------------------

const packages = {
  rsyslog: ['rsyslog', 'rsyslog-openssl', 'libestr0', 'libfastjson4', 'liblognorm5'],
  'syslog-ng': ['syslog-ng-core', 'libivykis0', 'libjson-c5', 'libnet1', 'libwrap0', 'libpcre3', 'libpcre2-8-0', 'libglib2.0-0', 'libsystemd0', 'libcap2'],
};
const programs = { rsyslog: 'usr/sbin/rsyslogd', 'syslog-ng': 'usr/sbin/syslog-ng' };

/** Where a receiver's files are: `/` when it is installed, else a folder it was unpacked into; undefined when it cannot be had. */
function unpack(name) {
  if (existsSync(join('/', programs[name]))) return '/';
  const folder = join(work, name);
  mkdirSync(folder);
  for (const each of packages[name]) spawnSync('apt-get', ['download', '-q', each], { cwd: folder, timeout: 60_000, stdio: 'ignore' });
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.deb'))) spawnSync('dpkg', ['-x', file, '.'], { cwd: folder, timeout: 60_000, stdio: 'ignore' });
  return existsSync(join(folder, programs[name])) ? folder : undefined;
}

function below(folder, found) {
  return ['usr/lib', 'lib'].map((each) => join(folder, each)).filter(existsSync).flatMap((each) => readdirSync(each, { withFileTypes: true, recursive: true })
    .filter((entry) => found(entry)).map((entry) => join(entry.parentPath ?? entry.path, entry.name)));
}

/** Folders with shared libraries of an unpacked program. */
function libraries(folder) {
  if (folder === '/') return '';
  return [...new Set(below(folder, (entry) => entry.name.includes('.so')).map((file) => dirname(file)))].join(':');
}

function moduleFolder(folder, file) {
  const [found] = below(folder, (entry) => entry.name === file);
  return found === undefined ? undefined : dirname(found);
}

/** Free ports, one UDP and two TCP. They may be taken before the receiver has them: then it does not start, and the test says so. */
async function freePorts() {
  const udp = createSocket('udp4');
  await new Promise((done) => { udp.bind(0, '127.0.0.1', done); });
  const servers = [createServer(), createServer()];
  for (const server of servers) await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const ports = [udp.address().port, ...servers.map((server) => server.address().port)];
  await new Promise((done) => { udp.close(done); });
  for (const server of servers) await new Promise((done) => { server.close(done); });
  return { udp: ports[0], tcp: ports[1], tls: ports[2] };
}

function start(t, program, args, folder, cwd) {
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, LD_LIBRARY_PATH: libraries(folder) }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
  let ended = false;
  child.once('exit', () => { ended = true; });
  const end = async () => {
    if (ended) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await new Promise((done) => { child.once('exit', done); });
    clearTimeout(timer);
  };
  t.after(end);
  return { said: () => said, ended: () => ended, end };
}

async function until(what, isSo, patienceMs = 20_000) {
  for (const end = performance.now() + patienceMs; !await isSo();) {
    if (performance.now() > end) assert.fail(`not within ${patienceMs} ms: ${what()}`);
    await new Promise((done) => { setTimeout(done, 50); });
  }
}

async function listens(port) {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done(true));
    server.listen(port, '127.0.0.1', () => server.close(() => done(false)));
  });
}

// ---- receivers ---------------------------------------------------------------------------------------------------------

/** Each gives, for what arrived, lines of `PRI TAB app TAB pid TAB msgid TAB structured data TAB message`. */
const receivers = {
  rsyslog(t, folder, place, ports) {
    const output = join(place, 'received');
    const config = join(place, 'rsyslog.conf');
    writeFileSync(config, `global(workDirectory="${place}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="${certificates}/ca.pem" defaultNetstreamDriverCertFile="${certificates}/server.pem" defaultNetstreamDriverKeyFile="${certificates}/server.key")
module(load="imudp") module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
template(name="facts" type="string" string="%pri%\\t%app-name%\\t%procid%\\t%msgid%\\t%structured-data%\\t%msg%\\n")
ruleset(name="all") { action(type="omfile" file="${output}" template="facts") }
input(type="imudp" address="127.0.0.1" port="${ports.udp}" ruleset="all")
input(type="imptcp" address="127.0.0.1" port="${ports.tcp}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" ruleset="all")
`);
    return { output, ...start(t, join(folder, programs.rsyslog), ['-n', '-f', config, '-i', join(place, 'pid'), '-M', moduleFolder(folder, 'imudp.so')], folder, place) };
  },
  'syslog-ng'(t, folder, place, ports) {
    const output = join(place, 'received');
    const config = join(place, 'syslog-ng.conf');
    const modules = moduleFolder(folder, 'libafsocket.so');
    const version = /(\d+\.\d+)\/?$/.exec(modules)?.[1] ?? '3.38';
    writeFileSync(config, `@version: ${version}
options { keep-hostname(yes); use-dns(no); log-msg-size(65536); flush-lines(1); };
source all {
  syslog(ip(127.0.0.1) port(${ports.udp}) transport("udp") so-rcvbuf(1048576));
  syslog(ip(127.0.0.1) port(${ports.tcp}) transport("tcp"));
  syslog(ip(127.0.0.1) port(${ports.tls}) transport("tls") tls(key-file("${certificates}/server.key") cert-file("${certificates}/server.pem") ca-file("${certificates}/ca.pem") peer-verify(required-trusted)));
};
destination received { file("${output}" template("$PRI\\t$PROGRAM\\t$PID\\t$MSGID\\t$SDATA\\t$MSG\\n")); };
log { source(all); destination(received); };
`);
    const args = ['-F', '-f', config, '-R', join(place, 'persist'), '-p', join(place, 'pid'), '-c', join(place, 'control'), '--no-caps', `--module-path=${modules}`];
    return { output, ...start(t, join(folder, programs['syslog-ng']), args, folder, place) };
  },
};

// ---- the sender --------------------------------------------------------------------------------------------------------

function installationAt(place, port, protocol, ours = true, format = 'rfc5424') {
  const home = join(place, 'home');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'config.yaml'), ['enterprise:', '  siem:', '    syslog:', '      host: localhost', `      port: ${port}`, `      protocol: ${protocol}`, `      format: ${format}`,
    ...(protocol === 'tls' ? [`      ca: ${certificates}/ca.pem`] : []),
    ...(protocol === 'tls' && ours ? [`      cert: ${certificates}/client.pem`, `      key: ${certificates}/client.key`] : []), ''].join('\n'));
  return openInstallation({ env: { LOKI_HOME: home, PATH: process.env.PATH }, cwd: place, homeDirectory: place });
}

async function fill(log) {
  for (let at = 0; at < entries; at += 1) {
    const text = at === 50 ? oversize : hostile[at % hostile.length];
    await log.record({ event: at % 3 === 0 ? 'policy.deny' : 'policy.allow', actor: 'agent:interop', details: { at, text } });
  }
}

function written(place) {
  const folder = join(place, 'home/dashboard/audit');
  return readdirSync(folder).sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));
}

async function started(name, t, folder, place, ports) {
  const receiver = receivers[name](t, folder, place, ports);
  await until(() => `${name} listens; it said: ${receiver.said()}`, async () => {
    assert.equal(receiver.ended(), false, receiver.said());
    return await listens(ports.tcp) && await listens(ports.tls);
  });
  return receiver;
}

function arrived({ output }) {
  return existsSync(output) ? readFileSync(output, 'utf8').split('\n').slice(0, -1) : [];
}

// ---- tests -------------------------------------------------------------------------------------------------------------

for (const name of Object.keys(receivers)) {
  const folder = unpack(name);
  const skip = folder === undefined ? `${name} is neither installed nor to be had with apt-get download` : false;
  for (const protocol of ['udp', 'tcp', 'tls']) {
    test(`${name} receives every entry over ${protocol}, byte for byte`, { skip, timeout: 120_000 }, async (t) => {
      const place = mkdtempSync(join(work, 'test-'));
      const ports = await freePorts();
      const receiver = await started(name, t, folder, place, ports);
      const installation = installationAt(place, ports[protocol], protocol);
      const log = openRecord(installation);
      await fill(log);
      const [report] = await forwardOnce(installation, log, { deadlineMs: 60_000 });
      await log.close();
      assert.deepEqual({ done: report.done, why: report.why }, { done: true, why: undefined });
      const lines = written(place);
      assert.ok(lines.length > entries);
      await until(() => `${lines.length} messages, there are ${arrived(receiver).length}; ${name} said: ${receiver.said()}`, () => arrived(receiver).length >= lines.length);
      assert.equal(arrived(receiver).length, lines.length);
      arrived(receiver).forEach((line, at) => compare(line, lines[at], protocol));
    });
  }

  for (const format of ['rfc3164', 'cef']) {
    test(`${name} receives every entry as ${format}`, { skip, timeout: 120_000 }, async (t) => {
      const place = mkdtempSync(join(work, 'test-'));
      const ports = await freePorts();
      const receiver = await started(name, t, folder, place, ports);
      const installation = installationAt(place, ports.tcp, 'tcp', true, format);
      const log = openRecord(installation);
      for (const [at, text] of hostile.entries()) await log.record({ event: 'policy.deny', actor: 'agent:interop', details: { at, text } });
      const [report] = await forwardOnce(installation, log, { deadlineMs: 20_000 });
      await log.close();
      assert.equal(report.done, true, report.why);
      const lines = written(place).slice(0, hostile.length + 1);
      await until(() => `${lines.length} messages; ${name} said: ${receiver.said()}`, () => arrived(receiver).length >= lines.length);
      arrived(receiver).slice(0, lines.length).forEach((received, at) => {
        const { seq, chain_hash: hash } = JSON.parse(lines[at]);
        if (format === 'cef') assert.match(received, new RegExp(`0\\|Loki\\|Loki Enterprise\\|.* externalId=${seq} .* cs1=${hash}`));
        else if (Buffer.byteLength(lines[at]) < 900) assert.ok(received.endsWith(lines[at]), received);
        else assert.deepEqual(JSON.parse(received.slice(received.indexOf('{'))).seq, seq);
      });
    });
  }

  test(`${name} takes nothing over TLS from who shows no certificate, and nothing counts as sent`, { skip, timeout: 120_000 }, async (t) => {
    const place = mkdtempSync(join(work, 'test-'));
    const ports = await freePorts();
    const receiver = await started(name, t, folder, place, ports);
    for (const ours of [false, true]) {
      const installation = installationAt(place, ports.tls, 'tls', ours);
      const log = openRecord(installation);
      await log.record({ event: 'policy.allow', actor: 'agent:interop', details: { ours } });
      // The wait after a failure is written down; a real sender waits, or somebody runs `loki syslog test`.
      rmSync(join(place, 'home/spool'), { recursive: true, force: true });
      const [report] = await forwardOnce(installation, log, { deadlineMs: 20_000 });
      assert.equal(report.done, ours, report.why);
      await log.close();
    }
    await until(() => `what was sent with a certificate; ${name} said: ${receiver.said()}`, () => arrived(receiver).length >= written(place).length);
    assert.deepEqual(arrived(receiver).map((line) => JSON.parse(line.slice(line.indexOf('{'))).seq), written(place).map((line) => JSON.parse(line).seq));
  });

  test(`${name} gets what it missed while it was away, once`, { skip, timeout: 120_000 }, async (t) => {
    const place = mkdtempSync(join(work, 'test-'));
    const ports = await freePorts();
    const installation = installationAt(place, ports.tcp, 'tcp');
    const log = openRecord(installation);
    for (let round = 0; round < 3; round += 1) {
      const receiver = await started(name, t, folder, place, ports);
      for (let at = 0; at < 20; at += 1) await log.record({ event: 'policy.allow', actor: 'agent:interop', details: { round, at } });
      const [report] = await forwardOnce(installation, log, { deadlineMs: 20_000 });
      assert.equal(report.done, true, report.why);
      await until(() => `everything; ${name} said: ${receiver.said()}`, () => arrived(receiver).length >= written(place).length);
      await receiver.end();
      await log.record({ event: 'policy.deny', actor: 'agent:interop', details: { round, away: true } });
    }
    const seqs = readFileSync(join(place, 'received'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line.slice(line.indexOf('{'))).seq);
    assert.deepEqual(seqs, Array.from({ length: 1 + 3 * 20 + 2 }, (_, at) => at + 1));
    await log.close();
  });
}

/** One received message against the line of the log that it carries. */
function compare(received, line, protocol) {
  const [priority, app, pid, id, data, ...rest] = received.split('\t');
  const message = rest.join('\t').replace(/^ ?\ufeff?/, '');
  const entry = JSON.parse(line);
  assert.equal(app, 'loki');
  assert.equal(pid, String(process.pid));
  assert.equal(id, entry.event);
  assert.equal(Number(priority), 16 * 8 + (entry.event === 'policy.deny' ? 4 : 6), entry.event);
  assert.ok(data.includes(`seq="${entry.seq}"`) && data.includes(`chain_hash="${entry.chain_hash}"`), data);
  const most = protocol === 'udp' ? 1500 : 7000;
  if (Buffer.byteLength(line) < most) assert.equal(message, line);
  else if (!message.startsWith('{"stub":true')) assert.equal(message, line);
  else assert.deepEqual(JSON.parse(message).seq, entry.seq);
  if (entry.details.text === oversize) assert.ok(message.startsWith('{"stub":true'), message.slice(0, 100));
}
