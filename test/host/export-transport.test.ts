/** One POST to receivers that mean no good, over real sockets. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createExportTransport } from '../../lib/host/export-transport.ts';
import type { ExportAnswer, ExportRequest, ExportTransport } from '../../lib/base/telemetry-ports.ts';
import { fixture } from '../support/root.ts';

type Server = net.Server | http.Server | https.Server;

async function listen<T extends Server>(t: TestContext, server: T): Promise<{ readonly server: T; readonly port: number; readonly sockets: Set<net.Socket> }> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    socket.on('error', () => undefined);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port, sockets };
}

function opened(t: TestContext): ExportTransport {
  const transport = createExportTransport();
  t.after(() => transport.close());
  return transport;
}

const secret = 'Bearer zsecret';
const asked = (port: number, more: Partial<ExportRequest> = {}): ExportRequest => ({ url: `http://127.0.0.1:${port}/v1/traces?key=zquery`, headers: { authorization: secret }, body: ['{"resourceSpans":[]}'], gzip: false, timeoutMs: 10_000, ...more });

/** The words of an answer that never came. */
function words(answer: ExportAnswer): string {
  assert.equal(answer.kind, 'unreachable', JSON.stringify(answer));
  assert.doesNotMatch(JSON.stringify(answer), /zsecret|zquery/);
  return answer.kind === 'unreachable' ? `${answer.code ?? ''} ${answer.message}` : '';
}

async function whole(request: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

describe('what is sent', () => {
  test('the body, its type and length, plain and packed, over one connection that is kept', async (t) => {
    const seen: { readonly headers: http.IncomingHttpHeaders; readonly body: Buffer; readonly from: number | undefined; readonly url: string | undefined }[] = [];
    const { port } = await listen(t, http.createServer(async (request, response) => {
      seen.push({ headers: request.headers, body: await whole(request), from: request.socket.remotePort, url: request.url });
      response.end('{}');
    }));
    const transport = opened(t);
    const body = `{"resourceSpans":[{"x":"${'ä'.repeat(1000)}"}]}`;
    for (const gzip of [false, true]) assert.equal((await transport.post(asked(port, { gzip, body: [body.slice(0, 5), body.slice(5)] }))).kind, 'answered');
    const [plain, packed] = seen;
    assert.ok(plain !== undefined && packed !== undefined);
    assert.equal(plain.body.toString(), body);
    assert.equal(gunzipSync(packed.body).toString(), body);
    assert.equal(plain.url, '/v1/traces?key=zquery');
    assert.deepEqual([plain.headers['content-type'], plain.headers['content-encoding'], plain.headers['accept-encoding'], plain.headers['content-length']], ['application/json', undefined, 'identity', String(plain.body.length)]);
    assert.deepEqual([packed.headers['content-encoding'], packed.headers['content-length'], packed.headers['authorization']], ['gzip', String(packed.body.length), secret]);
    assert.equal(plain.from, packed.from);
  });

  const unsendable: readonly (readonly [what: string, more: Partial<ExportRequest>, said: RegExp])[] = [
    ['a header with a line feed', { headers: { 'x-key': 'a\nb: zsecret' } }, /it cannot be sent: Invalid character in header content \["x-key"\]/],
    ['a header that has no name', { headers: { 'x key': 'zsecret' } }, /it cannot be sent: /],
    ['an address that is none', { url: 'nowhere' }, /it cannot be sent: Invalid URL/],
    ['another scheme', { url: 'ftp://127.0.0.1/zsecret' }, /it cannot be sent: Protocol "ftp:" not supported/],
    ['a certificate that is none', { url: 'https://127.0.0.1:9/', tls: { cert: 'zsecret', key: 'zsecret' } }, /it cannot be sent: /],
  ];
  for (const [what, more, said] of unsendable) {
    test(`${what} makes no request, and no error`, async (t) => {
      assert.match(words(await opened(t).post(asked(9, more))), said);
    });
  }

  test('nothing, once it is closed; what is on its way ends at once', async (t) => {
    const { port } = await listen(t, net.createServer(() => undefined));
    const transport = opened(t);
    const answer = transport.post(asked(port, { timeoutMs: 0 }));
    await new Promise((done) => { setTimeout(done, 30); });
    transport.close();
    assert.match(words(await answer), /sending has ended/);
    assert.match(words(await transport.post(asked(port))), /sending has ended/);
  });
});

/** A server of bare sockets: what it writes once a whole request has come, or at another moment. */
const rawServer = (treat: (socket: net.Socket, heard: string) => void): net.Server => net.createServer((socket) => {
  let heard = '';
  let isTreated = false;
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
    const [head = '', body] = heard.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (isTreated || body === undefined || body.length < length) return;
    isTreated = true;
    treat(socket, heard);
  });
});

