/** PostHog. */
import type { Vendor } from '../rule.ts';

export const posthog: Vendor = {
  vendor: 'PostHog',
  rules: [
    { id: 'posthog-personal-key', shapes: ['phx_{base62:43-48}', 'phs_{base62:43-48}'] },
  ],
};
