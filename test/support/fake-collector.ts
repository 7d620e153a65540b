/**
 * A receiver of OTLP/HTTP on loopback, for tests: keeps what it is sent, holds each payload against the protocol, and behaves as badly as a
 * test wishes. Where a payload is not right the test fails, unless it says that it wants to look for itself.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { signals, type Signal } from '../../lib/telemetry/batch.ts';
import { checkPayload, countItems } from './otlp-schema.ts';
import { logsIn, metricsIn, spansIn, type ReceivedLog, type ReceivedMetric, type ReceivedSpan } from './otlp-read.ts';
import { fixture } from './root.ts';

/** One request, as it came. */
export interface Received {
  /** Undefined when the path names none. */
  readonly signal: Signal | undefined;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Without its compression. */
  readonly body: string;
  /** Octets on the wire. */
  readonly size: number;
  /** What is wrong with it. */
  readonly mistakes: readonly string[];
  /** Counts connections from 1: the same number is the same connection. */
  readonly connection: number;
  /** The sender's certificate, where it has one. */
  readonly client: string | undefined;
}

/** A plain answer. Left out: 200, `{}` or a google.rpc.Status, `application/json`. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Waits before it answers. */
  readonly afterMs?: number;
}

/** What to do with a request: a status, an answer, or a way to fail. */
export type Behaviour = number | Answer | Way | { readonly rejected: number; readonly message?: string };

/** Ways to fail. All but `reset early` have read the request whole. */
export type Way = 'hang' | 'reset early' | 'reset' | 'reset midway' | 'half close' | 'no end of head' | 'noise' | 'trickle' | 'html' | 'huge' | 'bomb' | 'close after';

/** They took the payload for all that: it must not be sent again. */
const takers: ReadonlySet<Behaviour> = new Set<Way>(['html', 'huge', 'bomb', 'close after']);

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly socket: Socket;
}

const tooMuch = 100 * 1024 * 1024;
const asHtml = { 'content-type': 'text/html' } as const;

const waysToFail: Readonly<Record<Way, (exchange: Exchange) => void>> = {
  /** Never answers. */
  hang: () => undefined,
  /** The connection is torn down (RST) while the body is on its way. */
  'reset early': ({ socket }: Exchange) => { socket.resetAndDestroy(); },
  reset: ({ socket }: Exchange) => { socket.resetAndDestroy(); },
  /** After half an answer. */
  'reset midway': ({ response, socket }: Exchange) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"partial', () => { socket.resetAndDestroy(); });
  },
  /** Its side is ended, without an answer. */
  'half close': ({ socket }: Exchange) => { socket.end(); },
  /** A head without an end. */
  'no end of head': ({ socket }: Exchange) => { socket.write('HTTP/1.1 200 OK\r\ncontent-type: appl'); },
  /** No HTTP at all. */
  noise: ({ socket }: Exchange) => { socket.end('SSH-2.0-OpenSSH_9.2\r\n'); },
  /** An octet every fifth of a second, for ever. */
  trickle: ({ response }: Exchange) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => { response.write(' '); }, 200).unref();
    response.on('close', () => { clearInterval(timer); });
  },
  /** A page of a proxy that wants a login. */
  html: ({ response }: Exchange) => { response.writeHead(200, asHtml).end('<!doctype html><title>Sign in</title>'); },
  /** 100 MB of text. */
  huge: ({ response }: Exchange) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(1 << 20, ' ');
    let sent = 0;
    const more = (): void => {
      while (sent < tooMuch && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  },
  /** 100 MB of text in 100 kB of gzip, which nobody asked for. */
  bomb: ({ response }: Exchange) => { response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(tooMuch, ' '), { level: 1 })); },
  /** Takes the payload, and ends the connection without having said that it would. */
  'close after': ({ response, socket }: Exchange) => { response.shouldKeepAlive = true; response.writeHead(200, { 'content-type': 'application/json', connection: 'keep-alive' }).end('{}', () => { socket.end(); }); },
};

