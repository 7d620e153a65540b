/**
 * Two thousand open event streams on one run: how long an event takes to reach all of them, against a bare `node:http` server that
 * writes the same bytes to as many. The readers are another process, as they are in life. Memory is held to its bound as well.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listenHttp } from '../../lib/host/http-server.ts';
import { usualStreamLimits } from '../../lib/server/streams.ts';
import { createKit, event, putRun } from '../support/api-kit.ts';
import { openStoreAt } from '../support/embedded-stores.ts';
import { over } from '../../lib/server/checked-request.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { sseEvent } from '../../lib/formats/sse.ts';
import type { Bench } from './harness.ts';

const readers = 2000;
const events = 10;
const mostMegabytes = 400;

/** Opens the streams of one server, and hears when all of them have had an event. */
interface Readers {
  all(seq: number): Promise<void>;
  end(): void;
}

async function openReaders(port: number, path: string): Promise<Readers> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./stream-readers.js', import.meta.url)), [String(port), path, String(readers)]);
  const waiting = new Map<number, () => void>();
  const had = new Set<number>();
  const open = new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the readers ended')));
    child.on('message', (message: 'open' | number) => {
      if (message === 'open') return resolve();
      had.add(message);
      waiting.get(message)?.();
    });
  });
  await open;
  return {
    all: (seq) => new Promise((resolve) => {
      if (had.has(seq)) resolve();
      else waiting.set(seq, resolve);
    }),
    end: () => { child.kill(); },
  };
}

export const streamBenches: readonly Bench[] = [{
  name: 'streams.event', unit: 'events to 2,000 streams', rounds: 5,
  promise: { kind: 'at most plus', milliseconds: 300 },
  async prepare() {
    const home = mkdtempSync(join(tmpdir(), 'loki-streams-'));
    // What drives a run is another process: its events come by the files of the store.
    const [kept, store] = [await openStoreAt(home), await openStoreAt(home)];
    const { api } = createKit({ rateLimit: 0, streams: { ...usualStreamLimits, perCaller: readers * 2 } }, { store: kept });
    const run = await putRun(store, 1);
    const server = await listenHttp({ ...api, answer: (request) => api.answer(over(request, { port: 57374, headers: request.headers.map(([name, value]) => [name, name === 'host' ? '127.0.0.1:57374' : value] as const) })) }, { host: '127.0.0.1', port: 0 });
    const ours = await openReaders(server.port, `/api/v2/runs/${run}/events`);
    const responses: ServerResponse[] = [];
    const bare = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      responses.push(response);
    }).listen(0, '127.0.0.1');
    await once(bare, 'listening');
    const address = bare.address();
    const theirs = await openReaders(typeof address === 'object' && address !== null ? address.port : 0, '/');
    let [seq, other] = [0, 0];
    return {
      subject: {
        name: 'the control plane',
        async run() {
          for (let at = 0; at < events; at += 1) {
            seq += 1;
            // Where nothing happens, the store is looked at less often.
            await new Promise((resolve) => { setTimeout(resolve, 37); });
            await store.transact([], [{ key: runKeys.event(run, seq), value: { ...event(seq) } }]);
            await ours.all(seq);
          }
          const megabytes = process.memoryUsage.rss() / 1024 / 1024;
          if (megabytes > mostMegabytes) throw new Error(`${readers} streams take ${Math.round(megabytes)} MB`);
          return events;
        },
      },
      floor: {
        name: 'bare node:http',
        async run() {
          for (let at = 0; at < events; at += 1) {
            other += 1;
            const text = sseEvent({ id: String(other), data: JSON.stringify(event(other)) });
            for (const response of responses) response.write(text);
            await theirs.all(other);
          }
          return events;
        },
      },
      async clean() {
        const megabytes = Math.round(process.memoryUsage.rss() / 1024 / 1024);
        process.stderr.write(`       ${readers} streams here, as many on the bare server in the same process: ${megabytes} MB\n`);
        ours.end();
        theirs.end();
        api.drain();
        bare.closeAllConnections();
        bare.close();
        await server.close(1000);
        await kept.close();
        await store.close();
        rmSync(home, { recursive: true, force: true });
      },
    };
  },
}];
