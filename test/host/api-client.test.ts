/** One call of a control plane: over a socket file, plain, encrypted; and every way in which the other side can fail it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askApi, streamApi, type ApiCall } from '../../lib/host/api-client.ts';
import { timers } from '../../lib/host/time.ts';
import { fixture } from '../support/root.ts';

const pem = (name: string): string => readFileSync(fixture('siem', name), 'utf8');
const get = { method: 'GET', path: '/', timeoutMs: 2000 } as const;

async function listening(t: TestContext, server: Server | https.Server | net.Server, where: number | string = 0): Promise<number> {
  const held = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => { held.add(socket); });
  t.after(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => { if (typeof where === 'string') server.listen(where, resolve); else server.listen(where, '127.0.0.1', resolve); });
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const plain = async (t: TestContext, listener: RequestListener): Promise<string> => `http://127.0.0.1:${await listening(t, createServer(listener))}`;

/** Says what it was asked. */
const echo: RequestListener = (request: IncomingMessage, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => { body += part; });
  request.on('end', () => {
    response.writeHead(201, { 'X-Seen': 'a', Vary: ['Origin', 'Accept'], 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ method: request.method, url: request.url, host: request.headers.host, type: request.headers['content-type'] ?? null, body }));
  });
};

test('a call is made as it is given, and its answer is given whole', async (t) => {
  const base = await plain(t, echo);
  const answer = await askApi({ base: `${base}/prefix/`, method: 'PUT', path: '/api/v2/tasks?x=1', headers: { 'content-type': 'application/json' }, body: '{"ü":1}', timeoutMs: 2000 });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers['x-seen'], 'a');
  assert.equal(answer.headers['vary'], 'Origin, Accept');
  assert.deepEqual(JSON.parse(answer.body), { method: 'PUT', url: '/prefix/api/v2/tasks?x=1', host: new URL(base).host, type: 'application/json', body: '{"ü":1}' });
  assert.deepEqual(JSON.parse((await askApi({ base, method: 'DELETE', path: '/a', timeoutMs: 2000 })).body), { method: 'DELETE', url: '/a', host: new URL(base).host, type: null, body: '' });
});

test('a socket on this machine is asked the same, and is called localhost', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loki-api-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'loki.sock');
  await assert.rejects(askApi({ ...get, socketPath }), { code: 'net.unreachable', message: new RegExp(`^Cannot ask ${socketPath}: `) });
  await listening(t, createServer(echo), socketPath);
  assert.equal(JSON.parse((await askApi({ ...get, socketPath })).body).host, 'localhost');
});

test('over TLS only who is believed is asked', async (t) => {
  const server = https.createServer({ cert: pem('server.pem'), key: pem('server.key') }, echo);
  const base = `https://localhost:${await listening(t, server)}`;
  assert.equal((await askApi({ ...get, base, ca: pem('ca.pem') })).status, 201);
  await assert.rejects(askApi({ ...get, base }), { code: 'net.unreachable', message: /signed by an authority that is not trusted/ });
  await assert.rejects(askApi({ ...get, base, ca: pem('other-ca.pem') }), { code: 'net.unreachable', message: /not trusted|signed/ });
  await assert.rejects(askApi({ ...get, base: base.replace('https:', 'http:') }), { code: 'net.unreachable' });
  await assert.rejects(askApi({ ...get, base: await plain(t, echo).then((url) => url.replace('http:', 'https:')), ca: pem('ca.pem') }), { code: 'net.unreachable', message: /it does not speak TLS there/ });
  await assert.rejects(askApi({ ...get, base, ca: 'no certificate' }), { code: 'net.unreachable' });
});

