/** Adafruit IO. */
import type { Vendor } from '../rule.ts';

export const adafruit: Vendor = {
  vendor: 'Adafruit IO',
  rules: [
    { id: 'adafruit-key', names: ['adafruit'], shapes: ['{base64url:32}'], ignores: ['adafruit_key = "{base62:31}"'] },
    { id: 'adafruit-io-key', shapes: ['aio_{base62:28}'] },
  ],
};
