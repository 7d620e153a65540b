/** Signing in over the API: what a browser, a key and a command line get, and who gets nothing. The provider is in memory. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { HttpResponse } from '../../../lib/base/http.ts';
import { clock, random } from '../../../lib/host/time.ts';
import { keysOfSignOn } from '../../../lib/server/auth/sign-on-keys.ts';
import { createSignOnService } from '../../../lib/server/auth/sign-on-service.ts';
import { bodyOf, createKit, mint, port, putTenant, send, type Call, type Kit } from '../../support/api-kit.ts';
import { clientId, createProvider, reply, signed, issuerName, type FakeProvider } from '../../support/issuer-kit.ts';

const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' } as const;
const json = { 'content-type': 'application/json' } as const;

interface Scene {
  readonly kit: Kit;
  readonly provider: FakeProvider;
  readonly tenant: string;
  readonly other: string;
}

/** A control plane with authentication and a provider whose clock is the real one; alice is an operator of `tenant`. */
async function scene(): Promise<Scene> {
  const provider = createProvider();
  provider.clock.set(clock.now());
  const plain = createKit();
  const [tenant, other] = [await putTenant(plain.store, 1), await putTenant(plain.store, 2)];
  const { store, services: { record, keys } } = plain;
  const grant = { role: 'operator', approve: true, tenant } as const;
  const map = new Map([['ops', grant], ['lost', { ...grant, tenant: tenant.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }]]);
  const signOn = createSignOnService({
    store, record, clock, random, http: provider.http, secure: false, machines: [],
    provider: { issuer: provider.issuer(), clientId, clientSecret: undefined, redirectUri: undefined, audience: 'loki-api', scopes: [], roles: { claim: 'roles', map }, users: new Map([['alice', 'alice-1']]) },
    ...keysOfSignOn({ store, keys, clock }),
  });
  const kit = createKit({ authentication: true }, { store, record, keys, signOn });
  return { kit: { ...kit, recorded: plain.recorded }, provider, tenant, other };
}

const cookieOf = (response: HttpResponse, name: string): string => (response.cookies ?? []).map((line) => line.split(';')[0] ?? '').find((pair) => pair.startsWith(name) && !pair.endsWith('=')) ?? assert.fail(`no ${name}`);

/** A whole sign-on; the answer of the callback. */
async function signIn({ kit: { api }, provider }: Scene, claims: object = {}, query: Readonly<Record<string, string>> = {}): Promise<HttpResponse> {
  const begun = await send(api, '/auth/login?return_to=/device');
  const asked = new URL(begun.headers['Location'] ?? '').searchParams;
  provider.answers.set('/token', () => reply(200, { access_token: 'at', token_type: 'Bearer', id_token: provider.idToken({ nonce: asked.get('nonce'), roles: ['ops'], auth_time: provider.at(), preferred_username: 'alice@example.com', ...claims }) }));
  const back = new URLSearchParams({ state: asked.get('state') ?? '', code: 'c', ...query });
  return send(api, `/auth/callback?${back}`, { headers: { cookie: cookieOf(begun, 'loki-sign-on-'), 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } });
}

const withCookie = (cookie: string, call: Call = {}): Call => ({ ...call, headers: { cookie, ...call.headers } });
const post = (cookie: string, body: unknown, headers: Readonly<Record<string, string>> = own): Call => ({ method: 'POST', headers: { cookie, ...json, ...headers }, body: JSON.stringify(body) });

test('a browser signs in, is known by its cookie alone, and it is on record', async () => {
  const here = await scene();
  const { kit: { api, recorded }, tenant, other } = here;
  const back = await signIn(here, {}, { session_state: 'x', scope: 'openid', added_by_nobody_we_know: 'x', code: 'c'.repeat(4000) });
  assert.deepEqual([back.status, back.headers['Location']], [303, '/device']);
  const cookie = cookieOf(back, 'loki=');
  const me = bodyOf(await send(api, '/auth/me', withCookie(cookie)));
  assert.deepEqual(me, { ...Object(me), actor: 'user:alice', kind: 'session', tenant_id: tenant, role: 'operator', name: 'alice@example.com', sign_on: issuerName, scopes: ['control', 'approve'] });
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie))).status, 200);
  assert.equal((await send(api, '/api/v2/projects')).status, 401);
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie.replace(tenant, other)))).status, 401);
  assert.equal((await send(api, '/api/v2/projects', withCookie(`${cookie}; ${cookie}`))).status, 401, 'a cookie twice');
  const entry = recorded.find(({ event }) => event === 'auth.oidc.success');
  assert.deepEqual([entry?.actor, entry?.metadata?.['tenant_id'], entry?.details?.['role'], entry?.details?.['approve']], ['user:alice', tenant, 'operator', true]);
  assert.ok(!JSON.stringify(recorded).includes(cookie.split('.')[1] ?? '-'));
});

