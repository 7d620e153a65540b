/** Residency: the matrix of providers, regions and hosts, and what a hostile spelling makes of a host. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeProvider, judgeReach, refusedDelivery, type Residency } from '../../lib/policy/residency.ts';

function residency(parts: Partial<Residency> = {}): Residency {
  return { allowedProviders: [], allowedRegions: [], airGapped: false, isListOurs: true, allowedHosts: [], origin: (key) => `/etc/loki/config.yaml:${key.length}`, ...parts };
}

const reasons = (rules: Residency, provider: string, region?: string): readonly string[] =>
  judgeProvider(rules, { provider, ...(region === undefined ? {} : { region }) }).map(({ reason }) => reason.replace('Rule "builtin:residency" (built in): ', ''));

describe('which provider may be called', () => {
  test('any, where nothing is set', () => {
    for (const provider of ['claude', 'command', 'scripted', '']) assert.deepEqual(reasons(residency(), provider), []);
  });

  test('those on the list, and the reason names key, value and origin', () => {
    const rules = residency({ allowedProviders: ['claude', 'codex'] });
    assert.deepEqual(reasons(rules, 'claude'), []);
    assert.deepEqual(judgeProvider(rules, { provider: 'gemini' }), [{
      name: 'builtin:residency', action: 'deny', place: 'built in',
      reason: 'Rule "builtin:residency" (built in): provider is "gemini", and residency.allowed_providers (/etc/loki/config.yaml:27) names only claude, codex',
    }]);
  });

  test('in the regions on the list, and in none where the region is not known', () => {
    const rules = residency({ allowedRegions: ['eu', 'ch'] });
    assert.deepEqual(reasons(rules, 'claude', 'eu'), []);
    assert.deepEqual(reasons(rules, 'claude', 'us'), ['the region of "claude" is "us", and residency.allowed_regions (/etc/loki/config.yaml:25) names only eu, ch']);
    assert.deepEqual(reasons(rules, 'command'), ['the region of "command" is not known, and residency.allowed_regions (/etc/loki/config.yaml:25) names only eu, ch']);
    assert.deepEqual(reasons(rules, 'claude', 'EU').length, 1, 'a region is a name, compared as it is written');
    assert.deepEqual(reasons(rules, 'scripted'), [], 'a script is played on this machine');
  });

  test('several reasons are all told', () => {
    assert.equal(reasons(residency({ allowedProviders: ['codex'], allowedRegions: ['eu'], airGapped: true }), 'claude', 'us').length, 3);
  });

  for (const [name, rules, provider, passes] of [
    ['a script', residency({ airGapped: true }), 'scripted', true],
    ['a service', residency({ airGapped: true }), 'claude', false],
    ['a service that is on the list', residency({ airGapped: true, allowedProviders: ['claude'] }), 'claude', false],
    ['any program', residency({ airGapped: true }), 'command', false],
    ['any program that an administrator lists', residency({ airGapped: true, allowedProviders: ['command'] }), 'command', true],
    ['any program that only the project lists', residency({ airGapped: true, allowedProviders: ['command'], isListOurs: false }), 'command', false],
    ['something new', residency({ airGapped: true }), 'Scripted', false],
  ] as const) {
    test(`air-gapped, ${name} ${passes ? 'may' : 'may not'} be called`, () => assert.equal(reasons(rules, provider).length === 0, passes));
  }
});

describe('what an agent may reach in an air-gapped installation', () => {
  const closed = residency({ airGapped: true, allowedHosts: ['siem.example.com', '10.0.0.0/8'] });
  const passes = (url: string): boolean => judgeReach(closed, { kind: 'net', url }).length === 0;

  for (const url of ['http://localhost:3000/x', 'https://127.0.0.1/', 'http://127.9.8.7:80', 'http://[::1]:8080/', 'localhost:3000', '127.0.0.1', 'http://api.localhost/', 'HTTP://LOCALHOST./', 'http://0x7f.1/', 'http://2130706433/', 'file:///etc/hosts', 'ws://localhost:9', 'http://[::ffff:127.0.0.1]/']) {
    test(`this machine: ${url}`, () => assert.ok(passes(url)));
  }
  for (const url of [
    'https://example.com/', 'example.com', 'http://10.1.2.3/', 'https://siem.example.com/', 'http://localhost.example.com/', 'http://127.0.0.1.example.com/', 'http://127.0.0.1@example.com/', 'http://localhost%2eexample.com/',
    'ftp://example.com/x', 'ssh://git@example.com/x', 'git@example.com:x', 'http://[::2]/', 'http://0.0.0.0/', 'http://notlocalhost/', 'file://example.com/share', '//example.com/x', 'http:\\\\example.com\\x', 'http:example.com',
    '', ' ', 'http://', 'javascript:alert(1)', 'data:text/plain,x', 'http://\u0000/', 'http://[::1', 'http://1.2.3.4.5/', 'https://ⓛocalhost.example.com',
  ]) {
    test(`beyond it: ${JSON.stringify(url)}`, () => assert.ok(!passes(url)));
  }
  test('the reason says what and where', () => assert.equal(judgeReach(closed, { kind: 'net', url: 'https://example.com/a?b' })[0]?.reason, 'Rule "builtin:residency" (built in): residency.air_gapped is true (/etc/loki/config.yaml:20), and "example.com" is not this machine'));
  test('a file action reaches nothing', () => assert.deepEqual(judgeReach(closed, { kind: 'other' }), []));
  test('without an air gap everything may be reached', () => assert.deepEqual(judgeReach(residency({ allowedProviders: ['claude'] }), { kind: 'net', url: 'https://example.com' }), []));
});

describe('where something is delivered from an air-gapped installation', () => {
  const closed = residency({ airGapped: true, allowedHosts: ['siem.example.com', '10.0.0.0/8', 'fd00::/8'] });
  for (const host of ['siem.example.com', 'SIEM.example.com', '10.200.3.4', 'fd12::1', '127.0.0.1', '::1', 'localhost', '::ffff:10.1.1.1']) {
    test(`to ${host}`, () => assert.equal(refusedDelivery(closed, host), undefined));
  }
  for (const host of ['example.com', 'evil.siem.example.com', '11.0.0.1', '169.254.169.254', 'fe80::1', '', 'siem.example.com.evil.test']) {
    test(`not to ${JSON.stringify(host)}`, () => assert.equal(refusedDelivery(closed, host), `residency.air_gapped is true (/etc/loki/config.yaml:20), and ${JSON.stringify(host)} is neither this machine nor listed in enterprise.egress.allow_internal`));
  }
  test('anywhere, without an air gap', () => assert.equal(refusedDelivery(residency({ allowedRegions: ['eu'] }), 'example.com'), undefined));
});