test('whoever is silent, endless, elsewhere or breaks off is not reachable, and it is said how', async (t) => {
  const cases: readonly (readonly [listener: RequestListener, message: RegExp])[] = [
    [() => undefined, /: no answer within 60 ms$/],
    [(_request, response) => { response.write('a'); }, /: no answer within 60 ms$/],
    [(_request, response) => { response.end('a'.repeat(2000)); }, /: it answers more than 1000 bytes$/],
    [(_request, response) => { response.destroy(); }, /: the other side broke the connection off/],
    [(_request, response) => { response.writeHead(200, { 'Content-Length': '100' }).write('a', () => { response.destroy(); }); }, /: the other side broke the connection off/],
    [(_request, response) => { response.writeHead(101, { Connection: 'Upgrade', Upgrade: 'x' }).end(); }, /: it speaks another protocol$/],
    [(request) => { request.socket.end('220 mail.example ESMTP\r\n'); }, /Parse Error/],
  ];
  for (const [listener, message] of cases) {
    await assert.rejects(askApi({ ...get, base: await plain(t, listener), timeoutMs: 60, largest: 1000 }), { code: 'net.unreachable', message });
  }
  for (const base of ['', 'file:///etc/passwd', 'nonsense', 'ftp://127.0.0.1/']) await assert.rejects(askApi({ ...get, base }), { code: 'net.unreachable', message: /it is no http or https address$/ });
  for (const path of ['', 'a', '//evil.example/', '/a b', '/a\r\nX: y', '/ü']) await assert.rejects(askApi({ ...get, base: 'http://127.0.0.1:1', path }), { code: 'net.unreachable', message: /is no path$/ });
  await assert.rejects(askApi({ ...get, base: 'http://127.0.0.1:1', headers: { authorization: 'Bearer a\r\nX: y' } }), { code: 'net.unreachable' });
});

test('a redirect is an answer, and is not followed', async (t) => {
  let elsewhere = 0;
  const other = await plain(t, (_request, response) => {
    elsewhere += 1;
    response.end();
  });
  const base = await plain(t, (_request, response) => { response.writeHead(307, { Location: other }).end(); });
  assert.equal((await askApi({ ...get, base })).status, 307);
  assert.equal(elsewhere, 0);
});

test('a call that is not wanted any more ends at once', async (t) => {
  const base = await plain(t, () => undefined);
  const control = new AbortController();
  const call: ApiCall = { ...get, base, signal: control.signal };
  const asked = assert.rejects(askApi(call), { code: 'interrupted' });
  control.abort();
  await asked;
  await assert.rejects(askApi(call), { code: 'interrupted' });
  await assert.rejects(streamApi(call), { code: 'interrupted' });
});

test('lines of a stream come as they are written, however they are cut', async (t) => {
  const base = await plain(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const bytes = Buffer.from('id: 1\r\ndata: größe\n\n: still here\n\nlast');
    void (async () => {
      for (const byte of bytes) await new Promise((resolve) => { response.write(Buffer.from([byte]), resolve); });
      response.end();
    })();
  });
  const stream = await streamApi({ ...get, base });
  assert.equal(stream.status, 200);
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  const lines: string[] = [];
  for await (const line of stream) lines.push(line);
  assert.deepEqual(lines, ['id: 1', 'data: größe', '', ': still here', '', 'last']);
});

test('a stream outlives the time for its beginning, ends when it is left or not wanted, and says when it breaks', async (t) => {
  let open = 0;
  const base = await plain(t, ({ url }, response) => {
    open += 1;
    response.on('close', () => { open -= 1; });
    response.writeHead(url === '/denied' ? 403 : 200);
    response.write('first\n');
    if (url === '/late') setTimeout(() => { response.end('second\n'); }, 150);
    if (url === '/breaks') setTimeout(() => { response.destroy(); }, 20);
    if (url === '/long') response.write('x'.repeat(5000));
    if (url === '/denied') response.end();
  });
  const lines = async (path: string, more: Partial<ApiCall> = {}): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const line of await streamApi({ base, method: 'GET', timeoutMs: 100, path, largest: 1000, ...more })) {
      found.push(line);
      if (path === '/left') break;
    }
    return found;
  };
  assert.deepEqual(await lines('/late'), ['first', 'second']);
  assert.deepEqual(await lines('/left'), ['first']);
  assert.deepEqual(await lines('/abort', { signal: AbortSignal.timeout(30) }), ['first']);
  assert.equal((await streamApi({ ...get, base, path: '/denied' })).status, 403);
  await assert.rejects(lines('/breaks'), { code: 'net.unreachable' });
  await assert.rejects(lines('/long'), { code: 'net.unreachable', message: /one line of its answer has more than 1000 characters$/ });
  for (let wait = 0; open > 0 && wait < 100; wait += 1) await timers.sleep(10);
  assert.equal(open, 0, 'nothing is left open');
});
