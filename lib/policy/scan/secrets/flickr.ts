/** Flickr. */
import type { Vendor } from '../rule.ts';

export const flickr: Vendor = {
  vendor: 'Flickr',
  rules: [
    { id: 'flickr-access-token', names: ['flickr'], shapes: ['{base62:32}'] },
  ],
};