test('a sign-on that fails sets no session, says why, and is on record', async () => {
  const here = await scene();
  for (const [claims, query, status, words] of [
    [{ roles: ['guests'] }, {}, 403, /role_map/], [{ nonce: 'x' }, {}, 401, /"nonce"/], [{ roles: ['lost'] }, {}, 403, /tenant tnt_\S+ of their role does not exist/], [{}, { error: 'access_denied' }, 403, /"access_denied"/], [{}, { iss: 'https://evil.example.com' }, 403, /"iss"/],
  ] as const) {
    const back = await signIn(here, claims, query);
    assert.deepEqual([back.status, back.cookies], [status, undefined]);
    assert.match(String(Object(bodyOf(back)).detail), words);
    const { details } = here.kit.recorded.findLast(({ event }) => event === 'auth.oidc.fail') ?? {};
    assert.match(String(details?.['reason']), words);
  }
  assert.equal((await send(here.kit.api, '/auth/callback?state=a&state=b&code=c')).status, 400, 'a parameter twice');
  assert.equal((await send(here.kit.api, '/auth/callback?state=a&x=1&x=2')).status, 400, 'one that we do not know twice');
  for (const evil of ['//evil.example.com', '/%5Cevil', 'https:evil', '%2F%2Fevil']) assert.equal((await send(here.kit.api, `/auth/login?return_to=${evil}`)).status, 400, evil);
});

test('with a cookie, only a page of our own changes anything', async () => {
  const here = await scene();
  const { api } = here.kit;
  const cookie = cookieOf(await signIn(here), 'loki=');
  const project = { name: 'Ledger' };
  for (const headers of [{}, { origin: 'https://evil.example.com' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'null' }, { origin: `http://localhost:${port}` }]) {
    assert.equal((await send(api, '/api/v2/projects', post(cookie, project, headers))).status, 403, JSON.stringify(headers));
  }
  assert.equal((await send(api, '/api/v2/projects', { ...post(cookie, project), headers: { cookie, ...own, 'content-type': 'text/plain' } })).status, 415);
  assert.equal((await send(api, '/api/v2/projects', post(cookie, project))).status, 201);
});

test('signing out ends the session, and a state comes back from the provider once', async () => {
  const here = await scene();
  const { api } = here.kit;
  const cookie = cookieOf(await signIn(here), 'loki=');
  const out = await send(api, '/auth/logout', post(cookie, {}));
  const location = new URL(String(Object(bodyOf(out)).location));
  assert.deepEqual([location.pathname, location.searchParams.get('client_id'), location.searchParams.get('post_logout_redirect_uri')], ['/logout', clientId, `http://127.0.0.1:${port}/auth/signed-out`]);
  assert.match(location.searchParams.get('id_token_hint') ?? '', /^eyJ/);
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie))).status, 401);
  const carried = cookieOf(out, 'loki-sign-out=');
  for (const [query, sent] of [['', carried], ['?state=x', carried], [`?state=${location.searchParams.get('state')}`, '']] as const) assert.equal((await send(api, `/auth/signed-out${query}`, withCookie(sent))).status, 403, query);
  const back = await send(api, `/auth/signed-out?state=${location.searchParams.get('state')}`, withCookie(carried));
  assert.deepEqual([back.status, back.headers['Location']], [303, '/']);
  assert.deepEqual(bodyOf(await send(api, '/auth/logout', { method: 'POST', headers: { ...json, ...own }, body: '{}' })), { location: null }, 'nobody is signed out already');
});

test('the provider ends sessions by a form with a signed token', async () => {
  const here = await scene();
  const { provider, kit: { api } } = here;
  const cookie = cookieOf(await signIn(here, { sid: 's-1' }), 'loki=');
  const token = (more: object = {}): string => signed({ iss: issuerName, aud: clientId, iat: provider.at(), jti: 'j-1', sub: 'alice-1', sid: 's-1', events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...more }, { header: { typ: 'logout+jwt' } });
  const form = (body: string): Call => ({ method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
  for (const body of ['', 'logout_token=x', `logout_token=${token({ nonce: 'n' })}`, `logout_token=${token()}&logout_token=${token()}`, `logout_token=${provider.idToken()}`]) assert.equal((await send(api, '/auth/backchannel-logout', form(body))).status, 400, body.slice(0, 30));
  assert.equal((await send(api, '/auth/backchannel-logout', { ...form('{}'), headers: json })).status, 415);
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie))).status, 200);
  assert.equal((await send(api, '/auth/backchannel-logout', form(`logout_token=${token()}`))).status, 200);
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie))).status, 401);
});

