/**
 * The `ExportTransport` driver: one POST over a connection that is kept, bounded in time and in what is read. Believes a server by its certificate
 * alone, follows no redirect, and knows no proxy: HTTP_PROXY and the like are not looked at. Decides nothing about what is answered.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import * as zlib from 'node:zlib';
import type { ExportAnswer, ExportRequest, ExportTransport } from '../base/telemetry-ports.ts';
import { messageOf, systemCode } from '../errors.ts';
import { fieldsOf } from './http-client.ts';
import { judgedLookup, type RefusedAddress } from './judged-lookup.ts';
import { wordsOf } from './net-words.ts';

/** What is read of an answer, packed or not: what the specification of the exporter recommends. */
const largestAnswer = 4 * 1024 * 1024;
/** A connection on which nothing was sent for so long is closed; more than the minute between two exports of metrics. */
const idleMs = 90_000;
const mostIdle = 4;
const longestMessage = 300;
/** For a body, at first; and what is kept for the next one. */
const [leastMemory, mostMemory] = [256 * 1024, 2 * 1024 * 1024];
/** Said of each agent, as otherwise the variable NODE_TLS_REJECT_UNAUTHORIZED would have a say. */
const believed = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const;

/** One for all destinations: connections are kept apart by host, port and certificates. `refused` judges the addresses that names lead to. */
export function createExportTransport(refused: RefusedAddress = () => undefined): ExportTransport {
  const lookup = judgedLookup(refused);
  const keeping = { keepAlive: true, timeout: idleMs, maxFreeSockets: mostIdle };
  const agents: Agents = { lookup, http: new http.Agent(keeping), https: new https.Agent({ ...keeping, ...believed }) };
  const open = new Set<http.ClientRequest>();
  const memory = new Memory();
  let isClosed = false;
  return {
    async post(request) {
      if (isClosed) return unreachable(undefined, 'sending has ended');
      try {
        return await exchange(request, agents, open, memory);
      } catch (error) {
        // What makes no request at all: a header that cannot be sent, a certificate that is none, an address that is none.
        return unreachable(error, `it cannot be sent: ${messageOf(error)}`);
      }
    },
    close() {
      isClosed = true;
      for (const request of open) request.destroy(new Error('sending has ended'));
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

interface Agents {
  readonly lookup: LookupFunction;
  readonly http: http.Agent;
  readonly https: https.Agent;
}

function unreachable(error: unknown, message: string = wordsOf(error)): ExportAnswer {
  return { kind: 'unreachable', code: systemCode(error), message: message.slice(0, longestMessage) };
}

/** Bodies are written into the same memory again and again: new memory of that size comes from the system each time, which costs more than all that is done with it. */
class Memory {
  #spare: Buffer | undefined;

  /** The text of the pieces. */
  write(pieces: readonly string[]): Buffer {
    const size = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
    const spare = this.#spare;
    this.#spare = undefined;
    const into = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(Math.max(size, leastMemory));
    let at = 0;
    for (const piece of pieces) at += into.write(piece, at);
    return into.subarray(0, at);
  }

  /** Nobody reads it any more. */
  free(text: Buffer): void {
    if (text.buffer.byteLength <= mostMemory) this.#spare = Buffer.from(text.buffer);
  }
}

/** Level 1: half the time of the usual level, for a tenth more bytes. */
async function packed(bytes: Buffer, gzip: boolean): Promise<Uint8Array> {
  if (!gzip) return bytes;
  return new Promise((resolve, reject) => { zlib.gzip(bytes, { level: 1 }, (error, result) => (error === null ? resolve(result) : reject(error))); });
}

/**
 * A connection that was kept may be closed by the other side at the very moment it is used again. Then, and only when nothing was answered, the
 * request goes out once more, over a connection of its own.
 */
async function exchange(request: ExportRequest, agents: Agents, open: Set<http.ClientRequest>, memory: Memory): Promise<ExportAnswer> {
  const text = memory.write(request.body);
  const body = await packed(text, request.gzip);
  let current: http.ClientRequest | undefined;
  const timer = request.timeoutMs === 0 ? undefined : setTimeout(() => current?.destroy(new Error(`no answer within ${request.timeoutMs} ms`)), request.timeoutMs);
  timer?.unref();
  const begin = (kept: Partial<Agents>): http.ClientRequest => {
    if (current !== undefined) open.delete(current);
    current = requestOf(request, body, kept, agents.lookup);
    open.add(current);
    return current;
  };
  try {
    const first = await answerOf(begin(agents), body);
    if (first !== 'stale') return first;
    const second = await answerOf(begin({}), body);
    return second === 'stale' ? unreachable(undefined, closedWords) : second;
  } finally {
    clearTimeout(timer);
    if (current !== undefined) open.delete(current);
    // Answered before all was sent: the rest would be waited for, and nobody waits any more.
    if (current?.writableFinished === false) current.destroy();
    else memory.free(text);
  }
}

const closedWords = 'the other side closed the connection';

/** Without agents: over a connection of its own. */
function requestOf({ url, headers, gzip, tls }: ExportRequest, body: Uint8Array, agents: Partial<Agents>, lookup: LookupFunction): http.ClientRequest {
  const target = new URL(url);
  const sent = { ...headers, 'content-type': 'application/json', 'accept-encoding': 'identity', ...(gzip ? { 'content-encoding': 'gzip' } : {}), 'content-length': String(body.length) };
  if (target.protocol !== 'https:') return http.request(target, { method: 'POST', headers: sent, lookup, agent: agents.http ?? false });
  return https.request(target, { method: 'POST', headers: sent, lookup, agent: agents.https ?? false, ...believed, ...tls });
}

/** `stale`: the kept connection was gone, and the other side said nothing. */
async function answerOf(request: http.ClientRequest, body: Uint8Array): Promise<ExportAnswer | 'stale'> {
  return new Promise((resolve) => {
    let readBefore = 0;
    request.once('socket', (socket) => {
      socket.unref();
      readBefore = socket.bytesRead;
    });
    const isStale = (error: unknown): boolean => {
      const code = systemCode(error);
      return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE') && request.socket?.bytesRead === readBefore;
    };
    request.on('error', (error) => resolve(isStale(error) ? 'stale' : unreachable(error)));
    request.once('response', (answer) => resolve(readAnswer(answer, request)));
    // As after an answer that asks for another protocol: it is neither an answer nor an error.
    request.once('close', () => resolve(unreachable(undefined, closedWords)));
    request.end(body);
  });
}

/** Once the status is known it counts, whatever becomes of the rest: receivers are judged by it alone. */
async function readAnswer(answer: http.IncomingMessage, request: http.ClientRequest): Promise<ExportAnswer> {
  const status = answer.statusCode ?? 0;
  const parts: Buffer[] = [];
  const isWithin = await new Promise<boolean>((resolve) => {
    let size = 0;
    answer.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= largestAnswer) parts.push(part);
      else resolve(false);
    });
    for (const event of ['end', 'error', 'close'] as const) answer.on(event, () => resolve(true));
  });
  const body = isWithin ? await inflated(Buffer.concat(parts), answer.headers['content-encoding']) : undefined;
  if (!isWithin) request.destroy();
  if (body === undefined) return { kind: 'overrun', status, message: `it answered ${status} with more than ${largestAnswer} bytes` };
  return { kind: 'answered', status, headers: fieldsOf(answer.headers), body };
}

/** The text of an answer; undefined when it is more than is read, and empty when it is packed in a way we did not ask for and do not know. */
async function inflated(bytes: Buffer, encoding: string | undefined): Promise<string | undefined> {
  if (encoding === undefined || encoding === 'identity') return bytes.toString('utf8');
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return '';
  return new Promise((resolve) => {
    zlib.gunzip(bytes, { maxOutputLength: largestAnswer }, (error, text) => {
      if (error === null) resolve(text.toString('utf8'));
      else resolve(systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? undefined : '');
    });
  });
}
