/**
 * The control plane against bytes, as a table: what clients, proxies and attackers may send on one connection, and every answer
 * that comes back. Whatever it is: an answer with all its headers or none, no request that was not sent, and no effect beyond.
 */
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import type { JsonValue } from '../../lib/base/json.ts';
import { listenHttp } from '../../lib/host/http-server.ts';
import { timers } from '../../lib/host/time.ts';
import { anything } from '../../lib/server/shape.ts';
import { createKit, localToken } from '../support/api-kit.ts';

const bodies: (JsonValue | undefined)[] = [];
const kit = createKit({ rateLimit: 100_000, corsOrigins: ['https://portal.example.com'], moreRoutes: [{
  method: 'POST', path: '/api/things', operation: 'things.create', summary: 'A thing', scope: 'write', body: anything(), answer: { status: 201, about: 'Done' },
  handle: async ({ body }) => {
    bodies.push(body);
    return { status: 201, headers: {} };
  },
}] });

/** A row: what it is, the bytes, the statuses that come back in order, and the objects that arrived. */
type Row = readonly [name: string, bytes: string, statuses: string, arrived?: readonly JsonValue[]];

const end = 'Connection: close\r\n';
const chunked = `Transfer-Encoding: chunked\r\n${end}`;
const chunks = (text: string): string => `2\r\n${text}\r\n0\r\n\r\n`;

