/** What is turned away before a handler sees it, and what every answer carries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { timers } from '../../lib/host/time.ts';
import type { Handler, Row } from '../../lib/server/message.ts';
import { anything } from '../../lib/server/shape.ts';
import { commonHeaders, jsonResponse } from '../../lib/server/respond.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { bodyOf, createKit, localToken, port, send, type Call, type Kit } from '../support/api-kit.ts';

const bearer = { authorization: `Bearer ${localToken}` };

/** A control plane with one route that writes, so that the rules for writing have something to guard. */
function withWrite(options: Parameters<typeof createKit>[0] = {}, scope: Row['scope'] = 'write'): Kit & { readonly bodies: unknown[] } {
  const bodies: unknown[] = [];
  const handle: Handler = async ({ body }) => {
    bodies.push(body);
    return jsonResponse({ done: true }, {}, 201);
  };
  const route: Row = { method: 'POST', path: '/api/things', operation: 'things.create', summary: 'A thing', scope, body: anything(), answer: { status: 201, about: 'Done' }, handle };
  return { ...createKit({ ...options, moreRoutes: [route] }), bodies };
}

const post = (headers: Readonly<Record<string, string>>, body: string = '{"a":1}'): Call => ({ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

async function problemOf(kit: Kit, target: string, call: Call = {}): Promise<JsonObject> {
  const response = await send(kit.api, target, call);
  assert.equal(response.headers['Content-Type'], 'application/problem+json');
  const body = JSON.parse(String(response.body));
  assert.equal(body.status, response.status);
  return body;
}

test('a problem has the members of RFC 9457, a code, a hint and the request id', async () => {
  const kit = createKit();
  const response = await send(kit.api, '/api/nothing');
  assert.deepEqual(bodyOf(response), {
    type: 'urn:loki:problem:not_found', title: 'Not found', status: 404, detail: 'Cannot answer the request: there is nothing at /api/nothing',
    code: 'not_found', hint: 'List what exists first', request_id: response.headers['X-Request-Id'],
  });
  assert.match(response.headers['X-Request-Id'] ?? '', /^req_[0-9A-Z]{26}$/);
});

test('every answer carries the security headers, its request id and how the caller stands', async () => {
  const kit = createKit();
  for (const target of ['/', '/health', '/api/runs', '/api/nothing', '/api/%2e%2e', '/app.js']) {
    const { headers } = await send(kit.api, target);
    assert.equal(headers['Content-Security-Policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", target);
    assert.equal(headers['X-Content-Type-Options'], 'nosniff');
    assert.equal(headers['Referrer-Policy'], 'no-referrer');
    assert.equal(headers['Cross-Origin-Resource-Policy'], 'same-origin');
    assert.match(headers['Cache-Control'] ?? '', /^no-(store|cache)$/);
    assert.match(headers['X-Request-Id'] ?? '', /^req_/);
    assert.match(headers['RateLimit'] ?? '', /^"read";r=\d+;t=\d+$/);
    assert.equal(headers['RateLimit-Policy'], '"read";q=600;w=60');
    assert.equal(headers['X-RateLimit-Limit'], '600');
    assert.match(headers['X-RateLimit-Remaining'] ?? '', /^\d+$/);
    assert.match(headers['X-RateLimit-Reset'] ?? '', /^\d{10}$/);
  }
});

test('the security headers are on every answer of every route, whatever it says', async () => {
  const kit = createKit({ rateLimit: 100_000 });
  const gone = new AbortController();
  const tag = (await send(kit.api, '/app.js')).headers['ETag'] ?? '';
  const calls: [target: string, call: Call][] = routeTable(kit.services, createStreams(timers), () => false).flatMap(({ method, path, params }) => {
    const target = path.replace(/:(\w+)/g, (_, name: string) => (params[name] === undefined ? '1' : newId(params[name], 1, new Uint8Array(10))));
    return [{}, bearer, { ...bearer, 'if-none-match': tag }, { origin: 'https://evil.example' }].map((headers): [string, Call] => [target, { method, headers, signal: gone.signal }]);
  });
  calls.push(['/api/runs', { method: 'DELETE', headers: bearer }], ['/api/runs', { method: 'OPTIONS' }], ['/api/runs', { method: 'HEAD' }], ['/nothing', {}]);
  const statuses = new Set<number>();
  for (const [target, call] of calls) {
    const { status, headers } = await send(kit.api, target, call);
    statuses.add(status);
    for (const [name, value] of Object.entries(commonHeaders)) {
      if (name === 'Cache-Control') assert.match(headers[name] ?? '', /^no-(store|cache)/, target);
      else assert.equal(headers[name], value, `${call.method} ${target} ${status} ${name}`);
    }
    assert.match(headers['X-Request-Id'] ?? '', /^req_/, target);
    assert.match(headers['RateLimit'] ?? '', /^"\w+";r=\d+;t=\d+$/, target);
  }
  gone.abort();
  for (const status of [200, 204, 304, 401, 403, 404, 405]) assert.ok(statuses.has(status), `${status} is among them`);
});

test('what is sent over TLS is to be asked for over TLS; what varies by more says both', async () => {
  const route: Row = { method: 'GET', path: '/api/varies', operation: 'varies.get', summary: 'Varies', scope: 'none', audit: false, answer: { status: 200, about: 'Done' }, handle: async () => ({ status: 200, headers: { Vary: 'Accept' } }) };
  const { api } = createKit({ moreRoutes: [route], corsOrigins: ['https://portal.example.com'] });
  assert.equal((await send(api, '/api/varies')).headers['Vary'], 'Origin, Accept');
  assert.equal((await send(api, '/health')).headers['Strict-Transport-Security'], undefined);
  for (const [secure, expected] of [[true, 'max-age=31536000'], [false, undefined]] as const) {
    const { headers } = api.malformed(400, { address: '192.0.2.1', secure });
    assert.deepEqual([headers['Strict-Transport-Security'], headers['Vary']], [expected, 'Origin']);
    assert.match(headers['RateLimit'] ?? '', /^"read";r=\d+;t=\d+$/);
  }
});

test('loopback names with the port are answered to', async () => {
  const { api } = createKit();
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
    assert.equal((await send(api, '/api/runs', { headers: { host } })).status, 200, host);
  }
});

test('a Host that is not on the list is refused and recorded (DNS rebinding)', async () => {
  const kit = createKit();
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost', '127.0.0.1', 'localhost:80', `localhost.evil.example:${port}`, `127.0.0.1:${port}.evil.example`, `localhost:${port}@evil`, ' ']) {
    const problem = await problemOf(kit, '/api/audit', { headers: { host } });
    assert.equal(problem['status'], 403, host);
    assert.equal(problem['code'], 'request.origin');
  }
  assert.equal(kit.recorded.filter(({ event }) => event === 'auth.denied').length, 9);
  assert.deepEqual(kit.asked, []);
});

test('without a Host, or with two, it is no request', async () => {
  const kit = createKit();
  assert.equal((await problemOf(kit, '/health', { lines: [] }))['detail'], 'Cannot read the request: it names no Host');
  const twice = await problemOf(kit, '/health', { lines: [['host', `localhost:${port}`], ['host', 'evil.example']] });
  assert.equal(twice['detail'], 'Cannot read the request: the header field "host" comes more than once');
});

test('allowed hosts count with the port they were listed with, or else with any usual one', async () => {
  const { api } = createKit({ allowedHosts: ['loki.example.com', 'proxy.example.com:8443'] });
  const status = async (host: string): Promise<number> => (await send(api, '/api/runs', { headers: { host } })).status;
  assert.deepEqual(await Promise.all([`loki.example.com:${port}`, 'loki.example.com', 'proxy.example.com:8443'].map(status)), [200, 200, 200]);
  assert.deepEqual(await Promise.all(['loki.example.com:1', 'proxy.example.com', `proxy.example.com:${port}`].map(status)), [403, 403, 403]);
});

test('listening everywhere gives nobody the name of everywhere, and a listen address its own', async () => {
  for (const [listenHost, host, status] of [['0.0.0.0', `0.0.0.0:${port}`, 403], ['::', `[::]:${port}`, 403], ['192.0.2.7', `192.0.2.7:${port}`, 200], ['2001:db8::7', `[2001:db8::7]:${port}`, 200]] as const) {
    const { api } = createKit({ listenHost, authentication: true, allowedHosts: ['Loki.Example.com'] });
    assert.equal((await send(api, '/health', { headers: { host } })).status, status, host);
    assert.equal((await send(api, '/health', { headers: { host: 'loki.example.com' } })).status, 200);
  }
});

test('a page of another origin is refused, whatever it asks', async () => {
  const kit = withWrite();
  for (const origin of ['https://evil.example', 'null', 'http://localhost:3000', `https://127.0.0.1:${port}`, `http://127.0.0.1:${port}.evil.example`, 'file://']) {
    assert.equal((await problemOf(kit, '/api/audit', { headers: { origin } }))['code'], 'request.origin', origin);
    assert.equal((await problemOf(kit, '/api/things', post({ ...bearer, origin })))['code'], 'request.origin', origin);
  }
  assert.equal((await send(kit.api, '/api/audit', { headers: { origin: `http://127.0.0.1:${port}` } })).status, 200);
  assert.deepEqual(kit.bodies, []);
});

test('a request that a browser made for another site is refused, also from another port of this machine', async () => {
  const kit = withWrite();
  for (const site of ['cross-site', 'same-site', 'nonsense']) {
    assert.equal((await problemOf(kit, '/api/runs', { headers: { 'sec-fetch-site': site } }))['status'], 403, site);
    assert.equal((await problemOf(kit, '/api/things', post({ ...bearer, 'sec-fetch-site': site })))['status'], 403, site);
  }
  for (const site of ['same-origin', 'none']) assert.equal((await send(kit.api, '/api/runs', { headers: { 'sec-fetch-site': site } })).status, 200);
  assert.deepEqual(kit.bodies, []);
});

test('a link on another site may open the page, and nothing else', async () => {
  const { api } = withWrite();
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  assert.equal((await send(api, '/', { headers: link })).status, 200);
  assert.equal((await send(api, '/api/audit', { headers: link })).status, 403);
  assert.equal((await send(api, '/', { headers: { ...link, 'sec-fetch-dest': 'iframe' } })).status, 403);
  assert.equal((await send(api, '/api/things', post({ ...bearer, ...link }))).status, 403);
});

test('a listed site is named in the answer, and only itself', async () => {
  const { api } = createKit({ corsOrigins: ['https://portal.example.com'] });
  const headers = { origin: 'https://portal.example.com', 'sec-fetch-site': 'cross-site' };
  const response = await send(api, '/api/runs', { headers });
  assert.equal(response.status, 200);
  assert.equal(response.headers['Access-Control-Allow-Origin'], 'https://portal.example.com');
  assert.equal(response.headers['Vary'], 'Origin');
  const preflight = await send(api, '/api/runs', { method: 'OPTIONS', headers });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['Access-Control-Allow-Methods'], 'GET, HEAD, OPTIONS, POST');
  assert.equal(preflight.headers['Access-Control-Allow-Headers'], 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID');
  assert.equal(preflight.headers['Access-Control-Max-Age'], '600');
  for (const { headers: given } of [response, preflight]) assert.equal(given['Access-Control-Allow-Credentials'], undefined);
  for (const target of ['/api/nothing', '/app.js', '/api/runs?limit=x', '/health']) assert.equal((await send(api, target, { headers })).headers['Vary'], 'Origin', target);
  assert.equal((await send(api, '/api/runs')).headers['Vary'], 'Origin', 'also where no page of another site asks: a cache must not give its answer to one');
  const other = await send(api, '/api/runs', { headers: { origin: 'https://portal.example.com.evil.example' } });
  assert.equal(other.status, 403);
  assert.equal(other.headers['Access-Control-Allow-Origin'], undefined);
});

test('path tricks are refused before any route is looked for', async () => {
  const kit = createKit();
  for (const target of [
    '/api/../etc/passwd', '/../', '/./health', '/%2e%2e/', '/api%2fruns', '/api%5cruns', '/%00', '/a%', '//evil.example/', '/api//runs', '/api/runs;x=1', '/health\\',
    'http://evil.example/', 'evil', '*', '', '/ü', '/a b', `/${'a'.repeat(3000)}`, '/health#x', "/'", '/api/runs/{id}',
  ]) {
    const problem = await problemOf(kit, target);
    assert.equal(problem['status'], 400, target.slice(0, 60));
    assert.equal(problem['code'], 'request.invalid');
  }
  for (const target of ['/__proto__', '/constructor', '/api/runs/', '/API/runs', `/${'a/'.repeat(900)}`]) assert.equal((await problemOf(kit, target))['status'], 404, target.slice(0, 40));
});

test('repeated fields that decide something, and a hundred fields, are refused', async () => {
  const kit = createKit();
  const host: readonly [string, string] = ['host', `localhost:${port}`];
  for (const name of ['origin', 'authorization', 'content-length', 'last-event-id', 'sec-fetch-site']) {
    assert.equal((await problemOf(kit, '/api/runs', { lines: [host, [name, 'none'], [name, 'none']] }))['code'], 'request.invalid', name);
  }
  const many = Array.from({ length: 100 }, (_, at): [string, string] => [`x-${at}`, 'y']);
  assert.match(String((await problemOf(kit, '/health', { lines: [host, ...many] }))['detail']), /101 header fields; at most 100 are read/);
});

test('an anonymous caller may read, the log too, and nothing else', async () => {
  const kit = withWrite();
  for (const target of ['/api/runs', '/api/audit', '/api/v2/audit/verify']) assert.equal((await send(kit.api, target)).status, 200);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'get']) {
    for (const target of ['/api/things', '/api/runs', '/api/nothing', '/']) {
      const response = await send(kit.api, target, { ...post({}), method });
      assert.equal(response.status, 401, `${method} ${target}`);
      assert.equal(response.headers['WWW-Authenticate'], 'Bearer realm="loki"');
    }
  }
  assert.deepEqual(kit.bodies, []);
});

