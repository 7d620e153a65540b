/** Contentful. */
import type { Vendor } from '../rule.ts';

export const contentful: Vendor = {
  vendor: 'Contentful',
  rules: [
    { id: 'contentful-token', names: ['contentful'], shapes: ['{padded:43}'] },
    { id: 'contentful-management-token', shapes: ['CFPAT-{base64url:43}'] },
  ],
};
