/** AssemblyAI. */
import type { Vendor } from '../rule.ts';

export const assemblyai: Vendor = {
  vendor: 'AssemblyAI',
  rules: [
    { id: 'assemblyai-api-key', names: ['assemblyai', 'assembly_ai'], shapes: ['{hex:32}'] },
  ],
};