test('the local token writes, from this machine only', async () => {
  const kit = withWrite();
  const response = await send(kit.api, '/api/things', post(bearer));
  assert.equal(response.status, 201);
  assert.deepEqual(kit.bodies, [{ a: 1 }]);
  assert.equal((await send(kit.api, '/api/things', { ...post(bearer), address: '192.0.2.7' })).status, 401);
  assert.equal((await send(kit.api, '/api/things', { ...post(bearer), address: '::ffff:127.0.0.1' })).status, 201);
  assert.deepEqual(kit.recorded.map(({ event, actor }) => `${event} ${actor}`), [
    'auth.token.use token:local', 'api.request token:local', 'api.request user:anonymous', 'auth.fail user:anonymous', 'auth.token.use token:local', 'api.request token:local',
  ]);
  await send(kit.api, '/api/things', post(bearer));
  assert.equal(kit.recorded.at(-1)?.event, 'api.request', 'a token that is used again from the same place is not told again at once');
  assert.equal(kit.recorded.filter(({ event }) => event === 'auth.token.use').length, 2);
});

test('the local token neither administers nor approves', async () => {
  for (const scope of ['admin', 'approve'] as const) {
    const kit = withWrite({}, scope);
    const problem = await problemOf(kit, '/api/things', post(bearer));
    assert.equal(problem['status'], 403);
    assert.equal(problem['code'], 'auth.forbidden');
    assert.deepEqual(kit.bodies, []);
  }
});

