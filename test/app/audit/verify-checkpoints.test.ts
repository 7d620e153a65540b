/** What verification finds of a log whose checkpoints were kept: cuts, rewrites, wrong keys, lost seals; and what it must not cry. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { checkpointNow } from '../../../lib/app/audit/checkpoints.ts';
import { verifyAll, type VerifyReport, type VerifyRequest } from '../../../lib/app/audit/verify.ts';
import { sealLine } from '../../../lib/audit/chain.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { statementText } from '../../../lib/audit/keeping/statement.ts';
import { readSigner } from '../../../lib/audit/tlog/key.ts';
import { noteSigner, signNote } from '../../../lib/base/merkle/note.ts';
import { signCheckpoint } from '../../../lib/base/merkle/checkpoint.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const undo: (() => void)[] = [];
let here: Ground;
let saved = '';
let early = '';
let dashboard = '';

const folder = (): string => join(dashboard, 'audit');
const files = (): readonly string[] => readdirSync(folder()).sort((a, b) => part(a) - part(b));
const part = (name: string): number => Number(/\.(\d+)\.jsonl/.exec(name)?.[1] ?? 0);
const linesIn = (name: string): string[] => readFileSync(join(folder(), name), 'utf8').split('\n').slice(0, -1);
const put = (name: string, lines: readonly string[], end = '\n'): void => writeFileSync(join(folder(), name), lines.join('\n') + end);
const verify = (request: VerifyRequest = {}): Promise<VerifyReport> => verifyAll(here.installation(), request);
const found = ({ verdict, chains }: VerifyReport): readonly string[] => [verdict, ...(chains[0]?.breaks ?? []).map(({ cause }) => cause)];
const checkpoint = (): string => readFileSync(join(dashboard, 'tlog/checkpoint'), 'utf8');
const seal = (): Promise<unknown> => checkpointNow(here.installation(), () => Promise.resolve({ seq: null, chain_hash: null }), { reason: 'request', all: true });

async function append(count: number, size: number): Promise<void> {
  const log = openRecord(here.installation({ LOKI_AUDIT_MAX_SIZE_MB: '1' }), { signs: true });
  for (let n = 0; n < count; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:a', details: { n, text: 'x'.repeat(size) } });
  await log.close();
}

/** The whole log from a line on, chained anew, as somebody would who can write the files. */
function rewrite(from: number, change: (line: string) => string): void {
  let previous = '0'.repeat(64);
  let seq = 0;
  for (const name of files()) {
    put(name, linesIn(name).map((line) => {
      seq += 1;
      const json = `${line.slice(0, -81)}}`.replace(/"previous_hash":"[0-9a-f]{64}"/, `"previous_hash":"${previous}"`);
      const sealed = sealLine(previous, seq < from ? json : change(json));
      previous = sealed.hash;
      return sealed.line.trimEnd();
    }));
  }
}