const reset = (socket: net.Socket): void => { socket.resetAndDestroy(); };
const answerHead = (status: string, ...more: readonly string[]): string => `HTTP/1.1 ${status}\r\n${more.map((line) => `${line}\r\n`).join('')}\r\n`;

describe('a receiver from which no answer comes', () => {
  test('does not listen', async (t) => {
    const { server, port } = await listen(t, net.createServer());
    await new Promise((done) => { server.close(done); });
    assert.match(words(await opened(t).post(asked(port))), /ECONNREFUSED nothing listens there/);
  });
  // A name that no name server is asked for, as it is too long.
  test('has no address', async (t) => {
    assert.match(words(await opened(t).post(asked(80, { url: `http://${'x'.repeat(64)}.invalid/v1/traces` }))), /ENOTFOUND no such name is known|EAI_AGAIN the name server does not answer/);
  });
  const rows: readonly (readonly [what: string, make: () => net.Server, said: RegExp])[] = [
    ['breaks off before anything was sent', () => net.createServer(reset), /ECONNRESET|EPIPE/],
    ['breaks off while the body comes', () => net.createServer((socket) => { socket.once('data', () => reset(socket)); }), /ECONNRESET|EPIPE/],
    ['breaks off when the body has come', () => rawServer(reset), /ECONNRESET/],
    ['ends its side without a word', () => rawServer((socket) => socket.end()), /ECONNRESET|closed/],
    ['ends its side at once, and goes on listening', () => net.createServer({ allowHalfOpen: true }, (socket) => { socket.end(); socket.resume(); }), /ECONNRESET|EPIPE|closed/],
    ['accepts and never answers', () => net.createServer(), /no answer within 300 ms/],
    ['reads nothing', () => net.createServer((socket) => { socket.pause(); }), /no answer within 300 ms/],
    ['drips its head', () => rawServer((socket) => { socket.write('HTTP/1.1 200 OK\r\n'); const timer = setInterval(() => socket.write('X'), 20); socket.once('close', () => clearInterval(timer)); }), /no answer within 300 ms/],
    ['has a head without an end', () => rawServer((socket) => { const more = (): void => { if (!socket.destroyed) socket.write(`X-A: ${'a'.repeat(1000)}\r\n`, () => { setImmediate(more); }); }; socket.write('HTTP/1.1 200 OK\r\n'); more(); }), /Header overflow|ECONNRESET/],
    ['speaks no HTTP', () => net.createServer((socket) => { socket.write('SSH-2.0-OpenSSH\r\n'); }), /Parse Error|Expected HTTP/],
    ['asks for another protocol', () => rawServer((socket) => { socket.write(answerHead('101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: x')); }), /closed|hang up|ECONNRESET/],
    ['speaks HTTP/2 alone', () => net.createServer((socket) => { socket.write(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])); }), /Parse Error|Expected HTTP/],
  ];
  for (const [what, make, said] of rows) {
    test(`${what}: that is said, within the time, and no secret with it`, async (t) => {
      const { port } = await listen(t, make());
      for (const size of what === 'breaks off while the body comes' || what === 'reads nothing' ? [10, 8_000_000] : [10]) {
        // More than the system keeps for a connection, where that matters.
        assert.match(words(await opened(t).post(asked(port, { timeoutMs: said.source.includes('within 300') ? 300 : 10_000, body: [`{"resourceSpans":["${'x'.repeat(size)}"]}`] }))), said);
      }
    });
  }
});

