/** Scopes, the local token and where the control plane may listen. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { random } from '../../lib/host/time.ts';
import { checkListen, isLoopback } from '../../lib/server/listen.ts';
import { ensureLocalToken, readLocalToken } from '../../lib/server/local-token.ts';
import { isToken, newToken } from '../../lib/base/token.ts';
import { holds, type Scope } from '../../lib/server/principal.ts';
import { allowanceHeaders, callerOf, createRateLimiter } from '../../lib/server/rate-limit.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-token-')));
after(() => rmSync(root, { recursive: true, force: true }));

test('control includes write includes read, and nothing includes approve', () => {
  const all: readonly Scope[] = ['read', 'write', 'control', 'audit', 'admin', 'approve'];
  const held = (own: Scope): readonly Scope[] => all.filter((scope) => holds({ scopes: new Set([own]) }, scope));
  assert.deepEqual(held('read'), ['read']);
  assert.deepEqual(held('write'), ['read', 'write']);
  assert.deepEqual(held('control'), ['read', 'write', 'control']);
  assert.deepEqual(held('audit'), ['audit']);
  assert.deepEqual(held('admin'), ['read', 'write', 'control', 'audit', 'admin']);
  assert.deepEqual(held('approve'), ['approve']);
});

test('a token has the published shape, checksum included', () => {
  assert.match(newToken(random), /^loki_[0-9A-Za-z]{36}$/);
  assert.notEqual(newToken(random), newToken(random));
  assert.ok(isToken(newToken(random)));
  for (const not of ['', 'loki_', newToken(random).slice(0, -1), `${newToken(random)}a`, newToken(random).replace(/.$/, '!'), `loki_${'0'.repeat(36)}`]) assert.ok(!isToken(not), not);
  // The last six were computed with another program's CRC-32.
  assert.equal(newToken({ bytes: (length) => new Uint8Array(length) }), `loki_${'0'.repeat(30)}4XQw8B`);
});

test('the local token is made once, for the owner only', () => {
  const { disk } = createHost(() => root);
  const place = { home: root, path: join(root, 'run', 'token') };
  assert.equal(readLocalToken(disk, place), undefined);
  const token = ensureLocalToken(disk, place, random);
  assert.equal(ensureLocalToken(disk, place, random), token);
  assert.equal(readLocalToken(disk, place), token);
  assert.equal(statSync(place.path).mode & 0o777, 0o600);
  chmodSync(place.path, 0o644);
  assert.throws(() => readLocalToken(disk, place), { code: 'record.unsafe', message: /others than its owner may read it/ });
});

test('a local token behind a link, or that is none, is refused', () => {
  const { disk } = createHost(() => root);
  writeFileSync(join(root, 'elsewhere'), `${newToken(random)}\n`, { mode: 0o600 });
  symlinkSync(join(root, 'elsewhere'), join(root, 'link'));
  assert.throws(() => readLocalToken(disk, { home: root, path: join(root, 'link') }), { code: 'record.unsafe' });
  writeFileSync(join(root, 'junk'), 'loki_short', { mode: 0o600 });
  assert.throws(() => ensureLocalToken(disk, { home: root, path: join(root, 'junk') }, random), { code: 'record.unsafe', message: /it holds no token/ });
});

test('beyond loopback it listens only with authentication', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(host), host);
    checkListen({ host, authentication: false });
  }
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.0.0.1.example.com', '', '1270.0.0.1', '128.0.0.1']) {
    assert.ok(!isLoopback(host), host);
    assert.throws(() => checkListen({ host, authentication: false }), { code: 'config.invalid', message: `Cannot listen on "${host}": it can be reached from other machines, and authentication is off` });
    checkListen({ host, authentication: true });
  }
});

test('an allowance fills evenly and never past its limit', () => {
  let now = 0;
  const limiter = createRateLimiter(60, { monotonic: () => now });
  for (let at = 0; at < 60; at += 1) assert.equal(limiter('a', 'read', 1)?.allowed, true);
  assert.deepEqual(limiter('a', 'read', 1), { name: 'read', allowed: false, limit: 60, remaining: 0, fullIn: 60, retryIn: 1 });
  now += 1000;
  assert.equal(limiter('a', 'read', 1)?.allowed, true);
  assert.equal(limiter('a', 'read', 1)?.allowed, false);
  now += 3_600_000;
  assert.equal(limiter('a', 'read', 1)?.remaining, 59);
  assert.equal(limiter('a', 'write', 1)?.limit, 12);
  assert.equal(limiter('a', 'auth', 1)?.limit, 2);
  assert.equal(createRateLimiter(0, { monotonic: () => now })('a', 'read', 1), undefined);
});

test('an allowance is told in both spellings', () => {
  const limiter = createRateLimiter(600, { monotonic: () => 0 });
  const allowance = limiter('a', 'read', 1);
  assert.equal(allowanceHeaders(undefined, 5000), undefined, 'nothing where limits are off');
  assert.deepEqual(allowanceHeaders(allowance, 5000), {
    'RateLimit-Policy': '"read";q=600;w=60', 'RateLimit': '"read";r=599;t=1', 'X-RateLimit-Limit': '600', 'X-RateLimit-Remaining': '599', 'X-RateLimit-Reset': '6',
  });
});

test('callers are told apart by address, IPv6 ones by their network', () => {
  assert.equal(callerOf('::ffff:10.0.0.1'), callerOf('10.0.0.1'));
  assert.equal(callerOf('2001:db8:1:2::1'), callerOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
  assert.notEqual(callerOf('2001:db8:1:2::1'), callerOf('2001:db8:1:3::1'));
  assert.equal(callerOf('::1'), 'address:0:0:0:0::/64');
});
