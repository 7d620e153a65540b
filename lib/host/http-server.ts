/**
 * node:http as plain requests and answers. Decides nothing about content: it bounds what a connection may cost (header
 * bytes, time to send, time to read, number of connections), refuses what is no HTTP/1.1 request, and ends connections in
 * an orderly way. Whatever a client does, its effect ends with its own connection. It listens on a port, plain or encrypted,
 * or on a socket file of this machine.
 */
import { chmodSync } from 'node:fs';
import * as http from 'node:http';
import type * as https from 'node:https';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { LokiError, messageOf, systemCode } from '../errors.ts';
import type { HttpHandler, HttpRequest, HttpResponse, Peer } from '../base/http.ts';
import { secureOptions, type ServerIdentity } from './tls-options.ts';

/** Bounds of a connection. Times in milliseconds. */
export interface HttpLimits {
  /** From the first byte to the end of the header fields. */
  readonly headersMs: number;
  /** From the first byte to the end of the body. */
  readonly requestMs: number;
  /** A kept connection without a request. Longer than what usual balancers wait (60 and 75 s), which else see resets. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves. */
  readonly idleMs: number;
  /** A stream whose reader takes nothing. */
  readonly slowReaderMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  readonly headerBytes: number;
  readonly connections: number;
}

export const usualHttpLimits: HttpLimits = {
  headersMs: 10_000, requestMs: 30_000, keepAliveMs: 80_000, idleMs: 120_000, slowReaderMs: 20_000, checkMs: 2_000,
  headerBytes: 16 * 1024, connections: 4096,
};

/** A port (0: any free one) of a host, or a socket file that is not there yet: made for its owner alone, gone with the server. */
export type ListenAt = { readonly host: string; readonly port: number; /** Set: encrypted only. */ readonly tls?: ServerIdentity } | { readonly socketPath: string };

export type HttpServerOptions = ListenAt & { readonly limits?: Partial<HttpLimits> };

export interface HttpServer {
  /** The address or the socket's path. */
  readonly address: string;
  /** 0 for a socket file. */
  readonly port: number;
  /** New connections get the new certificate; open ones keep theirs. Throws what the system says of one that it cannot use. */
  renew(identity: ServerIdentity): void;
  /** From now on each answer ends its connection; new ones are still taken. */
  drain(): void;
  /** Takes no more connections, lets answers under way finish for up to `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Listens. Rejects with `net.port_taken` when somebody else does, `io.failed` when the system refuses. */
export async function listenHttp(handler: HttpHandler, options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...usualHttpLimits, ...options.limits };
  const { server, setIdentity } = makeServer(options, limits);
  const overSocket = 'socketPath' in options;
  // The newest exchange of each connection; node answers pipelined requests in the order they came.
  const busy = new Map<Duplex, Exchange>();
  let draining = false;
  const malformed = (socket: Duplex, status: number): void => refuse(socket, handler.malformed(status, peerOf(socket, overSocket)));
  const answer = (incoming: http.IncomingMessage, outgoing: http.ServerResponse, expectsContinue: boolean): void => {
    if (isUnclear(incoming)) return malformed(incoming.socket, 400);
    const exchange: Exchange = { incoming, outgoing, expectsContinue, overSocket, presence: new Presence(), closing: draining || !server.listening, streaming: false };
    busy.set(incoming.socket, exchange);
    // Comes once, after the answer has been written or the connection is lost, whichever it is.
    outgoing.on('close', () => {
      exchange.presence.end();
      if (busy.get(incoming.socket) === exchange) busy.delete(incoming.socket);
      if (exchange.closing) incoming.socket.end();
    });
    outgoing.on('error', () => exchange.presence.end());
    void serve(handler, exchange, limits);
  };
  server.on('request', (incoming, outgoing) => answer(incoming, outgoing, false));
  server.on('checkContinue', (incoming, outgoing) => answer(incoming, outgoing, true));
  server.on('checkExpectation', (incoming: http.IncomingMessage) => malformed(incoming.socket, 400));
  server.on('upgrade', (_incoming, socket) => malformed(socket, 400));
  server.on('connect', (_incoming, socket) => malformed(socket, 400));
  const spokeTls = new WeakSet<Duplex>();
  server.on('secureConnection', (socket: Duplex) => { spokeTls.add(socket); });
  server.on('clientError', (error, socket) => {
    // Who has not shaken hands cannot be told anything, and an answer would wait for it.
    if ('encrypted' in socket && !spokeTls.has(socket)) return void socket.destroy();
    const exchange = busy.get(socket);
    const answering = exchange !== undefined && (exchange.incoming.complete || exchange.outgoing.headersSent);
    if (!answering) malformed(socket, refusals[systemCode(error) ?? ''] ?? 400);
    else if (exchange.streaming) socket.destroy();
    else exchange.closing = true;
  });
  const held = heldConnections(server);
  await listening(server, options);
  const endEach = (): void => {
    draining = true;
    for (const exchange of busy.values()) exchange.closing = true;
  };
  return {
    ...addressOf(server), renew: setIdentity, drain: endEach,
    async close(graceMs) {
      endEach();
      await close(server, held, graceMs);
    },
  };
}

