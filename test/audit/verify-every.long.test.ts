/**
 * Every single bit of a sealed log of 200 entries, flipped: all are found. Nearly half a million bits, so each is looked at
 * by the walk alone, in its own file, after what came before that file; the whole of verification for some of every byte's.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { roomForLine } from '../../lib/audit/run.ts';
import { ChainWalk, type FileSummary } from '../../lib/audit/verify/walk.ts';
import { checkpointOf, flipped, sealedLog, verifyBytes, withFile, type Contents } from './verify-support.ts';

/** Walks one file's bytes, with room before them, after the file before; answers whether anything is wrong, or its summary. */
function walked(name: string, memory: Buffer, previous: FileSummary | undefined): FileSummary | undefined {
  const walk = new ChainWalk();
  if (previous !== undefined) walk.skip(previous);
  walk.beginFile(name);
  const end = memory.lastIndexOf(10) + 1;
  if (end > roomForLine) walk.piece(memory.subarray(roomForLine, end), 0);
  if (end < memory.length) walk.torn(Math.max(0, end - roomForLine), memory.length - Math.max(end, roomForLine));
  const summary = walk.endFile(memory.length - roomForLine);
  return walk.finish().length === 0 ? summary : undefined;
}

describe('every single bit of a sealed log is vouched for', () => {
  let log: Contents = new Map();
  before(async () => { log = await sealedLog(); });

  test('by the walk', { timeout: 600_000 }, async () => {
    let previous: FileSummary | undefined;
    let bits = 0;
    for (const [name, bytes] of log) {
      const memory = Buffer.concat([Buffer.alloc(roomForLine), bytes]);
      const whole = walked(name, memory, previous);
      assert.ok(whole !== undefined, name);
      for (let at = roomForLine; at < memory.length; at += 1) {
        const byte = memory[at] ?? 0;
        for (let bit = 0; bit < 8; bit += 1) {
          memory[at] = byte ^ (1 << bit);
          // At the very end of a file what the next one says of it would tell as well.
          if (walked(name, memory, previous) !== undefined) assert.fail(`${name}, byte ${at - roomForLine}, bit ${bit}`);
          bits += 1;
        }
        memory[at] = byte;
      }
      assert.deepEqual(walked(name, memory, previous), whole, 'as it was');
      previous = whole;
    }
    assert.equal(bits, 8 * [...log.values()].reduce((sum, bytes) => sum + bytes.length, 0));
  });

  test('by all of verification, a bit of every fifth byte, alone and against its checkpoint', { timeout: 600_000 }, async () => {
    const checkpoint = checkpointOf(log);
    for (const [name, bytes] of log) {
      for (let at = 0; at < bytes.length; at += 5) {
        const changed = withFile(log, name, flipped(bytes, at, (at / 5) % 8));
        assert.notEqual((await verifyBytes(changed, at % 2 === 0 ? checkpoint : undefined)).verdict, 'ok', `${name}, byte ${at}`);
      }
    }
  });
});
