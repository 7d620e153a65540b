import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWebhookSecret, webhookHeaders, webhookSecret } from '../../lib/base/webhook-signature.ts';

/** The vector of the reference libraries of Standard Webhooks. */
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: Buffer.from('{"test": 2432232314}') };

test('a message is signed as the reference libraries sign it', () => {
  assert.deepEqual(webhookHeaders(message, [parseWebhookSecret(secret) ?? new Uint8Array()]), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('while a secret is being changed both sign', () => {
  const signature = webhookHeaders(message, [new Uint8Array(32), parseWebhookSecret(secret) ?? new Uint8Array()])['webhook-signature'] ?? '';
  assert.match(signature, /^v1,[A-Za-z0-9+/]{43}= v1,g0hM9SsE\+OTPJTGt\/tmIKtSyZlE3uFJELVlNIOLJ1OE=$/);
});

test('a secret is 24 to 64 bytes behind its prefix, and nothing else is one', () => {
  assert.deepEqual(parseWebhookSecret(webhookSecret(new Uint8Array(32).fill(3))), Buffer.alloc(32, 3));
  for (const bad of ['', 'whsec_', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_MfKQ', 'whsec_!!!!', `whsec_${'A'.repeat(200)}`, `whsec_${Buffer.alloc(65).toString('base64')}`, `${secret}\n`]) assert.equal(parseWebhookSecret(bad), undefined, bad.slice(0, 20));
});
