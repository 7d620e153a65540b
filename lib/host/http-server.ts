/**
 * node:http as plain requests and answers. Decides nothing about content: it bounds what a connection may cost (header
 * bytes, time to send, time to read, number of connections), refuses what is no HTTP/1.1 request, and ends connections in
 * an orderly way. Whatever a client does, its effect ends with its own connection.
 */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { LokiError, messageOf, systemCode } from '../errors.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.ts';

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

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  readonly address: string;
  readonly port: number;
  /** Takes no more connections, lets answers under way finish for up to `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Listens. Rejects with `net.port_taken` when somebody else does, `io.failed` when the system refuses. */
export async function listenHttp(handler: HttpHandler, options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...usualHttpLimits, ...options.limits };
  const server = http.createServer({
    headersTimeout: limits.headersMs, requestTimeout: limits.requestMs, keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs, maxHeaderSize: limits.headerBytes, requireHostHeader: false, noDelay: true,
  });
  // The parser drops fields past a count without a word; their bytes are bounded, and the handler counts them itself.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs);
  // The newest exchange of each connection; node answers pipelined requests in the order they came.
  const busy = new Map<Duplex, Exchange>();
  const answer = (incoming: http.IncomingMessage, outgoing: http.ServerResponse, expectsContinue: boolean): void => {
    const exchange: Exchange = { incoming, outgoing, expectsContinue, closing: !server.listening, streaming: false };
    busy.set(incoming.socket, exchange);
    void serve(handler, exchange, limits).finally(() => {
      if (busy.get(incoming.socket) === exchange) busy.delete(incoming.socket);
      if (exchange.closing) incoming.socket.end();
    });
  };
  server.on('request', (incoming, outgoing) => answer(incoming, outgoing, false));
  server.on('checkContinue', (incoming, outgoing) => answer(incoming, outgoing, true));
  server.on('checkExpectation', (incoming: http.IncomingMessage) => refuse(incoming.socket, handler.malformed(400)));
  server.on('upgrade', (_incoming, socket) => refuse(socket, handler.malformed(400)));
  server.on('connect', (_incoming, socket) => refuse(socket, handler.malformed(400)));
  server.on('clientError', (error, socket) => {
    const exchange = busy.get(socket);
    const answering = exchange !== undefined && (exchange.incoming.complete || exchange.outgoing.headersSent);
    if (!answering) refuse(socket, handler.malformed(refusals[systemCode(error) ?? ''] ?? 400));
    else if (exchange.streaming) socket.destroy();
    else exchange.closing = true;
  });
  await listening(server, options);
  const { address, port } = addressOf(server);
  return { address, port, close: (graceMs) => close(server, busy, graceMs) };
}

const refusals: { readonly [code: string]: number } = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

interface Exchange {
  readonly incoming: http.IncomingMessage;
  readonly outgoing: http.ServerResponse;
  readonly expectsContinue: boolean;
  /** The connection ends with this answer. */
  closing: boolean;
  /** The answer is a stream, whose end nobody knows. */
  streaming: boolean;
}

async function listening(server: http.Server, { host, port }: HttpServerOptions): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    const attempted = `listen on ${host}:${port}`;
    if (systemCode(error) === 'EADDRINUSE') throw new LokiError('net.port_taken', { attempted, found: 'another program listens there', cause: error });
    throw new LokiError('io.failed', { attempted, found: messageOf(error), cause: error });
  }
}

function addressOf(server: http.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new LokiError('internal', { attempted: 'tell where the server listens', found: 'it has no address' });
  return address;
}

/** Answers one request. Never rejects: a connection that cannot be answered is cut. */
async function serve(handler: HttpHandler, exchange: Exchange, limits: HttpLimits): Promise<void> {
  const { incoming, outgoing } = exchange;
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  outgoing.on('error', () => gone.abort());
  try {
    const response = await handler.answer(requestOf(exchange, gone.signal));
    if (outgoing.destroyed) {
      await response.stream?.[Symbol.asyncIterator]().return?.();
      return;
    }
    // What was not read of a body cannot be told from a next request.
    if (exchange.closing || !incoming.complete) outgoing.setHeader('Connection', 'close');
    await send(exchange, response, limits.slowReaderMs);
  } catch {
    incoming.socket.destroy();
  }
}

function requestOf({ incoming, outgoing, expectsContinue }: Exchange, signal: AbortSignal): HttpRequest {
  const { method = '', url = '', rawHeaders, socket } = incoming;
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.push([(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? '']);
  return {
    method, target: url, headers, signal,
    address: socket.remoteAddress ?? '', port: socket.localPort ?? 0, secure: 'encrypted' in socket,
    hasBody: headers.some(([name, value]) => name === 'transfer-encoding' || (name === 'content-length' && value !== '0')),
    patience(milliseconds) {
      socket.setTimeout(milliseconds);
    },
    async readBody(limit) {
      if (Number(incoming.headers['content-length'] ?? 0) > limit) throw tooLong(limit);
      if (expectsContinue) outgoing.writeContinue();
      try {
        return await readAll(incoming, limit);
      } catch (error) {
        if (error instanceof LokiError) throw error;
        throw new LokiError('request.invalid', { attempted: 'read the body', found: 'it did not arrive whole', cause: error });
      }
    },
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

async function send(exchange: Exchange, { status, headers, cookies, body, stream }: HttpResponse, slowReaderMs: number): Promise<void> {
  const { incoming, outgoing } = exchange;
  const headOnly = incoming.method === 'HEAD';
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes !== undefined) outgoing.setHeader('Content-Length', bytes.byteLength);
  else if (stream === undefined && status !== 204 && status !== 304) outgoing.setHeader('Content-Length', 0);
  if (cookies !== undefined) outgoing.setHeader('Set-Cookie', cookies);
  outgoing.writeHead(status, { ...headers });
  if (stream !== undefined && !headOnly) {
    exchange.streaming = true;
    outgoing.flushHeaders();
    await sendStream(outgoing, stream, slowReaderMs);
    outgoing.end();
  } else {
    outgoing.end(headOnly ? undefined : bytes);
  }
  if (!outgoing.writableFinished && !outgoing.destroyed) await new Promise<void>((resolve) => { outgoing.once('close', resolve); });
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

async function close(server: http.Server, busy: ReadonlyMap<Duplex, Exchange>, graceMs: number): Promise<void> {
  for (const exchange of busy.values()) {
    exchange.closing = true;
    if (!exchange.outgoing.headersSent) exchange.outgoing.setHeader('Connection', 'close');
  }
  const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
