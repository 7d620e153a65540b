/** The guard of the way out: which URLs and addresses are called at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internalAddress } from '../../lib/base/addresses.ts';
import { egressAddresses, egressTarget, type EgressRules } from '../../lib/base/egress.ts';

const strict: EgressRules = { allowed: [], airGapped: false };
const resolving = (...addresses: readonly string[]): { resolve(): Promise<readonly string[]> } => ({ resolve: () => Promise.resolve(addresses) });

test('addresses of the public network are called, whatever form they come in', () => {
  for (const good of ['8.8.8.8', '1.1.1.1', '::ffff:8.8.8.8', '2606:4700:4700::1111', '64:ff9b::8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.0.1', '100.128.0.1', '11.0.0.1', '2600::1', '2a00:1450::1']) {
    assert.equal(internalAddress('hook.example', good, []), undefined, good);
  }
});

test('every block that is nobody\'s is refused, in every spelling of it', () => {
  for (const bad of [
    '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.0.1', '169.254.169.254', '169.254.0.1', '172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1',
    '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.0.0.1', '240.0.0.1', '255.255.255.255', '168.63.129.16',
    '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:a::', '2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1',
    'fc00::1', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', 'nonsense', '', '1.2.3', '0x7f.1',
  ]) assert.notEqual(internalAddress('hook.example', bad, []), undefined, bad);
});

test('a listed name may be private; a metadata service and its like must be listed themselves', () => {
  for (const [address, allowed, is] of [
    ['10.1.2.3', ['hook.internal'], true], ['127.0.0.1', ['hook.internal'], true], ['10.1.2.3', ['10.1.0.0/16'], true], ['10.2.2.3', ['10.1.0.0/16'], false], ['::ffff:10.1.2.3', ['10.1.2.3'], true],
    ['169.254.169.254', ['hook.internal'], false], ['169.254.169.254', ['169.254.169.254'], true], ['fe80::1', ['hook.internal'], false], ['100.100.100.200', ['hook.internal'], false], ['10.1.2.3', ['other.internal'], false],
  ] as const) assert.equal(internalAddress('hook.internal', address, allowed) === undefined, is, `${address} ${allowed.join()}`);
});

test('a URL is judged after it is read: no spelling of this machine gets by', () => {
  for (const good of ['https://hook.example/x', 'https://hook.example:443/', 'https://hook.example:8443/a?b=c', 'https://hook.example./', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]/']) assert.ok(egressTarget(good, strict), good);
  for (const [bad, why] of [
    ['http://hook.example/', 'not https'], ['ftp://hook.example/', 'not https'], ['file:///etc/passwd', 'not https'], ['javascript:alert(1)', 'not https'], ['https://user:secret@hook.example/', 'user name'], ['https://:@hook.example:9/', 'port 9'],
    ['https://hook.example:22/', 'port 22'], ['https://localhost/', 'this machine'], ['https://LOCALHOST./', 'this machine'], ['https://a.localhost/', 'this machine'], ['https://printer.local/', 'this machine'], ['https://metadata.google.internal/', 'this machine'],
    ['https://metadata/', 'this machine'], ['', 'it is none'], ['nonsense', 'it is none'], [`https://hook.example/${'x'.repeat(3000)}`, 'longer than 2048'],
  ] as const) assert.throws(() => egressTarget(bad, strict), { code: 'net.unreachable', message: new RegExp(why) }, bad);
});

test('an address written as a number, in octal, in hex or in full-width digits is the address it is', async () => {
  for (const url of ['https://127.1/', 'https://2130706433/', 'https://0x7f000001/', 'https://0177.0.0.1/', 'https://0/', 'https://127.0.0.1./', 'https://１２７.0.0.1/', 'https://[::ffff:127.0.0.1]/', 'https://[::1]/', 'https://169.254.169.254/', 'https://0xa9fea9fe/']) {
    const target = egressTarget(url, strict);
    await assert.rejects(egressAddresses(target, strict, { resolve: (host) => Promise.resolve([host]) }), { code: 'net.unreachable', message: /is (?:this machine|no address of a machine|a cloud's metadata service)/ }, url);
  }
});

test('a name with one good and one bad address is a trap, and is not called at all', async () => {
  const target = egressTarget('https://hook.example/', strict);
  assert.deepEqual(await egressAddresses(target, strict, resolving('8.8.8.8', '1.1.1.1')), ['8.8.8.8', '1.1.1.1']);
  await assert.rejects(egressAddresses(target, strict, resolving('8.8.8.8', '10.0.0.1')), { code: 'net.unreachable', message: 'Cannot call https://hook.example: 10.0.0.1 is a private network', hint: /LOKI_ALLOWED_INTERNAL_HOSTS/ });
  await assert.rejects(egressAddresses(target, strict, resolving()), { code: 'net.unreachable' });
});

test('what an administrator listed may be plain http, on any port, here; what is told of it holds no path', async () => {
  const rules = { ...strict, allowed: ['localhost', '10.1.0.0/16'] };
  const target = egressTarget('http://localhost:8080/hook?token=s3cret', rules);
  assert.deepEqual([target.origin, target.host], ['http://localhost:8080', 'localhost']);
  assert.deepEqual(await egressAddresses(target, rules, resolving('127.0.0.1', '::1')), ['127.0.0.1', '::1']);
  assert.ok(egressTarget('http://10.1.2.3:99/', rules));
  assert.throws(() => egressTarget('http://10.2.2.3:99/', rules), /it is not https/);
  assert.throws(() => egressTarget('http://localhost.evil.example/', rules), /it is not https/);
});

test('an air-gapped installation calls nothing but what is listed', () => {
  assert.throws(() => egressTarget('https://hook.example/', { allowed: [], airGapped: true }), /air-gapped/);
  assert.ok(egressTarget('https://hook.example/', { allowed: ['hook.example'], airGapped: true }));
});
