/** PlanetScale. */
import type { Vendor } from '../rule.ts';

export const planetscale: Vendor = {
  vendor: 'PlanetScale',
  rules: [
    { id: 'planetscale-token', shapes: ['pscale_tkn_{dotted:32-64}'] },
    { id: 'planetscale-oauth-token', shapes: ['pscale_oauth_{dotted:32-64}'] },
    { id: 'planetscale-password', shapes: ['pscale_pw_{dotted:32-64}'] },
  ],
};