/** The server that is asked for, bounded, not yet listening. */
function makeServer(options: HttpServerOptions, limits: HttpLimits): { readonly server: http.Server; readonly setIdentity: HttpServer['renew'] } {
  const bounds = {
    headersTimeout: limits.headersMs, requestTimeout: limits.requestMs, keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs, maxHeaderSize: limits.headerBytes, requireHostHeader: false, noDelay: true,
  };
  const identity = 'tls' in options ? options.tls : undefined;
  const bound = <S extends http.Server>(server: S): S => {
    // The parser drops fields past a count without a word; their bytes are bounded, and the handler counts them itself.
    server.maxHeadersCount = 0;
    server.maxConnections = limits.connections;
    server.setTimeout(limits.idleMs);
    return server;
  };
  if (identity === undefined) {
    return { server: bound(http.createServer(bounds)), setIdentity: () => { throw new LokiError('internal', { attempted: 'renew the certificate', found: 'this server has none' }); } };
  }
  const { createServer }: typeof https = process.getBuiltinModule('node:https');
  const server = bound(createServer({ ...bounds, ...secureOptions(identity), handshakeTimeout: limits.headersMs }));
  return { server, setIdentity: (renewed) => { server.setSecureContext(secureOptions(renewed)); } };
}

/** RFC 9112 section 6.1: HTTP/1.0 knows no codings, and we only chunks; who passed such a request on may have read its end elsewhere. */
function isUnclear({ httpVersion, headers }: http.IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && (httpVersion !== '1.1' || coding.toLowerCase() !== 'chunked');
}

/** Every connection that is open, those included that have not finished shaking hands. */
function heldConnections(server: http.Server): ReadonlySet<Socket> {
  const held = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    held.add(socket);
    socket.once('close', () => held.delete(socket));
  });
  return held;
}

function peerOf(socket: Duplex, overSocket: boolean): Peer {
  return { address: overSocket ? loopback : addressOfPeer(socket), secure: 'encrypted' in socket };
}

/** Who reaches a socket file is on this machine. */
const loopback = '127.0.0.1';

function addressOfPeer(socket: Duplex): string {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
}

const refusals: { readonly [code: string]: number } = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Whether the client is there. Most requests are answered before anybody asks for the signal, which costs more than all else here. */
class Presence {
  #controller: AbortController | undefined;
  #ended = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort();
    return this.#controller.signal;
  }

  end(): void {
    this.#ended = true;
    this.#controller?.abort();
  }
}

interface Exchange {
  readonly incoming: http.IncomingMessage;
  readonly outgoing: http.ServerResponse;
  readonly expectsContinue: boolean;
  readonly overSocket: boolean;
  readonly presence: Presence;
  /** The connection ends with this answer. */
  closing: boolean;
  /** The answer is a stream, whose end nobody knows. */
  streaming: boolean;
}

async function listening(server: http.Server, options: HttpServerOptions): Promise<void> {
  try {
    server.listen('socketPath' in options ? { path: options.socketPath } : { host: options.host, port: options.port });
    await once(server, 'listening');
    // Whoever may write to it may connect.
    if ('socketPath' in options) chmodSync(options.socketPath, 0o600);
  } catch (error) {
    const attempted = `listen on ${'socketPath' in options ? options.socketPath : `${options.host}:${options.port}`}`;
    if (systemCode(error) === 'EADDRINUSE') throw new LokiError('net.port_taken', { attempted, found: 'another program listens there', cause: error });
    throw new LokiError('io.failed', { attempted, found: messageOf(error), cause: error });
  }
}

function addressOf(server: http.Server): { readonly address: string; readonly port: number } {
  const address = server.address();
  if (address === null) throw new LokiError('internal', { attempted: 'tell where the server listens', found: 'it has no address' });
  return typeof address === 'string' ? { address, port: 0 } : { address: address.address, port: address.port };
}

/** Answers one request. Never rejects: a connection that cannot be answered is cut. */
async function serve(handler: HttpHandler, exchange: Exchange, limits: HttpLimits): Promise<void> {
  const { incoming, outgoing } = exchange;
  try {
    const response = await handler.answer(new IncomingRequest(exchange));
    if (!outgoing.destroyed) await send(exchange, response, limits.slowReaderMs);
    else await response.stream?.[Symbol.asyncIterator]().return?.();
  } catch {
    incoming.socket.destroy();
  }
}

