/** Where the control plane listens: TLS and its renewal, the socket file of LOKI_HOME, and what it refuses to begin with. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import * as tls from 'node:tls';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { startListening, type Listening } from '../../lib/app/listening.ts';
import { askApi } from '../../lib/host/api-client.ts';
import { createKit, localToken, type Kit } from '../support/api-kit.ts';
import { makeGround, type Ground } from '../support/ground.ts';
import { fixture } from '../support/root.ts';

type Undo = Parameters<typeof makeGround>[0];

const pem = (name: string): string => readFileSync(fixture('siem', name), 'utf8');

interface Place {
  readonly here: Ground;
  readonly kit: Kit;
  readonly recorded: AuditEvent[];
  /** Looks at the files, as happens from time to time. */
  look(): void;
  start(env?: Readonly<Record<string, string>>, options?: { readonly otherPortWhenTaken?: boolean }): Promise<Listening>;
  /** Puts a certificate and a key where the settings name them. */
  put(cert: string, key: string, mode?: number): Readonly<Record<string, string>>;
}

function place(t: Undo): Place {
  const here = makeGround(t);
  mkdirSync(join(here.home, 'run'), { recursive: true, mode: 0o700 });
  const kit = createKit();
  const recorded: AuditEvent[] = [];
  const looks: (() => void)[] = [];
  return {
    here, kit, recorded,
    look: () => { for (const look of looks) look(); },
    async start(env = {}, options = {}) {
      const installation = here.installation({ LOKI_PORT: '0', ...env });
      const timers = { ...installation.host.timers, every: (_ms: number, run: () => void) => { looks.push(run); return () => undefined; } };
      const listening = await startListening({ ...installation, host: { ...installation.host, timers } }, kit.api, async (event) => {
        recorded.push(event);
        return { seq: recorded.length, chain_hash: null };
      }, options);
      t.after(() => listening.close(0));
      return listening;
    },
    put(cert, key, mode = 0o600) {
      const paths = [here.write('tls/cert.pem', cert), here.write('tls/key.pem', key)] as const;
      chmodSync(paths[1], mode);
      return { LOKI_TLS_CERT: paths[0], LOKI_TLS_KEY: paths[1] };
    },
  };
}

/** The certificate that a new connection is shown, or why there is none. */
function shake(port: number, options: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'], ...options });
    socket.once('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol} ${socket.getPeerX509Certificate()?.subject}`);
      socket.destroy();
    });
    socket.once('error', (error) => resolve(`refused: ${error.message}`));
  });
}

test('with a certificate it speaks TLS 1.2 and newer, with suites worth having, and nothing else', async (t) => {
  const at = place(t);
  const { url, port } = await at.start(at.put(pem('server.pem'), pem('server.key')));
  assert.equal(url, `https://127.0.0.1:${port}`);
  const answer = await askApi({ base: url, ca: pem('ca.pem'), method: 'GET', path: '/health/live', timeoutMs: 2000 });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
  await assert.rejects(fetch(`http://127.0.0.1:${port}/health/live`));
  assert.equal(await shake(port), 'TLSv1.3 http/1.1 CN=log server');
  assert.equal(await shake(port, { maxVersion: 'TLSv1.2' }), 'TLSv1.2 http/1.1 CN=log server');
  const old = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) assert.match(await shake(port, { ...old, maxVersion }), /^refused: .*(version|protocol)/i, maxVersion);
  for (const ciphers of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'AES128-GCM-SHA256', 'aNULL:@SECLEVEL=0']) assert.match(await shake(port, { maxVersion: 'TLSv1.2', ciphers }), /^refused: /, ciphers);
});

test('a certificate that was renewed is served to new connections; a pair that does not fit is told once, and the old one goes on', async (t) => {
  const at = place(t);
  const env = at.put(pem('server.pem'), pem('server.key'));
  const { port, certificate } = await at.start(env);
  const before = certificate()?.fingerprint;
  writeFileSync(env['LOKI_TLS_CERT'] ?? '', pem('elsewhere.pem'));
  at.look();
  assert.equal(at.recorded.length, 0, 'the key may be on its way');
  at.look();
  at.look();
  assert.equal(await shake(port), 'TLSv1.3 http/1.1 CN=log server');
  writeFileSync(env['LOKI_TLS_KEY'] ?? '', pem('elsewhere.key'));
  at.look();
  assert.match(await shake(port), /^TLSv1\.3 http\/1\.1 CN=(?!log server)/);
  rmSync(env['LOKI_TLS_CERT'] ?? '');
  at.look();
  at.look();
  assert.match(await shake(port), /^TLSv1\.3 http\/1\.1 CN=(?!log server)/);
  // As certbot and mounted secrets do it: a link leads to another pair.
  writeFileSync(join(at.here.root, 'tls/next.pem'), pem('server.pem'));
  symlinkSync('next.pem', env['LOKI_TLS_CERT'] ?? '');
  writeFileSync(join(at.here.root, 'tls/next.key'), pem('server.key'), { mode: 0o600 });
  rmSync(env['LOKI_TLS_KEY'] ?? '');
  symlinkSync('next.key', env['LOKI_TLS_KEY'] ?? '');
  at.look();
  assert.equal(await shake(port, { maxVersion: 'TLSv1.2' }), 'TLSv1.2 http/1.1 CN=log server');
  assert.equal(certificate()?.fingerprint, before);
  const told = at.recorded.map(({ event, details = {} }) => [event, details['what'], details['reason'] ?? `${details['from'] === before ? 'first' : 'second'} to ${details['to'] === before ? 'first' : 'second'}`]);
  assert.deepEqual(told, [
    ['config.change', 'certificate of the control plane', `Cannot serve TLS with "${env['LOKI_TLS_KEY']}": it is not the key of the certificate in "${env['LOKI_TLS_CERT']}"`],
    ['config.change', 'certificate of the control plane', 'first to second'],
    ['config.change', 'certificate of the control plane', `Cannot serve TLS with "${env['LOKI_TLS_CERT']}": there is no such file`],
    ['config.change', 'certificate of the control plane', 'second to first'],
  ]);
});

