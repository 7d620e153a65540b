/**
 * Signatures of outgoing messages as Standard Webhooks 1.0.0 has them: HMAC-SHA-256 over `id.timestamp.body`, in the header
 * `webhook-signature` as `v1,<base64>`, several parted by blanks while a secret is being changed.
 */
import * as crypto from 'node:crypto';

/** Bytes of a new secret; 24 to 64 are taken. */
export const webhookSecretBytes = 32;
const prefix = 'whsec_';

/** `whsec_` and the base64 of the bytes. */
export function webhookSecret(bytes: Uint8Array): string {
  return `${prefix}${Buffer.from(bytes).toString('base64')}`;
}

/** The bytes of a secret; undefined for what is none. */
export function parseWebhookSecret(text: string): Uint8Array | undefined {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : '';
  if (encoded.length > 128 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

/** What is signed. `id` has no dot in it; `timestamp` is in seconds since the epoch, of the attempt. */
export interface SignedMessage {
  readonly id: string;
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** The three headers, signed with each of the secrets. */
export function webhookHeaders(message: SignedMessage, secrets: readonly Uint8Array[]): Readonly<Record<string, string>> {
  return {
    'webhook-id': message.id, 'webhook-timestamp': String(message.timestamp),
    'webhook-signature': secrets.map((secret) => `v1,${signatureOf(message, secret)}`).join(' '),
  };
}

function signatureOf({ id, timestamp, body }: SignedMessage, secret: Uint8Array): string {
  return crypto.createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
}