test('a token that is not known is never taken for no token', async () => {
  const kit = createKit();
  for (const authorization of ['Bearer wrong', `Basic ${localToken}`, 'Bearer', '', `Bearer ${localToken} ${localToken}`, `Bearer ${localToken}x`, `Bearer ${'a'.repeat(10_000)}`]) {
    const problem = await problemOf(kit, '/api/runs', { headers: { authorization } });
    assert.equal(problem['status'], 401, authorization.slice(0, 30));
    assert.doesNotMatch(JSON.stringify(problem), /0123456789/);
  }
});

test('with authentication on, a stranger reads only health, v1 status and the page', async () => {
  const { api } = createKit({ authentication: true });
  for (const target of ['/health', '/health/live', '/health/ready', '/api/status', '/', '/app.js']) assert.equal((await send(api, target)).status, 200, target);
  for (const target of ['/api/runs', '/api/audit', '/api/v2/status', '/api/projects', '/api/events']) assert.equal((await send(api, target)).status, 401, target);
  assert.equal((await send(api, '/api/audit', { headers: bearer })).status, 200);
});

test('a wrong method on a known path is 405 and names the right ones', async () => {
  const { api } = withWrite();
  const response = await send(api, '/api/runs', { ...post(bearer), method: 'DELETE' });
  assert.equal(response.status, 405);
  assert.equal(response.headers['Allow'], 'GET, HEAD, OPTIONS, POST');
  const options = await send(api, '/api/things', { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers['Allow'], 'OPTIONS, POST');
});

test('bodies are JSON in UTF-8, not too deep, and only where one is taken', async () => {
  const kit = withWrite();
  const status = async (headers: Record<string, string>, body: string): Promise<unknown> => (await problemOf(kit, '/api/things', post({ ...bearer, ...headers }, body)))['code'];
  for (const type of ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json; charset=latin1']) {
    assert.equal(await status({ 'content-type': type }, '{}'), 'request.media', type);
  }
  assert.equal(await status({ 'content-encoding': 'gzip' }, '{}'), 'request.media');
  for (const body of ['', '{', '{"a":1}}', 'nul', "{'a':1}", '['.repeat(100_000), `${'['.repeat(65)}${']'.repeat(65)}`]) assert.equal(await status({}, body), 'json.invalid', body.slice(0, 20));
  assert.deepEqual(kit.bodies, []);
  assert.equal((await send(kit.api, '/api/things', post({ ...bearer, 'content-type': 'application/json; charset=UTF-8' }, '{"a":"[[["}'))).status, 201);
  assert.equal((await send(kit.api, '/api/runs', { body: '{}' })).status, 400);
});

test('a caller that asks too often is told when to come back; streams and health are exempt', async () => {
  const kit = createKit({ rateLimit: 5 });
  for (let at = 0; at < 5; at += 1) assert.equal((await send(kit.api, '/api/runs')).status, 200);
  const response = await send(kit.api, '/api/runs');
  assert.equal(response.status, 429);
  assert.equal(response.headers['Retry-After'], '12');
  assert.equal(response.headers['X-RateLimit-Remaining'], '0');
  assert.equal(JSON.parse(String(response.body)).code, 'rate_limited');
  assert.equal((await send(kit.api, '/health')).status, 200);
  const stream = await send(kit.api, '/api/events', { signal: AbortSignal.abort() });
  assert.equal(stream.status, 200);
  assert.equal(kit.api.openStreams(), 0);
  assert.equal((await send(kit.api, '/api/runs', { address: '127.0.0.2' })).status, 200, 'another address has its own allowance');
  assert.equal((await send(kit.api, '/api/runs', { headers: bearer })).status, 200, 'so has a principal');
});

test('guessing tokens and knocking at the door is limited, and does not fill the log', async () => {
  const kit = createKit({ rateLimit: 60 });
  for (let at = 0; at < 50; at += 1) await send(kit.api, '/api/runs', { headers: { authorization: `Bearer guess${at}` } });
  assert.equal(kit.recorded.filter(({ event }) => event === 'auth.fail').length, 2);
  assert.equal((await send(kit.api, '/api/runs', { headers: bearer })).status, 200, 'the right token is not held up');
  const before = kit.recorded.length;
  for (let at = 0; at < 200; at += 1) await send(kit.api, '/api/runs', { headers: { host: 'evil.example' } });
  assert.ok(kit.recorded.length - before <= 2 * 62, String(kit.recorded.length - before));
});

test('limits can be switched off', async () => {
  const { api } = createKit({ rateLimit: 0 });
  for (let at = 0; at < 700; at += 1) assert.equal((await send(api, '/health/live')).status, 200);
  assert.equal((await send(api, '/api/runs')).headers['RateLimit'], undefined);
});

test('API calls are recorded with who, what and how it ended; the page and health are not', async () => {
  const kit = createKit();
  for (const target of ['/', '/health', '/api/runs?status=failed', '/api/nothing']) await send(kit.api, target);
  assert.deepEqual(kit.recorded.map(({ event, actor, details }) => [event, actor, details?.['method'], details?.['path'], details?.['route'], details?.['status']]), [
    ['api.request', 'user:anonymous', 'GET', '/api/runs', '/api/runs', 200],
    ['api.request', 'user:anonymous', 'GET', '/api/nothing', null, 404],
  ]);
});

test('a failure inside is recorded in full and told in brief', async () => {
  const { audit } = createKit().services;
  const kit = createKit({}, { audit: { ...audit, verify: async () => { throw new Error('secret path /home/x'); } } });
  const problem = await problemOf(kit, '/api/audit/verify');
  assert.equal(problem['status'], 500);
  assert.doesNotMatch(JSON.stringify(problem), /secret|stack|\.ts/);
  const failed = kit.recorded.find(({ event }) => event === 'api.error');
  assert.equal(failed?.details?.['reason'], 'secret path /home/x');
  assert.equal(failed?.details?.['request_id'], problem['request_id']);
});

test('a log that cannot be written stops no reading', async () => {
  const kit = createKit({}, { record: async () => { throw new Error('disk full'); } });
  assert.equal((await send(kit.api, '/api/runs')).status, 200);
  const throwing = createKit({}, { record: () => { throw new Error('closed'); } });
  assert.equal((await send(throwing.api, '/api/runs')).status, 200);
});
