/** What somebody can do who may write the files and not use the key, and what an honest log goes through: neither may get the other's verdict. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { checkpointNow } from '../../../lib/app/audit/checkpoints.ts';
import { sealNow } from '../../../lib/app/audit/keeping.ts';
import { verifyAll, type VerifyReport, type VerifyRequest } from '../../../lib/app/audit/verify.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const undo: (() => void)[] = [];
let here: Ground;
let saved = '';
let older = '';
let early = '';

const folder = (): string => join(here.home, 'dashboard/audit');
const seals = (): string => join(here.home, 'dashboard/tlog/seals');
const part = (name: string): number => Number(/\.(\d+)\.jsonl/.exec(name)?.[1] ?? 0);
const files = (): readonly string[] => readdirSync(folder()).sort((a, b) => part(a) - part(b));
const copies = (): string => join(here.root, 'copies');
/** One that has a second place for checkpoints. */
function installation(): Installation {
  const one = here.installation({ LOKI_AUDIT_MAX_SIZE_MB: '1' });
  return { ...one, config: { ...one.config, audit: { ...one.config.audit, checkpointCopy: copies() } } };
}
const found = ({ verdict, chains }: VerifyReport): readonly string[] => [verdict, ...(chains[0]?.breaks ?? []).map(({ cause }) => cause)];
const verify = (request: VerifyRequest = {}, where: Installation = here.installation()): Promise<VerifyReport> => verifyAll(where, request);

async function append(count: number, size: number, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const log = openRecord(here.installation({ LOKI_AUDIT_MAX_SIZE_MB: '1', ...env }), { signs: true });
  for (let n = 0; n < count; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:a', details: { n, text: 'x'.repeat(size) } });
  await log.close();
}

async function checkpoint(): Promise<string> {
  const log = openRecord(installation(), { signs: true });
  await checkpointNow(installation(), log.record, { reason: 'request', all: true });
  await log.close();
  return readFileSync(join(here.home, 'dashboard/tlog/checkpoint'), 'utf8');
}

describe('a log with checkpoints, a copy of them, and seals', () => {
  before(async () => {
    here = makeGround({ after: (run) => undo.push(run) });
    mkdirSync(copies());
    await append(20, 60_000);
    early = await checkpoint();
    older = join(here.root, 'older');
    cpSync(here.home, older, { recursive: true });
    await append(25, 60_000);
    const log = openRecord(installation(), { signs: true });
    assert.deepEqual((await sealNow(installation(), log, { actor: 'system' })).problems, []);
    await log.close();
    await append(2, 10);
    await checkpoint();
    saved = join(here.root, 'saved');
    cpSync(here.home, saved, { recursive: true });
    assert.ok(readdirSync(seals()).length >= 2);
  });
  beforeEach(() => {
    rmSync(here.home, { recursive: true });
    cpSync(saved, here.home, { recursive: true });
  });
  after(() => undo.forEach((run) => run()));

  test('is ok in every way it can be looked at', async () => {
    for (const request of [{}, { full: true }, { against: [{ from: 'early', note: early }] }, { log: folder(), against: [{ from: 'early', note: early }] }]) {
      assert.deepEqual(found(await verify(request)), ['ok'], JSON.stringify(request));
    }
    assert.deepEqual((await verify({}, installation())).chains[0]?.notes.map((note) => /^so does the one over \d+ that was copied to /.test(note)), [true]);
  });

  test('without a single line it is not ok against a checkpoint, whatever else was taken away with them', async () => {
    for (const name of files()) rmSync(join(folder(), name));
    rmSync(join(here.home, 'dashboard/tlog'), { recursive: true });
    for (const log of [undefined, folder()]) {
      const report = await verify({ against: [{ from: 'early', note: early }], ...(log === undefined ? {} : { log }) });
      assert.deepEqual([...found(report), report.chains[0]?.against.map(({ verified }) => verified)], ['incomplete', 'oldest entries missing', [false]]);
    }
  });

  test('seals that the log tells of must be there, all of them, and be those', async () => {
    const names = readdirSync(seals());
    rmSync(seals(), { recursive: true });
    assert.deepEqual(found(await verify()), ['incomplete', ...names.map(() => 'missing seal')]);
    // By these, search passes over files.
    for (const [from, to] of [['"policy.allow"', '"policy.deny"'], ['"agent:a"', '"agent:b"'], ['"first_time":"2', '"first_time":"3']] as const) {
      cpSync(join(saved, 'dashboard/tlog/seals'), seals(), { recursive: true });
      const path = join(seals(), names[0] ?? '');
      const text = readFileSync(path, 'utf8');
      assert.ok(text.includes(from), from);
      writeFileSync(path, text.replace(from, to));
      assert.deepEqual(found(await verify()), ['tampered', 'seal differs'], from);
    }
  });

  test('all of it put back to an older state is found by the checkpoints at the second place', async () => {
    rmSync(here.home, { recursive: true });
    cpSync(older, here.home, { recursive: true });
    assert.deepEqual(found(await verify()), ['ok'], 'nothing here tells of more');
    assert.deepEqual(found(await verify({}, installation())), ['tampered', 'truncated']);
  });

  test('an older copy elsewhere is not held against the seals here', async () => {
    const copy = join(older, 'dashboard/audit');
    assert.deepEqual(found(await verify({ log: copy, against: [{ from: 'early', note: early }] })), ['ok']);
  });

  test('a directory whose oldest files are gone is not whole because one file is left; one file by itself is', async () => {
    const [first = '', second = ''] = files();
    const copy = join(here.root, 'left');
    mkdirSync(copy);
    cpSync(join(folder(), second), join(copy, second));
    assert.equal((await here.loki(['audit', 'verify', '--log', copy])).exit, 7);
    assert.equal((await here.loki(['audit', 'verify', '--log', join(copy, second)])).exit, 0);
    assert.equal((await here.loki(['audit', 'verify', '--log', join(folder(), first)])).exit, 0);
  });

  test('lines without chain hashes are held against the checkpoint one by one', async () => {
    await append(3, 10, { LOKI_AUDIT_NO_INTEGRITY: '1' });
    await append(2, 10);
    await checkpoint();
    assert.deepEqual(found(await verify()), ['no_integrity', 'no integrity']);
    const name = files().find((each) => readFileSync(join(folder(), each), 'utf8').includes('"integrity":"off"')) ?? assert.fail();
    const path = join(folder(), name);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"n":1', '"n":7'));
    assert.deepEqual(found(await verify()), ['tampered', 'no integrity', 'rewritten']);
  });

  test('a file that the system refuses to give is no tampering, whatever checkpoint it holds', async () => {
    const whole = here.installation();
    for (const name of files()) {
      const refuse = (path: string): void => {
        if (path.endsWith(name)) throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES' });
      };
      const { disk } = whole.host;
      const openRead: typeof disk.openRead = (path) => { refuse(path); return disk.openRead(path); };
      const report = await verify({ full: true, against: [{ from: 'early', note: early }] }, { ...whole, host: { ...whole.host, disk: { ...disk, openRead } } });
      assert.equal(report.verdict, 'incomplete', `${name}: ${found(report).join()}`);
    }
  });
});
