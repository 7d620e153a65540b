/** `loki login` and `loki logout` against a control plane in this process: what is kept, for whom, and what is never sent anywhere else. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listenHttp } from '../../lib/host/http-server.ts';
import { newToken } from '../../lib/base/token.ts';
import { random } from '../../lib/host/time.ts';
import { loginToken, readLogin } from '../../lib/app/login.ts';
import { createKit, mint, type Kit } from '../support/api-kit.ts';
import { makeGround, type Ground } from '../support/ground.ts';

async function scene(t: TestContext): Promise<{ readonly kit: Kit; readonly url: string; readonly ground: Ground; readonly file: string }> {
  const kit = createKit({ authentication: true });
  const server = await listenHttp(kit.api, { host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const ground = makeGround(t);
  return { kit, ground, url: `http://127.0.0.1:${server.port}`, file: join(ground.home, 'run/login') };
}

test('a key that the control plane knows is kept for this account and this address, and forgotten again', async (t) => {
  const { kit, url, ground, file } = await scene(t);
  const { token } = await mint(kit, { name: 'pasted', tenant: null, role: 'viewer' });
  const login = await ground.loki(['login', '--url', url, '--token', '--json'], { input: `${token}\n` });
  assert.equal(login.exit, 0, login.stderr);
  assert.deepEqual(JSON.parse(login.stdout), { url, actor: 'token:pasted', expires_at: null });
  assert.ok(!(login.stdout + login.stderr).includes(token));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const installation = ground.installation();
  assert.equal(loginToken(installation, `${url}/`), token);
  for (const other of ['http://127.0.0.1:1', url.replace('127.0.0.1', 'localhost'), url.replace('http:', 'https:'), 'https://evil.example.com', `${url}.evil.example.com`]) assert.equal(loginToken(installation, other), undefined, other);
  const out = await ground.loki(['logout']);
  assert.deepEqual([out.exit, existsSync(file)], [0, false], out.stderr);
  assert.equal((await ground.loki(['logout'])).stdout, 'Nobody is logged in.\n');
  assert.equal((await kit.services.keys.named(null, 'pasted'))[0]?.key.revoked_at, null, 'a key that was pasted stays');
});

test('what was got with a code is revoked, and an unreachable control plane is told', async (t) => {
  const { kit, url, ground, file } = await scene(t);
  const { token } = await mint(kit, { name: 'login.alice.00000000', tenant: null, role: 'viewer' });
  await ground.loki(['login', '--url', url, '--token'], { input: token });
  assert.equal((await ground.loki(['logout'])).exit, 0);
  assert.notEqual((await kit.services.keys.named(null, 'login.alice.00000000'))[0]?.key.revoked_at, null);
  writeFileSync(file, JSON.stringify({ url: 'http://127.0.0.1:1', token: 'loki_x', actor: 'user:alice', expires_at: '2026-01-01T00:00:00.000Z' }), { mode: 0o600 });
  const out = await ground.loki(['logout']);
  assert.deepEqual([out.exit, existsSync(file)], [8, false]);
  assert.match(out.stderr, /The key was not revoked there: .*It ends by itself at 2026-01-01/);
});

test('what is no key, no control plane and no safe way to one is refused', async (t) => {
  const { kit, url, ground, file } = await scene(t);
  const { token } = await mint(kit, { name: 'right', tenant: null, role: 'viewer' });
  for (const [args, input, exit, words] of [
    [['--url', 'http://127.0.0.1:1', '--token'], token.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x')), 4, /mistyped: its checksum does not match/], [['--url', url, '--token'], newToken(random), 4, /does not know the key/], [['--url', url, '--token'], 'two words', 4, /no key/], [['--url', url, '--token'], '', 4, /no key/],
    [['--url', 'http://loki.example.com', '--token'], token, 2, /not reached by https/], [['--url', 'ftp://127.0.0.1', '--token'], token, 2, /no http address/], [['--url', 'http://127.0.0.1:1', '--token'], token, 8, /ECONNREFUSED/],
    [['--token'], token, 8, /no control plane runs here/],
  ] as const) {
    const { exit: code, stderr } = await ground.loki(['login', ...args], { input });
    assert.deepEqual([code, existsSync(file)], [exit, false], stderr);
    assert.match(stderr, words);
    assert.ok(!stderr.includes(token));
  }
});

test('a file that others can read, and one that was tampered with, is not used', async (t) => {
  const { kit, url, ground, file } = await scene(t);
  const { token } = await mint(kit, { name: 'right', tenant: null, role: 'viewer' });
  await ground.loki(['login', '--url', url, '--token'], { input: token });
  const installation = ground.installation();
  chmodSync(file, 0o644);
  assert.throws(() => readLogin(installation), { code: 'record.unsafe' });
  chmodSync(file, 0o600);
  const login = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...login, expires_at: '2020-01-01T00:00:00.000Z' }));
  assert.equal(loginToken(installation, url), undefined, 'over');
  writeFileSync(file, '[]');
  assert.throws(() => readLogin(installation), { code: 'record.unsafe' });
});
