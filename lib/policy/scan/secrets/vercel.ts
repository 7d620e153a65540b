/** Vercel. */
import type { Vendor } from '../rule.ts';

export const vercel: Vendor = {
  vendor: 'Vercel',
  rules: [
    { id: 'vercel-token', names: ['vercel'], shapes: ['{base62:24}'] },
    { id: 'vercel-blob-token', shapes: ['vercel_blob_rw_{base62:16}_{base62:30-40}'] },
  ],
};
