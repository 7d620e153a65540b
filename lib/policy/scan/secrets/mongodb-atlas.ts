/** MongoDB Atlas. */
import type { Vendor } from '../rule.ts';

export const mongodbAtlas: Vendor = {
  vendor: 'MongoDB Atlas',
  rules: [
    { id: 'mongodb-atlas-secret', shapes: ['mdb_sa_sk_{base64url:40}'] },
    { id: 'mongodb-atlas-key', names: ['mongodb_atlas', 'atlas_private'], shapes: ['{uuid}'] },
  ],
};