test('it does not begin with a certificate or key that nobody should be served with', async (t) => {
  const at = place(t);
  const locked = createPrivateKey(pem('server.key')).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  const cases: readonly (readonly [cert: string, key: string, message: RegExp, mode?: number])[] = [
    ['', pem('server.key'), /cert\.pem": it holds no certificate in PEM$/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', pem('server.key'), /cert\.pem": one of its certificates cannot be read: /],
    [pem('server.pem').repeat(30), pem('server.key'), /cert\.pem": it holds 30 certificates; at most 20 make a chain$/],
    [pem('server.pem'), 'no key', /key\.pem": it holds no private key in PEM$/],
    [pem('server.pem'), pem('server.pem'), /key\.pem": it holds no private key in PEM$/],
    [pem('server.pem'), locked, /key\.pem": it is locked by a passphrase$/],
    [pem('server.pem'), pem('client.key'), /key\.pem": it is not the key of the certificate in ".*cert\.pem"$/],
    [`${pem('ca.pem')}${pem('server.pem')}`, pem('server.key'), /key\.pem": ".*cert\.pem" begins with another certificate than the one of this key$/],
    [pem('expired.pem'), pem('expired.key'), /cert\.pem": the certificate expired at 2020-02-01T00:00:00\.000Z$/],
    [pem('server.pem'), pem('server.key'), /key\.pem": its mode is 0644: others than its owner and group may use it$/, 0o644],
    [pem('server.pem'), pem('server.key'), /key\.pem": its mode is 0660: others than its owner and group may use it$/, 0o660],
  ];
  for (const [cert, key, message, mode] of cases) await assert.rejects(at.start(at.put(cert, key, mode)), { code: 'config.invalid', message });
  const env = at.put(pem('server.pem'), pem('server.key'), 0o640);
  await assert.rejects(at.start({ ...env, LOKI_TLS_KEY: join(at.here.root, 'none.pem') }), { code: 'config.invalid', message: /none\.pem": there is no such file$/ });
  assert.match((await at.start(env)).url, /^https:/, 'a group of its own may read it');
});

test('the socket file is its owner\'s alone, answers like the port to a caller of this machine, and goes with it', async (t) => {
  const at = place(t);
  const listening = await at.start();
  const socketPath = join(at.here.home, 'run/loki.sock');
  assert.equal(listening.socket, socketPath);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}): ReturnType<typeof askApi> => askApi({ socketPath, method: 'GET', path, headers, timeoutMs: 2000 });
  assert.equal((await ask('/api/runs')).status, 200);
  assert.equal((await ask('/api/runs', { authorization: `Bearer ${localToken}` })).status, 200);
  assert.equal((await ask('/api/runs', { authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await ask('/api/runs', { host: 'evil.example' })).status, 403);
  assert.equal((await fetch(`${listening.url}/api/runs`)).status, 200);
  assert.deepEqual([...new Set(at.kit.recorded.map(({ details }) => details?.['address']))], ['127.0.0.1']);
  await listening.close(0);
  assert.ok(!existsSync(socketPath));
});

test('a socket file of one that died is replaced; of one that lives, or what is none, it is not', async (t) => {
  const at = place(t);
  const socket = join(at.here.home, 'run/loki.sock');
  const other = createServer();
  await new Promise<void>((resolve) => { other.listen(`${socket}.old`, resolve); });
  renameSync(`${socket}.old`, socket);
  await assert.rejects(at.start(), { code: 'net.port_taken', message: /a control plane of this LOKI_HOME runs already$/ });
  assert.equal((await at.start({}, { otherPortWhenTaken: true })).socket, undefined);
  await new Promise((resolve) => { other.close(resolve); });
  const replaced = await at.start();
  assert.equal(replaced.socket, socket);
  await replaced.close(0);
  writeFileSync(socket, 'mine');
  await assert.rejects(at.start(), { code: 'record.unsafe', message: /it is a file$/ });
  rmSync(socket);
  symlinkSync('/dev/null', socket);
  await assert.rejects(at.start(), { code: 'record.unsafe', message: /it is a symlink$/ });
});

test('two that begin at once do not both get it', async (t) => {
  const at = place(t);
  const both = await Promise.allSettled([at.start(), at.start()]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('a LOKI_HOME too deep for a socket file goes without one', async (t) => {
  const at = place(t);
  const home = join(at.here.root, 'deep'.repeat(30));
  mkdirSync(join(home, 'run'), { recursive: true });
  const { socket, url } = await at.start({ LOKI_HOME: home });
  assert.equal(socket, undefined);
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
});

test('who listens everywhere says the name of this machine', async (t) => {
  const at = place(t);
  const { url, port } = await at.start({ LOKI_HOST: '0.0.0.0', LOKI_ENTERPRISE_AUTH: 'on' });
  assert.equal(url, `http://127.0.0.1:${port}`);
});
