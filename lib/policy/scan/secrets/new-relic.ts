/** New Relic. */
import type { Vendor } from '../rule.ts';

export const newRelic: Vendor = {
  vendor: 'New Relic',
  rules: [
    { id: 'new-relic-user-key', shapes: ['NRAK-{base62:27}'] },
    { id: 'new-relic-user-api-id', names: ['new-relic', 'newrelic', 'new_relic'], shapes: ['{base62:64}'] },
    { id: 'new-relic-insert-key', shapes: ['NRII-{dashed:32}'] },
    { id: 'new-relic-browser-key', shapes: ['NRJS-{anyhex:19}'], confidence: 'low' },
    { id: 'new-relic-license-key', names: ['new-relic', 'newrelic', 'new_relic'], shapes: ['{hex:36}NRAL', '{hex:40}'] },
  ],
};
