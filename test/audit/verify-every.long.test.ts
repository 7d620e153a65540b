/** Every single bit of a sealed log of 200 entries, flipped: all are found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flipped, sealedLog, verifyBytes, withFile } from './verify-support.ts';

test('every single bit of a sealed log is vouched for', { timeout: 3_600_000 }, async () => {
  const log = await sealedLog();
  for (const [name, bytes] of log) {
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        assert.notEqual((await verifyBytes(withFile(log, name, flipped(bytes, at, bit)))).verdict, 'ok', `${name}, byte ${at}, bit ${bit}`);
      }
    }
  }
});
