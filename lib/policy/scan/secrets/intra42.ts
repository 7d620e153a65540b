/** 42 Intra. */
import type { Vendor } from '../rule.ts';

export const intra42: Vendor = {
  vendor: '42 Intra',
  rules: [
    { id: 'intra42-client-secret', shapes: ['s-s4t2ud-{anyhex:64}', 's-s4t2af-{anyhex:64}'] },
  ],
};
