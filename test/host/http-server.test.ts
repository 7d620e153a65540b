/** The control plane on a real socket: hostile bytes, slow clients, orderly ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { HttpHandler } from '../../lib/base/http.ts';
import { listenHttp, type HttpLimits, type HttpServer } from '../../lib/host/http-server.ts';
import { timers } from '../../lib/host/time.ts';
import { anything } from '../../lib/server/shape.ts';
import { createKit, localToken, putEvents, putRun, type Kit } from '../support/api-kit.ts';
import { fixture } from '../support/root.ts';

const open: HttpServer[] = [];
after(async () => { await Promise.all(open.map((server) => server.close(0))); });

async function start(handler: HttpHandler, limits: Partial<HttpLimits> = {}): Promise<HttpServer> {
  const server = await listenHttp(handler, { host: '127.0.0.1', port: 0, limits });
  open.push(server);
  return server;
}

async function serve(limits: Partial<HttpLimits> = {}, options: Parameters<typeof createKit>[0] = {}): Promise<{ readonly kit: Kit; readonly server: HttpServer; readonly url: string }> {
  const kit = createKit({ rateLimit: 0, ...options });
  const server = await start(kit.api, limits);
  return { kit, server, url: `http://127.0.0.1:${server.port}` };
}

/** Everything the server says to raw bytes, until it closes or `waitMs` have passed. */
async function raw(server: HttpServer, bytes: string | Uint8Array, waitMs: number = 2000): Promise<{ readonly text: string; readonly closed: boolean }> {
  const socket = net.connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
  socket.on('error', () => undefined);
  socket.write(bytes);
  const closed = await Promise.race([once(socket, 'close').then(() => true), timers.sleep(waitMs).then(() => false)]);
  socket.destroy();
  return { text, closed };
}

test('it answers over HTTP, each answer with its headers', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/api/status`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'/);
  assert.match(response.headers.get('x-request-id') ?? '', /^req_/);
  assert.equal(response.headers.get('x-powered-by'), null);
  const head = await fetch(`${url}/api/runs`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '2');
  assert.equal(await head.text(), '');
});

test('a browser page of another site gets nothing by a name of its own (DNS rebinding)', async () => {
  const { kit, server } = await serve();
  const { text } = await raw(server, `GET /api/audit HTTP/1.1\r\nHost: evil.example:${server.port}\r\nConnection: close\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 403 /);
  assert.deepEqual(kit.asked, []);
});

test('bytes that are no request are answered with a problem and no stack, and end the connection', async () => {
  const { server } = await serve();
  const host = `Host: 127.0.0.1:${server.port}\r\n`;
  const cases: readonly (readonly [name: string, bytes: string, status: RegExp])[] = [
    ['garbage', '\u0000\u0001\u0002 nonsense\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001', /^HTTP\/1\.1 400 /],
    ['no version', 'GET /\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['both lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`, /^HTTP\/1\.1 400 /],
    ['a negative length', `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a folded header', `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\nTransfer-Encoding : chunked\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a bare line feed in a header', `GET / HTTP/1.1\r\n${host}X: a\u0000b\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a huge header', `GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['many headers', `GET / HTTP/1.1\r\n${host}${Array.from({ length: 150 }, (_, at) => `X-${at}: y\r\n`).join('')}Connection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a proxy request', `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    ['an upgrade', `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['an unknown expectation', `POST / HTTP/1.1\r\n${host}Expect: nothing\r\nContent-Length: 1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['absolute form', `GET http://evil.example/ HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['two hosts', `GET / HTTP/1.1\r\n${host}Host: evil.example\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
  ];
  for (const [name, bytes, status] of cases) {
    const { text, closed } = await raw(server, Buffer.from(bytes, 'latin1'));
    assert.match(text, status, name);
    assert.ok(closed, `${name}: the connection is closed`);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    assert.match(head, /content-type: application\/problem\+json/i, name);
    assert.match(head, /x-request-id: req_/i, name);
    const problem = JSON.parse(body);
    assert.match(status.source, new RegExp(String(problem.status)), name);
    assert.doesNotMatch(body, /node:|\.ts|HPE_|Parse Error/, name);
  }
});

test('garbage after a good request does not spoil its answer, and ends the connection', async () => {
  const { server } = await serve();
  const { text, closed } = await raw(server, `GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\nGARBAGE\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /\{"status":"ok"\}/);
  assert.ok(closed);
});

test('pipelined requests are answered each, in order', async () => {
  const { server } = await serve();
  const one = (path: string, more: string = ''): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${more}\r\n`;
  const { text } = await raw(server, one('/health/live') + one('/api/nothing') + one('/api/status', 'Connection: close\r\n'));
  assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]), ['200', '404', '200']);
});

test('a body that a reading route did not want is not taken for the next request', async () => {
  const { server } = await serve();
  const smuggled = `GET /api/audit HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`;
  const { text, closed } = await raw(server, `GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: ${smuggled.length + 10}\r\n\r\n${smuggled}`);
  assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]), ['400']);
  assert.ok(closed);
});

