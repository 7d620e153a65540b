/** Yandex. */
import type { Vendor } from '../rule.ts';

export const yandex: Vendor = {
  vendor: 'Yandex',
  rules: [
    { id: 'yandex-api-key', shapes: ['AQVN{base64url:35-38}'] },
    { id: 'yandex-access-token', names: ['yandex'], shapes: ['t1.{base64url:1-200}{pad:0-2}.{base64url:86}{pad:0-2}'] },
    { id: 'yandex-aws-token', names: ['yandex'], shapes: ['YC{base64url:38}'] },
  ],
};