test('a key is exchanged for a cookie, which is worth what the key is', async () => {
  const { kit, tenant } = await scene();
  const { api, services: { keys } } = kit;
  const { token, key } = await mint(kit, { name: 'ci', tenant, role: 'operator' });
  const bearer = { authorization: `Bearer ${token}` };
  const exchanged = await send(api, '/auth/session', { method: 'POST', headers: { ...bearer, ...json }, body: '{}' });
  assert.equal(exchanged.status, 201);
  assert.ok(!String(exchanged.body).includes(token));
  const cookie = cookieOf(exchanged, 'loki=');
  assert.deepEqual(Object(bodyOf(await send(api, '/auth/me', withCookie(cookie)))).scopes, ['control']);
  assert.equal((await send(api, '/auth/session', post(cookie, {}))).status, 401, 'a cookie makes no further one');
  assert.equal((await send(api, '/auth/session', { method: 'POST', headers: json, body: '{}' })).status, 401);
  const { token: bound } = await mint(kit, { name: 'bound', tenant, role: 'viewer', cidrs: ['127.0.0.1'] });
  assert.equal((await send(api, '/auth/session', { method: 'POST', headers: { authorization: `Bearer ${bound}`, ...json }, body: '{}' })).status, 403);
  await keys.revoke((await keys.find(tenant, key.id)) ?? assert.fail(), { actor: 'user:root', scopes: new Set(['admin']) });
  assert.equal((await send(api, '/api/v2/projects', withCookie(cookie))).status, 401, 'revoked');
});

test('a command line gets a key from a signed-in person, and gives it back', async () => {
  const here = await scene();
  const { api } = here.kit;
  const cookie = cookieOf(await signIn(here), 'loki=');
  const begun = bodyOf(await send(api, '/auth/device', { method: 'POST', headers: json, body: '{"client":"loki on build-7"}', address: '10.0.0.9' }));
  const { device_code, user_code, verification_uri } = Object(begun);
  assert.equal(verification_uri, `http://127.0.0.1:${port}/device`);
  const poll = (): Promise<HttpResponse> => send(api, '/auth/device/token', { method: 'POST', headers: json, body: JSON.stringify({ device_code }) });
  const pending = await poll();
  assert.deepEqual([pending.status, Object(bodyOf(pending)).error, Object(bodyOf(pending)).code], [400, 'authorization_pending', 'auth.device']);
  assert.equal(Object(bodyOf(await poll())).error, 'slow_down');
  const { token } = await mint(here.kit, { name: 'admin', tenant: null, role: 'admin' });
  for (const call of [{}, { headers: { authorization: `Bearer ${token}` } }]) assert.equal((await send(api, `/auth/device?user_code=${user_code}`, call)).status, 401, 'a session only');
  const shown = bodyOf(await send(api, `/auth/device?user_code=${String(user_code).toLowerCase()}`, withCookie(cookie)));
  assert.deepEqual([Object(shown).client, Object(shown).address], ['loki on build-7', '10.0.0.9']);
  assert.equal((await send(api, '/auth/device/approve', post(cookie, { user_code, decision: 'approve' }, {}))).status, 403, 'another page');
  assert.equal((await send(api, '/auth/device/approve', post(cookie, { user_code: 'BBBB-BBBB', decision: 'approve' }))).status, 404);
  assert.equal((await send(api, '/auth/device/approve', post(cookie, { user_code, decision: 'approve' }))).status, 200);
  assert.equal((await send(api, '/auth/device', { method: 'POST', headers: json, body: '{"client":"\\u001b[2J"}' })).status, 400);
});

test('a token of the provider is a principal of its own; one that is wrong is nobody', async () => {
  const { kit: { api }, provider, tenant } = await scene();
  const token = (claims: object = {}, header: object = {}): string => signed({ iss: issuerName, aud: 'loki-api', sub: 'alice-1', iat: provider.at(), exp: provider.at(60), jti: 'j', client_id: 'c', roles: ['ops'], ...claims }, { header: { typ: 'at+jwt', ...header } });
  const ask = (path: string, shown: string): Promise<HttpResponse> => send(api, path, { headers: { authorization: `Bearer ${shown}` } });
  const me = Object(bodyOf(await ask('/auth/me', token())));
  assert.deepEqual([me.kind, me.actor, me.tenant_id, me.scopes, me.auth_time], ['token', 'token:op.example.com:alice-1', tenant, ['control'], null]);
  assert.equal((await ask('/api/v2/projects', token())).status, 200);
  for (const [wrong, status] of [[token({ exp: provider.at(-60) }), 401], [token({ aud: clientId }), 401], [token({ iss: 'https://evil.example.com' }), 401], [provider.idToken(), 401], [token({ roles: ['guests'] }), 403], [`${token()}x`, 401]] as const) {
    assert.equal((await ask('/api/v2/projects', wrong)).status, status, String((await ask('/api/v2/projects', wrong)).body));
  }
});
