import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress, refusedAddress } from '../../lib/base/addresses.ts';

test('addresses are read in every form', () => {
  const six = (...groups: readonly number[]): readonly number[] => groups.flatMap((group) => [group >> 8, group & 255]);
  const rows: readonly (readonly [string, readonly number[] | undefined])[] = [
    ['10.0.0.1', [10, 0, 0, 1]], ['255.255.255.255', [255, 255, 255, 255]], ['256.0.0.1', undefined], ['1.2.3', undefined], ['', undefined], ['a.b.c.d', undefined],
    ['::', six(0, 0, 0, 0, 0, 0, 0, 0)], ['::1', six(0, 0, 0, 0, 0, 0, 0, 1)], ['2001:db8::ff:1', six(0x2001, 0xdb8, 0, 0, 0, 0, 0xff, 1)],
    ['fe80::1%eth0', six(0xfe80, 0, 0, 0, 0, 0, 0, 1)], ['1:2:3:4:5:6:7:8', six(1, 2, 3, 4, 5, 6, 7, 8)], ['1:2:3:4:5:6:7', undefined], ['1::2::3', undefined],
    ['::ffff:10.0.0.1', [10, 0, 0, 1]], ['::ffff:a00:1', [10, 0, 0, 1]], ['::g', undefined], ['1:2:3:4:5:6:7:8:9', undefined], ['::1.2.3.4.5', undefined],
  ];
  for (const [text, expected] of rows) assert.deepEqual(parseAddress(text), expected, text);
});

test('what an administrator named may be private; link-local addresses and their like only when listed', () => {
  for (const good of ['127.0.0.1', '::1', '10.1.2.3', '192.168.0.1', '172.16.0.1', '100.64.0.1', 'fd00::1', '8.8.8.8', '2001:db8::1']) assert.equal(refusedAddress('log.example', good, []), undefined, good);
  const rows = [
    ['169.254.169.254', 'a cloud\'s metadata service'], ['::ffff:169.254.169.254', 'a cloud\'s metadata service'], ['64:ff9b::169.254.169.254', 'a cloud\'s metadata service'], ['64:ff9b::a9fe:1', 'link-local'], ['fd00:ec2::254', 'a cloud\'s metadata service'], ['100.100.100.200', 'a cloud\'s metadata service'],
    ['169.254.3.4', 'link-local'], ['fe80::1', 'link-local'], ['febf::1', 'link-local'], ['0.0.0.0', 'no address of a machine'], ['::', 'no address of a machine'],
    ['224.0.0.1', 'multicast or broadcast'], ['255.255.255.255', 'multicast or broadcast'], ['ff02::1', 'multicast or broadcast'], ['nonsense', 'no address of a machine'],
  ] as const;
  for (const [bad, why] of rows) assert.equal(refusedAddress('log.example', bad, []), why, bad);
});

test('a listed host, address or block is reached', () => {
  const isReached = (allowed: string): boolean => refusedAddress('Log.Example', '169.254.10.20', [allowed]) === undefined;
  for (const listed of ['log.example', '169.254.10.20', '169.254.10.0/24', '169.254.8.0/21', '0.0.0.0/0', '::ffff:169.254.10.20']) assert.ok(isReached(listed), listed);
  for (const other of ['other.example', '169.254.10.21', '169.254.11.0/24', '169.254.16.0/21', '::/0', 'fe80::/10']) assert.ok(!isReached(other), other);
});
