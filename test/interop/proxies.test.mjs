/**
 * The control plane behind real proxies: nginx and HAProxy from Debian's packages, with the configurations of
 * docs/network-security.md, of which only addresses, paths and waiting times are exchanged. Who asks is known and cannot be made
 * up, pages and event streams come through, nothing is smuggled past them, and they notice when it is about to end. Proxies that
 * are not installed are unpacked from their packages into a temporary folder; where neither is possible the tests are skipped,
 * and say so.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import * as tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const fromSource = process.env.LOKI_TREE === 'source';
const load = (name) => import(`${fromSource ? root : join(root, 'dist')}/${name}.${fromSource ? 'ts' : 'js'}`);
const { openInstallation } = await load('lib/app/installation');
const { startControlPlane } = await load('lib/app/control-plane');
const { keyRoom } = await load('lib/app/api-keys');
const { openRecord } = await load('lib/app/audit/record');
const { openStore } = await load('lib/app/store');

const work = mkdtempSync(join(tmpdir(), 'loki-proxy-'));
const children = [];
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
});
const pem = (name) => readFileSync(join(root, 'fixtures/siem', name), 'utf8');
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const packages = { nginx: ['nginx'], haproxy: ['haproxy', 'liblua5.3-0', 'libopentracing1', 'libopentracing-c-wrapper0'] };

/** How a proxy's program is started: as it is installed, else from a folder it was unpacked into; undefined when it cannot be had. */
function programOf(name) {
  const installed = join('/usr/sbin', name);
  if (existsSync(installed)) return { program: installed, env: process.env };
  const folder = join(work, `${name}-program`);
  mkdirSync(folder);
  for (const each of packages[name]) spawnSync('apt-get', ['download', '-q', each], { cwd: folder, timeout: 60_000, stdio: 'ignore' });
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.deb'))) spawnSync('dpkg', ['-x', file, '.'], { cwd: folder, timeout: 60_000, stdio: 'ignore' });
  const program = join(folder, 'usr/sbin', name);
  if (!existsSync(program)) return undefined;
  const libraries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.name.includes('.so.')).map((entry) => entry.parentPath ?? entry.path);
  return { program, env: { ...process.env, LD_LIBRARY_PATH: [...new Set(libraries)].join(':') } };
}

/** The page's configuration of a proxy. */
function documented(kind) {
  const text = readFileSync(join(root, 'docs/network-security.md'), 'utf8');
  return new RegExp(`^\`\`\`${kind}\n([^]*?)^\`\`\`$`, 'm').exec(text)[1];
}

function exchange(text, ...pairs) {
  for (const [from, to] of pairs) {
    assert.ok(text.includes(from), `the page has ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** What is started for a configuration, in a folder of its own. */
const proxies = {
  nginx(folder, port, upstream) {
    const server = exchange(documented('nginx'), ['10.0.0.5:57374', `127.0.0.1:${upstream}`], ['listen 443', `listen 127.0.0.1:${port}`], ['/etc/nginx/tls/fullchain.pem', join(folder, 'cert.pem')], ['/etc/nginx/tls/key.pem', join(folder, 'key.pem')]);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${join(folder, each)};`).join('\n');
    writeFileSync(join(folder, 'nginx.conf'), `daemon off;\nmaster_process off;\npid ${join(folder, 'pid')};\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${paths}\n${server}}\n`);
    return ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  },
  haproxy(folder, port, upstream) {
    writeFileSync(join(folder, 'loki.pem'), pem('server.pem') + pem('server.key'));
    const text = exchange(documented('haproxy'), ['10.0.0.5:57374', `127.0.0.1:${upstream}`], ['bind :443', `bind 127.0.0.1:${port}`], ['/etc/haproxy/loki.pem', join(folder, 'loki.pem')], ['inter 2s', 'inter 1s fall 1 rise 1']);
    writeFileSync(join(folder, 'haproxy.cfg'), `defaults\n  timeout connect 5s\n  timeout client 60s\n${text}`);
    return ['-db', '-f', join(folder, 'haproxy.cfg')];
  },
};

async function behind(t, name) {
  const how = programOf(name);
  if (how === undefined) {
    t.diagnostic(`SKIPPED: ${name} is neither installed nor to be had as a package`);
    t.skip(`${name} is not to be had`);
    return undefined;
  }
  const folder = join(work, name);
  mkdirSync(join(folder, 'home'), { recursive: true });
  for (const [file, from] of [['cert.pem', 'server.pem'], ['key.pem', 'server.key']]) writeFileSync(join(folder, file), pem(from));
  const [port, upstream] = [await freePort(), await freePort()];
  const env = {
    PATH: process.env.PATH, HOME: folder, LOKI_HOME: join(folder, 'home'), LOKI_PORT: String(upstream), LOKI_ENTERPRISE_AUTH: 'on', LOKI_TRUSTED_PROXIES: '127.0.0.1',
    // HAProxy's probe, as the page has it, names no port.
    LOKI_ALLOWED_HOSTS: `loki.example.com:${port},loki.example.com`,
  };
  writeFileSync(join(folder, 'home/config.yaml'), 'enterprise: {server: {drain: 5s}}\n');
  const installation = openInstallation({ env, cwd: folder, homeDirectory: folder });
  const key = await keyFor(installation, '127.0.0.2/32');
  const plane = await startControlPlane(installation);
  let running = true;
  const stop = async () => {
    if (running) await plane.stop();
    running = false;
  };
  t.after(stop);
  const child = spawn(how.program, proxies[name](folder, port, upstream), { env: how.env, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let said = '';
  child.stderr.on('data', (part) => { said += part; });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.0.0.2', rejectUnauthorized: false });
  t.after(() => agent.destroy());
  const token = readFileSync(join(folder, 'home/run/token'), 'utf8').trim();
  const ask = (path, headers = {}, method = 'GET') => new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port, path, method, agent, headers: { host: `loki.example.com:${port}`, ...headers } }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body })).on('error', reject);
    });
    request.on('error', reject).end();
  });
  for (let wait = 0; ; wait += 1) {
    const status = await ask('/health/ready').then((answer) => answer.status, () => 0);
    if (status === 200) break;
    assert.ok(wait < 100 && child.exitCode === null, `${name} answers (${status}): ${said}`);
    await sleep(100);
  }
  const entries = () => readdirSync(join(folder, 'home/dashboard/audit')).flatMap((file) => readFileSync(join(folder, 'home/dashboard/audit', file), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)));
  return { port, ask, stop, entries, local: { authorization: `Bearer ${token}` }, bearer: { authorization: `Bearer ${key}` } };
}

