/** Weights & Biases. */
import type { Vendor } from '../rule.ts';

export const wandb: Vendor = {
  vendor: 'Weights & Biases',
  rules: [
    { id: 'wandb-api-key', names: ['wandb', 'weights_and_biases'], shapes: ['{hex:40}'] },
  ],
};
