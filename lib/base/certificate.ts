/**
 * Whether a certificate and a key can serve TLS, judged before anybody connects. Trusts neither file: refuses what is not
 * PEM, a key with a passphrase, a key of another certificate, a certificate that is not valid now, and an RSA key that is too
 * short. Who signed it is for those who connect to judge.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { LokiError, messageOf, systemCode } from '../errors.ts';

/** A file's text and how to name it. */
export interface NamedText {
  readonly path: string;
  readonly text: string;
}

/** What can be told of the certificate that is served. */
export interface ServerCertificate {
  readonly subject: string;
  /** The names and addresses it is for. */
  readonly names: string;
  /** SHA-256 over the certificate, in hex. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

const shortestRsaBits = 2048;
const mostCertificates = 20;
const hint = 'enterprise.server.tls.cert and key name PEM files: the chain, the server\'s own certificate first, and its key without a passphrase';

/** Describes the first certificate of the chain. Throws `config.invalid` for a pair that nobody should be served with. */
export function checkServerPair(cert: NamedText, key: NamedText, nowMs: number): ServerCertificate {
  const refuse = ({ path }: NamedText, found: string, cause?: unknown): LokiError => new LokiError('config.invalid', { attempted: `serve TLS with "${path}"`, found, hint, cause });
  const blocks = cert.text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refuse(cert, 'it holds no certificate in PEM');
  if (blocks.length > mostCertificates) throw refuse(cert, `it holds ${blocks.length} certificates; at most ${mostCertificates} make a chain`);
  const [own, ...above] = blocks.map((block) => read(() => new X509Certificate(block), (error) => refuse(cert, `one of its certificates cannot be read: ${messageOf(error)}`, error)));
  if (own === undefined) throw refuse(cert, 'it holds no certificate');
  const secret = read(() => createPrivateKey(key.text), (error) => refuse(key, wordsOfKey(error), error));
  if (!own.checkPrivateKey(secret)) {
    throw refuse(key, above.some((one) => one.checkPrivateKey(secret)) ? `"${cert.path}" begins with another certificate than the one of this key` : `it is not the key of the certificate in "${cert.path}"`);
  }
  const weak = weaknessOf(secret);
  if (weak !== undefined) throw refuse(key, weak);
  const [from, until] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  if (until <= nowMs) throw refuse(cert, `the certificate expired at ${new Date(until).toISOString()}`);
  if (from > nowMs) throw refuse(cert, `the certificate is not valid before ${new Date(from).toISOString()}`);
  return { subject: oneLine(own.subject), names: oneLine(own.subjectAltName ?? ''), fingerprint: own.fingerprint256.replaceAll(':', '').toLowerCase(), validUntil: until };
}

function read<T>(make: () => T, refused: (error: unknown) => LokiError): T {
  try {
    return make();
  } catch (error) {
    throw refused(error);
  }
}

function wordsOfKey(error: unknown): string {
  if (systemCode(error) === 'ERR_MISSING_PASSPHRASE' || /passphrase|bad decrypt|interrupted or cancelled/i.test(messageOf(error))) return 'it is locked by a passphrase';
  return 'it holds no private key in PEM';
}

function weaknessOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  const bits = details?.modulusLength;
  if (bits !== undefined && bits < shortestRsaBits) return `its ${type} key has ${bits} bits; at least ${shortestRsaBits} are needed`;
  return undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ', ').slice(0, 500);
}