describe('a log with checkpoints', () => {
  before(async () => {
    here = makeGround({ after: (run) => undo.push(run) });
    dashboard = join(here.home, 'dashboard');
    await append(20, 60_000);
    await seal();
    early = checkpoint();
    await append(25, 60_000);
    await seal();
    await append(3, 10);
    saved = join(here.root, 'saved');
    cpSync(here.home, saved, { recursive: true });
    assert.ok(files().length >= 3, String(files()));
  });
  beforeEach(() => {
    rmSync(here.home, { recursive: true });
    cpSync(saved, here.home, { recursive: true });
  });
  after(() => undo.forEach((run) => run()));

  test('as it was written: ok, with its checkpoint, its unsealed entries, and an older checkpoint', async () => {
    const report = await verify({ against: [{ from: 'early', note: early }] });
    const [record] = report.chains;
    assert.deepEqual([...found(report), record?.checkpoint?.verified, record?.against.map(({ verified }) => verified)], ['ok', true, [true]]);
    assert.equal(record?.unsealed, 3);
    assert.ok((record?.checkpoint?.size ?? 0) > (record?.against[0]?.size ?? 0));
  });

  test('every cut at the end of a line that a checkpoint knows of is found', async () => {
    const last = files().at(-1) ?? '';
    const lines = linesIn(last);
    const size = Number(checkpoint().split('\n')[1]);
    const first = Number(/"seq":(\d+)/.exec(lines[0] ?? '')?.[1]);
    for (let keep = lines.length - 1; keep > 0; keep -= 1) {
      put(last, lines.slice(0, keep));
      assert.deepEqual(found(await verify()), first + keep - 1 < size ? ['tampered', 'truncated'] : ['ok'], `${keep} lines`);
    }
    rmSync(join(folder(), last));
    assert.deepEqual(found(await verify()), ['tampered', 'truncated']);
  });

  test('a rewrite of all, or of the newest entries, is found; and with the key stolen, against an older checkpoint', async () => {
    rewrite(1, (json) => json.replace('policy.allow', 'policy.deny'));
    assert.deepEqual(found(await verify()), ['tampered', 'rewritten']);
    rmSync(join(dashboard, 'tlog'), { recursive: true });
    await seal();
    assert.deepEqual(found(await verify()), ['ok'], 'nothing here contradicts it');
    const against = await verify({ against: [{ from: 'early', note: early }] });
    assert.deepEqual(found(against), ['tampered', 'rewritten']);
    assert.match(against.chains[0]?.breaks[0]?.found ?? '', /not those that the checkpoint in "early" was signed over/);
  });

  test('a rewrite after the older checkpoint agrees with it', async () => {
    const size = Number(early.split('\n')[1]);
    rewrite(size + 1, (json) => json.replace('policy.allow', 'policy.deny'));
    rmSync(join(dashboard, 'tlog'), { recursive: true });
    assert.deepEqual(found(await verify({ against: [{ from: 'early', note: early }] }))[0], 'ok');
  });

  test('another key, a changed checkpoint, and a key that is trusted by hand', async () => {
    const [origin = '', size = '', root = ''] = checkpoint().split('\n');
    const other = noteSigner(origin, new Uint8Array(32).fill(7));
    const note = signCheckpoint({ size: Number(size), root: new Uint8Array(Buffer.from(root, 'base64')) }, other);
    assert.deepEqual(found(await verify({ against: [{ from: 'x', note }] })), ['tampered', 'wrong key']);
    assert.deepEqual(found(await verify({ against: [{ from: 'x', note }], vkeys: [other.key.vkey] })), ['ok']);
    writeFileSync(join(dashboard, 'tlog/checkpoint'), note);
    assert.deepEqual(found(await verify()), ['tampered', 'wrong key']);
    writeFileSync(join(dashboard, 'tlog/checkpoint'), checkpoint().replace(`\n${size}\n`, `\n${Number(size) - 1}\n`));
    rmSync(join(dashboard, 'tlog/checkpoint'));
    cpSync(join(saved, 'dashboard/tlog/checkpoint'), join(dashboard, 'tlog/checkpoint'));
    writeFileSync(join(dashboard, 'tlog/checkpoint'), checkpoint().replace(`\n${size}\n`, `\n${Number(size) - 1}\n`));
    assert.deepEqual(found(await verify()), ['tampered', 'seal differs']);
    await assert.rejects(verify({ against: [{ from: 'x', note: 'nonsense' }] }), { code: 'usage' });
    await assert.rejects(verify({ vkeys: ['nonsense'] }), { code: 'usage' });
  });

  test('tiles that are damaged or gone are told, and are no tampering', async () => {
    const tile = join(dashboard, 'tlog/tile-0');
    const bytes = readFileSync(tile);
    for (const at of [0, 64, bytes.length - 40]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(tile, flipped);
      const [verdict, ...causes] = found(await verify());
      assert.ok(verdict === 'incomplete' && causes.every((cause) => cause === 'damaged tiles'), `${at}: ${verdict} ${causes.join()}`);
    }
    rmSync(tile);
    assert.deepEqual(found(await verify()), ['incomplete', 'damaged tiles']);
  });

  test('all lines gone is a missing prefix, not a cut', async () => {
    for (const name of files()) rmSync(join(folder(), name));
    const report = await verify();
    assert.equal(report.chains[0]?.verdict, 'incomplete');
  });

  test('exchanged files, both forms of a file, a compressed file that is damaged', async () => {
    const [first = '', second = ''] = files();
    const path = (name: string): string => join(folder(), name);
    renameSync(path(first), path('x'));
    renameSync(path(second), path(first));
    renameSync(path('x'), path(second));
    assert.deepEqual(found(await verify()).slice(0, 2), ['tampered', 'wrong file']);
    renameSync(path(first), path('x'));
    renameSync(path(second), path(first));
    renameSync(path('x'), path(second));

    const packed = gzipSync(readFileSync(path(first)));
    writeFileSync(path(`${first}.gz`), packed);
    const both = await verify();
    assert.deepEqual([...found(both), both.chains[0]?.notes.length], ['ok', 1]);
    writeFileSync(path(`${first}.gz`), gzipSync(readFileSync(path(first)).map((byte, at) => (at === 5000 ? byte ^ 1 : byte))));
    assert.deepEqual(found(await verify()), ['tampered', 'two versions']);
    rmSync(path(first));
    assert.deepEqual(found(await verify()).slice(0, 2), ['tampered', 'edited']);
    writeFileSync(path(`${first}.gz`), packed);
    assert.deepEqual(found(await verify()), ['ok']);
    writeFileSync(path(`${first}.gz`), packed.map((byte, at) => (at === 2000 ? byte ^ 1 : byte)));
    assert.deepEqual(found(await verify()), ['tampered', 'damaged file']);
    writeFileSync(path(`${first}.gz`), packed.subarray(0, packed.length / 2));
    assert.deepEqual(found(await verify()), ['tampered', 'damaged file']);
  });

  test('a line that somebody chained on by hand, spelled otherwise than entries are', async () => {
    const last = files().at(-1) ?? '';
    const lines = linesIn(last);
    const previous = /"chain_hash":"([0-9a-f]{64})"\}$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
    const body = `${lines.at(-1)?.slice(0, -81)}}`.replace(/^\{"seq":(\d+)/, (_, seq: string) => `{"seq":${Number(seq) + 1}`);
    const tries: readonly (readonly [string, string, RegExp | undefined])[] = [
      ['as the writer would', body, undefined],
      ['a key twice', body.replace('"actor":"agent:a"', '"actor":"agent:a","actor":"system"'), /the key "actor" stands in it twice/],
      ['spaces', body.replace('"details":{', '"details": {'), /not spelled as it is written/],
      ['an escape', body.replace('agent:a', '\\u0061gent:a'), /not spelled/],
      ['no JSON', body.replace('"details":{', '"details":{,'), /no JSON/],
    ];
    for (const [what, json, words] of tries) {
      put(last, [...lines, sealLine(previous, json).line.trimEnd()]);
      const report = await verify();
      assert.deepEqual(found(report), words === undefined ? ['ok'] : ['tampered', 'not canonical'], what);
      if (words !== undefined) assert.match(report.chains[0]?.breaks[0]?.found ?? '', words);
    }
  });

  test('what was verified is not read again until it changes, unless all is asked for; a forged note is not believed', async () => {
    const note = join(dashboard, 'tlog/verified.json');
    await verify();
    const text = readFileSync(note, 'utf8');
    assert.match(text, /\nloki\/verified\/v1\n/);
    // The files are as old as their copies: make that long ago for the note.
    await new Promise((resolve) => { setTimeout(resolve, 3200); });
    await verify();
    const again = await verify();
    assert.equal(again.chains[0]?.entries_known, again.chains[0]?.entries_checked);
    assert.ok(again.since !== null);
    assert.equal((await verify({ full: true })).chains[0]?.entries_known, 0);
    const last = files().at(-1) ?? '';
    const lines = linesIn(last);
    put(last, lines.with(1, (lines[1] ?? '').replace('"n":', '"n":1')));
    assert.deepEqual(found(await verify()).slice(0, 2), ['tampered', 'edited']);
    put(last, lines);
    const kept = readFileSync(note, 'utf8');
    writeFileSync(note, kept.replace(/"last_seq":\d/, '"last_seq":9'));
    const forged = await verify();
    assert.deepEqual([forged.verdict, forged.since], ['ok', null]);
  });

  test('what should have been sealed long ago is missed, what is new is not', async () => {
    const later = (minutes: number): Installation => {
      const installation = here.installation();
      return { ...installation, host: { ...installation.host, clock: { ...installation.host.clock, now: () => Date.now() + minutes * 60_000 } } };
    };
    const appendLater = async (minutes: number): Promise<void> => {
      const log = openRecord(later(minutes), { signs: true });
      await log.record({ event: 'policy.allow', actor: 'agent:a' });
      await log.close();
    };
    assert.deepEqual(found(await verifyAll(later(60 * 24))), ['ok'], 'within a minute of the checkpoint nothing is due');
    await appendLater(10);
    assert.deepEqual(found(await verifyAll(later(11))), ['ok'], 'whoever wrote it may still be at work');
    assert.deepEqual(found(await verifyAll(later(120))), ['incomplete', 'missing checkpoint']);
    await appendLater(120);
    assert.deepEqual(found(await verifyAll(later(121))), ['incomplete', 'missing checkpoint']);
  });

  test('a checkpoint that the log tells of must be there', async () => {
    const log = openRecord(here.installation(), { signs: true });
    await checkpointNow(here.installation(), log.record, { reason: 'request', all: true });
    await log.close();
    assert.deepEqual(found(await verify()), ['ok']);
    const newest = checkpoint();
    writeFileSync(join(dashboard, 'tlog/checkpoint'), early);
    assert.deepEqual(found(await verify()), ['incomplete', 'missing checkpoint']);
    writeFileSync(join(dashboard, 'tlog/checkpoint'), newest);
    rmSync(join(dashboard, 'tlog'), { recursive: true });
    assert.deepEqual(found(await verify()), ['incomplete', 'missing checkpoint']);
  });

  test('a missing oldest stretch needs a signed statement', async () => {
    const [first = ''] = files();
    const lines = linesIn(first);
    const last: { readonly seq: number; readonly chain_hash: string } = JSON.parse(lines.at(-1) ?? '');
    rmSync(join(folder(), first));
    assert.deepEqual(found(await verify()), ['incomplete', 'oldest entries missing']);
    const signer = readSigner({ disk: here.installation().host.disk, base: here.home, directory: join(here.home, 'keys') });
    assert.ok(signer !== undefined);
    const statement = {
      first_seq: 1, last_seq: last.seq, last_hash: last.chain_hash, entries: last.seq, retention_days: 90, max_files: null, time: '2026-01-01T00:00:00.000Z',
      files: [{ file: first, first_seq: 1, last_seq: last.seq, sha256: 'a'.repeat(64) }],
    } as const;
    const note = signNote(statementText(signer.key.name, statement), signer);
    const path = join(dashboard, `tlog/prune-${last.seq}`);
    writeFileSync(path, note, { mode: 0o600 });
    const report = await verify({ against: [{ from: 'early', note: early }] });
    assert.deepEqual(found(report), ['ok']);
    assert.deepEqual(report.chains[0]?.pruned, { first_seq: 1, last_seq: last.seq, time: '2026-01-01T00:00:00.000Z' });
    writeFileSync(path, note.replace('"retention_days":90', '"retention_days":91'));
    assert.deepEqual(found(await verify()), ['incomplete', 'oldest entries missing']);
  });

  test('a stretch without chain hashes is told, and the chain goes on after it', async () => {
    const off = openRecord(here.installation({ LOKI_AUDIT_NO_INTEGRITY: '1' }), { signs: true });
    for (let n = 0; n < 3; n += 1) await off.record({ event: 'policy.allow', actor: 'agent:a', details: { n } });
    await off.close();
    await append(2, 10);
    const report = await verify();
    assert.deepEqual(found(report), ['no_integrity', 'no integrity']);
    assert.match(report.chains[0]?.breaks[0]?.found ?? '', /^seq \d+ to \d+ carry no chain hash$/);
    await seal();
    assert.deepEqual(found(await verify()), ['no_integrity', 'no integrity']);
  });

  test('a log that is written, sealed and looked at all at once is never called anything but ok', async () => {
    const log = openRecord(here.installation({ LOKI_AUDIT_MAX_SIZE_MB: '1' }), { signs: true });
    let done = false;
    const writer = (async () => { for (let n = 0; n < 120; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:a', details: { n, text: 'y'.repeat(10_000) } }); done = true; })();
    const sealer = (async () => { while (!done) { await checkpointNow(here.installation(), log.record, { reason: 'request' }); await new Promise((resolve) => { setTimeout(resolve, 20); }); } })();
    let rounds = 0;
    while (!done) {
      assert.deepEqual(found(await verify()), ['ok']);
      rounds += 1;
    }
    await Promise.all([writer, sealer]);
    await log.close();
    assert.ok(rounds > 2, String(rounds));
    assert.deepEqual(found(await verify({ against: [{ from: 'early', note: early }] })), ['ok']);
  });

  test('a verification is recorded, unless the record is gone; who cannot record may verify', async () => {
    const log = openRecord(here.installation(), { signs: true });
    await verify({ record: log.record, actor: 'user:auditor' });
    await log.close();
    const entry: { readonly event: string; readonly actor: string; readonly details: { readonly verdict: string; readonly mode: string } } = JSON.parse(linesIn(files().at(-1) ?? '').at(-1) ?? '');
    assert.deepEqual([entry.event, entry.actor, entry.details.verdict, entry.details.mode], ['audit.verify', 'user:auditor', 'ok', 'full']);
    let told: unknown;
    const report = await verify({ record: () => Promise.reject(new Error('disk full')), onUnrecorded: (error) => { told = error; } });
    assert.deepEqual([report.verdict, String(told)], ['ok', 'Error: disk full']);
    for (const name of files()) rmSync(join(folder(), name));
    await verify({ record: () => { throw new Error('a new record would hide that the old one is gone'); }, onUnrecorded: () => assert.fail() });
  });
});
