/** What the system says of a connection that failed, as a person reads it. */
import { messageOf, systemCode } from '../errors.ts';

/** Error names of the system and of TLS. */
export const systemWords: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there', ECONNRESET: 'the other side broke the connection off', EPIPE: 'the other side has closed the connection',
  ENETUNREACH: 'there is no way to that network', EHOSTUNREACH: 'there is no way to that machine', ETIMEDOUT: 'the machine does not answer',
  ENOTFOUND: 'no such name is known', EAI_AGAIN: 'the name server does not answer', ENODATA: 'the name has no address',
  EMSGSIZE: 'the datagram is too large for the network', EACCES: 'this machine forbids it', EPERM: 'this machine forbids it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name', CERT_HAS_EXPIRED: 'its certificate has expired', CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself, and not among those that are trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not trusted',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of ours', ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the authority of our certificate',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there', EPROTO: 'it does not speak TLS there, or not as we do', ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no TLS 1.2 or newer',
};

/** The words, with the system's own name behind them; what is not known is said as it came. Codes of Node's HTTP parser begin with HPE_. */
export function wordsOf(error: unknown): string {
  const code = systemCode(error);
  const words = code === undefined ? undefined : systemWords[code];
  if (words === undefined && code?.startsWith('HPE_') === true) return `it does not answer in HTTP/1.1 (${messageOf(error)})`;
  return words === undefined ? messageOf(error) : `${words} (${code ?? ''})`;
}
