/** Sentry. */
import type { Vendor } from '../rule.ts';

export const sentry: Vendor = {
  vendor: 'Sentry',
  rules: [
    { id: 'sentry-token', names: ['sentry'], shapes: ['{anyhex:64}'] },
    { id: 'sentry-org-token', shapes: ['sntrys_eyJpYXQiO{base64:20-420}{pad:0-2}_{base64:43}'], ignores: ['sntrys_eyJpYXQiO{base64:80}=_{base64:44}'] },
    { id: 'sentry-user-token', shapes: ['sntryu_{hex:64}'] },
  ],
};
