/** What a receiver of entries is, and how its address is found and judged before anything is opened. */
import type { Sockets } from '../../ports.ts';
import { LokiError, messageOf } from '../../errors.ts';
import { refusedAddress } from '../../base/addresses.ts';
import type { Outgoing } from './message.ts';

/** How handing over ended. Failed: nothing of it counts as received, and all of it is sent again. */
export type Handover =
  | { readonly kind: 'taken'; readonly refused: readonly Refusal[] }
  | { readonly kind: 'failed'; readonly found: string; readonly permanent: boolean; readonly retryAfterMs: number | undefined };

/** An entry that the receiver will never take. */
export interface Refusal {
  readonly seq: number;
  readonly reason: string;
}

/** One place that entries are sent to. Its calls come one after the other. */
export interface Receiver {
  /** Names its files: the same for the same place. */
  readonly id: string;
  /** `syslog tcp://host:514`: for people. */
  readonly name: string;
  /** Whether `taken` from `send` is the receiver's word; else only that of `settle` is. */
  readonly confirms: boolean;
  send(batch: readonly Outgoing[]): Promise<Handover>;
  /** Ends what is open and hears whether everything sent since the last time has been read. */
  settle(): Promise<Handover>;
  /** Breaks off. */
  close(): void;
}

export const taken: Handover = { kind: 'taken', refused: [] };

/** A thrown error as an outcome. What is wrong with the configuration does not mend itself. */
export function failedBy(error: unknown): Handover {
  return { kind: 'failed', found: messageOf(error), permanent: error instanceof LokiError && ['config.invalid', 'policy.denied'].includes(error.code), retryAfterMs: undefined };
}

const resolveTimeoutMs = 5_000;

/** Host names are resolved here and nowhere else; what is connected to is one of the addresses that were judged. */
export interface Reach {
  readonly sockets: Sockets;
  /** `enterprise.egress.allow_internal`. */
  readonly allowed: readonly string[];
  /** Why nothing is sent to a host, before its name is even resolved; undefined when it may be. Left out: residency says nothing. */
  readonly refused?: (host: string) => string | undefined;
}

/** Addresses of a host that may be reached, at least one. Throws `net.unreachable`, or `policy.denied` where residency forbids it. */
export async function reachable({ sockets, allowed, refused }: Reach, host: string): Promise<readonly string[]> {
  const refusal = refused?.(host);
  if (refusal !== undefined) throw new LokiError('policy.denied', { attempted: `send records to ${host}`, found: refusal, hint: 'List the receiver in LOKI_ALLOWED_INTERNAL_HOSTS (enterprise.egress.allow_internal), or remove it' });
  const addresses = await sockets.resolve(host, resolveTimeoutMs);
  const refusals = addresses.map((address) => refusedAddress(host, address, allowed));
  const good = addresses.filter((_, at) => refusals[at] === undefined);
  if (good.length > 0) return good;
  throw new LokiError('net.unreachable', {
    attempted: `send records to ${host}`, found: `${addresses[0] ?? 'it'} is ${refusals[0] ?? 'no address'}`,
    hint: 'If that is really the receiver, list it in LOKI_ALLOWED_INTERNAL_HOSTS (enterprise.egress.allow_internal)',
  });
}

/** Does it with one address after the other until it works for one; throws what went wrong with each. */
export async function withAny<T>(addresses: readonly string[], act: (address: string) => Promise<T>): Promise<T> {
  const errors: unknown[] = [];
  for (const address of addresses) {
    try {
      return await act(address);
    } catch (error) {
      errors.push(error);
    }
  }
  const invalid = errors.find((error) => error instanceof LokiError && error.code === 'config.invalid');
  throw invalid ?? (errors.length === 1 ? errors[0] : new Error(errors.map(messageOf).join('; ')));
}
