/** What encryption and keys of subjects write, what of it can be read again, and by whom. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { createOpener, type EntryOpener } from '../../../lib/audit/protection/opener.ts';
import { createProtection } from '../../../lib/audit/protection/protect.ts';
import { isEnvelope, sealValue } from '../../../lib/audit/protection/envelope.ts';
import type { Disk } from '../../../lib/ports.ts';
import { createFaultFiles, faultDisk } from '../../support/fault-files.ts';
import { createTestClock, createTestRandom } from '../../support/fakes.ts';
import { home, linesIn, logOn, verifyOn } from '../support.ts';
import { newKey, oldKey, ringOn } from './keys.ts';

interface Ground {
  readonly disk: Disk;
  record(...events: readonly AuditEvent[]): Promise<void>;
  lines(): readonly string[];
  raw(): readonly JsonObject[];
  opened(keys?: readonly Uint8Array[]): readonly JsonObject[];
  opener(keys?: readonly Uint8Array[]): EntryOpener;
}

function ground({ encrypt = false, gdpr = false, keys = [oldKey] }: { readonly encrypt?: boolean; readonly gdpr?: boolean; readonly keys?: readonly Uint8Array[] }): Ground {
  const files = createFaultFiles();
  files.makeDirectory('/home', 0o700);
  const disk = faultDisk(files);
  const protection = createProtection({ ring: ringOn(disk, keys, encrypt), random: createTestRandom(), encrypt, gdpr });
  const log = logOn(disk, { protection });
  const lines = (): readonly string[] => linesIn(disk, 'audit-2026-02-15.jsonl');
  const raw = (): readonly JsonObject[] => lines().map((line): JsonObject => JSON.parse(line));
  const opener = (at: readonly Uint8Array[] = keys): EntryOpener => createOpener(ringOn(disk, at, encrypt));
  return {
    disk, lines, raw, opener,
    async record(...events) { await Promise.all(events.map((event) => log.append(event))); },
    opened(at) {
      const { open } = opener(at);
      return raw().map(open);
    },
  };
}

const decision: AuditEvent = { event: 'policy.deny', actor: 'agent:claude', details: { action: { kind: 'exec', command: 'cat marker-of-agent' }, decision: 'DENY' }, metadata: { project_id: 'prj_1' } };
const started: AuditEvent = { event: 'session.start', actor: 'user:alice', resource: 'session:ses_1', details: { prd: './marker-of-alice.md' } };
const asked: AuditEvent = { event: 'approval.request', actor: 'agent:claude', resource: 'user:bob', details: { approvers: ['user:alice', 'user:bob', 'role:admin'], owner: 'user:bob' }, metadata: { owner: 'user:alice' } };

const fieldsOf = ({ actor, resource, details }: JsonObject): JsonObject => ({ actor: actor ?? null, ...(resource === undefined ? {} : { resource }), details: details ?? null });

describe('encrypt', () => {
  test('actor and details of every entry are envelopes, and come back with the key', async () => {
    const { record, lines, raw, opened, disk } = ground({ encrypt: true });
    await record(decision, started, asked);
    const [open, ...rest] = raw();
    assert.equal(open?.['actor'], 'system');
    for (const entry of rest) {
      assert.ok(isEnvelope(entry['actor']));
      assert.ok(isEnvelope(entry['details']));
    }
    for (const word of ['marker', 'agent:claude', 'DENY', 'role:admin', '"actor":"user:']) assert.ok(!lines().join('').includes(word), word);
    assert.deepEqual(opened().slice(1).map(fieldsOf), [decision, started, asked].map((event) => fieldsOf({ ...event, details: event.details ?? {} })));
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('one key a day, whose name tells the day and whose file holds it wrapped', async () => {
    const { record, raw, disk } = ground({ encrypt: true });
    await record(decision, started);
    const kids = new Set(raw().slice(1).map(({ actor }) => (isEnvelope(actor) ? actor.kid : '')));
    assert.equal(kids.size, 1);
    assert.match([...kids][0] ?? '', /^d20260215-[0-9a-f]{16}$/);
    assert.deepEqual(disk.list(`${home}/keys/ring`), ['d20260215.json', 'kek.json']);
    const file = Buffer.from(disk.read(`${home}/keys/ring/d20260215.json`, 4096) ?? []).toString();
    assert.doesNotMatch(file, /"key"/);
    assert.equal((disk.stat(`${home}/keys/ring/d20260215.json`)?.mode ?? 0) & 0o777, 0o600);
  });

  test('another day has another key', async () => {
    const { disk } = ground({ encrypt: true });
    const clock = createTestClock();
    const log = logOn(disk, { clock, protection: createProtection({ ring: ringOn(disk), random: createTestRandom(), encrypt: true, gdpr: false }) });
    await log.append(decision);
    clock.advance(86_400_000);
    await log.append(decision);
    assert.deepEqual(disk.list(`${home}/keys/ring`), ['d20260215.json', 'd20260216.json', 'kek.json']);
  });

  test('without the key nothing opens, the actor reads as sealed, and it is counted', async () => {
    const { record, opener, raw } = ground({ encrypt: true });
    await record(decision);
    const other = opener([newKey]);
    const [, entry] = raw().map((each) => other.open(each));
    assert.match(String(entry?.['actor']), /^sealed:d20260215-/);
    assert.ok(isEnvelope(entry?.['details']));
    assert.equal(other.closed, 1);
  });

  test('another key refuses to write, and nothing is written in clear', async () => {
    const { record, disk, lines } = ground({ encrypt: true });
    await record(decision);
    const before = lines().length;
    for (const keys of [[newKey], []]) {
      const log = logOn(disk, { protection: createProtection({ ring: ringOn(disk, keys), random: createTestRandom(), encrypt: true, gdpr: false }) });
      await assert.rejects(log.append(decision), /audit\.unwritable|are wrapped by the key with check [0-9a-f]{32}/);
    }
    // On another day there is no key to fail on: the key in force is written down.
    const clock = createTestClock(Date.UTC(2026, 1, 17));
    const tomorrow = logOn(disk, { clock, protection: createProtection({ ring: ringOn(disk, [newKey]), random: createTestRandom(), encrypt: true, gdpr: false }) });
    await assert.rejects(tomorrow.append(decision), /are wrapped by the key with check/);
    assert.equal(lines().length, before);
  });

  test('a ring that is moved away under a long-lived process is not sealed under: there is a new key, which can be read', async () => {
    for (const settings of [{ encrypt: true }, { encrypt: true, gdpr: true }, { gdpr: true }]) {
      const { record, disk, raw, opened } = ground(settings);
      await record(decision, started);
      const names = disk.list(`${home}/keys/ring`);
      disk.ensureDirectory(home, `${home}/away`, 0o700);
      for (const name of names) disk.move(`${home}/keys/ring/${name}`, `${home}/away/${name}`);
      await record(decision, started, asked);
      assert.deepEqual(opened().slice(3).map(fieldsOf), [decision, started, asked].map((event) => fieldsOf({ ...event, details: event.details ?? {} })), JSON.stringify(settings));
      assert.equal(raw().length, 6);
    }
  });

  test('a day\'s key that is destroyed is not sealed under any more, and one that is damaged refuses', async () => {
    const { record, disk, raw, opened, lines } = ground({ encrypt: true });
    await record(decision);
    const path = `${home}/keys/ring/d20260215.json`;
    disk.remove(path);
    await record(decision);
    const [first, second] = raw().slice(1).map(({ actor }) => (isEnvelope(actor) ? actor.kid : ''));
    assert.notEqual(first, second);
    assert.deepEqual(opened().slice(1).map(({ actor }) => actor), [`sealed:${first}`, 'agent:claude']);
    disk.replace(home, path, Buffer.from('{}\n'), 0o600);
    const before = lines().length;
    await assert.rejects(record(decision), /damaged/);
    assert.equal(lines().length, before);
  });

  test('the log of its own events says in clear what it is about', async () => {
    const { record, raw, opened } = ground({ encrypt: true, gdpr: true });
    await record(
      { event: 'audit.checkpoint', actor: 'system', details: { size: 3, root: 'r' } },
      { event: 'audit.prune', actor: 'user:alice', details: { last_seq: 9 } },
      { event: 'audit.export', actor: 'user:alice', details: { path: '/tmp/marker.csv' } },
    );
    const [, checkpoint, prune, exported] = raw();
    assert.deepEqual([checkpoint?.['actor'], checkpoint?.['details']], ['system', { size: 3, root: 'r' }]);
    assert.ok(isEnvelope(prune?.['actor']));
    assert.deepEqual(prune['details'], { last_seq: 9 });
    assert.ok(isEnvelope(exported?.['details']));
    assert.deepEqual(opened().slice(1).map(({ actor }) => actor), ['system', 'user:alice', 'user:alice']);
  });

  test('details too large for a line are sealed in their blob', async () => {
    const { record, raw, disk, opener } = ground({ encrypt: true });
    const text = 'marker'.repeat(12_000);
    await record({ ...decision, details: { text } });
    const [name = ''] = disk.list(`${home}/dashboard/blobs`);
    const blob = disk.read(`${home}/dashboard/blobs/${name}`, 1e6) ?? new Uint8Array();
    assert.ok(!Buffer.from(blob).includes('marker'));
    const { seq, details } = raw()[1] ?? {};
    assert.match(JSON.stringify(details), /^\{"blob":\{"sha256":/);
    assert.deepEqual(opener().openBlob(Number(seq), blob), { text });
    assert.equal(opener([newKey]).openBlob(Number(seq), blob), undefined);
    assert.equal(opener().openBlob(Number(seq) + 1, blob), undefined);
  });
});

describe('keys of subjects', () => {
  test('what a user did is sealed under a key of the user, what an agent did is not', async () => {
    const { record, lines, raw, opened } = ground({ gdpr: true });
    await record(decision, started);
    const [, agents, users] = raw();
    assert.equal(agents?.['actor'], 'agent:claude');
    assert.deepEqual(agents['details'], decision.details);
    assert.ok(isEnvelope(users?.['actor']) && isEnvelope(users['details']));
    assert.equal(users['actor'].kid, users['details'].kid);
    assert.match(users['actor'].kid, /^s[0-9a-f]{32}$/);
    assert.ok(!lines().join('').includes('alice'));
    assert.deepEqual(opened().slice(1).map(fieldsOf), [decision, started].map((event) => fieldsOf({ ...event, details: event.details ?? {} })));
  });

  test('a name that stands for itself is sealed under the key of whom it names, wherever it stands', async () => {
    const both = { encrypt: true, gdpr: true };
    for (const settings of [{ gdpr: true }, both]) {
      const { record, lines, raw, opened } = ground(settings);
      await record(started, asked);
      assert.ok(!/alice|bob/.test(lines().join('')));
      const alice = raw()[1]?.['actor'];
      assert.ok(isEnvelope(alice));
      // Her key's name is found in the bytes of each line that concerns her, also where it is sealed inside.
      assert.equal(lines().filter((line) => line.includes(alice.kid)).length, 2);
      assert.deepEqual(fieldsOf(opened()[2] ?? {}), fieldsOf({ ...asked, details: asked.details ?? {} }));
      assert.equal(JSON.stringify(opened()[2]?.['metadata']), '{"hostname":"h","pid":1,"version":"0","owner":"user:alice"}');
    }
  });

  test('nothing in the ring names anybody, and each subject has one key', async () => {
    const { record, disk } = ground({ gdpr: true });
    await record(started, started, asked);
    const names = disk.list(`${home}/keys/ring`);
    assert.equal(names.filter((name) => name.startsWith('s')).length, 2);
    assert.equal(names.filter((name) => name.startsWith('p')).length, 2);
    for (const name of names) assert.ok(!/alice|bob/.test(name + Buffer.from(disk.read(`${home}/keys/ring/${name}`, 4096) ?? []).toString()), name);
  });

  test('a destroyed key closes what it sealed, the chain holds, and the next action has a new key', async () => {
    const { record, disk, raw, opened } = ground({ encrypt: true, gdpr: true });
    await record(started, asked);
    const ring = ringOn(disk);
    const kid = ring.kidOf('user:alice') ?? '';
    ring.destroy(kid);
    ring.forget('user:alice', kid);
    assert.equal(ring.kidOf('user:alice'), undefined);
    const [, mine, theirs] = opened();
    assert.equal(mine?.['actor'], `sealed:${kid}`);
    assert.ok(!JSON.stringify(opened()).includes('alice'));
    assert.ok(JSON.stringify(theirs).includes('user:bob'));
    await record(started);
    assert.equal(opened()[3]?.['actor'], 'user:alice');
    assert.notEqual(JSON.stringify(raw()[3]?.['actor']).includes(kid), true);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('a token is its owner where the event says whose it is', async () => {
    const { record, lines, opened } = ground({ gdpr: true });
    await record({ event: 'run.create', actor: 'token:ci', details: { name: 'marker' }, metadata: { owner: 'user:alice' } }, { event: 'run.create', actor: 'token:other', details: {} });
    assert.ok(!/token:ci|marker|alice/.test(lines().join('')));
    assert.ok(lines().join('').includes('token:other'));
    assert.equal(opened()[1]?.['actor'], 'token:ci');
  });

  test('what an agent makes up makes no keys', async () => {
    const { record, disk, opened } = ground({ gdpr: true });
    const made: AuditEvent = { ...decision, details: { action: { kind: 'other', tool: 'user:mallory' }, reason: 'user:x said so' }, metadata: { session_id: 'user:eve' } };
    await record(made);
    assert.deepEqual(disk.list(`${home}/keys/ring`).filter((name) => /^[sp]/.test(name)), []);
    assert.deepEqual(opened()[1]?.['details'], made.details);
    // Of somebody who has one, it is used.
    await record(started, { ...made, details: { action: { kind: 'other', tool: 'user:alice' } } });
    assert.ok(isEnvelope(JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl')[3] ?? '{}').details.action.tool));
    await assert.rejects(record({ ...asked, details: { approvers: Array.from({ length: 51 }, (_, at) => `user:u${at}`) } }), /names more than 50 people/);
  });
});

describe('opening', () => {
  test('an envelope is bound to its entry and its place', async () => {
    const { record, raw, opener } = ground({ encrypt: true });
    await record(decision, { ...decision, actor: 'agent:other' });
    const [, first, second] = raw();
    assert.ok(first !== undefined && second !== undefined);
    const swapped = { ...first, actor: second['actor'] ?? null };
    assert.match(String(opener().open(swapped)['actor']), /^sealed:/);
    const moved = { ...first, actor: first['details'] ?? null };
    assert.match(String(opener().open(moved)['actor']), /^sealed:/);
  });

  test('hostile envelopes stay what they are', async () => {
    const { record, raw, opener } = ground({ encrypt: true, gdpr: true });
    await record(decision);
    const [, entry] = raw();
    const actor = entry?.['actor'];
    assert.ok(isEnvelope(actor));
    let deep: JsonObject = {};
    for (let n = 0; n < 1000; n += 1) deep = { deep };
    const hostile: readonly JsonObject[] = [
      { seq: 2, details: { ...actor, kid: '../../../etc/passwd' } }, { seq: 2, details: { ...actor, n: '' } }, { seq: 2, details: { ...actor, c: '' } },
      { seq: 2, details: { ...actor, in: ['x', 1] } }, { seq: 2, details: deep }, { seq: 2, details: { $enc: 1, kid: `s${'0'.repeat(32)}`, n: 'x', c: 'y' } }, { seq: 2, details: JSON.parse('{"__proto__":{"$enc":1}}') },
    ];
    for (const each of hostile) assert.equal(JSON.stringify(opener().open(each)), JSON.stringify(each));
    assert.equal(Object.getPrototypeOf(opener().open({ ...hostile[6], actor })['details'] ?? null), Object.prototype);
  });

  test('needles are in every line that matters', async () => {
    const { record, lines, opener, raw } = ground({ encrypt: true, gdpr: true });
    await record(decision, started, asked);
    const { actorNeedles, subjectNeedles, concerns } = opener();
    const has = (needles: readonly string[]): readonly boolean[] => lines().map((line) => needles.some((needle) => line.includes(needle)));
    assert.deepEqual(has(actorNeedles('user:alice')).slice(2), [true, true]);
    assert.equal(has(actorNeedles('agent:claude'))[1], true);
    assert.equal(has(actorNeedles('alice'))[2], true);
    assert.equal(has(subjectNeedles('user:bob'))[3], true);
    assert.equal(has(subjectNeedles('bob'))[3], true);
    assert.deepEqual(raw().map((entry) => concerns(entry, 'user:bob')), [false, false, false, true]);
    assert.deepEqual(raw().map((entry) => concerns(entry, 'user:alice')), [false, false, true, true]);
    assert.deepEqual(raw().map((entry) => concerns(entry, 'user:nobody')), [false, false, false, false]);
  });

  test('a seal inside a seal says whose it is', () => {
    const random = createTestRandom();
    const inner = sealValue('user:bob', { kid: `s${'b'.repeat(32)}`, key: oldKey }, 1, '/details/owner', random);
    assert.deepEqual(sealValue({ owner: inner }, { kid: 'd20260215-0000000000000000', key: newKey }, 1, '/details', random)['in'], [inner.kid]);
  });
});

test('a batch of protected entries stays below what recovery looks at', async () => {
  const { record, disk, raw } = ground({ encrypt: true, gdpr: true });
  const approvers = Array.from({ length: 50 }, (_, at) => `user:u${at % 5}`);
  await record(...Array.from({ length: 300 }, (): AuditEvent => ({ ...asked, details: { approvers, text: 'x'.repeat(500) } })));
  assert.equal(raw().length, 301);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});
