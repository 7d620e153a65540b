/** MessageBird. */
import type { Vendor } from '../rule.ts';

export const messagebird: Vendor = {
  vendor: 'MessageBird',
  rules: [
    { id: 'messagebird-api-key', names: ['messagebird', 'message-bird', 'message_bird'], shapes: ['{base62:25}'] },
    { id: 'messagebird-client-id', names: ['messagebird', 'message-bird', 'message_bird'], shapes: ['{uuid}'] },
  ],
};
