/** Cloudinary. */
import type { Vendor } from '../rule.ts';

export const cloudinary: Vendor = {
  vendor: 'Cloudinary',
  rules: [
    { id: 'cloudinary-url', shapes: ['cloudinary://{digit:12-18}:{base64url:24-30}@'] },
  ],
};
