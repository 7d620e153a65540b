/**
 * The other side of a server, as a process of its own: `client` sends requests over connections that it keeps, a next one as
 * soon as the answer to the last has come; `bare` is node:http that answers every request with what it was told to.
 */
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';

/** So many requests over so many connections; each connection takes them in turn. */
export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly requests: readonly string[];
  readonly status: number;
}

/** Milliseconds. */
export interface LoadResult {
  readonly took: number;
  readonly median: number;
  readonly p99: number;
}

/** What `bare` answers. */
export interface BareAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A connection, and what is done with the answer that it waits for. */
interface Line {
  readonly socket: Socket;
  answered: (status: number) => void;
}

const lines = new Map<number, Line[]>();

// `node --test` without names starts this file too, and it is no test.
if (process.send === undefined) process.exit(0);
if (process.argv[2] === 'bare') process.once('message', (answer: BareAnswer) => { serve(answer); });
else process.on('message', (order: LoadOrder) => { void load(order).then((result) => process.send?.(result)); });
process.once('disconnect', () => process.exit(0));

function serve({ status, headers, body }: BareAnswer): void {
  const fields = Object.fromEntries(headers.map((name, at) => (at % 2 === 0 ? [name, headers[at + 1]] : [])).filter(({ length }) => length > 0));
  // A connection rests while the other server is asked, and is kept.
  const server = createServer({ keepAliveTimeout: 300_000 }, (_, response) => {
    response.writeHead(status, fields);
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
  });
}

async function load({ port, connections, count, requests, status: wanted }: LoadOrder): Promise<LoadResult> {
  const open = lines.get(port) ?? [];
  lines.set(port, open);
  while (open.length < connections) open.push(await openLine(port));
  const times = new Float64Array(count);
  const begun = performance.now();
  let [sent, done] = [0, 0];
  await new Promise<void>((resolve) => {
    for (const line of open.slice(0, connections)) {
      let from = 0;
      const next = (): void => {
        if (sent >= count) return;
        from = performance.now();
        line.socket.write(requests[sent % requests.length] ?? '', 'latin1');
        sent += 1;
      };
      line.answered = (status) => {
        if (status !== wanted) throw new Error(`answered with ${status}`);
        times[done] = performance.now() - from;
        done += 1;
        if (done === count) resolve();
        else next();
      };
      next();
    }
  });
  const took = performance.now() - begun;
  times.sort();
  return { took, median: times[Math.floor(count / 2)] ?? 0, p99: times[Math.floor(count * 0.99)] ?? 0 };
}

function openLine(port: number): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const line: Line = { socket, answered: () => undefined };
    let text = '';
    socket.setEncoding('latin1');
    socket.once('connect', () => resolve(line));
    socket.once('error', reject);
    socket.once('close', () => { throw new Error('a connection was closed'); });
    socket.on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = text.indexOf('Content-Length: ');
      if (text.length < end + 4 + Number.parseInt(text.slice(length + 16, length + 26), 10)) return;
      const status = Number(text.slice(9, 12));
      text = '';
      line.answered(status);
    });
  });
}
