/** Salesforce. */
import type { Vendor } from '../rule.ts';

export const salesforce: Vendor = {
  vendor: 'Salesforce',
  rules: [
    { id: 'salesforce-token', shapes: ['00D{base62:12}!{dotted:80-130}', '00D{base62:15}!{dotted:80-130}'] },
    { id: 'salesforce-refresh-token', shapes: ['5Aep861{dotted:60-100}'] },
  ],
};
