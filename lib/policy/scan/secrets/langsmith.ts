/** LangSmith. */
import type { Vendor } from '../rule.ts';

export const langsmith: Vendor = {
  vendor: 'LangSmith',
  rules: [
    { id: 'langsmith-key', shapes: ['lsv2_pt_{hex:32}_{hex:10}', 'lsv2_sk_{hex:32}_{hex:10}', 'ls__{hex:32}'] },
  ],
};
