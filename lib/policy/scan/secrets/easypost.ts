/** EasyPost. */
import type { Vendor } from '../rule.ts';

export const easypost: Vendor = {
  vendor: 'EasyPost',
  rules: [
    { id: 'easypost-api-key', shapes: ['EZAK{base62:54}'], ignores: ['EZAK{base62:50}'] },
    { id: 'easypost-test-api-key', shapes: ['EZTK{base62:54}'] },
  ],
};