/** A request over the exchange that it belongs to. */
class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly address: string;
  readonly secure: boolean;
  readonly port: number;
  readonly overSocket?: true;
  readonly hasBody: boolean;
  readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    const { method = '', url = '', rawHeaders, socket } = exchange.incoming;
    const { address, secure } = peerOf(socket, exchange.overSocket);
    const headers: [string, string][] = [];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.push([(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? '']);
    this.method = method;
    this.target = url;
    this.headers = headers;
    this.address = address;
    this.secure = secure;
    this.port = socket.localPort ?? 0;
    if (exchange.overSocket) this.overSocket = true;
    this.hasBody = headers.some(([name, value]) => name === 'transfer-encoding' || (name === 'content-length' && value !== '0'));
    this.exchange = exchange;
  }

  get signal(): AbortSignal {
    return this.exchange.presence.signal;
  }

  // Handlers take these out of the request, so each carries its own.
  readonly patience: NonNullable<HttpRequest['patience']> = (milliseconds) => { this.exchange.incoming.socket.setTimeout(milliseconds); };

  readonly readBody: HttpRequest['readBody'] = async (limit) => {
    const { incoming, outgoing, expectsContinue } = this.exchange;
    if (Number(incoming.headers['content-length'] ?? 0) > limit) throw tooLong(limit);
    if (expectsContinue) outgoing.writeContinue();
    try {
      return await readAll(incoming, limit);
    } catch (error) {
      if (error instanceof LokiError) throw error;
      throw new LokiError('request.invalid', { attempted: 'read the body', found: 'it did not arrive whole', cause: error });
    }
  };
}

async function readAll(incoming: http.IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Uint8Array)) continue;
    length += chunk.byteLength;
    if (length > limit) throw tooLong(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(limit: number): LokiError {
  return new LokiError('request.large', { attempted: 'read the body', found: `it is longer than ${limit} bytes` });
}

async function send(exchange: Exchange, response: HttpResponse, slowReaderMs: number): Promise<void> {
  const { incoming, outgoing } = exchange;
  const { status, body, stream } = response;
  const headOnly = incoming.method === 'HEAD';
  // What was not read of a body cannot be told from a next request.
  outgoing.writeHead(status, fieldsOf(response, exchange.closing || !incoming.complete));
  if (stream === undefined || headOnly) {
    outgoing.end(headOnly ? undefined : body);
    return;
  }
  exchange.streaming = true;
  outgoing.flushHeaders();
  await sendStream(outgoing, stream, slowReaderMs);
  outgoing.end();
}

/** Header fields as the list of names and values that node:http writes as it is; one at a time costs more than all of an answer else. */
function fieldsOf({ status, headers, cookies = [], body, stream }: HttpResponse, isLast: boolean): (string | number)[] {
  const fields: (string | number)[] = [];
  for (const name of Object.keys(headers)) fields.push(name, headers[name] ?? '');
  for (const cookie of cookies) fields.push('Set-Cookie', cookie);
  if (body !== undefined) fields.push('Content-Length', Buffer.byteLength(body));
  else if (stream === undefined && status !== 204 && status !== 304) fields.push('Content-Length', 0);
  if (isLast) fields.push('Connection', 'close');
  return fields;
}

/** Writes parts as fast as the reader takes them. One that takes nothing for too long is cut: nobody else waits for it. */
async function sendStream(outgoing: http.ServerResponse, stream: AsyncIterable<string | Uint8Array>, slowReaderMs: number): Promise<void> {
  for await (const part of stream) {
    if (outgoing.destroyed) return;
    if (outgoing.write(part)) continue;
    const timer = setTimeout(() => outgoing.socket?.destroy(), slowReaderMs);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        outgoing.off('drain', done);
        outgoing.off('close', done);
        resolve();
      };
      outgoing.on('drain', done);
      outgoing.on('close', done);
      if (outgoing.destroyed) done();
    });
    clearTimeout(timer);
  }
}

/** Answers bytes that are no request, and ends the connection. */
function refuse(socket: Duplex, { status, headers, body = '' }: HttpResponse): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const bytes = Buffer.from(body);
  const lines = Object.entries({ ...headers, 'Content-Length': String(bytes.byteLength), Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`), bytes]), () => socket.destroy());
}

async function close(server: http.Server, held: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
  server.closeIdleConnections();
  const cut = setTimeout(() => { for (const socket of held) socket.destroy(); }, graceMs);
  await closed;
  clearTimeout(cut);
}