describe('an answer', () => {
  const rows: readonly (readonly [what: string, treat: (socket: net.Socket) => void, expected: Partial<ExportAnswer>])[] = [
    ['without a body', (socket) => socket.end(answerHead('204 No Content')), { kind: 'answered', status: 204, body: '' }],
    ['that breaks its body off counts by its status', (socket) => { socket.write(`${answerHead('200 OK', 'Content-Length: 100')}{"par`, () => reset(socket)); }, { kind: 'answered', status: 200 }],
    ['that ends in the middle of a chunk counts by its status', (socket) => socket.end(`${answerHead('503 Busy', 'Transfer-Encoding: chunked', 'Retry-After: 7')}ff\r\nabc`), { kind: 'answered', status: 503, body: 'abc' }],
    ['of a byte now and then counts by its status when the time is up', (socket) => {
      socket.write(answerHead('200 OK', 'Content-Length: 1000'));
      const timer = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(timer));
    }, { kind: 'answered', status: 200 }],
    ['that was packed without being asked is read', (socket) => socket.end(Buffer.concat([Buffer.from(answerHead('200 OK', 'Content-Encoding: gzip')), gzipSync('{"partialSuccess":{}}')])), { kind: 'answered', status: 200, body: '{"partialSuccess":{}}' }],
    ['that says packed and is not has no text', (socket) => socket.end(`${answerHead('400 Bad', 'Content-Encoding: gzip')}plain`), { kind: 'answered', status: 400, body: '' }],
    ['packed in a way nobody asked for has no text', (socket) => socket.end(`${answerHead('400 Bad', 'Content-Encoding: br')}\u0001\u0002`), { kind: 'answered', status: 400, body: '' }],
    ['that leads elsewhere is an answer', (socket) => socket.end(answerHead('307 Temporary Redirect', 'Location: http://127.0.0.1:1/', 'Content-Length: 0')), { kind: 'answered', status: 307, body: '' }],
    ['that goes on and on with 100 Continue first', (socket) => socket.end(`${answerHead('100 Continue').repeat(50)}${answerHead('200 OK', 'Content-Length: 2')}{}`), { kind: 'answered', status: 200, body: '{}' }],
  ];
  for (const [what, treat, expected] of rows) {
    test(what, async (t) => {
      const { port } = await listen(t, rawServer(treat));
      const answer = await opened(t).post(asked(port, { timeoutMs: what.includes('now and then') ? 400 : 10_000 }));
      assert.deepEqual({ ...answer, ...expected }, answer);
    });
  }

  test('comes before all was sent: it counts, and the rest is not waited for', async (t) => {
    const { port } = await listen(t, net.createServer((socket) => { socket.once('data', () => { socket.pause(); socket.write(answerHead('413 Too Large', 'Content-Length: 0')); }); }));
    const answer = await opened(t).post(asked(port, { timeoutMs: 10_000, body: ['x'.repeat(30_000_000)] }));
    assert.deepEqual([answer.kind, answer.kind === 'answered' && answer.status], ['answered', 413]);
  });

  const packedFlood = gzipSync(Buffer.alloc(100 * 1024 * 1024));
  const floods: readonly (readonly [what: string, treat: (socket: net.Socket) => void])[] = [
    ['100 MB', (socket) => {
      socket.write(answerHead('200 OK', `Content-Length: ${100 * 1024 * 1024}`));
      const more = (): void => { if (!socket.destroyed) socket.write('x'.repeat(1 << 20), () => { setImmediate(more); }); };
      more();
    }],
    ['chunks without an end', (socket) => {
      socket.write(answerHead('200 OK', 'Transfer-Encoding: chunked'));
      const more = (): void => { if (!socket.destroyed) socket.write(`10000\r\n${'x'.repeat(1 << 16)}\r\n`, () => { setImmediate(more); }); };
      more();
    }],
    ['100 MB packed into 100 kB', (socket) => socket.end(Buffer.concat([Buffer.from(answerHead('200 OK', 'Content-Encoding: gzip')), packedFlood]))],
  ];
  for (const [what, treat] of floods) {
    test(`of ${what} is cut off`, async (t) => {
      const { port } = await listen(t, rawServer(treat));
      const before = process.memoryUsage().arrayBuffers;
      const answer = await opened(t).post(asked(port, { timeoutMs: 10_000 }));
      assert.deepEqual(answer, { kind: 'overrun', status: 200, message: 'it answered 200 with more than 4194304 bytes' });
      assert.ok(process.memoryUsage().arrayBuffers - before < 40 * 1024 * 1024);
    });
  }
});

describe('a connection that was kept', () => {
  /** Answers the first request of a connection; what it does with the second, `then` says. */
  const twice = (then: (socket: net.Socket) => void, connections: { count: number }): net.Server => net.createServer((socket) => {
    connections.count += 1;
    const number = connections.count;
    let requests = 0;
    socket.on('data', () => {
      requests += 1;
      if (requests === 2 && number === 1) then(socket);
      else socket.write(`${answerHead('200 OK', 'Content-Length: 2')}{}`);
    });
  });

  test('and is closed as it is used again: the request goes once more, over a new one', async (t) => {
    for (const then of [reset, (socket: net.Socket) => { socket.destroy(); }]) {
      const connections = { count: 0 };
      const { port } = await listen(t, twice(then, connections));
      const transport = opened(t);
      for (let n = 0; n < 2; n += 1) assert.equal((await transport.post(asked(port))).kind, 'answered');
      assert.equal(connections.count, 2);
    }
  });

  test('and breaks in the middle of an answer: the request does not go again', async (t) => {
    const connections = { count: 0 };
    const { port } = await listen(t, twice((socket) => { socket.write('HTTP/1.1 200', () => { setTimeout(() => reset(socket), 30); }); }, connections));
    const transport = opened(t);
    assert.equal((await transport.post(asked(port))).kind, 'answered');
    assert.match(words(await transport.post(asked(port))), /ECONNRESET/);
    assert.equal(connections.count, 1);
  });

  test('a new one that breaks is not tried again here', async (t) => {
    let count = 0;
    const { port } = await listen(t, net.createServer((socket) => { count += 1; reset(socket); }));
    words(await opened(t).post(asked(port)));
    assert.equal(count, 1);
  });
});

