/** Atlassian. */
import type { Vendor } from '../rule.ts';

export const atlassian: Vendor = {
  vendor: 'Atlassian',
  rules: [
    { id: 'atlassian-api-token', names: ['atlassian', 'confluence', 'jira'], shapes: ['{base62:20}{anyhex:4}'] },
    { id: 'atlassian-cloud-token', shapes: ['ATATT3{padded:186}', 'ATCTT3{padded:100-250}', 'ATSTT3{padded:100-250}'] },
  ],
};
