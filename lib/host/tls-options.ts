/**
 * How the control plane speaks TLS: 1.2 and newer, with forward secrecy and authenticated encryption only, HTTP/1.1 only, and
 * nothing negotiated again. One table, so that a renewed certificate is served no other way than the first.
 */
import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

/** A certificate chain, its own certificate first, and the key of that one: PEM. */
export interface ServerIdentity {
  readonly cert: string;
  readonly key: string;
}

/** TLS 1.3 suites, then those of 1.2 that Mozilla's intermediate list keeps without plain DHE. */
const suites = [
  'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

/** For a server with this certificate. */
export function secureOptions({ cert, key }: ServerIdentity): TlsOptions {
  return { cert, key, minVersion: 'TLSv1.2', ciphers: suites.join(':'), ALPNProtocols: ['http/1.1'], secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}