test('a client that sends its header slowly, or its body, is cut off with 408', async () => {
  const { kit, server } = await serve({ headersMs: 200, requestMs: 300, checkMs: 50 }, { moreRoutes: [{
    method: 'POST', path: '/api/things', operation: 'things.create', summary: 'A thing', scope: 'write', body: anything(), answer: { status: 201, about: 'Done' },
    handle: async () => ({ status: 201, headers: {} }),
  }] });
  const host = `Host: 127.0.0.1:${server.port}\r\n`;
  const header = await raw(server, `GET / HTTP/1.1\r\n${host}X-Slow: `);
  assert.match(header.text, /^HTTP\/1\.1 408 /);
  assert.ok(header.closed);
  const body = await raw(server, `POST /api/things HTTP/1.1\r\n${host}Authorization: Bearer ${localToken}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":`);
  assert.match(body.text, /^HTTP\/1\.1 408 /);
  assert.ok(body.closed);
  assert.equal(kit.recorded.filter(({ event }) => event === 'api.error').length, 0);
});

test('a body that is too long is refused without being read', async () => {
  const bodies: unknown[] = [];
  const { server } = await serve({}, { moreRoutes: [{
    method: 'POST', path: '/api/things', operation: 'things.create', summary: 'A thing', scope: 'write', body: anything(), answer: { status: 201, about: 'Done' },
    handle: async ({ body }) => {
      bodies.push(body);
      return { status: 201, headers: {} };
    },
  }] });
  const start = `POST /api/things HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${localToken}\r\nContent-Type: application/json\r\n`;
  const declared = await raw(server, `${start}Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n`);
  assert.match(declared.text, /^HTTP\/1\.1 413 /);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const chunked = await raw(server, `${start}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`);
  assert.match(chunked.text, /HTTP\/1\.1 413 /);
  const fine = await raw(server, `${start}Content-Length: 7\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n{"a":1}`);
  assert.match(fine.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  assert.deepEqual(bodies, [{ a: 1 }]);
});

test('a stream over the socket resumes by Last-Event-ID', async () => {
  const { kit, url } = await serve();
  const id = await putRun(kit.store, 1);
  await putEvents(kit.store, id, 1, 50);
  const read = async (last: string, until: string): Promise<string> => {
    const response = await fetch(`${url}/api/runs/${id}/events`, { headers: { 'last-event-id': last } });
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(`\nid: ${until}\n`) || text.startsWith(`id: ${until}\n`)) break;
    }
    return text;
  };
  assert.deepEqual([...(await read('0', '50')).matchAll(/^id: (\d+)$/gm)].length, 50);
  await putEvents(kit.store, id, 51, 60);
  assert.deepEqual([...(await read('50', '60')).matchAll(/^id: (\d+)$/gm)].map((match) => match[1]), ['51', '52', '53', '54', '55', '56', '57', '58', '59', '60']);
  for (let wait = 0; kit.api.openStreams() > 0 && wait < 100; wait += 1) await timers.sleep(10);
  assert.equal(kit.api.openStreams(), 0, 'a reader that went frees its place');
});

