/**
 * Syslog servers. Datagrams are sent and forgotten. On a stream nobody acknowledges a message either: what was written can
 * still lie in this machine's buffers when the connection breaks. So a connection is ended in order now and then, and only
 * when the server has then ended its side does what was sent on it count as received.
 */
import type { Datagrams, StreamConnection, StreamTarget, Timers } from '../../ports.ts';
import { octetCounted } from '../../formats/syslog.ts';
import { syslogMessage, type Outgoing, type SyslogStyle } from './message.ts';
import { failedBy, reachable, taken, withAny, type Handover, type Reach, type Receiver } from './receiver.ts';
import type { Witnessed } from './witness.ts';

export type SyslogProtocol = 'udp' | 'tcp' | 'tls';

/** Files with what TLS needs, as PEM; read when a connection is opened. */
export type ReadPem = () => { readonly ca?: string; readonly cert?: string; readonly key?: string };

export interface SyslogReceiverOptions extends Reach {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: SyslogProtocol;
  readonly style: Omit<SyslogStyle, 'longest'>;
  readonly readPem: ReadPem;
  readonly witness: () => Witnessed | undefined;
  readonly timers: Timers;
  /** How long a server has to end its side of a connection. */
  readonly settleMs?: number;
  /** How long a server may take nothing of what is written. */
  readonly stallMs?: number;
}

/** What every receiver of RFC 5425 should take (section 4.3.1), and rsyslog's usual limit. */
const longestOnStream = 8192;
/** What every receiver of RFC 5426 should take (section 3.2). */
const longestDatagram = 2048;
/** RFC 3164 section 4.1. */
const longestOld = 1024;

/** Octets that a message may have. */
export function longestMessage(protocol: SyslogProtocol, form: SyslogStyle['form']): number {
  if (form === 'rfc3164') return longestOld;
  return protocol === 'udp' ? longestDatagram : longestOnStream;
}

export const connectTimeoutMs = 10_000;
export const usualStallMs = 20_000;
const settleTimeoutMs = 5_000;
/** A receiver takes in datagrams from a buffer of some 200 KiB; faster than this they fall beside it. */
const datagramsAtOnce = 24;
const datagramPauseMs = 5;
/** A name may move to another machine. */
const resolveAgainMs = 60_000;

export function createSyslogReceiver(options: SyslogReceiverOptions, now: () => number): Receiver {
  return options.protocol === 'udp' ? createDatagramReceiver(options, now) : createStreamReceiver(options);
}

/** `tcp://host:514`. */
export function syslogName({ host, port, protocol }: Pick<SyslogReceiverOptions, 'host' | 'port' | 'protocol'>): string {
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function createDatagramReceiver(options: SyslogReceiverOptions, now: () => number): Receiver {
  const style = { ...options.style, longest: longestMessage('udp', options.style.form) };
  let open: { readonly socket: Datagrams; readonly since: number } | undefined;
  const close = (): void => {
    open?.socket.close();
    open = undefined;
  };
  const socketNow = async (): Promise<Datagrams> => {
    if (open !== undefined && now() - open.since > resolveAgainMs) close();
    open ??= { socket: await withAny(await reachable(options, options.host), (address) => options.sockets.datagrams(address, options.port)), since: now() };
    return open.socket;
  };
  return {
    id: options.id, name: `syslog ${syslogName(options)}`, confirms: true, close,
    async send(batch) {
      try {
        const socket = await socketNow();
        for (const [at, outgoing] of batch.entries()) {
          if (at > 0 && at % datagramsAtOnce === 0) await options.timers.sleep(datagramPauseMs);
          await socket.send(syslogMessage(outgoing, options.witness(), style));
        }
        await socket.settled();
        return taken;
      } catch (error) {
        close();
        return failedBy(error);
      }
    },
    settle() {
      close();
      return Promise.resolve(taken);
    },
  };
}

function createStreamReceiver(options: SyslogReceiverOptions): Receiver {
  const { host, port, protocol } = options;
  const style = { ...options.style, longest: longestMessage(protocol, options.style.form) };
  let connection: StreamConnection | undefined;
  /** How often in a row the receiver, alive and reachable, did not end its side. */
  let silent = 0;
  const close = (): void => {
    connection?.destroy();
    connection = undefined;
  };
  const safely = async (act: () => Promise<Handover>): Promise<Handover> => {
    try {
      return await act();
    } catch (error) {
      close();
      return failedBy(error);
    }
  };
  return {
    id: options.id, name: `syslog ${syslogName(options)}`, confirms: false, close,
    send: (batch) => safely(async () => {
      connection ??= await connectTo(options, host, { port, timeoutMs: connectTimeoutMs, stallMs: options.stallMs ?? usualStallMs }, protocol === 'tls' ? options.readPem() : undefined);
      await connection.write(framed(batch, options.witness(), style));
      return taken;
    }),
    settle: () => safely(async () => {
      const ending = connection;
      if (ending === undefined) return taken;
      const answered = await ending.end(options.settleMs ?? settleTimeoutMs);
      connection = undefined;
      silent = answered ? 0 : silent + 1;
      // Some never end their side. Twice connected to and written to, such a one counts as having read.
      return silent === 1 ? failedBy(new Error(`${syslogName(options)} does not end the connection, so nobody knows what it has read`)) : taken;
    }),
  };
}

/** A connection to the first address of the host that answers. */
async function connectTo(reach: Reach, host: string, target: Omit<StreamTarget, 'address' | 'tls'>, pem: ReturnType<ReadPem> | undefined): Promise<StreamConnection> {
  const tls = pem === undefined ? {} : { tls: { name: host, ...pem } };
  return withAny(await reachable(reach, host), (address) => reach.sockets.connect({ ...target, address, ...tls }));
}

function framed(batch: readonly Outgoing[], head: Witnessed | undefined, style: SyslogStyle): Uint8Array {
  return Buffer.concat(batch.map((outgoing) => octetCounted(syslogMessage(outgoing, head, style))));
}
