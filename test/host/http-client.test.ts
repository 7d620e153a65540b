import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { test, type TestContext } from 'node:test';
import { httpClient, httpGet } from '../../lib/host/http-client.ts';

async function serving(t: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

test('an answer is given whole, with its status', async (t) => {
  const url = await serving(t, (request, response) => { response.writeHead(request.url === '/health/live' ? 200 : 404).end('{"status":"ok"}'); });
  assert.deepEqual(await httpGet(`${url}/health/live`, 2000), { status: 200, body: '{"status":"ok"}' });
  assert.equal((await httpGet(`${url}/`, 2000)).status, 404);
});

test('whoever never answers, answers without an end or breaks off is not reachable', async (t) => {
  const silent = await serving(t, () => undefined);
  await assert.rejects(httpGet(silent, 100), { code: 'net.unreachable', message: `Cannot ask ${silent}: it does not answer within 100 ms` });
  const slow = await serving(t, (_request, response) => { response.write('a'); });
  await assert.rejects(httpGet(slow, 100), { code: 'net.unreachable' });
  const endless = await serving(t, (_request, response) => { response.end('a'.repeat(100_000)); });
  await assert.rejects(httpGet(endless, 2000), { code: 'net.unreachable', message: /it answers more than 65536 bytes$/ });
  const broken = await serving(t, (_request, response) => { response.destroy(); });
  await assert.rejects(httpGet(broken, 2000), { code: 'net.unreachable' });
});

test('a redirect is an answer and is not followed, the bound is the caller\'s, and a query is in no message', async (t) => {
  const asked: string[] = [];
  const url = await serving(t, (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['content-length'] ?? ''} ${request.headers['cookie'] ?? ''}`.trim());
    response.writeHead(302, { location: '/elsewhere', 'set-cookie': 'a=b', 'x-two': ['1', '2'] }).end('{"a":1}');
  });
  const reply = await httpClient.ask({ url: `${url}/here?code=sesame`, body: 'ä', timeoutMs: 2000, limit: 7 });
  assert.deepEqual([reply.status, reply.headers.get('location'), reply.headers.get('x-two'), Buffer.from(reply.body).toString()], [302, '/elsewhere', '1, 2', '{"a":1}']);
  await httpClient.ask({ url: `${url}/here`, timeoutMs: 2000, limit: 7 });
  assert.deepEqual(asked, ['POST /here?code=sesame 2', 'GET /here']);
  await assert.rejects(httpClient.ask({ url: `${url}/here?code=sesame`, timeoutMs: 2000, limit: 6 }), { code: 'net.unreachable', message: `Cannot ask ${url}/here: it answers more than 6 bytes` });
  await assert.rejects(httpClient.ask({ url: url.replace('http:', 'https:'), timeoutMs: 2000, limit: 6 }), { code: 'net.unreachable' });
});

test('an address that is none is not asked', async () => {
  for (const url of ['', 'file:///etc/passwd', 'ftp://127.0.0.1/', 'http://', '\u001b[2J']) await assert.rejects(httpGet(url, 100), { code: 'net.unreachable', message: /it is no http address$/ });
  await assert.rejects(httpGet('http://127.0.0.1:1', 1000), { code: 'net.unreachable' });
});
