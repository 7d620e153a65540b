/** The ring of keys: what is on disk, who can use it, and what damage does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyCheck } from '../../../lib/base/cipher.ts';
import type { DataKey } from '../../../lib/audit/protection/envelope.ts';
import type { Disk } from '../../../lib/ports.ts';
import { createFaultFiles, faultDisk } from '../../support/fault-files.ts';
import { home } from '../support.ts';
import { newKey, oldKey, ringDirectory, ringOn } from './keys.ts';

function freshDisk(): Disk {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  return faultDisk(files);
}

const plainly = ({ kid, key }: DataKey): string => `${kid} ${Buffer.from(key).toString('hex')}`;
const textOf = (disk: Disk, name: string): string => Buffer.from(disk.read(`${ringDirectory}/${name}`, 1e5) ?? []).toString();
const put = (disk: Disk, name: string, text: string): void => disk.replace(home, `${ringDirectory}/${name}`, Buffer.from(text), 0o600);

describe('keys', () => {
  test('are the same for every process, day by day and subject by subject', () => {
    const disk = freshDisk();
    const [one, other] = [ringOn(disk), ringOn(disk)];
    assert.equal(plainly(one.dayKey('2026-02-15')), plainly(other.dayKey('2026-02-15')));
    assert.equal(plainly(one.subjectKey('user:alice')), plainly(other.subjectKey('user:alice')));
    assert.notEqual(plainly(one.subjectKey('user:bob')), plainly(one.subjectKey('user:alice')));
    assert.equal(other.kidOf('user:alice'), one.subjectKey('user:alice').kid);
    assert.equal(other.kidOf('user:carol'), undefined);
  });

  test('that were kept as they are, are wrapped when they are next used, once they should be', () => {
    const disk = freshDisk();
    const plain = ringOn(disk, [], false).subjectKey('user:alice');
    assert.match(textOf(disk, `${plain.kid}.json`), /"key":/);
    assert.equal(plainly(ringOn(disk, [oldKey], true).subjectKey('user:alice')), plainly(plain));
    for (const name of [`${plain.kid}.json`, 'names.json']) assert.doesNotMatch(textOf(disk, name), /"key":/);
    // And are used on where encryption was switched off again, while the key is here.
    assert.equal(plainly(ringOn(disk, [oldKey], false).subjectKey('user:alice')), plainly(plain));
    assert.throws(() => ringOn(disk, [], false).subjectKey('user:alice'), /wrapped by the key with check/);
  });

  test('are wrapped by the key in force, and by the one that is coming while it changes', () => {
    const disk = freshDisk();
    ringOn(disk).dayKey('2026-02-15');
    ringOn(disk).setState({ check: keyCheck(oldKey), next: keyCheck(newKey) });
    const ring = ringOn(disk, [oldKey, newKey]);
    ring.dayKey('2026-02-16');
    assert.ok(ring.isWrappedBy('d20260216.json', keyCheck(newKey)));
    assert.ok(ring.rewrap('d20260215.json', newKey));
    assert.equal(ringOn(disk, [newKey]).dayKey('2026-02-15').kid, ringOn(disk, [oldKey, newKey]).dayKey('2026-02-15').kid);
    assert.throws(() => ringOn(disk, [oldKey]).dayKey('2026-02-15'), /wrapped by the key with check/);
    assert.equal(ringOn(disk, [oldKey]).rewrap('d20260215.json', oldKey), false);
  });

  test('are found by their name only when it is one', () => {
    const ring = ringOn(freshDisk());
    for (const kid of ['', '../audit.key', 'd20260215', 's123', 'kek', `s${'a'.repeat(32)}/../x`]) assert.deepEqual(ring.find(kid), { kind: 'gone' });
  });
});

describe('damage', () => {
  test('a key file that is damaged is told of, and never replaced', () => {
    const disk = freshDisk();
    const { kid } = ringOn(disk).subjectKey('user:alice');
    ringOn(disk).dayKey('2026-02-15');
    for (const text of ['', 'no json', '[]', `{"v":1,"kid":"${kid}"}`, `{"v":1,"kid":"s${'0'.repeat(32)}","check":"x","key":"AAAA"}`, `{"v":1,"kid":"${kid}","check":"x","key":"AAAA"}`]) {
      put(disk, `${kid}.json`, text);
      assert.throws(() => ringOn(disk).subjectKey('user:alice'), /damaged/, text);
      assert.equal(textOf(disk, `${kid}.json`), text);
    }
    put(disk, 'd20260215.json', `{"v":1,"kid":"${ringOn(disk).dayKey('2026-02-16').kid}","check":"x"}`);
    assert.throws(() => ringOn(disk).dayKey('2026-02-15'), /damaged/);
    put(disk, `${kid}.json`, 'x'.repeat(5000));
    assert.throws(() => ringOn(disk).subjectKey('user:alice'), /at most 4096 are read/);
  });

  test('without the secret of the names no new one is made, as long as there are names', () => {
    const disk = freshDisk();
    ringOn(disk).subjectKey('user:alice');
    disk.remove(`${ringDirectory}/names.json`);
    assert.throws(() => ringOn(disk).subjectKey('user:alice'), /names\.json is missing/);
    assert.equal(ringOn(disk).kidOf('user:alice'), undefined);
    assert.equal(disk.stat(`${ringDirectory}/names.json`), undefined);
  });

  test('destroying takes one key, and what was half-made', () => {
    const disk = freshDisk();
    const ring = ringOn(disk);
    const [alice, bob] = [ring.subjectKey('user:alice'), ring.subjectKey('user:bob')];
    put(disk, '.tmp-left', 'a key');
    ring.destroy(alice.kid);
    ring.destroy(alice.kid);
    ring.destroy('../../audit.key');
    assert.deepEqual(ring.find(alice.kid), { kind: 'gone' });
    assert.equal(ring.find(bob.kid).kind, 'key');
    assert.equal(disk.stat(`${ringDirectory}/.tmp-left`), undefined);
    ring.forget('user:alice', bob.kid);
    assert.equal(ring.kidOf('user:alice'), alice.kid);
    ring.forget('user:alice', alice.kid);
    assert.equal(ring.kidOf('user:alice'), undefined);
  });
});
