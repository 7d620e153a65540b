/**
 * One request of another machine, or of this one, bounded in time and size. Decides nothing about what comes back and follows
 * no redirect; what cannot be reached is `net.unreachable`, and says why without the query of the address, which may hold
 * what others must not read.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { LokiError, messageOf } from '../errors.ts';
import type { HttpClient, HttpQuestion, HttpReply } from '../ports.ts';

/** What was answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Far more than anything that is asked this way answers. */
const largestBody = 64 * 1024;

/** What is sent with a POST. */
export interface HttpPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The outside world. */
export const httpClient: HttpClient = { ask };

async function ask(question: HttpQuestion): Promise<HttpReply> {
  const { url, method, headers = {}, body, timeoutMs, limit, ca } = question;
  const target = URL.canParse(url) ? new URL(url) : undefined;
  const where = target === undefined ? 'an address' : `${target.origin}${target.pathname === '/' ? '' : target.pathname}`;
  const unreachable = (found: string, cause?: unknown): LokiError => new LokiError('net.unreachable', { attempted: `ask ${where}`, found, cause });
  if (target === undefined || (target.protocol !== 'http:' && target.protocol !== 'https:')) throw unreachable('it is no http address');
  const sent: Record<string, string> = { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) };
  const options: https.RequestOptions = {
    agent: false, method: method ?? (body === undefined ? 'GET' : 'POST'), headers: sent, minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      then();
    };
    const failed = (error: unknown): void => settle(() => reject(unreachable(messageOf(error), error)));
    const request = (target.protocol === 'https:' ? https : http).request(target, options, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on('data', (part: Buffer) => {
        size += part.length;
        if (size <= limit) {
          parts.push(part);
          return;
        }
        // Not left to the request's error: the end of what has arrived already would come before it.
        failed(new Error(`it answers more than ${limit} bytes`));
        request.destroy();
      });
      answer.once('error', failed);
      answer.once('end', () => settle(() => resolve({ status: answer.statusCode ?? 0, headers: fieldsOf(answer.headers), body: Buffer.concat(parts) })));
    });
    const timer = setTimeout(() => request.destroy(new Error(`it does not answer within ${timeoutMs} ms`)), timeoutMs);
    request.once('error', failed);
    request.end(body);
  });
}

/** By lower-case name; of a repeated field all values, with commas between. */
export function fieldsOf(headers: http.IncomingHttpHeaders): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]])));
}

/** The whole answer to GET `url`, or to POST with something to send; `net.unreachable` after at most `timeoutMs`. */
export async function httpAsk(url: string, timeoutMs: number, post?: HttpPost): Promise<HttpAnswer> {
  const { status, body } = await ask({ url, timeoutMs, limit: largestBody, ...post });
  return { status, body: Buffer.from(body).toString('utf8') };
}

/** As `httpAsk`, with GET. */
export const httpGet = (url: string, timeoutMs: number): Promise<HttpAnswer> => httpAsk(url, timeoutMs);
