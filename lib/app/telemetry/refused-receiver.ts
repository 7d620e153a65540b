/** Which receivers of telemetry are refused, however they were named. */
import { refusedAddress } from '../../base/addresses.ts';
import type { Installation } from '../installation.ts';
import { refusedHost } from '../residency.ts';

const thisMachine: ReadonlySet<string> = new Set(['127.0.0.1', '::1']);

/** Why nothing is sent to a receiver: the installation is air-gapped, or the address is one that no receiver has (docs/siem.md). The same words hold for an address that a name leads to. */
export function refusedReceiver(installation: Pick<Installation, 'config'>): (host: string, address?: string) => string | undefined {
  const air = refusedHost(installation);
  const { allowInternal } = installation.config.egress;
  return (host, address = host) => {
    const refused = air(host);
    if (refused !== undefined) return refused;
    // A name is no address; where it leads is judged when it is known. This machine is never refused, and is asked about by most hooks.
    const what = address === host && (!/^[\d.]+$|:/.test(host) || thisMachine.has(host)) ? undefined : refusedAddress(host, address, allowInternal);
    return what === undefined ? undefined : `${address} is ${what}; if that is really the receiver, list it in LOKI_ALLOWED_INTERNAL_HOSTS (enterprise.egress.allow_internal)`;
  };
}

/** LOKI_HOME holds records, and nothing that others are to read: whether a folder is that, or in it. */
export function isOurFolder(directory: string, home: string): boolean {
  return directory === home || directory.startsWith(`${home}/`);
}
