/** Alibaba Cloud. */
import type { Vendor } from '../rule.ts';

export const alibaba: Vendor = {
  vendor: 'Alibaba Cloud',
  rules: [
    { id: 'alibaba-access-key-id', shapes: ['LTAI{base62:20}', 'LTAI5t{base62:18}'] },
    { id: 'alibaba-secret-key', names: ['alibaba', 'aliyun'], shapes: ['{base62:30}'] },
  ],
};
