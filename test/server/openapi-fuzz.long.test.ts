/** Many more spoiled requests, others each time: a failure names the seed, and `LOKI_SEED=…` sends the same ones again. */
import { test } from 'node:test';
import { fuzz } from '../support/api-fuzz.ts';
import { Draw } from '../support/property.ts';

test('a hundred thousand spoiled requests are each answered, and what is refused changes nothing', async (t) => {
  const replayed = process.env['LOKI_SEED'];
  const first = replayed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(replayed);
  t.diagnostic(`seed ${first}`);
  const series = replayed === undefined ? 20 : 1;
  for (let at = 0; at < series; at += 1) await fuzz(new Draw(first + at), 5000, `LOKI_SEED=${first + at}`);
});