function rows(port: number): readonly Row[] {
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const get = (more: string = end, target: string = '/health/live'): string => `GET ${target} HTTP/1.1\r\n${host}${more}\r\n`;
  const line = (text: string): string => `${text}\r\n${host}${end}\r\n`;
  const authority = (text: string): string => `GET /health/live HTTP/1.1\r\nHost: ${text}\r\n${end}\r\n`;
  const post = (more: string, body: string, version: string = '1.1'): string => `POST /api/things HTTP/${version}\r\n${host}Authorization: Bearer ${localToken}\r\nContent-Type: application/json\r\n${more}\r\n${body}`;
  const length = (text: string): string => post(`Content-Length:${text}\r\n${end}`, '{}');
  const coded = (text: string, body: string = chunks('{}')): string => post(`Transfer-Encoding:${text}\r\n${end}`, body);
  const open = 'Content-Length: 2\r\n';
  return [
    // The request line.
    ['empty lines ahead', `\r\n\r\n${get()}`, '200'], ['a space ahead', ` ${get()}`, '400'], ['tabs for spaces', line('GET\t/health/live\tHTTP/1.1'), '400'], ['a space at the end', line('GET /health/live HTTP/1.1 '), '400'],
    ['HTTP/1.0', `GET /health/live HTTP/1.0\r\n${host}\r\n`, '200'], ['HTTP/1.0 without Host', 'GET /health/live HTTP/1.0\r\n\r\n', '400'], ['HTTP/0.9', 'GET /health/live\r\n', '408'],
    ['HTTP/1.2', line('GET / HTTP/1.2'), '400'], ['HTTP/1.10', line('GET / HTTP/1.10'), '400'], ['HTTP/9.9', line('GET / HTTP/9.9'), '400'], ['http/1.1', line('GET / http/1.1'), '400'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004', '400'], ['HTTP/2 in the clear', get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'), '400'],
    ['a method in lower case', line('get / HTTP/1.1'), '400'], ['no method of HTTP', line('FROB / HTTP/1.1'), '400'], ['a long method', line(`${'A'.repeat(5000)} / HTTP/1.1`), '400'], ['NUL in the method', line('G\u0000T / HTTP/1.1'), '400'],
    ['TRACE', line('TRACE / HTTP/1.1'), '401'], ['CONNECT to another port', line('CONNECT 127.0.0.1:22 HTTP/1.1'), '400'], ['the whole server', line('OPTIONS * HTTP/1.1'), '400'],
    ['NUL in the target', line('GET /\u0000 HTTP/1.1'), '400'], ['bytes beyond ASCII in the target', line('GET /\u00c3\u00bc HTTP/1.1'), '400'], ['a target of 3,000 bytes', get(end, `/${'a'.repeat(3000)}`), '400'], ['one of 30,000', get(end, `/${'a'.repeat(30_000)}`), '431'],
    ['our own address as target', get(end, `http://127.0.0.1:${port}/health/live`), '400'], ['another as target', get(end, 'https://evil.example/'), '400'], ['another by two slashes', get(end, '//evil.example/'), '400'],
    // Header lines.
    ['bare line feeds', get(end).replaceAll('\r\n', '\n'), '400'], ['one bare line feed', get(`X: a\nY: b\r\n${end}`), '400'], ['a bare carriage return', get(`X: a\rY: b\r\n${end}`), '400'], ['a folded line', get(`X: a\r\n b\r\n${end}`), '400'],
    ['a first line that is folded', `GET / HTTP/1.1\r\n X: a\r\n${host}${end}\r\n`, '400'], ['a space before the colon', get(`X : a\r\n${end}`), '400'], ['no colon', get(`NoColon\r\n${end}`), '400'], ['no name', get(`: a\r\n${end}`), '400'],
    ['NUL in a name', get(`X\u0000: a\r\n${end}`), '400'], ['NUL in a value', get(`X: a\u0000\r\n${end}`), '400'], ['a name beyond ASCII', get(`\u00c3\u00bc: a\r\n${end}`), '400'], ['10,000 fields', get(`${'a:\r\n'.repeat(10_000)}${end}`), '400'],
    ['fields of 20,000 bytes', get(`X: ${'y'.repeat(20_000)}\r\n${end}`), '431'], ['an upgrade with a body', post(`${open}Connection: Upgrade\r\nUpgrade: x\r\n`, '{}'), '400'],
    // The name it is called by.
    ['Host with spaces around', authority(` 127.0.0.1:${port}  `), '200'], ['an empty Host', authority(''), '400'], ['a list of Hosts', authority(`127.0.0.1:${port}, evil.example`), '403'], ['Host with a user', authority(`evil@127.0.0.1:${port}`), '403'],
    ['Host in other digits', authority(`0x7f.1:${port}`), '403'], ['Host with a dot behind', authority(`localhost.:${port}`), '403'], ['a name that leads here', authority(`rebind.example:${port}`), '403'], ['another port', authority(`127.0.0.1:${port + 1}`), '403'],
    // Where a body ends.
    ['a length', length(' 2 '), '201', [{}]], ['no length', length(''), '400'], ['a length with a sign', length(' +2'), '400'], ['a negative length', length(' -2'), '400'], ['a length in hex', length(' 0x2'), '400'], ['a length with an exponent', length(' 2e0'), '400'],
    ['two lengths in one', length(' 2, 2'), '400'], ['two lengths with a space', length(' 2 2'), '400'], ['the same length twice', post(`${open}${open}${end}`, '{}'), '400'], ['a length beyond 64 bits', length(' 18446744073709551618'), '400'], ['a length beyond all limits', length(' 9007199254740993'), '413'],
    ['more than its length', post(open, `{}${get()}`), '201,200', [{}]], ['a byte more than its length', post('Content-Length: 1\r\n', '1}'), '201', [1]], ['less than its length', post('Content-Length: 20\r\n', '{}'), '408'],
    ['a body where none is taken', `${get(open)}{}${get()}`, '400'], ['a length and a coding', post(`${open}${chunked}`, chunks('{}')), '400'], ['a coding and a length', post(`${chunked}${open}`, chunks('{}')), '400'],
    ['chunks', coded(' chunked'), '201', [{}]], ['chunks in capitals', coded('\tCHUNKED'), '201', [{}]], ['no coding', coded(' identity', '{}'), '400'], ['an unknown coding', coded(' xchunked'), '400'], ['a vertical tab before the coding', coded(' \u000bchunked'), '400'], ['compressed chunks', coded(' gzip, chunked'), '400'],
    ['chunks that are not last', coded(' chunked, identity'), '400'], ['chunks twice', coded(` chunked\r\nTransfer-Encoding: chunked`), '400'], ['chunks, then not', coded(` chunked\r\nTransfer-Encoding: identity`), '400'], ['a coding that is folded', coded('\r\n chunked'), '400'],
    ['chunks in HTTP/1.0', post(chunked, chunks('{}'), '1.0'), '400'], ['chunks in HTTP/1.0, kept open', post('Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n', `${chunks('{}')}${get()}`, '1.0'), '400'],
    ['a chunk beyond 64 bits', post(chunked, `FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n`), '400'], ['a negative chunk', post(chunked, '-2\r\n{}\r\n0\r\n\r\n'), '400'], ['a chunk in C', post(chunked, '0x2\r\n{}\r\n0\r\n\r\n'), '400'], ['a space after a size', post(chunked, '2 \r\n{}\r\n0\r\n\r\n'), '400'],
    ['chunks with bare line feeds', post(chunked, '2\n{}\n0\n\n'), '400'], ['a chunk longer than it says', post(chunked, '1\r\n{}\r\n0\r\n\r\n'), '400'], ['a chunk without its end', post(chunked, '2\r\n{}0\r\n\r\n'), '400'], ['an extension', post(chunked, '2;a=b\r\n{}\r\n0\r\n\r\n'), '201', [{}]],
    ['an extension that ends in a line feed', post(chunked, '2;a\n{}\r\n0\r\n\r\n'), '400'], ['an extension of 40,000 bytes', post(chunked, `2;${'a'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`), '400'],
    ['trailers', post(chunked, '2\r\n{}\r\n0\r\nHost: evil.example\r\nAuthorization: x\r\n\r\n'), '201', [{}]], ['trailers of 40,000 bytes', post(chunked, `2\r\n{}\r\n0\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`), '431'],
    // What comes back of what was sent.
    ['line ends in a query', get(end, '/api/audit?level=%0d%0aX-Evil:%201'), '400'], ['line ends in a cursor', get(end, '/api/v2/audit?cursor=%0d%0aX-Evil:%201'), '400'], ['line ends in a path', get(end, '/api/runs/%0d%0aX-Evil:%201'), '400'],
    ['a request id of its own', get(`X-Request-Id: evil\r\n${end}`), '200'], ['a header that is not to be passed on', get('Connection: close, host\r\n'), '200'], ['silence', '', '408'],
  ];
}

