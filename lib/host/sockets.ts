/**
 * Outgoing connections: datagrams, streams plain and encrypted, one HTTP request. Bounded in time and size. Loaded only
 * where something is to be sent.
 */
import * as dgram from 'node:dgram';
import { promises as dns } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { Datagrams, PostAnswer, PostRequest, PresentedCertificate, Sockets, StreamConnection, StreamTarget, TlsTrust } from '../ports.ts';
import { LokiError, messageOf, systemCode } from '../errors.ts';
import { systemWords, wordsOf } from './net-words.ts';

/** Word that nobody listens comes back within a round trip, if at all. */
const refusalMs = 30;
/** What is read of an answer. */
const largestAnswer = 64 * 1024;
/** What is written at a time. */
const sliceBytes = 32 * 1024;
const oldestTls = 'TLSv1.2';

export const sockets: Sockets = { resolve, datagrams, connect, inspect, post };

async function resolve(host: string, timeoutMs: number): Promise<readonly string[]> {
  if (net.isIP(host.replace(/%.*$/, '')) !== 0) return [host];
  try {
    const found = await within(timeoutMs, dns.lookup(host, { all: true }));
    return found.map(({ address }) => address);
  } catch (error) {
    throw unreachable(`find the address of ${host}`, systemWords[systemCode(error) ?? ''] ?? messageOf(error), error);
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds); });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(attempted: string, found: string, cause: unknown): LokiError {
  return new LokiError('net.unreachable', { attempted, found, cause, hint: 'Check the address, the port and the firewall; then run: loki syslog test' });
}

/** A connected socket: only so does the system tell that nobody listens at the other end. */
async function datagrams(address: string, port: number): Promise<Datagrams> {
  const where = `send to ${at(address, port)} over UDP`;
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  let refused: Error | undefined;
  const check = (): void => {
    const error = refused;
    refused = undefined;
    if (error !== undefined) throw unreachable(where, wordsOf(error), error);
  };
  socket.on('error', (error) => { refused = error; });
  await new Promise<void>((done) => {
    socket.once('error', () => done());
    socket.connect(port, address, () => done());
  });
  try {
    check();
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    async send(bytes) {
      check();
      await new Promise<void>((done, reject) => { socket.send(bytes, (error) => (error === null ? done() : reject(unreachable(where, wordsOf(error), error)))); });
    },
    async settled() {
      await new Promise((done) => { setTimeout(done, refusalMs); });
      check();
    },
    close: () => { socket.close(); },
  };
}