test('a reader that takes nothing is cut off, and what it did not take is not kept for it', async () => {
  let produced = 0;
  let ended = false;
  const part = `data: ${'x'.repeat(65_536)}\n\n`;
  const handler: HttpHandler = {
    malformed: () => ({ status: 400, headers: {} }),
    answer: async ({ signal }) => ({ status: 200, headers: {}, stream: (async function* () {
      try {
        while (!signal.aborted) {
          produced += 1;
          yield part;
        }
      } finally {
        ended = true;
      }
    })() }),
  };
  const server = await start(handler, { slowReaderMs: 300 });
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
  await timers.sleep(150);
  const before = produced;
  await timers.sleep(100);
  assert.equal(produced, before, 'nothing more is made while it does not read');
  assert.ok(produced < 400, `${produced} parts of 64 KiB went into the buffers of the kernel`);
  for (let wait = 0; !ended && wait < 200; wait += 1) await timers.sleep(10);
  assert.ok(ended, 'the stream was let go');
  socket.destroy();
});

test('an answer nobody waits for is aborted', async () => {
  const seen: AbortSignal[] = [];
  const server = await start({
    malformed: () => ({ status: 400, headers: {} }),
    answer: async ({ signal }) => {
      seen.push(signal);
      await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
      return { status: 200, headers: {} };
    },
  });
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  while (seen.length === 0) await timers.sleep(5);
  socket.destroy();
  for (let wait = 0; seen[0]?.aborted !== true && wait < 200; wait += 1) await timers.sleep(10);
  assert.equal(seen[0]?.aborted, true);
});

test('a connection on which nothing moves is cut, unless its request has patience, and then again', async () => {
  const server = await start({
    async answer({ target, patience }) {
      if (target === '/patient') patience?.(60_000);
      await timers.sleep(600);
      return { status: 200, headers: {}, body: 'late' };
    },
    malformed: (status) => ({ status, headers: {} }),
  }, { idleMs: 200 });
  const ask = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  assert.equal((await raw(server, ask('/'), 3000)).text, '');
  assert.match((await raw(server, ask('/patient'), 1500)).text, /late$/);
  const socket = net.connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
  socket.on('error', () => undefined);
  socket.write(ask('/patient'));
  while (!text.endsWith('late')) await timers.sleep(10);
  socket.write(ask('/'));
  await once(socket, 'close');
  assert.equal(text.match(/late/g)?.length, 1);
});

test('closing lets answers under way finish, ends streams and takes no more', async () => {
  let finish = (): void => undefined;
  const kit = createKit({ moreRoutes: [{
    method: 'GET', path: '/api/slow', operation: 'slow.get', summary: 'Slow', scope: 'none', audit: false, answer: { status: 200, about: 'Done' },
    handle: async () => {
      await new Promise<void>((resolve) => { finish = resolve; });
      return { status: 200, headers: {}, body: 'done' };
    },
  }] });
  const server = await start(kit.api);
  const id = await putRun(kit.store, 1);
  const stream = await fetch(`http://127.0.0.1:${server.port}/api/runs/${id}/events`);
  const slow = fetch(`http://127.0.0.1:${server.port}/api/slow`);
  await timers.sleep(50);
  kit.api.drain();
  const closing = server.close(5000);
  assert.match(await stream.text(), /event: bye\ndata: \{\}\n\n$/);
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/health`, { headers: { connection: 'close' } }));
  finish();
  const response = await slow;
  assert.equal(await response.text(), 'done');
  assert.equal(response.headers.get('connection'), 'close');
  await closing;
});

test('while draining it still takes connections, and each answer ends its own', async () => {
  const { kit, server, url } = await serve();
  const agent = new http.Agent({ keepAlive: true });
  const ask = (): Promise<string | undefined> => new Promise((resolve, reject) => {
    http.get(`${url}/health/live`, { agent }, (answer) => answer.resume().on('end', () => resolve(answer.headers.connection))).on('error', reject);
  });
  assert.equal(await ask(), 'keep-alive');
  kit.api.drain();
  server.drain();
  assert.equal(await ask(), 'close');
  assert.equal((await fetch(`${url}/health/ready`)).status, 503);
  const { text, closed } = await raw(server, `GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.ok(closed);
  agent.destroy();
});

