/**
 * Where the control plane listens: the configured address, plain or with TLS, and the socket file of LOKI_HOME, which also says
 * that there is one control plane at most. A socket file that one which died left behind is replaced; one that answers is not.
 */
import type { Recorder } from '../audit/entry.ts';
import type { ServerCertificate } from '../base/certificate.ts';
import type { HttpHandler } from '../base/http.ts';
import { LokiError } from '../errors.ts';
import { listenHttp, type HttpServer } from '../host/http-server.ts';
import { socketLives } from '../host/socket-file.ts';
import { isLoopback } from '../server/listen.ts';
import { runningAddress } from './control-plane-address.ts';
import type { Installation } from './installation.ts';
import { readServedPair, watchServedPair } from './server-certificate.ts';

export interface Listening {
  /** Where callers on this machine reach it. */
  readonly url: string;
  readonly port: number;
  /** The socket file; undefined where there can be none. */
  readonly socket: string | undefined;
  /** The certificate it is served with now; undefined for plain HTTP. */
  certificate(): ServerCertificate | undefined;
  /** Each answer ends its connection from now on; new ones are still taken. */
  drain(): void;
  /** Takes no more connections, and ends when the last answer has gone, or been cut after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  /** Take any free port when the configured one is taken, and go without the socket file when another one has it. */
  readonly otherPortWhenTaken?: boolean;
}

/** Room for a path in the address of a socket (`sun_path`), on the system that has least. */
const longestSocketPath = 103;
const takeOverMs = 10_000;
const lifeSignMs = 2_000;

/** Throws `net.port_taken` when another program, or another control plane of this LOKI_HOME, has the place; `config.invalid` for a certificate that cannot be used. */
export async function startListening(installation: Installation, api: HttpHandler, record: Recorder, options: ListenOptions = {}): Promise<Listening> {
  const served = readServedPair(installation);
  const overSocket = await listenOnSocket(installation, api, options);
  const main = await listenOnPort(installation, api, { ...options, ...(served === undefined ? {} : { tls: served.identity }) }).catch(async (error: unknown) => {
    await overSocket?.close(0);
    throw error;
  });
  const watch = served === undefined ? undefined : watchServedPair(installation, served, main.renew, record);
  const servers = overSocket === undefined ? [main] : [main, overSocket];
  return {
    url: `${served === undefined ? 'http' : 'https'}://${reachableName(installation.config.server.host)}:${main.port}`, port: main.port, socket: overSocket?.address,
    certificate: () => watch?.certificate(),
    drain() {
      for (const server of servers) server.drain();
    },
    async close(graceMs) {
      watch?.stop();
      await Promise.all(servers.map((server) => server.close(graceMs)));
    },
  };
}

/** Who listens everywhere is reached on this machine by the name of this machine. */
function reachableName(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether what is sent there can be read on its way. */
export function isInTheClear({ config: { server } }: Installation): boolean {
  return server.tls.cert === undefined && !isLoopback(server.host) && server.trustedProxies.length === 0;
}

async function listenOnPort(installation: Installation, api: HttpHandler, { otherPortWhenTaken = false, ...tls }: ListenOptions & { readonly tls?: Parameters<HttpServer['renew']>[0] }): Promise<HttpServer> {
  const { host, port } = installation.config.server;
  try {
    return await listenHttp(api, { host, port, ...tls });
  } catch (error) {
    if (!otherPortWhenTaken || !(error instanceof LokiError) || error.code !== 'net.port_taken') throw error;
    return listenHttp(api, { host, port: 0, ...tls });
  }
}

async function listenOnSocket(installation: Installation, api: HttpHandler, { otherPortWhenTaken = false }: ListenOptions): Promise<HttpServer | undefined> {
  const { host: { disk, facts, lock }, home: { socket }, config: { server } } = installation;
  if (facts.platform === 'win32' || Buffer.byteLength(socket) > longestSocketPath) return undefined;
  // Two that find the same dead socket would each put their own in its place.
  const turn = lock(socket);
  await turn.acquire(takeOverMs);
  try {
    const there = disk.stat(socket);
    if (there !== undefined && there.kind !== 'other') throw new LokiError('record.unsafe', { attempted: `listen on ${socket}`, found: `it is a ${there.kind}`, hint: 'Remove it' });
    if (there !== undefined && await socketLives(socket, lifeSignMs)) {
      if (otherPortWhenTaken) return undefined;
      const where = runningAddress(installation);
      throw new LokiError('net.port_taken', {
        attempted: `listen on ${server.host}:${server.port}`, found: `a control plane of this LOKI_HOME runs already${where === undefined ? '' : ` at ${where}`}`, hint: 'See it with: loki dashboard status; end it with: loki dashboard stop',
      });
    }
    disk.remove(socket);
    return await listenHttp(api, { socketPath: socket });
  } finally {
    turn.release();
  }
}
