/** Hugging Face. */
import type { Vendor } from '../rule.ts';

export const huggingface: Vendor = {
  vendor: 'Hugging Face',
  rules: [
    { id: 'huggingface-token', shapes: ['hf_{base62:34}'], ignores: ['hf_servingcellpriorityparametersdescription', 'hf_{base62:20}'] },
    { id: 'huggingface-organization-token', shapes: ['api_org_{letter:34}'] },
  ],
};
