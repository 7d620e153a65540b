/** Outgoing connections against servers that mean no good. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { describe, test, type TestContext } from 'node:test';
import { sockets } from '../../lib/host/sockets.ts';
import type { PostAnswer } from '../../lib/ports.ts';
import { fixture } from '../support/root.ts';

/** A server that treats each connection so; its port. */
async function serve(t: TestContext, treat: (socket: net.Socket) => void, make: (treat: (socket: net.Socket) => void) => net.Server = net.createServer): Promise<number> {
  const open = new Set<net.Socket>();
  const server = make((socket) => {
    socket.on('error', () => undefined);
    treat(socket);
  });
  server.on('connection', (socket) => open.add(socket));
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

function post(port: number, timeoutMs = 400): Promise<PostAnswer> {
  return sockets.post({ url: `http://127.0.0.1:${port}/x`, address: '127.0.0.1', headers: { Authorization: 'Splunk zsecret' }, body: Buffer.from('{}'), timeoutMs });
}

/** Answers once a request has begun to arrive. */
function answering(text: string, then: (socket: net.Socket) => void = () => undefined): (socket: net.Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(text);
      then(socket);
    });
  };
}

const head = 'HTTP/1.1 200 OK\r\n';

describe('a server that is posted to', () => {
  const endless = (chunk: string) => (socket: net.Socket): void => {
    const more = (): void => { if (!socket.destroyed) socket.write(chunk, () => { setImmediate(more); }); };
    more();
  };
  const rows: readonly (readonly [what: string, treat: (socket: net.Socket) => void, said: RegExp])[] = [
    ['says nothing', () => undefined, /no answer within/],
    ['drips its head', answering(head, (socket) => { const timer = setInterval(() => socket.write('X-A: b\r\n'), 20); socket.once('close', () => clearInterval(timer)); }), /no answer within/],
    ['has a head without an end', answering(head, endless(`X-A: ${'a'.repeat(1000)}\r\n`)), /Header overflow|no answer within/],
    ['has a body without an end', answering(`${head}Transfer-Encoding: chunked\r\n\r\n`, endless(`400\r\n${'a'.repeat(1024)}\r\n`)), /more than 65536 bytes|aborted|hang up/],
    ['breaks its body off', answering(`${head}Content-Length: 100\r\n\r\nshort`, (socket) => socket.end()), /aborted|hang up|broke the connection off/],
    ['asks for another protocol', answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'), /closed the connection|hang up|broke the connection off/],
    ['says again and again that it goes on', answering('', endless('HTTP/1.1 100 Continue\r\n\r\n')), /no answer within/],
    ['speaks no HTTP', answering('SSH-2.0-OpenSSH\r\n'), /Parse Error/],
  ];
  for (const [what, treat, said] of rows) {
    test(`${what}: the request ends, and says so without its headers`, async (t) => {
      const port = await serve(t, treat);
      await assert.rejects(post(port), (error: unknown) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, said);
        assert.doesNotMatch(JSON.stringify([error.message, error]), /zsecret/);
        return true;
      });
    });
  }
  test('leads elsewhere: nobody follows', async (t) => {
    let asked = 0;
    const port = await serve(t, (socket) => {
      asked += 1;
      answering(`HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:${socket.localPort ?? 0}/y\r\nContent-Length: 0\r\n\r\n`)(socket);
    });
    assert.equal((await post(port)).status, 307);
    assert.equal(asked, 1);
  });
});

test('no variable makes it believe a server that shows no good certificate', async (t) => {
  const pem = (name: string): string => readFileSync(fixture('siem', name), 'utf8');
  const port = await serve(t, () => undefined, (treat) => tls.createServer({ cert: pem('expired.pem'), key: pem('expired.key') }, treat));
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  t.after(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  const address = '127.0.0.1';
  await assert.rejects(sockets.connect({ address, port, timeoutMs: 2000, stallMs: 1000, tls: { name: 'localhost', ca: pem('ca.pem') } }), /expired/);
  await assert.rejects(sockets.post({ url: `https://localhost:${port}/x`, address, headers: {}, body: Buffer.from('{}'), timeoutMs: 2000, ca: pem('ca.pem') }), /expired/);
});

test('a server that takes nothing is given up', async (t) => {
  const port = await serve(t, (socket) => { socket.pause(); });
  const connection = await sockets.connect({ address: '127.0.0.1', port, timeoutMs: 1000, stallMs: 100 });
  await assert.rejects(connection.write(Buffer.alloc(64 * 1024 * 1024)), /takes nothing for 100 ms/);
});