function at(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Said, as otherwise the variable NODE_TLS_REJECT_UNAUTHORIZED would have a say. */
const believed = { minVersion: oldestTls, rejectUnauthorized: true } as const;

type TlsTarget = Omit<StreamTarget, 'stallMs'> & { readonly tls: TlsTrust };

function tlsOptions({ address, port, tls: trust }: TlsTarget): tls.ConnectionOptions {
  const { name, ca, cert, key } = trust;
  // An address is no server name (RFC 6066 section 3); then the certificate must be for the address.
  const named = net.isIP(name) === 0 ? { servername: name } : {};
  return { host: address, port, ...named, ...believed, ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

async function connect(target: StreamTarget): Promise<StreamConnection> {
  const { address, port, timeoutMs, stallMs, tls: trust } = target;
  const where = `connect to ${at(address, port)}${trust === undefined ? '' : ' over TLS'}`;
  const socket = opened(where, () => (trust === undefined ? net.connect({ host: address, port }) : tls.connect(tlsOptions({ ...target, tls: trust }))));
  await settledEvent(socket, trust === undefined ? 'connect' : 'secureConnect', where, timeoutMs);
  return streamOver(socket, where, stallMs);
}

/** Certificates and keys that are none throw at once. */
function opened<T>(where: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new LokiError('config.invalid', {
      attempted: where, found: `a certificate or key cannot be used: ${messageOf(error)}`, cause: error, hint: 'enterprise.siem.syslog.ca, cert and key name PEM files; the key has no passphrase',
    });
  }
}

async function settledEvent(socket: net.Socket, event: 'connect' | 'secureConnect', where: string, timeoutMs: number): Promise<void> {
  await new Promise<void>((done, reject) => {
    const failed = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachable(where, wordsOf(error), error));
    };
    const timer = setTimeout(() => failed(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', failed);
    const closed = (): void => failed(new Error('the other side closed the connection'));
    socket.once('close', closed);
    socket.once(event, () => {
      clearTimeout(timer);
      // An error that comes before anybody else listens would end the process.
      socket.on('error', () => undefined);
      socket.removeListener('error', failed);
      socket.removeListener('close', closed);
      done();
    });
  });
}

function streamOver(socket: net.Socket, where: string, stallMs: number): StreamConnection {
  let broken: LokiError | undefined;
  let ended = false;
  let wake: () => void = () => undefined;
  const breaks = (found: string, cause?: unknown): void => {
    broken ??= unreachable(where, found, cause);
    socket.destroy();
    wake();
  };
  socket.setNoDelay(true);
  socket.on('error', (error) => breaks(wordsOf(error), error));
  // Who ends before we do may have left unread what was sent last.
  socket.on('end', () => { if (!ended) breaks('the other side ended the connection'); });
  socket.on('close', () => { if (!ended) breaks('the connection was closed'); wake(); });
  socket.resume();
  if (socket.destroyed) breaks('the connection was closed');
  const check = (): void => { if (broken !== undefined) throw broken; };
  return {
    async write(bytes) {
      // In slices, so that a slow line is told from one on which nothing moves.
      for (let at = 0; at < bytes.length; at += sliceBytes) {
        check();
        const timer = setTimeout(() => breaks(`it takes nothing for ${stallMs} ms`), stallMs);
        await new Promise<void>((done) => {
          wake = done;
          socket.write(bytes.subarray(at, at + sliceBytes), () => done());
        });
        clearTimeout(timer);
      }
      check();
    },
    async end(timeoutMs) {
      check();
      ended = true;
      let closed = false;
      const timer = setTimeout(() => wake(), timeoutMs);
      await new Promise<void>((done) => {
        wake = done;
        socket.once('close', () => { closed = true; done(); });
        socket.end();
      });
      clearTimeout(timer);
      socket.destroy();
      check();
      return closed;
    },
    destroy() {
      ended = true;
      socket.destroy();
    },
  };
}

/** The only place that talks to a server it does not believe, and it says nothing there. */
async function inspect(target: TlsTarget): Promise<PresentedCertificate> {
  const where = `look at the certificate of ${at(target.address, target.port)}`;
  const socket = opened(where, () => tls.connect({ ...tlsOptions(target), rejectUnauthorized: false }));
  await settledEvent(socket, 'secureConnect', where, target.timeoutMs);
  socket.on('error', () => undefined);
  const certificate = socket.getPeerX509Certificate();
  const error: unknown = socket.authorizationError;
  const refused = socket.authorized ? undefined : error instanceof Error ? systemCode(error) ?? error.message : String(error);
  const inspected: PresentedCertificate = {
    subject: oneLine(certificate?.subject), names: oneLine(certificate?.subjectAltName), issuer: oneLine(certificate?.issuer),
    validTo: certificate?.validTo ?? '', protocol: socket.getProtocol() ?? '',
    refused: refused === undefined ? undefined : systemWords[refused] ?? refused,
  };
  socket.destroy();
  return inspected;
}

function oneLine(text: string | undefined): string {
  return (text ?? '').replace(/\s*\n\s*/g, ', ').slice(0, 500);
}

async function post({ url, address, headers, body, timeoutMs, ca }: PostRequest): Promise<PostAnswer> {
  const target = new URL(url);
  const where = `send to ${target.origin}${target.pathname}`;
  const options: https.RequestOptions = {
    method: 'POST', agent: false, headers: { ...headers, 'Content-Length': body.length },
    // The address was judged; the name is not asked for again.
    lookup: (_host, how, answer) => {
      const family = net.isIPv6(address) ? 6 : 4;
      if (how.all === true) answer(null, [{ address, family }]);
      else answer(null, address, family);
    },
    ...believed, ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    let answered = false;
    const failed = (error: unknown): void => { clearTimeout(timer); reject(unreachable(where, wordsOf(error), error)); };
    const request = (target.protocol === 'https:' ? https : http).request(target, options, (answer) => {
      answered = true;
      const parts: Buffer[] = [];
      let size = 0;
      answer.on('data', (part: Buffer) => {
        size += part.length;
        if (size > largestAnswer) request.destroy(new Error(`it answers more than ${largestAnswer} bytes`));
        else parts.push(part);
      });
      answer.on('error', failed);
      answer.once('end', () => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, retryAfterS: secondsOf(answer.headers['retry-after']), body: Buffer.concat(parts).toString('utf8') });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', failed);
    // As after an answer that asks for another protocol: it is neither an answer nor an error.
    request.once('close', () => { if (!answered) failed(new Error('the other side closed the connection')); });
    request.end(body);
  });
}

/** `Retry-After` as seconds or as a date (RFC 9110 section 10.2.3). */
function secondsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
