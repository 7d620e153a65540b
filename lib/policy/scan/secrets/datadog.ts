/** Datadog. */
import type { Vendor } from '../rule.ts';

export const datadog: Vendor = {
  vendor: 'Datadog',
  rules: [
    { id: 'datadog-key', names: ['datadog', 'dd_api', 'dd_app'], shapes: ['{base62:40}', '{hex:32}'] },
  ],
};
