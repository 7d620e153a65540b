/** The sealed approver key: its files, and what damage to them means. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openKey, readApprovers, readEveryApprover, readSealedKey, sealKey, writeKey, type ApproverPlace, type SealedKey } from '../../lib/approvals/approver-key.ts';
import { LokiError } from '../../lib/errors.ts';
import { leastCost, passphrase } from '../support/approver.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const seed = new Uint8Array(32).fill(7);
const lots = { salt: new Uint8Array(16).fill(1), nonce: new Uint8Array(24).fill(2) };

function placeOf({ installation, home }: Ground): ApproverPlace {
  const { host: { disk } } = installation();
  disk.ensureDirectory(join(home, '..'), home, 0o700);
  return { disk, base: home, directory: `${home}/keys` };
}

const made = (owner: string, createdAt = '2026-02-15T14:30:00.000Z', of = seed): Promise<SealedKey> => sealKey({ seed: of, owner, createdAt }, passphrase, leastCost, lots);

test('a key opens with its passphrase, in whichever form its characters are typed, and with no other', async () => {
  const key = await sealKey({ seed, owner: 'user:zoe', createdAt: '2026-02-15T14:30:00.000Z' }, 'caf\u00e9 au lait noir', leastCost, lots);
  assert.deepEqual(await openKey(key, 'cafe\u0301 au lait noir'), Buffer.from(seed));
  for (const wrong of ['', 'cafe au lait noir', 'caf\u00e9 au lait noir ', 'CAF\u00c9 AU LAIT NOIR']) assert.equal(await openKey(key, wrong), undefined, wrong);
});

test('nothing in the file can be changed without the passphrase: owner, time, key, cost, salt', async (t) => {
  const place = placeOf(makeGround(t));
  const key = await made('user:alice');
  for (const changed of [
    { approver: { ...key.approver, owner: 'user:mallory' } }, { approver: { ...key.approver, createdAt: '2020-01-01T00:00:00.000Z' } },
    { cost: { n: 1 << 15, r: 8, p: 1 } }, { salt: new Uint8Array(16) }, { nonce: new Uint8Array(24) }, { sealed: key.sealed.map((byte) => byte ^ 1) },
  ]) assert.equal(await openKey({ ...key, ...changed }, passphrase), undefined, Object.keys(changed).join());
  writeKey(place, key);
  const again = readSealedKey(place, key.approver);
  assert.ok(again !== undefined);
  assert.deepEqual(await openKey(again, passphrase), Buffer.from(seed));
});

test('both files are their owner\'s alone, and neither holds the seed', async (t) => {
  const ground = makeGround(t);
  const place = placeOf(ground);
  writeKey(place, await made('user:alice'));
  const names = readdirSync(place.directory);
  assert.deepEqual(names.map((name) => name.replace(/[0-9a-f]{16}/, 'HASH')).sort(), ['approver-HASH.key', 'approver.pub']);
  assert.equal(statSync(place.directory).mode & 0o777, 0o700);
  for (const name of names) {
    assert.equal(statSync(join(place.directory, name)).mode & 0o777, 0o600);
    const text = readFileSync(join(place.directory, name), 'utf8');
    assert.ok(!text.includes(Buffer.from(seed).toString('base64')) && !text.includes(Buffer.from(seed).toString('hex')) && !text.includes(passphrase), name);
  }
});

test('the newest key of a person is the one in force; every earlier one stays known', async (t) => {
  const place = placeOf(makeGround(t));
  const [first, second, bob] = [await made('user:alice'), await made('user:alice', '2026-03-01T00:00:00.000Z', new Uint8Array(32).fill(8)), await made('user:bob', '2026-02-20T00:00:00.000Z', new Uint8Array(32).fill(9))];
  for (const key of [first, bob, second]) writeKey(place, key);
  assert.deepEqual(readApprovers(place).map(({ key }) => key), [second.approver.key, bob.approver.key]);
  assert.deepEqual(readEveryApprover(place).map(({ key }) => key), [first.approver.key, bob.approver.key, second.approver.key]);
});

test('a sealed key may be kept elsewhere: the public line alone makes an approver', async (t) => {
  const place = placeOf(makeGround(t));
  const key = await made('user:alice');
  writeKey(place, key);
  for (const name of readdirSync(place.directory)) if (name !== 'approver.pub') rmSync(join(place.directory, name));
  assert.deepEqual(readApprovers(place).map(({ owner }) => owner), ['user:alice']);
  assert.equal(readSealedKey(place, key.approver), undefined);
});

test('what is damaged is an error that says so, and never no approver', async (t) => {
  const place = placeOf(makeGround(t));
  const key = await made('user:alice');
  writeKey(place, key);
  const [publicFile, sealedFile] = [join(place.directory, 'approver.pub'), join(place.directory, readdirSync(place.directory).find((name) => name.endsWith('.key')) ?? '')];
  const [publicText, sealedText] = [readFileSync(publicFile, 'utf8'), readFileSync(sealedFile, 'utf8')];
  const isDamage = (error: unknown): boolean => error instanceof LokiError && error.code === 'io.failed';
  const forged = JSON.stringify({ ...JSON.parse(publicText), public: Buffer.alloc(32, 1).toString('base64') });
  for (const text of ['', '\n', '{}', `${publicText}rubbish\n`, publicText.replace('"v":1', '"v":2'), publicText.replace('user:alice', 'alice'), `${forged}\n`, publicText.slice(0, 60)]) {
    writeFileSync(publicFile, text);
    assert.throws(() => readApprovers(place), isDamage, JSON.stringify(text.slice(0, 40)));
  }
  rmSync(publicFile);
  assert.throws(() => readApprovers(place), /it is missing, and a sealed key is there/);
  writeFileSync(publicFile, publicText);
  for (const text of ['', '{}', sealedText.replace(/"n":\d+/, '"n":1073741824'), sealedText.replace(/"n":\d+/, '"n":2'), sealedText.replace(/"r":8/, '"r":1e9'), sealedText.replace('user:alice', 'user:mallory'), sealedText.replace(/"nonce":"[^"]*"/, '"nonce":""')]) {
    writeFileSync(sealedFile, text);
    assert.throws(() => readSealedKey(place, key.approver), isDamage, JSON.stringify(text.slice(0, 40)));
  }
});
