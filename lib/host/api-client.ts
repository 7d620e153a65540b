/**
 * One call of a control plane, over a URL or the socket on this machine, bounded in time and size. Decides nothing about what
 * comes back, follows no redirect (a token is for the place it was meant for), and believes no certificate that the trusted
 * authorities did not sign. Whatever cannot be reached, breaks off or takes too long is `net.unreachable`, and says why.
 */
import * as http from 'node:http';
import type * as https from 'node:https';
import { LokiError } from '../errors.ts';
import { wordsOf } from './net-words.ts';

/** Where the control plane is: an http: or https: address, or the path of its socket on this machine. */
export type ApiPlace = { readonly base: string; /** PEM of the authorities that are believed, in place of the usual ones. */ readonly ca?: string } | { readonly socketPath: string };

export type ApiCall = ApiPlace & {
  readonly method: string;
  /** Path and query, from the root of the place. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; whoever gives JSON says so in the headers. */
  readonly body?: string;
  /** Until the answer is whole; of a stream, until it begins. */
  readonly timeoutMs: number;
  /** Bytes of an answer, or of one line of a stream; 16 MiB when left out. */
  readonly largest?: number;
  /** Aborting ends the call with `interrupted`, and a stream without a word. */
  readonly signal?: AbortSignal;
};

export interface ApiAnswer {
  readonly status: number;
  /** By lower-case name; those that came twice are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer whose lines come as they are written. Leaving the loop early ends the connection. */
export interface ApiStream extends AsyncIterable<string> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const usualLargest = 16 * 1024 * 1024;

/** A control plane says every 15 s that a stream lives. */
const quietestMs = 45_000;

/** The whole answer to one call. */
export async function askApi(call: ApiCall): Promise<ApiAnswer> {
  const calling = begin(call);
  try {
    const answer = await calling.answer;
    const largest = call.largest ?? usualLargest;
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of chunksOf(answer)) {
      size += part.byteLength;
      if (size > largest) throw unreachable(call, `it answers more than ${largest} bytes`);
      parts.push(part);
    }
    return { status: answer.statusCode ?? 0, headers: headersOf(answer), body: Buffer.concat(parts).toString('utf8') };
  } catch (error) {
    throw calling.failure(error);
  } finally {
    calling.end();
  }
}

/**
 * Resolves when the answer begins; its lines come without their ends, empty ones too, for a reader of server-sent events. An
 * answer with another status than the one hoped for is a problem document: its lines are that. Rejects, and breaks off, as `askApi`.
 */
export async function streamApi(call: ApiCall): Promise<ApiStream> {
  const calling = begin(call);
  try {
    const answer = await calling.answer;
    calling.began();
    return { status: answer.statusCode ?? 0, headers: headersOf(answer), [Symbol.asyncIterator]: () => linesOf(call, calling, answer) };
  } catch (error) {
    calling.end();
    throw calling.failure(error);
  }
}

async function* linesOf(call: ApiCall, calling: Calling, answer: http.IncomingMessage): AsyncGenerator<string, void, undefined> {
  const largest = call.largest ?? usualLargest;
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const part of chunksOf(answer)) {
      const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > largest) throw unreachable(call, `one line of its answer has more than ${largest} characters`);
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    if (rest !== '') yield rest;
  } catch (error) {
    if (call.signal?.aborted !== true) throw calling.failure(error);
  } finally {
    calling.end();
  }
}

/** A call under way. */
interface Calling {
  readonly answer: Promise<http.IncomingMessage>;
  /** From now on only silence ends it. */
  began(): void;
  end(): void;
  failure(error: unknown): LokiError;
}

function begin(call: ApiCall): Calling {
  const { timeoutMs, signal } = call;
  if (signal?.aborted === true) throw interrupted(call);
  const request = open(call);
  // An answer that is cut off tells only that it was.
  let broken: Error | undefined;
  const cut = (found: string): void => {
    broken ??= new Error(found);
    request.destroy(broken);
  };
  const timer = setTimeout(() => cut(`no answer within ${timeoutMs} ms`), timeoutMs);
  const stop = (): void => cut('it was interrupted');
  signal?.addEventListener('abort', stop, { once: true });
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new Error('it speaks another protocol'));
    });
    request.once('close', () => reject(new Error('the other side closed the connection')));
  });
  request.end(call.body);
  return {
    answer,
    began() {
      clearTimeout(timer);
      request.setTimeout(quietestMs, () => cut(`nothing came for ${quietestMs} ms`));
    },
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      request.destroy();
    },
    failure: (error) => (error instanceof LokiError ? error : signal?.aborted === true ? interrupted(call) : unreachable(call, wordsOf(broken ?? error), error)),
  };
}

function open(call: ApiCall): http.ClientRequest {
  const { method, path, body } = call;
  const headers = { accept: 'application/json', ...call.headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) };
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(path)) throw unreachable(call, `${JSON.stringify(path.slice(0, 80))} is no path`);
  try {
    // A connection of its own: nothing that was kept from before can be stale, or kept open after.
    if ('socketPath' in call) return http.request({ socketPath: call.socketPath, method, path, headers: { host: 'localhost', ...headers }, agent: false });
    const target = URL.canParse(call.base) ? new URL(call.base) : undefined;
    const url = target === undefined ? '' : `${target.origin}${target.pathname.replace(/\/+$/, '')}${path}`;
    if (target?.protocol === 'http:') return http.request(url, { method, headers, agent: false });
    if (target?.protocol !== 'https:') throw unreachable(call, 'it is no http or https address');
    const { request }: typeof https = process.getBuiltinModule('node:https');
    // Said, as otherwise the variable NODE_TLS_REJECT_UNAUTHORIZED would have a say.
    return request(url, { method, headers, agent: false, minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(call.ca === undefined ? {} : { ca: call.ca }) });
  } catch (error) {
    throw error instanceof LokiError ? error : unreachable(call, wordsOf(error), error);
  }
}

/** What an ended answer holds; one that breaks off before its end throws. */
async function* chunksOf(answer: http.IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of answer) if (part instanceof Uint8Array) yield part;
  if (!answer.complete) throw new Error('its answer broke off');
}

function headersOf(answer: http.IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(answer.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]));
}

function whereIs(call: ApiCall): string {
  return 'socketPath' in call ? call.socketPath : call.base;
}

function unreachable(call: ApiCall, found: string, cause?: unknown): LokiError {
  const hint = /certificate/i.test(found) ? { hint: 'Where an authority of your own signed it, name the file of its certificate in NODE_EXTRA_CA_CERTS' } : {};
  return new LokiError('net.unreachable', { attempted: `ask ${whereIs(call)}`, found, cause, ...hint });
}

function interrupted(call: ApiCall): LokiError {
  return new LokiError('interrupted', { attempted: `ask ${whereIs(call)}`, found: 'it was interrupted' });
}
