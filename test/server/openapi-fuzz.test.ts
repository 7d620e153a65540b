/** Spoiled requests for every operation that the OpenAPI document offers: an answer each, never a failure inside, and nothing left behind. */
import { test } from 'node:test';
import { fuzz } from '../support/api-fuzz.ts';
import { Draw } from '../support/property.ts';

test('eighteen hundred spoiled requests are each answered, and what is refused changes nothing', async () => {
  const seed = 20260215;
  await fuzz(new Draw(seed), 1800, `seed ${seed}`);
});
