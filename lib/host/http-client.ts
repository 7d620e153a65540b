/**
 * One request of an address on this machine or its network, bounded in time and size. Decides nothing about what comes
 * back; what cannot be reached is `net.unreachable`, and says why.
 */
import * as http from 'node:http';
import { LokiError, messageOf } from '../errors.ts';

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

/** The whole answer to GET `url` (http:), or to POST with something to send; `net.unreachable` after at most `timeoutMs`. */
export async function httpAsk(url: string, timeoutMs: number, post?: HttpPost): Promise<HttpAnswer> {
  const unreachable = (found: string, cause?: unknown): LokiError => new LokiError('net.unreachable', { attempted: `ask ${url}`, found, cause });
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') throw unreachable('it is no http address');
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, method: post === undefined ? 'GET' : 'POST', headers: { accept: 'application/json', ...post?.headers } }, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on('data', (part: Buffer) => {
        size += part.length;
        if (size > largestBody) request.destroy(new Error(`it answers more than ${largestBody} bytes`));
        else parts.push(part);
      });
      answer.once('error', (error) => settle(() => reject(unreachable(messageOf(error), error))));
      answer.once('end', () => settle(() => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') })));
    });
    const timer = setTimeout(() => request.destroy(new Error(`it does not answer within ${timeoutMs} ms`)), timeoutMs);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      then();
    };
    request.once('error', (error) => settle(() => reject(unreachable(messageOf(error), error))));
    request.end(post?.body);
  });
}

/** As `httpAsk`, with GET. */
export const httpGet = (url: string, timeoutMs: number): Promise<HttpAnswer> => httpAsk(url, timeoutMs);