describe('over TLS', () => {
  const tls = { cert: readFileSync(fixture('siem', 'server.pem'), 'utf8'), key: readFileSync(fixture('siem', 'server.key'), 'utf8') };
  const secure = async (limits: Partial<HttpLimits> = {}): Promise<HttpServer> => {
    const server = await listenHttp(createKit({ rateLimit: 0 }).api, { host: '127.0.0.1', port: 0, limits, tls });
    open.push(server);
    return server;
  };
  /** Everything said to bytes sent after the handshake. */
  const within = async (server: HttpServer, bytes: string): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
    let text = '';
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); }).on('error', () => undefined);
    socket.write(bytes);
    await Promise.race([once(socket, 'close'), timers.sleep(3000)]);
    socket.destroy();
    return text;
  };

  test('whoever does not shake hands in time, or speaks plainly, is cut off without a word of HTTP', async () => {
    const server = await secure({ headersMs: 200, checkMs: 50 });
    for (const bytes of ['', '\u0016\u0003\u0001\u0000\u00f0\u0001', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const { text, closed } = await raw(server, Buffer.from(bytes, 'latin1'));
      assert.ok(closed, JSON.stringify(bytes));
      assert.doesNotMatch(text, /HTTP/);
    }
  });

  test('the limits are the same, and bytes that are no request are told over TLS to use it', async () => {
    const server = await secure({ headersMs: 200, checkMs: 50 });
    for (const [bytes, status] of [['GARBAGE\r\n\r\n', '400'], ['GET / HTTP/1.1\r\nX-Slow: ', '408'], [`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, '431']] as const) {
      const text = await within(server, bytes);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(text, /\r\nStrict-Transport-Security: max-age=31536000\r\n/);
    }
  });

  test('closing waits for nobody who has not shaken hands', async () => {
    const server = await secure();
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    const before = performance.now();
    await server.close(50);
    assert.ok(performance.now() - before < 3000);
    socket.destroy();
  });
});

test('closing does not wait for who never ends', async () => {
  const server = await start({ malformed: () => ({ status: 400, headers: {} }), answer: () => new Promise(() => undefined) });
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await timers.sleep(30);
  const before = performance.now();
  await server.close(100);
  assert.ok(performance.now() - before < 2000);
});

test('a port that is taken is said so', async () => {
  const { server } = await serve();
  await assert.rejects(listenHttp(createKit().api, { host: '127.0.0.1', port: server.port }), {
    code: 'net.port_taken', message: `Cannot listen on 127.0.0.1:${server.port}: another program listens there`,
  });
  await assert.rejects(listenHttp(createKit().api, { host: '192.0.2.1', port: 0 }), { code: 'io.failed' });
});

test('more connections than allowed are turned away, and others go on', async () => {
  const { server, url } = await serve({ connections: 3 });
  const held = Array.from({ length: 3 }, () => net.connect(server.port, '127.0.0.1'));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  await timers.sleep(30);
  const extra = await raw(server, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 500);
  assert.deepEqual(extra, { text: '', closed: true });
  for (const socket of held) socket.destroy();
  await timers.sleep(30);
  assert.equal((await fetch(`${url}/health`)).status, 200);
});