export interface CollectorOptions {
  /** Certificate of fixtures/siem that it shows; left out, it speaks plain HTTP. */
  readonly tls?: 'server' | 'expired' | 'elsewhere' | 'stranger';
  /** Wants a certificate of the sender (with `tls`). */
  readonly wantsClient?: boolean;
  /** Payloads with mistakes do not fail the test. */
  readonly lenient?: boolean;
  /** A port, to come back to. */
  readonly port?: number;
  /** Idle connections are closed after this. */
  readonly keepAliveMs?: number;
}

export interface FakeCollector {
  /** Without a trailing slash: what OTEL_EXPORTER_OTLP_ENDPOINT is set to. */
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** The next requests are treated so, one each; those after them as `always` says. */
  next(...behaviours: readonly Behaviour[]): void;
  /** Every further request is treated so; 200 to begin with. */
  always(behaviour: Behaviour): void;
  /** Of requests that were taken, in order. */
  spans(): readonly ReceivedSpan[];
  logs(): readonly ReceivedLog[];
  metrics(): readonly ReceivedMetric[];
  /** Spans, data points or records that were accepted. */
  count(signal: Signal): number;
  /** Waits until so many requests came (of a signal); fails after ten seconds. */
  waitFor(requests: number, signal?: Signal): Promise<void>;
  /** Waits until something is so; fails after ten seconds, naming it. */
  until(what: string, isSo: (collector: FakeCollector) => boolean): Promise<void>;
  /** Connections that were opened. */
  connections(): number;
  /** Ends all connections and the server. Called by itself when the test ends. */
  close(): Promise<void>;
}

