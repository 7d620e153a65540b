/** ClickUp. */
import type { Vendor } from '../rule.ts';

export const clickup: Vendor = {
  vendor: 'ClickUp',
  rules: [
    { id: 'clickup-token', shapes: ['pk_{digit:7}_{BASE36:32}', 'pk_{digit:8}_{BASE36:32}', 'pk_{digit:9}_{BASE36:32}'] },
  ],
};
