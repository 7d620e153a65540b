/** Finds the addresses of a name, and gives out only those that may be connected to: a name may lead elsewhere today than it did yesterday. */
import { lookup as find } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { LokiError } from '../errors.ts';

/** Why an address that a name leads to may not be reached; undefined when it may be. */
export type RefusedAddress = (host: string, address: string) => string | undefined;

/** For the option `lookup` of a connection. */
export function judgedLookup(refused: RefusedAddress): LookupFunction {
  return (host, options, tell) => {
    find(host, { ...options, all: true }, (error, all) => {
      if (error !== null) return tell(error, []);
      const good = all.filter(({ address }) => refused(host, address) === undefined);
      const [first] = good;
      if (first === undefined) return tell(refusal(host, all.map(({ address }) => refused(host, address))), []);
      return options.all === true ? tell(null, good) : tell(null, first.address, first.family);
    });
  };
}

function refusal(host: string, reasons: readonly (string | undefined)[]): LokiError {
  return new LokiError('net.unreachable', { attempted: `connect to ${host}`, found: reasons.find((reason) => reason !== undefined) ?? 'it has no address' });
}
