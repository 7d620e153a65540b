/** OpenAI. */
import type { Vendor } from '../rule.ts';

export const openai: Vendor = {
  vendor: 'OpenAI',
  rules: [
    {
      id: 'openai-key', shapes: ['sk-proj-{base64url:40-250}', 'sk-svcacct-{base64url:40-250}', 'sk-admin-{base64url:40-250}', 'sk-{base62:20}T3BlbkFJ{base62:20}', 'sk-{base62:48}'],
      ignores: ['sk-proj-{base62:10}', 'task-{base62:48}'],
    },
  ],
};