/** Everything it says until it closes; sent in pieces, with a pause after each, where there are several. */
async function exchange(port: number, pieces: readonly string[], pauseMs: number = 0): Promise<{ readonly text: string; readonly closed: boolean }> {
  const socket = net.connect(port, '127.0.0.1');
  const closing = once(socket, 'close').then(() => true);
  let text = '';
  socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
  socket.on('error', () => undefined);
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(Buffer.from(piece, 'latin1'));
    if (pauseMs > 0) await timers.sleep(pauseMs);
  }
  const closed = await Promise.race([closing, timers.sleep(5000).then(() => false)]);
  socket.destroy();
  return { text, closed };
}

const always = ['content-security-policy', 'x-content-type-options: nosniff', 'x-frame-options: deny', 'referrer-policy: no-referrer', 'cross-origin-opener-policy', 'cross-origin-resource-policy', 'cache-control', 'vary: origin', 'x-request-id: req_', 'ratelimit: ', 'ratelimit-policy: '];

function checkAnswer(name: string, answer: string): void {
  const [head = ''] = answer.split('\r\n\r\n');
  const fields = head.toLowerCase().split('\r\n').slice(1);
  for (const field of always) assert.ok(fields.some((line) => line.startsWith(field)), `${name}: ${field} in ${head}`);
  assert.ok(!fields.some((line) => /^x-evil|^set-cookie|^server|^x-powered-by|evil/.test(line)), `${name}: ${head}`);
  assert.doesNotMatch(answer, /node:|\.ts\b|HPE_|Parse Error/, name);
}

test('whatever bytes come, each request has one answer with all its headers, and nothing else happens', async (t) => {
  const server = await listenHttp(kit.api, { host: '127.0.0.1', port: 0, limits: { headersMs: 400, requestMs: 500, checkMs: 40 } });
  t.after(() => server.close(0));
  const table = rows(server.port);
  const answers = await Promise.all(table.map(async ([name, bytes]) => [name, await exchange(server.port, [bytes])] as const));
  const got: Record<string, string> = {};
  for (const [name, { text, closed }] of answers) {
    const each = text.split(/(?=HTTP\/1\.1 \d{3} )/).filter((part) => part !== '');
    got[name] = `${each.map((part) => part.slice(9, 12)).join(',')}${closed ? '' : ' and stays open'}`;
    for (const answer of each) checkAnswer(name, answer);
  }
  assert.deepEqual(got, Object.fromEntries(table.map(([name, , statuses]) => [name, statuses])));
  const arrived = table.flatMap(([, , , objects = []]) => objects);
  assert.deepEqual(bodies.map((body) => JSON.stringify(body)).sort(), arrived.map((body) => JSON.stringify(body)).sort());
  assert.equal(kit.recorded.filter(({ event }) => event === 'api.error').length, 0);
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/health/ready`)).status, 200);
});

test('however slowly it drips, a request has its time and no more', async (t) => {
  const server = await listenHttp(kit.api, { host: '127.0.0.1', port: 0, limits: { headersMs: 300, requestMs: 400, checkMs: 40 } });
  t.after(() => server.close(0));
  const host = `Host: 127.0.0.1:${server.port}\r\n`;
  const body = `POST /api/things HTTP/1.1\r\n${host}Authorization: Bearer ${localToken}\r\nContent-Type: application/json\r\n`;
  const drips: Readonly<Record<string, readonly string[]>> = {
    'fields': ['GET / HTTP/1.1\r\n', ...Array.from({ length: 40 }, (_, at) => `X-${at}: y\r\n`)],
    'one field': [`GET / HTTP/1.1\r\n${host}X: `, ...Array.from({ length: 40 }, () => 'y')],
    'a body': [`${body}Content-Length: 1000\r\n\r\n`, ...Array.from({ length: 40 }, () => ' ')],
    'chunks': [`${body}Transfer-Encoding: chunked\r\n\r\n`, ...Array.from({ length: 40 }, () => '1\r\n \r\n')],
  };
  await Promise.all(Object.entries(drips).map(async ([name, pieces]) => {
    const { text, closed } = await exchange(server.port, pieces, 40);
    assert.match(text, /^HTTP\/1\.1 408 /, name);
    assert.ok(closed, name);
  }));
});
