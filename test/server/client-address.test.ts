/** Behind proxies: whom a request is from, and what nobody can make the control plane believe. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKit, localToken, port, send, type Kit } from '../support/api-kit.ts';

const trustedProxies = ['10.0.0.0/8', '2001:db8:1::/48', '127.0.0.1'];

/** The address that a request is recorded with, and the proxy it came through. */
async function seen(kit: Kit, address: string, ...lines: readonly (readonly [string, string])[]): Promise<string> {
  const before = kit.recorded.length;
  await send(kit.api, '/api/runs', { address, lines: [['host', `127.0.0.1:${port}`], ['authorization', `Bearer ${localToken}x`], ...lines] });
  const { address: found, via } = kit.recorded[before]?.details ?? {};
  return `${found}${via === undefined ? '' : ` via ${via}`}`;
}

test('the rightmost address that is no listed proxy is the caller', async () => {
  const kit = createKit({ authentication: true, trustedProxies, rateLimit: 0 });
  const cases: readonly (readonly [peer: string, forwarded: readonly string[], caller: string])[] = [
    ['192.0.2.9', ['198.51.100.1'], '192.0.2.9'],
    ['10.0.0.1', ['198.51.100.1'], '198.51.100.1 via 10.0.0.1'],
    ['10.0.0.1', ['127.0.0.1, 198.51.100.1'], '198.51.100.1 via 10.0.0.1'],
    ['10.0.0.1', ['203.0.113.7, 198.51.100.1, 10.2.3.4'], '198.51.100.1 via 10.0.0.1'],
    ['10.0.0.1', ['203.0.113.7', '198.51.100.1', '10.2.3.4'], '198.51.100.1 via 10.0.0.1'],
    ['10.0.0.1', ['10.9.9.9, 10.2.3.4'], '10.9.9.9 via 10.0.0.1'],
    ['::ffff:10.0.0.1', ['198.51.100.1:4711'], '198.51.100.1 via ::ffff:10.0.0.1'],
    ['2001:db8:1::5', ['[2001:DB8:2::7]:4711'], '2001:db8:2::7 via 2001:db8:1::5'],
    ['127.0.0.1', ['2001:db8:2::7'], '2001:db8:2::7 via 127.0.0.1'],
    ['127.0.0.1', ['::ffff:198.51.100.1'], '198.51.100.1 via 127.0.0.1'],
    ['2001:db8:2::1', ['198.51.100.1'], '2001:db8:2::1'],
    ['10.0.0.1', ['nonsense, 198.51.100.1'], '198.51.100.1 via 10.0.0.1'],
    ['10.0.0.1', [`${'198.51.100.9, '.repeat(100)}198.51.100.1, 10.2.3.4`], '198.51.100.1 via 10.0.0.1'],
    ['', ['198.51.100.1'], ''],
  ];
  for (const [peer, forwarded, caller] of cases) assert.equal(await seen(kit, peer, ...forwarded.map((value) => ['x-forwarded-for', value] as const)), caller, `${peer} ${forwarded.join(' | ')}`);
});

test('a chain that cannot be read up to its caller tells nothing, nor does another header', async () => {
  const kit = createKit({ authentication: true, trustedProxies, rateLimit: 0 });
  for (const value of ['', 'unknown', '198.51.100.1,', ', 10.2.3.4', '198.51.100.1, nonsense', '198.51.100.1, nonsense, 10.2.3.4', '198.51.100.256', '198.51.100.1:port', '198.51.100.1 198.51.100.2', '[198.51.100.1', '2001:db8::1::2', 'fe80::1%eth0', '[fe80::1%eth0]', '0x7f000001', '2130706433', '127.1', `${'9'.repeat(5000)}`, `198.51.100.1${', 10.2.3.4'.repeat(40)}`, 'for=198.51.100.1', '"198.51.100.1"']) {
    assert.equal(await seen(kit, '10.0.0.1', ['x-forwarded-for', value]), '10.0.0.1 via 10.0.0.1', value.slice(0, 60));
  }
  for (const [name, value] of [['forwarded', 'for=198.51.100.1'], ['x-real-ip', '198.51.100.1'], ['true-client-ip', '198.51.100.1'], ['x-forwarded-host', 'evil.example']] as const) {
    assert.equal(await seen(kit, '10.0.0.1', [name, value]), '10.0.0.1 via 10.0.0.1', name);
  }
});