/** A key that counts from these addresses only. */
async function keyFor(installation, block) {
  const { record, close } = openRecord(installation);
  const store = await openStore(installation, record);
  const { token } = await keyRoom(installation, record, store).mint({ name: 'beyond', tenant: null, role: 'admin', cidrs: [block] }, { actor: 'user:tester', scopes: new Set(['admin']) });
  await store.close();
  await close();
  return token;
}

/** What comes back for raw bytes. */
function raw(port, bytes) {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, localAddress: '127.0.0.2' });
    let text = '';
    socket.on('data', (part) => { text += part.toString('latin1'); }).on('error', () => undefined).on('close', () => resolve(text));
    socket.write(bytes);
    setTimeout(() => socket.destroy(), 700);
  });
}

for (const name of ['nginx', 'haproxy']) {
  test(`${name}: who asks is known and not made up; pages, lists and the end come through; nothing is smuggled`, { timeout: 120_000 }, async (t) => {
    const at = await behind(t, name);
    if (at === undefined) return;
    const { ask, port, bearer, local } = at;
    const known = await ask('/api/status');
    assert.deepEqual([known.status, known.headers['strict-transport-security']], [200, 'max-age=31536000']);
    assert.equal((await ask('/api/v2/runs', local)).status, 401, 'the token of this machine is none of a caller beyond the proxy');
    assert.equal((await ask('/api/v2/runs', bearer)).status, 200, 'a key counts from the caller\'s address, not the proxy\'s');
    for (const made of ['198.51.100.7', '127.0.0.1', 'nonsense']) await ask(`/api/v2/runs?limit=${made.length}`, { ...bearer, 'x-forwarded-for': made, forwarded: `for=${made}`, 'x-real-ip': made, 'x-forwarded-proto': 'http' });
    assert.equal((await ask('/api/status', { origin: `https://loki.example.com:${port}` })).status, 200, 'a page of its own');
    assert.equal((await ask('/api/status', { origin: `http://loki.example.com:${port}` })).status, 403);
    assert.equal((await ask('/api/status', { host: 'evil.example' })).status, 403);
    assert.equal((await ask('/health/ready', { 'x-forwarded-host': 'evil.example' })).status, 200);

    const head = `Host: loki.example.com:${port}\r\n`;
    const inner = `GET /api/smuggled HTTP/1.1\r\n${head}\r\n`;
    const tricks = [
      `POST /api/v2/tasks HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/v2/tasks HTTP/1.1\r\n${head}Content-Length: ${inner.length + 5}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/v2/tasks HTTP/1.1\r\n${head}Transfer-Encoding: \u000bchunked\r\nContent-Length: ${inner.length + 5}\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/v2/tasks HTTP/1.0\r\n${head}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET /api/v2/runs HTTP/1.1\r\n${head}Content-Length: ${inner.length}\r\n\r\n${inner}`,
      `GET /api/v2/runs HTTP/1.1\r\n${head}X: a\n\n${inner}`,
      `GET /api/v2/runs HTTP/1.1\r\n${head}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n${inner.replace('smuggled', 'status')}`,
    ];
    for (const bytes of tricks) await raw(port, Buffer.from(bytes, 'latin1'));
    assert.equal((await ask('/api/status')).status, 200, 'the next caller has its own answer');

    const stream = new Promise((resolve, reject) => {
      https.get({ host: '127.0.0.1', port, path: '/api/events', rejectUnauthorized: false, localAddress: '127.0.0.2', headers: { host: `loki.example.com:${port}`, ...bearer } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve(text)).on('error', reject);
      }).on('error', reject);
    });
    await sleep(300);
    const ended = at.stop();
    assert.match(await stream, /^retry: 2000\n\n[^]*event: bye\ndata: \{\}\n\n$/, 'an event stream is not held back, and says goodbye');
    // HAProxy looks at /health/ready and sends nothing more; nginx sends on, and is answered.
    const during = new Set();
    for (let wait = 0; wait < 30 && !during.has(503); wait += 1) {
      during.add((await ask('/api/status')).status);
      await sleep(100);
    }
    assert.deepEqual([...during].sort(), name === 'haproxy' ? [200, 503] : [200]);
    await ended;

    const requests = at.entries().filter(({ event }) => event === 'api.request');
    // A proxy adds the address to each request that it sees as one: what was smuggled past it would have none, and count as its own.
    assert.deepEqual([...new Set(requests.map(({ details }) => `${details.address} via ${details.via}`))], ['127.0.0.2 via 127.0.0.1']);
    assert.ok(requests.length > 6, String(requests.length));
  });
}
