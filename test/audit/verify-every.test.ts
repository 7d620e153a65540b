/** Every kind of change at every place of a sealed log of 200 entries is found. Every single bit: verify-every.long.test.ts. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { checkpointOf, flipped, linesOf, sealedLog, verifyBytes, withFile, withLines, type Contents } from './verify-support.ts';

describe('a sealed log of 200 entries', () => {
  let log: Contents = new Map();
  let checkpoint: Buffer = Buffer.alloc(0);
  before(async () => {
    log = await sealedLog();
    checkpoint = checkpointOf(log);
    assert.equal(linesOf(log).length, 200);
  });

  test('is ok, alone and against its checkpoint', async () => {
    assert.deepEqual([(await verifyBytes(log)).verdict, (await verifyBytes(log, checkpoint)).verdict], ['ok', 'ok']);
  });

  test('a flipped bit is found, in the file it is in', async () => {
    for (const [name, bytes] of log) {
      for (let at = 0; at < bytes.length; at += 61) {
        const report = await verifyBytes(withFile(log, name, flipped(bytes, at, at % 8)));
        assert.notEqual(report.verdict, 'ok', `${name}, byte ${at}`);
        assert.equal(report.breaks[0]?.file, name, `byte ${at}`);
      }
    }
  });

  test('every entry dropped, doubled, or exchanged with the next is found', async () => {
    for (const [name] of log) {
      const count = log.get(name)?.toString('utf8').split('\n').length ?? 0;
      for (let at = 0; at < count - 1; at += 1) {
        const isLast = name === [...log.keys()].at(-1) && at === count - 2;
        const dropped = await verifyBytes(withLines(log, name, (lines) => lines.toSpliced(at, 1)), checkpoint);
        assert.equal(dropped.verdict, 'tampered', `${name}: ${at} dropped`);
        assert.equal(dropped.breaks[0]?.cause === 'truncated', isLast);
        const doubled = await verifyBytes(withLines(log, name, (lines) => lines.toSpliced(at, 0, lines[at] ?? '')));
        assert.equal(doubled.verdict, 'tampered', `${name}: ${at} doubled`);
        if (at === count - 2) continue;
        const swapped = await verifyBytes(withLines(log, name, (lines) => lines.with(at, lines[at + 1] ?? '').with(at + 1, lines[at] ?? '')));
        assert.equal(swapped.verdict, 'tampered', `${name}: ${at} exchanged`);
      }
    }
  });

  test('every suffix cut off is found against a checkpoint, and files exchanged or left out without one', async () => {
    const names = [...log.keys()];
    for (let files = 1; files <= names.length; files += 1) {
      const kept: Contents = new Map([...log].slice(0, files));
      const last = names[files - 1] ?? '';
      const count = (log.get(last)?.toString('utf8').split('\n').length ?? 1) - 1;
      for (let lines = files === names.length ? count - 1 : count; lines > 0; lines -= 1) {
        const report = await verifyBytes(withLines(kept, last, (all) => all.slice(0, lines)), checkpoint);
        assert.deepEqual([report.verdict, report.breaks[0]?.cause], ['tampered', 'truncated'], `${files} files, ${lines} lines`);
      }
    }
    for (const [at, name] of names.entries()) {
      const other = names[(at + 1) % names.length] ?? '';
      const exchanged = withFile(withFile(log, name, log.get(other) ?? Buffer.alloc(0)), other, log.get(name) ?? Buffer.alloc(0));
      const report = await verifyBytes(exchanged);
      assert.deepEqual([report.verdict, report.breaks[0]?.cause], ['tampered', 'wrong file'], name);
      const without: Contents = new Map([...log].filter(([each]) => each !== name));
      const hole = await verifyBytes(without, checkpoint);
      assert.equal(hole.verdict, at === 0 ? 'incomplete' : 'tampered', name);
    }
  });

  test('random bytes changed, put in and taken out are found', async () => {
    let random = 12345;
    const next = (below: number): number => { random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff; return (random >>> 8) % below; };
    const names = [...log.keys()];
    for (let round = 0; round < 1500; round += 1) {
      const name = names[next(names.length)] ?? '';
      const bytes = log.get(name) ?? Buffer.alloc(0);
      const at = next(bytes.length);
      const put = Buffer.from(Array.from({ length: next(4) }, () => next(256)));
      const changed = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(Math.min(bytes.length, at + next(4)))]);
      if (changed.equals(bytes)) continue;
      assert.notEqual((await verifyBytes(withFile(log, name, changed), checkpoint)).verdict, 'ok', `round ${round}: ${name}, byte ${at}`);
    }
  });

  test('a line moved into the next file, where the chain still fits, is found', async () => {
    const [first = '', second = ''] = [...log.keys()];
    const moved = linesOf(log)[49] ?? '';
    const changed = withLines(withLines(log, first, (lines) => lines.slice(0, -1)), second, (lines) => [moved, ...lines]);
    const report = await verifyBytes(changed, checkpoint);
    assert.deepEqual([report.verdict, report.breaks[0]?.cause, report.breaks[0]?.file], ['tampered', 'wrong file', second]);
  });
});