const paths: Readonly<Record<Signal, string>> = { traces: '/v1/traces', metrics: '/v1/metrics', logs: '/v1/logs' };
const rejectedNames: Readonly<Record<Signal, string>> = { traces: 'rejectedSpans', metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords' };
const patience = 10_000;

/** Starts it; it ends with the test. */
export async function startCollector(t: Pick<TestContext, 'after'>, options: CollectorOptions = {}): Promise<FakeCollector> {
  const collector = new Collector(options);
  const server = await collector.listen();
  t.after(async () => {
    await collector.close();
    if (options.lenient !== true) assert.deepEqual(collector.received.flatMap(({ path, mistakes }) => mistakes.map((mistake) => `${path}: ${mistake}`)), [], 'every payload is right');
  });
  return server;
}

class Collector implements FakeCollector {
  readonly received: Received[] = [];
  readonly #accepted: Received[] = [];
  readonly #options: CollectorOptions;
  readonly #server: http.Server | https.Server;
  readonly #sockets = new Map<Socket, number>();
  #opened = 0;
  #next: Behaviour[] = [];
  #always: Behaviour = 200;
  port = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#server = makeServer(options, (request, response) => { void this.#take(request, response); });
    this.#server.keepAliveTimeout = options.keepAliveMs ?? 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#opened += 1;
      this.#sockets.set(socket, this.#opened);
      socket.on('error', () => undefined).on('close', () => { this.#sockets.delete(socket); });
    });
    this.#server.on('secureConnection', (socket: Socket) => { this.#sockets.set(socket, this.#opened); socket.on('error', () => undefined).on('close', () => { this.#sockets.delete(socket); }); });
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  next(...behaviours: readonly Behaviour[]): void { this.#next.push(...behaviours); }
  always(behaviour: Behaviour): void { this.#always = behaviour; }
  connections(): number { return this.#opened; }
  spans(): readonly ReceivedSpan[] { return this.#bodies('traces').flatMap(spansIn); }
  logs(): readonly ReceivedLog[] { return this.#bodies('logs').flatMap(logsIn); }
  metrics(): readonly ReceivedMetric[] { return this.#bodies('metrics').flatMap(metricsIn); }
  count(signal: Signal): number { return this.#bodies(signal).reduce((sum, body) => sum + countItems(signal, body), 0); }

  waitFor(requests: number, signal?: Signal): Promise<void> {
    return this.until(`${requests} requests${signal === undefined ? '' : ` of ${signal}`}`, ({ received }) => received.filter((one) => signal === undefined || one.signal === signal).length >= requests);
  }

  async until(what: string, isSo: (collector: FakeCollector) => boolean): Promise<void> {
    for (const end = performance.now() + patience; !isSo(this);) {
      if (performance.now() > end) assert.fail(`the collector waited ten seconds for ${what}, and received ${this.received.map(({ path }) => path).join(', ') || 'nothing'}`);
      await delay(5);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #bodies(signal: Signal): readonly string[] {
    return this.#accepted.filter((one) => one.signal === signal && one.mistakes.length === 0).map(({ body }) => body);
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const exchange = { request, response, socket: request.socket };
    const behaviour = this.#next.shift() ?? this.#always;
    if (behaviour === 'reset early') return waysToFail[behaviour](exchange);
    const sent = await bytesOf(request);
    if (sent === undefined) return;
    const received = this.#keep(request, sent);
    if (takers.has(behaviour)) this.#accepted.push(received);
    if (typeof behaviour === 'string') return waysToFail[behaviour](exchange);
    const answer = answerOf(behaviour, received.signal);
    if (answer.status < 300) this.#accepted.push(received);
    if (answer.afterMs > 0) await delay(answer.afterMs, undefined, { ref: false });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #keep(request: http.IncomingMessage, sent: Buffer): Received {
    const path = request.url ?? '';
    const signal = signals.find((one) => path.split('?')[0]?.endsWith(paths[one]));
    const body = request.headers['content-encoding'] === 'gzip' ? inflated(sent) : sent.toString();
    const socket = request.socket as Socket & { readonly getPeerCertificate?: () => { readonly subject?: { readonly CN?: string | readonly string[] } } };
    const mistakes = [...requestMistakes(request), ...(signal === undefined ? [] : checkPayload(signal, body))];
    const one = { signal, method: request.method ?? '', path, headers: request.headers, body, size: sent.length, mistakes, connection: this.#sockets.get(request.socket) ?? 0, client: socket.getPeerCertificate?.().subject?.CN?.toString() };
    this.received.push(one);
    return one;
  }
}

function makeServer({ tls, wantsClient = false }: CollectorOptions, take: http.RequestListener): http.Server | https.Server {
  if (tls === undefined) return http.createServer(take);
  const pem = (name: string): Buffer => readFileSync(fixture('siem', name));
  return https.createServer({ cert: pem(`${tls}.pem`), key: pem(`${tls}.key`), ca: pem('ca.pem'), requestCert: wantsClient, rejectUnauthorized: wantsClient }, take);
}

/** What the specification says of a request (docs/specification.md, "OTLP/HTTP Request"). */
function requestMistakes({ method, headers }: http.IncomingMessage): readonly string[] {
  const rules: readonly (readonly [isRight: boolean, words: string])[] = [
    [method === 'POST', `the method is ${method}`],
    [headers['content-type'] === 'application/json', `the content-type is ${headers['content-type']}`],
    [[undefined, 'gzip'].includes(headers['content-encoding']), `the content-encoding is ${headers['content-encoding']}`],
    [/OTel-OTLP-Exporter-[A-Za-z]+\/\S+$/.test(headers['user-agent'] ?? ''), `the user-agent is ${headers['user-agent']}`],
    [headers['content-length'] !== undefined || headers['transfer-encoding'] === 'chunked', 'the body has no length'],
  ];
  return rules.filter(([isRight]) => !isRight).map(([, words]) => words);
}

/** Undefined when it broke off. */
async function bytesOf(request: http.IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

function inflated(sent: Buffer): string {
  try {
    return gunzipSync(sent).toString();
  } catch (error) {
    return `no gzip: ${(error as Error).message}`;
  }
}

function answerOf(behaviour: Exclude<Behaviour, string>, signal: Signal | undefined): Required<Answer> {
  if (typeof behaviour === 'number') return answerOf({ status: behaviour }, signal);
  if ('rejected' in behaviour) {
    const partialSuccess = { [rejectedNames[signal ?? 'traces']]: String(behaviour.rejected), errorMessage: behaviour.message ?? '' };
    return answerOf({ body: JSON.stringify({ partialSuccess }) }, signal);
  }
  const { status = 200, headers = {}, afterMs = 0 } = behaviour;
  const body = behaviour.body ?? (status === 204 ? '' : JSON.stringify(status < 300 ? {} : { code: 3, message: `answered with ${status}` }));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body, afterMs };
}
