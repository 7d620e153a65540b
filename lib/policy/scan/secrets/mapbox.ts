/** Mapbox. */
import type { Vendor } from '../rule.ts';

export const mapbox: Vendor = {
  vendor: 'Mapbox',
  rules: [
    { id: 'mapbox-token', shapes: ['sk.{base62:60-}.{base64url:22}'] },
    { id: 'mapbox-public-token', names: ['mapbox'], shapes: ['pk.{base62:60}.{base62:22}'], confidence: 'medium' },
  ],
};
