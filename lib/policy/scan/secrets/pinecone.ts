/** Pinecone. */
import type { Vendor } from '../rule.ts';

export const pinecone: Vendor = {
  vendor: 'Pinecone',
  rules: [
    { id: 'pinecone-api-key', shapes: ['pcsk_{word:50-80}'] },
    { id: 'pinecone-legacy-key', names: ['pinecone'], shapes: ['{uuid}'] },
  ],
};
