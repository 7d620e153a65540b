import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { test, type TestContext } from 'node:test';
import { httpGet } from '../../lib/host/http-client.ts';

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

test('an address that is none is not asked', async () => {
  for (const url of ['', 'file:///etc/passwd', 'https://127.0.0.1/', 'http://', '\u001b[2J']) await assert.rejects(httpGet(url, 100), { code: 'net.unreachable', message: /it is no http address$/ });
  await assert.rejects(httpGet('http://127.0.0.1:1', 1000), { code: 'net.unreachable' });
});
