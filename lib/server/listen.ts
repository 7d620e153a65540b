/** Where the control plane may be reached. Beyond the machine itself only with authentication (contract section 6). */
import { LokiError } from '../errors.ts';

/** Whether an address or host name means this machine and nothing else. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  return bare === 'localhost' || bare === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

/** Throws `config.invalid` when listening there would let strangers in. */
export function checkListen({ host, authentication }: { readonly host: string; readonly authentication: boolean }): void {
  if (authentication || isLoopback(host)) return;
  throw new LokiError('config.invalid', {
    attempted: `listen on "${host}"`,
    found: 'it can be reached from other machines, and authentication is off',
    hint: 'Set enterprise.auth.enabled (LOKI_ENTERPRISE_AUTH=true), or listen on 127.0.0.1',
  });
}