test('nobody becomes a caller of this machine by saying so', async () => {
  const kit = createKit({ authentication: true, trustedProxies: ['10.0.0.0/8'] });
  const bearer = { authorization: `Bearer ${localToken}` };
  assert.equal((await send(kit.api, '/api/runs', { address: '192.0.2.9', headers: { ...bearer, 'x-forwarded-for': '127.0.0.1' } })).status, 401);
  assert.equal((await send(kit.api, '/api/runs', { address: '10.0.0.1', headers: { ...bearer, 'x-forwarded-for': '127.0.0.1, 192.0.2.9' } })).status, 401);
  assert.equal((await send(kit.api, '/api/runs', { address: '127.0.0.1', headers: bearer })).status, 200);
  const unlisted = { ...bearer, 'x-forwarded-for': '127.0.0.1' };
  assert.equal((await send(kit.api, '/api/runs', { address: '127.0.0.1', headers: unlisted })).status, 401, 'nor by a proxy of this machine that nobody listed');
  const here = createKit({ authentication: true, trustedProxies: ['127.0.0.1'] });
  for (const forwarded of ['192.0.2.9', '127.0.0.1', 'nonsense', '']) {
    assert.equal((await send(here.api, '/api/runs', { address: '127.0.0.1', headers: { ...bearer, 'x-forwarded-for': forwarded } })).status, 401, `${forwarded} behind a proxy of this machine`);
  }
});

test('callers behind a proxy have allowances of their own; one that makes up addresses has one', async () => {
  const { api } = createKit({ authentication: true, trustedProxies, rateLimit: 3 });
  const status = async (address: string, forwarded: string): Promise<number> => (await send(api, '/api/status', { address, headers: { 'x-forwarded-for': forwarded } })).status;
  for (let at = 0; at < 3; at += 1) assert.equal(await status('10.0.0.1', '198.51.100.1'), 200);
  assert.equal(await status('10.0.0.2', '198.51.100.1'), 429);
  assert.equal(await status('10.0.0.1', '198.51.100.2'), 200);
  const made = [];
  for (let at = 0; at < 5; at += 1) made.push(await status('192.0.2.9', `198.51.100.${at}`));
  assert.deepEqual(made, [200, 200, 200, 429, 429]);
});

test('only a listed proxy says that its caller came over TLS', async () => {
  const { api } = createKit({ authentication: true, trustedProxies, allowedHosts: ['loki.example.com'] });
  const page = { host: 'loki.example.com', origin: 'https://loki.example.com' };
  const ask = (address: string, proto?: string): ReturnType<typeof send> => send(api, '/api/status', { address, headers: { ...page, ...(proto === undefined ? {} : { 'x-forwarded-proto': proto }) } });
  const secure = await ask('10.0.0.1', 'https');
  assert.deepEqual([secure.status, secure.headers['Strict-Transport-Security']], [200, 'max-age=31536000']);
  for (const [address, proto] of [['10.0.0.1', 'http'], ['10.0.0.1', 'https, http'], ['10.0.0.1', 'https\u000b'], ['10.0.0.1', undefined], ['192.0.2.9', 'https']] as const) {
    const answer = await ask(address, proto);
    assert.deepEqual([answer.status, answer.headers['Strict-Transport-Security']], [403, undefined], `${address} ${proto}`);
  }
});

test('without authentication nobody is let in through a proxy', async () => {
  const kit = createKit();
  for (const [name, value] of [['x-forwarded-for', '192.0.2.9'], ['forwarded', 'for=192.0.2.9'], ['x-real-ip', '192.0.2.9'], ['x-forwarded-host', 'loki.example.com'], ['x-forwarded-proto', 'https'], ['via', '1.1 proxy']] as const) {
    const answer = await send(kit.api, '/api/audit', { headers: { [name]: value } });
    assert.equal(answer.status, 403, name);
    assert.match(String(answer.body), /it came through a proxy, and authentication is off/);
  }
  assert.deepEqual(kit.asked, []);
});