describe('over TLS', () => {
  const pem = (name: string): string => readFileSync(fixture('siem', name), 'utf8');
  const serve = async (t: TestContext, name: string, more: https.ServerOptions = {}): Promise<number> => {
    const server = https.createServer({ cert: pem(`${name}.pem`), key: pem(`${name}.key`), ...more }, (request, response) => { request.resume(); response.end('{}'); });
    server.on('tlsClientError', () => undefined);
    return (await listen(t, server)).port;
  };
  const over = (port: number, tls: ExportRequest['tls'] = { ca: pem('ca.pem') }): ExportRequest => asked(port, { url: `https://localhost:${port}/v1/traces?key=zquery`, tls: tls ?? {}, timeoutMs: 10_000 });

  test('a server whose certificate is signed by the authority that was named is believed', async (t) => {
    const port = await serve(t, 'server');
    const transport = opened(t);
    assert.equal((await transport.post(over(port))).kind, 'answered');
    // What one destination believes, another does not: connections are not shared between them.
    assert.match(words(await transport.post(over(port, {}))), /not trusted/);
  });

  const rows: readonly (readonly [what: string, name: string, said: RegExp])[] = [
    ['an unknown authority', 'stranger', /not trusted/], ['a certificate that has expired', 'expired', /has expired/], ['a certificate for another name', 'elsewhere', /for another name/],
  ];
  for (const [what, name, said] of rows) {
    test(`${what} is not believed, whatever NODE_TLS_REJECT_UNAUTHORIZED says`, async (t) => {
      const port = await serve(t, name);
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      t.after(() => {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      });
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      assert.match(words(await opened(t).post(over(port))), said);
    });
  }

  test('a server that wants our certificate: with it, without it, with the wrong one', async (t) => {
    const port = await serve(t, 'server', { requestCert: true, rejectUnauthorized: true, ca: pem('ca.pem') });
    const transport = opened(t);
    assert.equal((await transport.post(over(port, { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') }))).kind, 'answered');
    assert.match(words(await transport.post(over(port))), /certificate|ECONNRESET|broke the connection off/);
    assert.match(words(await transport.post(over(port, { ca: pem('ca.pem'), cert: pem('stranger.pem'), key: pem('stranger.key') }))), /certificate|authority|unknown ca|ECONNRESET|broke the connection off/i);
  });

  test('a server that speaks TLS 1.1 at most, or no TLS', async (t) => {
    const old = await serve(t, 'server', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.match(words(await opened(t).post(over(old))), /TLS|protocol|ECONNRESET/i);
    const { port } = await listen(t, http.createServer((_, response) => response.end()));
    assert.match(words(await opened(t).post(over(port))), /does not speak TLS|ECONNRESET|wrong version/i);
  });
});

describe('where names lead', () => {
  test('an address that may not be reached is not connected to, and the words say why', async (t) => {
    let requests = 0;
    const { port } = await listen(t, http.createServer((_request, response) => { requests += 1; response.end('{}'); }));
    const judged: string[] = [];
    const transport = createExportTransport((host, address) => { judged.push(`${host} ${address}`); return `${address} is where nobody goes`; });
    t.after(() => transport.close());
    const answer = await transport.post(asked(port, { url: `http://localhost:${port}/v1/traces` }));
    assert.match(words(answer), /Cannot connect to localhost: (?:127\.0\.0\.1|::1) is where nobody goes/);
    assert.ok(judged.some((one) => /^localhost (?:127\.0\.0\.1|::1)$/.test(one)));
    assert.equal(requests, 0);
  });

  test('of several addresses those that may be reached are used', async (t) => {
    const { port } = await listen(t, http.createServer((_request, response) => { response.end('{}'); }));
    const transport = createExportTransport((_host, address) => (address === '127.0.0.1' ? undefined : 'no'));
    t.after(() => transport.close());
    const answer = await transport.post(asked(port, { url: `http://localhost:${port}/v1/traces` }));
    assert.equal(answer.kind === 'answered' ? answer.status : answer.message, 200);
  });
});
